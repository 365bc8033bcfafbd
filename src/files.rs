//! Files of the state folder: replaced whole or not at all, for their owner's eyes, by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

/// Nobody but the owner may read or write.
pub(crate) const OWNER_ONLY: u32 = 0o600;
/// The permissions of a file, without its kind.
const MODE_BITS: u32 = 0o7777;
/// What others may do, as permissions.
const OTHERS: u32 = 0o077;
/// What is being written, beside the file that it will replace.
const NEXT_SUFFIX: &str = ".next";
/// How often a lock is tried that another process holds.
const LOCK_TRIED_EVERY: Duration = Duration::from_millis(5);

/// Why a file could not be written or locked. The old file is whole.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses: no room, no permission, no such folder.
    #[error("{} can't be {doing}: {}", path.display(), plain(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `written`, `locked`.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else owns it; replacing it would take it from them.
    #[error("{} belongs to another user (uid {owner}, we are {ours})", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Whom we run as.
        ours: u32,
    },
    /// Another process holds the lock, and goes on holding it.
    #[error("{} is held by another process for more than {} s", path.display(), patience.as_secs())]
    Busy {
        /// The lock's file.
        path: PathBuf,
        /// How long it was waited for.
        patience: Duration,
    },
}

impl FileError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Io { source, path, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "make room on the disk and run it again; nothing was changed".to_owned()
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    let folder = path.parent().unwrap_or(path).display();
                    format!("make {folder} writable and run it again; nothing was changed")
                }
                _ => "mend that and run it again; nothing was changed".to_owned(),
            },
            Self::NotOurs { path, .. } => {
                format!(
                    "run it as that user, or take the file over: chown $(id -u) '{}'",
                    path.display()
                )
            }
            Self::Busy { .. } => "wait for the other command to end, or end it, and run it again".to_owned(),
        }
    }
}

/// The system's message without its number, which is of no use to people.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Replaces `path` by `bytes`, with permissions `mode` from its first byte: a kill at any moment leaves the old file
/// or the new one. A link stays, and the file that it leads to is replaced.
///
/// Writers of one file hold its lock, since what is being written has a name of its own beside it.
///
/// # Errors
/// If it belongs to somebody else or can't be written.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    check_owner(&target)?;
    let mut next = target.clone().into_os_string();
    next.push(NEXT_SUFFIX);
    let next = PathBuf::from(next);
    write_durably(&next, &target, bytes, mode).map_err(|source| {
        // What is left of it may hold secrets; if it can't be removed, the next write will try again.
        let _left = fs::remove_file(&next);
        FileError::Io {
            path: path.to_owned(),
            doing: "written",
            source,
        }
    })
}

/// Replaces `path` by `value` as indented JSON that only its owner may read.
///
/// # Errors
/// As [`replace`].
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| FileError::Io {
        path: path.to_owned(),
        doing: "written",
        source: error.into(),
    })?;
    text.push(b'\n');
    replace(path, &text, OWNER_ONLY)
}

fn write_durably(next: &Path, target: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // A killed process may have left one, of whatever kind.
    match fs::remove_file(next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(next, target)?;
    // The name is on the disk once its folder is.
    let folder = target.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn check_owner(path: &Path) -> Result<(), FileError> {
    let Ok(meta) = fs::metadata(path) else {
        return Ok(());
    };
    let ours = nix::unistd::geteuid().as_raw();
    if meta.uid() == ours {
        return Ok(());
    }
    Err(FileError::NotOurs {
        path: path.to_owned(),
        owner: meta.uid(),
        ours,
    })
}

/// The permissions of a file that others than its owner may use; `None` if it is its owner's alone, or isn't there.
#[must_use]
pub(crate) fn open_to_others(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & MODE_BITS;
    (mode & OTHERS != 0).then_some(mode)
}

/// Opens the file of a lock between processes, which is made if it isn't there and stays.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(OWNER_ONLY)
        .open(path)
}

/// A lock between processes. It goes with the process that holds it, however that ends.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "held open: closing it unlocks")] File);

impl FileLock {
    /// Takes the lock at `path`, which is made if it isn't there, within `patience`.
    ///
    /// # Errors
    /// If another process holds it for longer, or the file can't be made.
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self, FileError> {
        let failed = |source| FileError::Io {
            path: path.to_owned(),
            doing: "locked",
            source,
        };
        let file = open_lock(path).map_err(failed)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if waited >= patience => {
                    return Err(FileError::Busy {
                        path: path.to_owned(),
                        patience,
                    });
                }
                Err(TryLockError::WouldBlock) => pause(LOCK_TRIED_EVERY),
            }
            waited += LOCK_TRIED_EVERY;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only commands and threads of their own wait for files; no worker does"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & MODE_BITS
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(open_to_others(&path), Some(0o644));
        replace(&path, b"new", OWNER_ONLY).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(mode(&path), OWNER_ONLY);
        assert_eq!(open_to_others(&path), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_writer_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.json");
        fs::write(folder.path().join("f.json.next"), "half a sec").unwrap();
        replace(&path, b"new", OWNER_ONLY).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, b"new", OWNER_ONLY).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace(&folder.path().join("no/f.json"), b"new", OWNER_ONLY).unwrap_err();
        assert!(error.to_string().contains("no such file or directory"), "{error}");
        assert!(!error.to_string().contains("os error"), "{error}");
    }

    #[test]
    fn a_lock_is_one_holders_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.lock");
        let held = FileLock::take(&path, Duration::ZERO).unwrap();
        let error = FileLock::take(&path, Duration::from_millis(10)).unwrap_err();
        assert!(matches!(error, FileError::Busy { .. }), "{error}");
        drop(held);
        FileLock::take(&path, Duration::ZERO).unwrap();
        assert_eq!(mode(&path), OWNER_ONLY);
    }
}
