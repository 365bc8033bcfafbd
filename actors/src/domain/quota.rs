//! What the user's config allows one credential: requests a minute, over governor's GCRA and our own clock.
//!
//! The allowance is a bucket of `rpm` requests that refills evenly, as providers' own buckets do. Time is an
//! argument: governor sees a clock that stands where the caller says.

use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::clock::Timestamp;

impl Add<Nanos> for Timestamp {
    type Output = Self;

    fn add(self, by: Nanos) -> Self {
        self.after(by.into())
    }
}

impl Reference for Timestamp {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.since(earlier).into()
    }

    fn saturating_sub(&self, by: Nanos) -> Self {
        Self::from_unix_nanos(self.as_unix_nanos().saturating_sub(by.as_u64()))
    }
}

/// A clock that stands where it was last set. It is made at the epoch, so that the arrivals a limiter keeps are
/// absolute and can go on under another quota.
#[derive(Debug, Default)]
struct StandingClock(AtomicU64);

impl Clock for StandingClock {
    type Instant = Timestamp;

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// When the next request is due by the quota, in nanoseconds since the epoch; 0 before the first.
///
/// `peeking` lets a check be asked without being consumed, which governor itself has no call for: every dimension
/// is looked at before any is used up. All access is under the book's lock.
#[derive(Debug, Default)]
struct Arrivals {
    due: AtomicU64,
    peeking: AtomicBool,
}

/// The arrivals of one credential, which outlive a change of its quota.
#[derive(Clone, Debug, Default)]
struct SharedArrivals(Arc<Arrivals>);

impl StateStore for SharedArrivals {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let due = self.0.due.load(Ordering::Relaxed);
        let (answer, next) = decide((due > 0).then(|| Nanos::new(due)))?;
        if !self.0.peeking.load(Ordering::Relaxed) {
            self.0.due.store(next.as_u64(), Ordering::Relaxed);
        }
        Ok(answer)
    }
}

/// The requests a minute of one credential.
#[derive(Debug)]
pub(crate) struct RequestRate {
    arrivals: SharedArrivals,
    limiter: RateLimiter<NotKeyed, SharedArrivals, StandingClock, NoOpMiddleware<Timestamp>>,
}

// === impl RequestRate ===

impl RequestRate {
    /// A full bucket of `rpm` requests.
    pub(crate) fn new(rpm: NonZeroU32) -> Self {
        Self::over(rpm, SharedArrivals::default())
    }

    /// The same credential's rate under a limit of `rpm`: what it has used already stays used.
    pub(crate) fn with_rpm(&self, rpm: NonZeroU32) -> Self {
        Self::over(rpm, self.arrivals.clone())
    }

    fn over(rpm: NonZeroU32, arrivals: SharedArrivals) -> Self {
        Self {
            limiter: RateLimiter::new(Quota::per_minute(rpm), arrivals.clone(), StandingClock::default()),
            arrivals,
        }
    }

    /// The soonest instant from `now` on at which a request conforms. Uses nothing up.
    pub(crate) fn opens_at(&self, now: Timestamp) -> Timestamp {
        self.arrivals.0.peeking.store(true, Ordering::Relaxed);
        let answer = self.check(now);
        self.arrivals.0.peeking.store(false, Ordering::Relaxed);
        answer.err().map_or(now, |not_until| not_until.max(now))
    }

    /// Uses one request up; false if none conforms.
    pub(crate) fn take(&self, now: Timestamp) -> bool {
        self.check(now).is_ok()
    }

    fn check(&self, now: Timestamp) -> Result<(), Timestamp> {
        self.limiter
            .clock()
            .0
            .store(now.as_unix_nanos(), Ordering::Relaxed);
        self.limiter
            .check()
            .map_err(|not_until| not_until.earliest_possible())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_unix_ms(1_770_000_000_000 + ms)
    }

    fn rpm(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    #[test]
    fn a_bucket_of_rpm_that_refills_evenly() {
        let rate = RequestRate::new(rpm(3));
        for _ in 0..3 {
            assert_eq!(rate.opens_at(at(0)), at(0));
            assert!(rate.take(at(0)));
        }
        assert_eq!(rate.opens_at(at(0)), at(20_000));
        assert!(!rate.take(at(19_999)));
        assert!(rate.take(at(20_000)));
        assert!(!rate.take(at(20_000)));
    }

    #[test]
    fn another_quota_keeps_what_is_used_up() {
        let rate = RequestRate::new(rpm(1));
        assert!(rate.take(at(0)));
        let slower = rate.with_rpm(rpm(1));
        assert!(!slower.take(at(59_000)));
        assert_eq!(slower.opens_at(at(59_000)).since(at(0)), Duration::from_mins(1));
    }
}
