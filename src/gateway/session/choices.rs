//! The choices of all sessions: read by every request of a session, changed by `/model` alone, kept across restarts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use coderclaw_actors::Timestamp;
use parking_lot::Mutex;

use super::chosen::Chosen;
use super::id::SessionId;
use super::saved::ChoicesFile;
use crate::files::FileError;

/// Sessions that something may be chosen for; the one that was used least lately leaves for one more.
pub const CHOSEN_MAX: usize = 10_000;
/// The last use of a choice is told no more exactly than this, in milliseconds: requests of one session then write
/// nothing that other threads read.
const USE_GRAIN_MS: u64 = 60_000;

/// What was chosen for one session, and when it was last used.
#[derive(Debug)]
pub(super) struct Entry {
    chosen: Chosen,
    used_at_ms: AtomicU64,
}

pub(super) type All = HashMap<SessionId, Arc<Entry>>;

/// All choices.
#[derive(Debug)]
pub(super) struct Choices {
    /// Replaced whole by each change: readers never wait, and there are few changes.
    all: ArcSwap<All>,
    /// How many changes there were; held while one is made.
    changes: Mutex<u64>,
    /// How many of them the file holds; held while it is written.
    written: Mutex<u64>,
    file: ChoicesFile,
}

// === impl Entry ===

impl Entry {
    pub(super) fn new(chosen: Chosen, used_at_ms: u64) -> Self {
        Self {
            chosen,
            used_at_ms: AtomicU64::new(used_at_ms),
        }
    }

    /// What was chosen.
    #[must_use]
    pub(super) fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// When it was last used, in Unix milliseconds.
    #[must_use]
    pub(super) fn used_at_ms(&self) -> u64 {
        self.used_at_ms.load(Ordering::Relaxed)
    }

    fn used(&self, now: Timestamp) {
        let now = now.as_unix_ms();
        if self.used_at_ms().saturating_add(USE_GRAIN_MS) < now {
            self.used_at_ms.store(now, Ordering::Relaxed);
        }
    }
}

// === impl Choices ===

impl Choices {
    /// What earlier gateways left in `folder`.
    #[must_use]
    pub(super) fn open(folder: &Path) -> Self {
        let file = ChoicesFile::of(folder);
        let mut all = file.load();
        while all.len() > CHOSEN_MAX {
            drop_oldest(&mut all);
        }
        Self {
            all: ArcSwap::from_pointee(all),
            changes: Mutex::new(0),
            written: Mutex::new(0),
            file,
        }
    }

    /// What was chosen for `session`, which uses it at `now`.
    #[must_use]
    pub(super) fn find(&self, session: &SessionId, now: Timestamp) -> Option<Arc<Entry>> {
        let all = self.all.load();
        let entry = all.get(session)?;
        entry.used(now);
        Some(Arc::clone(entry))
    }

    /// How many sessions something is chosen for, and how many of them are pinned.
    #[must_use]
    pub(super) fn counts(&self) -> (usize, usize) {
        let all = self.all.load();
        let pinned = all.values().filter(|entry| entry.chosen.pin.is_some());
        (all.len(), pinned.count())
    }

    /// Chooses `chosen` for `session`, at once; returns when it is written down.
    ///
    /// # Errors
    /// Why it could not be written; it is in force all the same.
    pub(super) async fn choose(
        self: &Arc<Self>,
        session: SessionId,
        chosen: Chosen,
        now: Timestamp,
    ) -> Result<(), String> {
        let change = self.change(session, chosen, now);
        let choices = Arc::clone(self);
        // A disk may take its time, and callers may go away: what is chosen is written all the same.
        let written = tokio::task::spawn_blocking(move || choices.write(change)).await;
        match written {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err("writing it crashed".to_owned()),
        }
    }

    /// Writes what there is, uses included, if there is anything.
    ///
    /// # Errors
    /// If that fails; the old file is whole.
    pub(super) fn save(&self) -> Result<(), FileError> {
        let _one_at_a_time = self.written.lock();
        let all = self.all.load_full();
        if all.is_empty() && !self.file.is_there() {
            return Ok(());
        }
        self.file.save(&all)
    }

    /// Makes a change and says which one it is.
    fn change(&self, session: SessionId, chosen: Chosen, now: Timestamp) -> u64 {
        let mut changes = self.changes.lock();
        let mut all = All::clone(&self.all.load());
        all.remove(&session);
        if !chosen.is_empty() {
            if all.len() >= CHOSEN_MAX {
                drop_oldest(&mut all);
            }
            all.insert(session, Arc::new(Entry::new(chosen, now.as_unix_ms())));
        }
        self.all.store(Arc::new(all));
        *changes += 1;
        *changes
    }

    /// Writes what there is unless it holds change number `change` already: many who wait are served by one write.
    fn write(&self, change: u64) -> Result<(), FileError> {
        let mut written = self.written.lock();
        if *written >= change {
            return Ok(());
        }
        let (all, changes) = {
            let changes = self.changes.lock();
            (self.all.load_full(), *changes)
        };
        self.file.save(&all)?;
        *written = changes;
        Ok(())
    }
}

fn drop_oldest(all: &mut All) {
    let oldest = all.iter().min_by_key(|(id, entry)| (entry.used_at_ms(), **id));
    if let Some(id) = oldest.map(|(id, _)| *id) {
        all.remove(&id);
    }
}

#[cfg(test)]
mod tests;
