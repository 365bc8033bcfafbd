//! `auth-profiles.json`: the credentials that an agent holds, in the form of the older tools.
//!
//! Every change is read-modify-write under a lock between processes, and only what changes is touched: fields and
//! types of profiles that are unknown here survive. A file that does not parse is never overwritten.

mod agents;
mod document;
mod logins;
mod profile;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::create_state_dir;
use crate::config::load::read_bounded;
use crate::files::{self, FileError, FileLock};

pub use agents::{AgentProfiles, MAIN_AGENT};
pub use document::{AuthStore, Unknown, Usage};
pub use logins::AgentLogins;
pub(in crate::credentials) use logins::stored_oauth;
pub use profile::{NewCredential, OauthSecrets, StoredCredential, StoredProfile, StoredSecret};

/// The name that the older tools gave it.
const FILE_NAME: &str = "auth-profiles.json";
/// The older tools make a file `auth-profiles.json.lock` for as long as they write; this one stays.
const LOCK_NAME: &str = ".auth-profiles.lock";
/// Whoever writes holds the lock for milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// No store is larger: 64 MiB, room for a hundred thousand profiles.
const STORE_BYTES_MAX: u64 = 64 << 20;

/// Why a store could not be read or changed. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is there and can't be read.
    #[error("{} can't be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// It is no JSON.
    #[error("{}:{line}:{column}: not JSON: {reason}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says; never the text itself.
        reason: String,
    },
    /// It is JSON of another form.
    #[error("{}: {key}: expected {expected}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where: `profiles["openai:work"]`.
        key: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// It can't be written, or somebody else writes it for too long.
    #[error(transparent)]
    File(#[from] FileError),
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { path, .. } => format!(
                "make {0} a text file that you may read (chmod 600 '{0}'), or move it away to begin with an empty \
                 store; it was not changed",
                path.display()
            ),
            Self::NotJson { path, .. } | Self::Form { path, .. } => format!(
                "mend {} at that place, or move it away to begin with an empty store; it was not changed",
                path.display()
            ),
            Self::File(error) => error.help(),
        }
    }
}

/// The store of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    path: PathBuf,
}

impl StoreFile {
    /// The store of `agent`; it need not exist.
    #[must_use]
    pub fn of_agent(state_dir: &Path, agent: &str) -> Self {
        Self {
            path: agent_dir(state_dir, agent).join(FILE_NAME),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; an empty store if there is no file.
    ///
    /// # Errors
    /// If there is one that can't be read or understood.
    pub fn read(&self) -> Result<AuthStore, StoreError> {
        match read_bounded(&self.path, STORE_BYTES_MAX) {
            Ok(Some(text)) => AuthStore::parse(&text, &self.path),
            Ok(None) => Ok(AuthStore::default()),
            Err(reason) => Err(StoreError::Unreadable {
                path: self.path.clone(),
                reason,
            }),
        }
    }

    /// Changes it: reads what is there now, applies `change`, and writes the result if it differs, all under the
    /// lock. If `change` fails nothing is written.
    ///
    /// # Errors
    /// Those of `change`, and whatever keeps the file from being read or written.
    pub fn update<R, E>(&self, change: impl FnOnce(&mut AuthStore) -> Result<R, E>) -> Result<R, E>
    where
        E: From<StoreError>,
    {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        create_state_dir(folder).map_err(|error| StoreError::Unreadable {
            path: folder.to_owned(),
            reason: error.to_string(),
        })?;
        let _lock = FileLock::take(&folder.join(LOCK_NAME), LOCK_PATIENCE).map_err(StoreError::from)?;
        let before = self.read()?;
        let mut after = before.clone();
        let result = change(&mut after)?;
        if after != before {
            files::replace_json(&self.path, &after).map_err(StoreError::from)?;
        }
        Ok(result)
    }

    /// A sentence of warning if others than the owner may read the store.
    #[must_use]
    pub fn exposure(&self) -> Option<String> {
        let mode = files::open_to_others(&self.path)?;
        Some(format!(
            "others on this machine may read or write it (mode {mode:04o}): chmod 600 '{}', and make new keys if \
             anyone did",
            self.path.display()
        ))
    }
}

/// The folder of an agent.
#[must_use]
pub fn agent_dir(state_dir: &Path, agent: &str) -> PathBuf {
    state_dir.join("agents").join(agent).join("agent")
}

#[cfg(test)]
mod tests;
