//! `<state>/credential-state.json`: which credentials rest until when, kept across restarts. No secrets: profiles
//! are told apart by id and fingerprint.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use coderclaw_actors::{ControlPlane, SavedState};
use futures_util::future::select_all;

use crate::files::{self, FileError};

const FILE_NAME: &str = "credential-state.json";
/// A file that can't be read is kept under this name, and the gateway starts with an empty memory.
const SET_ASIDE_NAME: &str = "credential-state.unreadable.json";
/// Changes within this time are written together.
const WRITE_DELAY: Duration = Duration::from_millis(200);

/// The memory of one state folder.
#[derive(Clone, Debug)]
pub struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// The memory in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// What is remembered. A file that can't be understood is set aside, said so, and costs nothing but the memory.
    #[must_use]
    pub fn load(&self) -> SavedState {
        let path = self.folder.join(FILE_NAME);
        let error = match self.read() {
            Ok(saved) => return saved,
            Err(error) => error,
        };
        let aside = self.folder.join(SET_ASIDE_NAME);
        let kept = fs::rename(&path, &aside).is_ok();
        tracing::warn!(file = %path.display(), error = %error, kept_as = kept.then(|| aside.display().to_string()),
            "the memory of credentials can't be read: starting without it");
        SavedState::default()
    }

    /// What is remembered; nothing if there is no file. Touches nothing.
    ///
    /// # Errors
    /// If there is a file that can't be read or understood.
    pub fn read(&self) -> io::Result<SavedState> {
        match fs::read(self.folder.join(FILE_NAME)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SavedState::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes `state`, whole or not at all.
    ///
    /// # Errors
    /// If the file can't be written; the old one is untouched.
    pub fn save(&self, state: &SavedState) -> Result<(), FileError> {
        files::replace_json(&self.folder.join(FILE_NAME), state)
    }

    /// Writes what changes, until it is dropped or nothing can change any more. A disk that is full costs the
    /// memory, not the service.
    pub async fn keep(&self, control: &ControlPlane) {
        let mut changes: Vec<_> = control
            .providers()
            .iter()
            .map(coderclaw_actors::ProviderHandle::changes)
            .collect();
        while !changes.is_empty() {
            let waits: Vec<_> = changes
                .iter_mut()
                .map(|change| Box::pin(change.changed()))
                .collect();
            if pin!(select_all(waits)).await.0.is_err() {
                return;
            }
            tokio::time::sleep(WRITE_DELAY).await;
            for change in &mut changes {
                change.borrow_and_update();
            }
            self.save_or_say(control);
        }
    }

    /// Writes what is remembered now; says so if that fails.
    pub fn save_or_say(&self, control: &ControlPlane) {
        if let Err(error) = self.save(&control.export()) {
            tracing::warn!(folder = %self.folder.display(), error = %error, "the memory of credentials was not written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_file_is_set_aside_and_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "{ not json").unwrap();
        let memory = Memory::of(folder.path());
        assert_eq!(memory.load(), SavedState::default());
        assert_eq!(
            fs::read_to_string(folder.path().join(SET_ASIDE_NAME)).unwrap(),
            "{ not json"
        );
        memory.save(&SavedState::default()).unwrap();
        assert_eq!(memory.load(), SavedState::default());
    }
}
