//! `<state>/sessions.json`: what was chosen with `/model`, by the hash of each session's key. No key, no secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde::{Deserialize, Serialize};

use super::choices::{All, Entry};
use super::chosen::{Chosen, Pin};
use super::id::SessionId;
use crate::config::Target;
use crate::files::{self, FileError};

const FILE_NAME: &str = "sessions.json";
/// A file that can't be understood is kept under this name, and the gateway starts without choices.
const SET_ASIDE_NAME: &str = "sessions.unreadable.json";
/// The form that is written; of another one nothing is known.
const VERSION: u32 = 1;

/// The file of one state folder. Only the gateway that holds the folder writes it.
#[derive(Debug)]
pub(super) struct ChoicesFile {
    path: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    sessions: Vec<SavedSession>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedSession {
    id: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<SavedModel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<SavedPin>,
    used_at_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedModel {
    provider: ProviderId,
    model: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedPin {
    provider: ProviderId,
    profile: ProfileId,
}

// === impl ChoicesFile ===

impl ChoicesFile {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE_NAME),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// What it holds. A file that can't be understood is set aside, said so, and costs the choices alone.
    pub(super) fn load(&self) -> All {
        let error = match self.read() {
            Ok(all) => return all,
            Err(error) => error,
        };
        let aside = self.path.with_file_name(SET_ASIDE_NAME);
        let kept = fs::rename(&self.path, &aside).is_ok();
        tracing::warn!(target: "coderclaw", file = %self.path.display(), error = %error,
            kept_as = kept.then(|| aside.display().to_string()),
            "the choices of sessions can't be read: starting without pins");
        All::default()
    }

    fn read(&self) -> io::Result<All> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(All::default()),
            text => text?,
        };
        let saved: Saved = serde_json::from_slice(&text)?;
        if saved.version != VERSION {
            let message = format!("version {} is not known here", saved.version);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(saved.sessions.into_iter().map(SavedSession::entry).collect())
    }

    /// Writes `all`, whole or not at all.
    pub(super) fn save(&self, all: &All) -> Result<(), FileError> {
        let mut sessions: Vec<SavedSession> = all
            .iter()
            .map(|(id, entry)| SavedSession::of(*id, entry))
            .collect();
        sessions.sort_by_key(|session| session.id);
        let version = VERSION;
        files::replace_json(&self.path, &Saved { version, sessions })
    }
}

// === impl SavedSession ===

impl SavedSession {
    fn of(id: SessionId, entry: &Entry) -> Self {
        let Chosen { model, pin } = entry.chosen().clone();
        Self {
            id,
            model: model.map(|Target { provider, model }| SavedModel { provider, model }),
            pin: pin.map(|Pin { provider, profile }| SavedPin { provider, profile }),
            used_at_ms: entry.used_at_ms(),
        }
    }

    fn entry(self) -> (SessionId, Arc<Entry>) {
        let chosen = Chosen {
            model: self
                .model
                .map(|SavedModel { provider, model }| Target { provider, model }),
            pin: self
                .pin
                .map(|SavedPin { provider, profile }| Pin { provider, profile }),
        };
        (self.id, Arc::new(Entry::new(chosen, self.used_at_ms)))
    }
}
