//! The lock of one account of one provider, across tasks and processes. It ends with its holder, whatever ends that.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::files::open_lock;

/// Time between two tries, at first and at most.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOK_EVERY_MAX: Duration = Duration::from_millis(100);

/// The lock, as long as it is held.
#[derive(Debug)]
pub(super) struct AccountLock(#[expect(dead_code, reason = "held for its lock alone")] File);

impl AccountLock {
    /// Waits for the lock for at most `wait`; none if somebody holds it for longer. Blocks nothing.
    ///
    /// # Errors
    /// If the file can't be opened or locked.
    pub(super) async fn take(path: &Path, wait: Duration) -> io::Result<Option<Self>> {
        let file = open_lock(path)?;
        let deadline = tokio::time::sleep(wait);
        tokio::pin!(deadline);
        let mut pause = LOOK_EVERY;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            tokio::select! {
                () = &mut deadline => return Ok(None),
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LOOK_EVERY_MAX),
            }
        }
    }
}
