//! What programs printed, kept for a while: `op read` may take seconds, and may ask for a fingerprint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use coderclaw_actors::SystemClock;
use coderclaw_actors::domain::clock::{SharedClock, Timestamp};
use parking_lot::Mutex;

use super::Why;
use crate::credentials::command::{ExternalCommand, Output};

/// What a program printed counts for this long: 5 min.
pub const COMMAND_KEPT: Duration = Duration::from_mins(5);

/// A failure counts for this long: 5 s. So one load of the settings doesn't wait twice for the same program, and what
/// mends it counts soon.
pub const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// At most so many programs' outputs are kept.
const COMMANDS_KEPT_MAX: usize = 4096;

/// One for the whole process, so that a reload doesn't run every program again.
static OF_PROCESS: LazyLock<Arc<CommandCache>> =
    LazyLock::new(|| Arc::new(CommandCache::new(Arc::new(SystemClock::start()))));

/// Outputs of programs, and their failures, by the digest of the command.
pub struct CommandCache {
    clock: SharedClock,
    kept: Mutex<BTreeMap<[u8; 32], Kept>>,
}

struct Kept {
    until: Timestamp,
    outcome: Result<Output, Why>,
}

impl CommandCache {
    /// An empty cache.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            kept: Mutex::default(),
        }
    }

    /// The one that everything in this process shares.
    #[must_use]
    pub fn of_process() -> Arc<Self> {
        Arc::clone(&OF_PROCESS)
    }

    /// Forgets everything, as someone may ask who has changed a secret at its place.
    pub fn clear(&self) {
        self.kept.lock().clear();
    }

    /// What `read` makes of the command's output. An output that it can't use is a failure.
    pub(super) fn read<T>(
        &self,
        command: &ExternalCommand,
        read: impl Fn(&Output) -> Result<T, Why>,
    ) -> Result<T, Why> {
        let digest = command.digest();
        if let Some(outcome) = self.find(digest) {
            return outcome.and_then(|output| read(&output));
        }
        // The lock is not held while the program runs: two may run at once, and neither waits.
        let ran = command.run().map_err(Why::from);
        let found = ran.and_then(|output| Ok((read(&output)?, output)));
        match found {
            Ok((value, output)) => {
                self.keep(digest, Ok(output), COMMAND_KEPT);
                Ok(value)
            }
            Err(why) => {
                self.keep(digest, Err(why.clone()), FAILURE_KEPT);
                Err(why)
            }
        }
    }

    fn find(&self, digest: [u8; 32]) -> Option<Result<Output, Why>> {
        let kept = self.kept.lock();
        let found = kept.get(&digest)?;
        (self.clock.now() < found.until).then(|| found.outcome.clone())
    }

    fn keep(&self, digest: [u8; 32], outcome: Result<Output, Why>, time: Duration) {
        let now = self.clock.now();
        let mut kept = self.kept.lock();
        kept.retain(|_, other| now < other.until);
        if kept.len() < COMMANDS_KEPT_MAX {
            let until = now.after(time);
            kept.insert(digest, Kept { until, outcome });
        }
    }
}

impl fmt::Debug for CommandCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandCache({})", self.kept.lock().len())
    }
}
