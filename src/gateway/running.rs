//! `<state>/gateway.json`: where the running gateway is found, and the lock that lets one state folder have only one.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError, FileLock};

const FILE_NAME: &str = "gateway.json";
const LOCK_NAME: &str = "gateway.lock";
/// Whoever asks whether a gateway runs holds its lock for a moment: so long is it waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(50);

/// What a running gateway says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningGateway {
    /// Its process.
    pub pid: u32,
    /// When it started, in milliseconds since the Unix epoch.
    pub started_at_ms: u64,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
}

/// Why a state folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// Another gateway has it.
    #[error("another gateway{} runs on the state folder {}: stop it, or set CODERCLAW_STATE_DIR to another folder", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), folder.display())]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// The other gateway's process, where its file tells.
        pid: Option<u32>,
    },
    /// A file in the folder can't be written or locked.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A state folder that this process holds. Dropping it removes the file; the lock goes with the process, however it
/// ends.
#[derive(Debug)]
pub struct StateFolder {
    file: PathBuf,
    _lock: FileLock,
}

impl StateFolder {
    /// Takes `folder`, which exists.
    ///
    /// # Errors
    /// If another gateway has it, or it can't be written to.
    pub fn take(folder: &Path) -> Result<Self, RunningError> {
        let path = folder.join(LOCK_NAME);
        match FileLock::take(&path, LOCK_PATIENCE) {
            Ok(lock) => Ok(Self {
                file: folder.join(FILE_NAME),
                _lock: lock,
            }),
            Err(FileError::Busy { .. }) => Err(RunningError::Taken {
                folder: folder.to_owned(),
                pid: read(folder).ok().flatten().map(|running| running.pid),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Says where this gateway is found: whole or not at all.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn announce(&self, running: &RunningGateway) -> Result<(), RunningError> {
        Ok(files::replace_json(&self.file, running)?)
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // Gone already is as good.
        let _gone = std::fs::remove_file(&self.file);
    }
}

/// The gateway that runs on `folder`, if one does. A file whose process is gone counts for nothing, nor does one that
/// outlived its gateway and names a process that has the number now: whoever listens there may be anyone.
///
/// # Errors
/// If there is a file that can't be read.
pub fn read(folder: &Path) -> io::Result<Option<RunningGateway>> {
    let text = match std::fs::read(folder.join(FILE_NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let running: RunningGateway = serde_json::from_slice(&text)?;
    Ok((is_alive(running.pid) && is_locked(folder)).then_some(running))
}

/// Whether a gateway holds the lock of `folder`; where that can't be known, it is taken to.
fn is_locked(folder: &Path) -> bool {
    match File::open(folder.join(LOCK_NAME)) {
        Ok(lock) => !matches!(lock.try_lock_shared(), Ok(())),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn is_alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    // Signal 0 only asks; EPERM means that it lives and is someone else's.
    !matches!(
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None),
        Err(nix::errno::Errno::ESRCH)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(pid: u32) -> RunningGateway {
        RunningGateway {
            pid,
            started_at_ms: 1,
            addresses: vec!["127.0.0.1:18789".parse().unwrap()],
        }
    }

    #[test]
    fn a_folder_has_one_gateway() {
        let folder = tempfile::tempdir().unwrap();
        let held = StateFolder::take(folder.path()).unwrap();
        held.announce(&running(std::process::id())).unwrap();
        let error = StateFolder::take(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(held);
        assert_eq!(read(folder.path()).unwrap(), None);
        StateFolder::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_a_dead_process_left_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let held = StateFolder::take(folder.path()).unwrap();
        held.announce(&running(u32::MAX >> 1)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }

    #[test]
    fn a_file_that_names_a_stranger_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let held = StateFolder::take(folder.path()).unwrap();
        held.announce(&running(std::process::id())).unwrap();
        assert!(read(folder.path()).unwrap().is_some());
        let text = std::fs::read(folder.path().join(FILE_NAME)).unwrap();
        drop(held);
        // As after a crash: the file stays, the lock does not.
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let held = StateFolder::take(folder.path()).unwrap();
        held.announce(&running(1)).unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, files::OWNER_ONLY);
    }
}
