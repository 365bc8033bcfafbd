//! Sessions: the credential that a conversation keeps, and what was chosen for it with `/model`.
//!
//! A session is known by a hash of the caller's key alone: the key itself is never kept, logged or shown.

mod choices;
mod chosen;
mod claim;
mod id;
mod kept;
mod saved;

use std::path::Path;
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::AuthProfile;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::config::Target;
use crate::wire::session_key::{SessionKeyError, session_key};
use choices::{Choices, Entry};
use kept::Kept;

pub use choices::CHOSEN_MAX;
pub use chosen::{Chosen, Pin};
pub use claim::{Claim, PinError};
pub use id::SessionId;

/// The header that names a session.
pub const SESSION_HEADER: &str = "x-coderclaw-session-key";
/// Sessions of which it is remembered which list of models they were shown last.
const LISTS_MAX: usize = 10_000;

/// All sessions of a gateway.
#[derive(Debug)]
pub struct Sessions {
    kept: Kept,
    choices: Arc<Choices>,
    /// What the last list of models that a session was shown came to.
    lists: Cache<SessionId, u64>,
}

/// How many sessions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionCounts {
    /// Sessions whose credential is remembered, counted once a provider.
    pub held: usize,
    /// Sessions for which a model or a credential was chosen with `/model`.
    pub chosen: usize,
    /// Those of them that are pinned to a credential.
    pub pinned: usize,
}

/// The session of one request.
#[derive(Debug)]
pub struct Session<'a> {
    sessions: &'a Sessions,
    id: SessionId,
    by_header: bool,
    entry: Option<Arc<Entry>>,
}

// === impl Sessions ===

impl Sessions {
    /// No more than `limit` sessions, and what earlier gateways of the state folder `folder` left.
    #[must_use]
    pub fn open(folder: &Path, limit: usize) -> Self {
        Self {
            kept: Kept::new(limit),
            choices: Arc::new(Choices::open(folder)),
            lists: Cache::new(LISTS_MAX),
        }
    }

    /// The session of a request of `agent`: the one that its header names, else the one that its body tells of.
    ///
    /// # Errors
    /// If the header can be no session's key.
    pub fn of_request(
        &self,
        headers: &HeaderMap,
        in_body: Option<&str>,
        agent: &str,
        now: Timestamp,
    ) -> Result<Option<Session<'_>>, SessionKeyError> {
        let in_header = header_key(headers)?;
        let Some(key) = in_header.or(in_body) else {
            return Ok(None);
        };
        let id = SessionId::of(agent, key);
        Ok(Some(Session {
            sessions: self,
            id,
            by_header: in_header.is_some(),
            entry: self.choices.find(&id, now),
        }))
    }

    /// Remembers that `profile` has begun to serve the session of `claim`.
    pub fn served(&self, claim: &Claim, profile: &AuthProfile) {
        self.kept.keep(claim.slot(), profile.identity());
    }

    /// How many there are.
    #[must_use]
    pub fn counts(&self) -> SessionCounts {
        let (chosen, pinned) = self.choices.counts();
        SessionCounts {
            held: self.kept.count(),
            chosen,
            pinned,
        }
    }

    /// Writes down when each choice was last used; says so if that fails.
    pub fn save_or_say(&self) {
        if let Err(error) = self.choices.save() {
            tracing::warn!(target: "coderclaw", error = %error, "the choices of sessions were not written");
        }
    }
}

fn header_key(headers: &HeaderMap) -> Result<Option<&str>, SessionKeyError> {
    let mut values = headers.get_all(SESSION_HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SessionKeyError::Twice);
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| SessionKeyError::NotText)?;
    session_key(text)
}

// === impl Session ===

impl Session<'_> {
    /// Whether a header names it.
    #[must_use]
    pub fn is_by_header(&self) -> bool {
        self.by_header
    }

    /// What was chosen for it.
    #[must_use]
    pub fn chosen(&self) -> Chosen {
        let entry = self.entry.as_deref();
        entry.map(|entry| entry.chosen().clone()).unwrap_or_default()
    }

    /// The model that was chosen for it.
    #[must_use]
    pub fn model(&self) -> Option<&Target> {
        self.entry.as_ref()?.chosen().model.as_ref()
    }

    /// The credential that it is pinned to.
    #[must_use]
    pub fn pin(&self) -> Option<&Pin> {
        self.entry.as_ref()?.chosen().pin.as_ref()
    }

    /// Chooses something else for it, at once. Returns when that is written down.
    ///
    /// # Errors
    /// Why it could not be written: it holds until the gateway ends.
    pub async fn choose(&self, chosen: Chosen, now: Timestamp) -> Result<(), String> {
        self.sessions.choices.choose(self.id, chosen, now).await
    }

    /// Remembers which list it was shown.
    pub fn shown(&self, list: u64) {
        self.sessions.lists.insert(self.id, list);
    }

    /// Which list it was shown last, if that is still known.
    #[must_use]
    pub fn last_list(&self) -> Option<u64> {
        self.sessions.lists.get(&self.id)
    }
}

#[cfg(test)]
mod tests;
