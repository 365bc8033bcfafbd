//! The machine's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::domain::clock::{Clock, Timestamp};

/// Goes on while the machine sleeps; the standard library's clock stands still then, and tokens would seem to live.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UPTIME: ClockId = ClockId::CLOCK_BOOTTIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const UPTIME: ClockId = ClockId::CLOCK_MONOTONIC;

/// The machine's clock: wall time when it was made, monotonic from then on, so that a correction of the
/// machine's time neither ends a cooldown early nor makes it last for days.
#[derive(Debug)]
pub struct SystemClock {
    started: Timestamp,
    /// The machine's uptime then.
    origin: Duration,
}

/// How long the machine has been up, asleep or not; zero where it can't tell.
fn uptime() -> Duration {
    clock_gettime(UPTIME).map(Duration::from).unwrap_or_default()
}

impl SystemClock {
    /// Starts the clock at the machine's present wall time.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started: Timestamp::default().after(wall),
            origin: uptime(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.started.after(uptime().saturating_sub(self.origin))
    }
}
