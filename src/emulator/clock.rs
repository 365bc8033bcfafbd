//! The time of buckets and windows; it can run faster than the machine's.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where the time of buckets, day windows and promised waits comes from.
pub trait EmulatorClock: Send + Sync + 'static {
    /// Emulated time since the Unix epoch; never earlier than one returned before.
    fn now(&self) -> Duration;

    /// How long a span of emulated time takes in the caller's world: what headers and bodies promise.
    fn real(&self, emulated: Duration) -> Duration {
        emulated
    }
}

impl fmt::Debug for dyn EmulatorClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmulatorClock({:?})", self.now())
    }
}

/// Monotonic from the wall time at which it was made, `scale` times as fast as the machine's clock.
#[derive(Debug)]
pub struct ScaledClock {
    started: Duration,
    origin: Instant,
    scale: f64,
}

impl ScaledClock {
    /// A clock that runs `scale` times as fast as real time; a scale that is no positive number is 1.
    #[must_use]
    pub fn new(scale: f64) -> Self {
        Self {
            started: wall_now(),
            origin: Instant::now(),
            scale: if scale.is_finite() && scale > 0.0 {
                scale
            } else {
                1.0
            },
        }
    }

    fn is_real_time(&self) -> bool {
        (self.scale - 1.0).abs() < f64::EPSILON
    }
}

impl EmulatorClock for ScaledClock {
    fn now(&self) -> Duration {
        let elapsed = self.origin.elapsed();
        if self.is_real_time() {
            self.started + elapsed
        } else {
            self.started + elapsed.mul_f64(self.scale)
        }
    }

    fn real(&self, emulated: Duration) -> Duration {
        if self.is_real_time() {
            emulated
        } else {
            emulated.div_f64(self.scale)
        }
    }
}

/// The machine's wall time since the Unix epoch.
pub(super) fn wall_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whole milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
