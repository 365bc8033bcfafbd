//! The file and its lock.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::EditError;
use crate::config::load::create_state_dir;

const OWNER_ONLY: u32 = 0o600;
/// A change takes milliseconds; whoever holds the lock for 5 s is stuck.
const LOCK_TRIES: u32 = 500;
const LOCK_TRIED_EVERY: Duration = Duration::from_millis(10);

/// A file that no other editor changes while this lives. The lock is the kernel's: it goes with the process, however
/// that ends.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for the lock of `path`. A symbolic link stays one: the file that it names is changed.
    pub(super) fn take(path: &Path) -> Result<Self, EditError> {
        let path = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(unwritable(path, &error)),
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_state_dir(folder).map_err(EditError::Unreadable)?;
        }
        let mut name = path.clone().into_os_string();
        name.push(".lock");
        let name = PathBuf::from(name);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER_ONLY)
            .open(&name)
            .map_err(|error| unwritable(&name, &error))?;
        match lock_patiently(&lock) {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EditError::Busy { path }),
            Err(TryLockError::Error(error)) => Err(unwritable(&name, &error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn entangled(&self) -> EditError {
        EditError::Entangled {
            path: self.path.clone(),
        }
    }

    /// Puts `text` in the file's place; its mode stays.
    pub(super) fn write(&self, text: &str) -> Result<(), EditError> {
        self.try_write(text)
            .map_err(|error| unwritable(&self.path, &error))
    }

    fn try_write(&self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mode = match fs::metadata(&self.path) {
            Ok(meta) => meta.permissions().mode() & 0o777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => OWNER_ONLY,
            Err(error) => return Err(error),
        };
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(OWNER_ONLY))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }
}

fn unwritable(path: &Path, error: &io::Error) -> EditError {
    EditError::Unwritable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command waits here before it changes anything; no worker does"
)]
fn lock_patiently(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_TRIED_EVERY),
            result => return result,
        }
    }
    lock.try_lock()
}
