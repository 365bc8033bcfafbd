//! The two shapes of a provider's limit, pure: a bucket that refills continuously, and a window of a day.

use std::time::Duration;

/// Nanoseconds of a minute: the level of a bucket is kept in units of 1/this, so that refilling is exact.
const UNITS: u128 = 60_000_000_000;
const DAY: Duration = Duration::from_hours(24);

/// A token bucket that refills at `per_minute` and holds at most `capacity`.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    per_minute: u64,
    capacity: u64,
    level: u128,
    at: Duration,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn full(per_minute: u64, capacity: u64, now: Duration) -> Self {
        Self {
            per_minute,
            capacity,
            level: u128::from(capacity) * UNITS,
            at: now,
        }
    }

    pub(super) fn refill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.at).as_nanos();
        self.at = self.at.max(now);
        let full = u128::from(self.capacity) * UNITS;
        self.level = self
            .level
            .saturating_add(elapsed * u128::from(self.per_minute))
            .min(full);
    }

    /// What the bucket is sized for: the limit that a provider's headers tell.
    pub(super) const fn limit(&self) -> u64 {
        self.per_minute
    }

    pub(super) const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whole tokens in it.
    pub(super) fn remaining(&self) -> u64 {
        u64::try_from(self.level / UNITS).unwrap_or(u64::MAX)
    }

    /// Takes `n`; the caller has seen that they are there.
    pub(super) fn take(&mut self, n: u64) {
        self.level = self.level.saturating_sub(u128::from(n) * UNITS);
    }

    /// Time until `n` are there; none if they never will be.
    pub(super) fn wait_for(&self, n: u64) -> Option<Duration> {
        let missing = (u128::from(n) * UNITS).saturating_sub(self.level);
        if missing == 0 {
            return Some(Duration::ZERO);
        }
        if n > self.capacity || self.per_minute == 0 {
            return None;
        }
        let nanos = missing.div_ceil(u128::from(self.per_minute));
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Time until it is full.
    pub(super) fn until_full(&self) -> Duration {
        self.wait_for(self.capacity).unwrap_or_default()
    }
}

/// A fixed window of one UTC day.
#[derive(Clone, Debug)]
pub(super) struct DayWindow {
    limit: u64,
    used: u64,
    day: u64,
}

impl DayWindow {
    pub(super) fn new(limit: u64, now: Duration) -> Self {
        Self {
            limit,
            used: 0,
            day: now.as_secs() / DAY.as_secs(),
        }
    }

    pub(super) fn roll(&mut self, now: Duration) {
        let day = now.as_secs() / DAY.as_secs();
        if day != self.day {
            self.day = day;
            self.used = 0;
        }
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    pub(super) fn take(&mut self) {
        self.used = self.used.saturating_add(1);
    }

    /// Time until the window ends.
    pub(super) fn until_reset(now: Duration) -> Duration {
        Duration::from_secs((now.as_secs() / DAY.as_secs() + 1) * DAY.as_secs()).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_795_340_000);

    #[test]
    fn a_bucket_refills_continuously_and_never_above_its_capacity() {
        let mut bucket = TokenBucket::full(60, 60, START);
        bucket.take(60);
        assert_eq!(bucket.remaining(), 0);
        assert_eq!(bucket.wait_for(1), Some(Duration::from_secs(1)));
        bucket.refill(START + Duration::from_millis(2500));
        assert_eq!(bucket.remaining(), 2);
        assert_eq!(bucket.wait_for(3), Some(Duration::from_millis(500)));
        bucket.refill(START + Duration::from_hours(1));
        assert_eq!(bucket.remaining(), 60);
        assert_eq!(bucket.until_full(), Duration::ZERO);
    }

    #[test]
    fn more_than_the_capacity_never_comes() {
        assert_eq!(TokenBucket::full(60, 10, START).wait_for(11), None);
        assert_eq!(TokenBucket::full(0, 0, START).wait_for(1), None);
    }

    #[test]
    fn a_day_starts_again_at_midnight() {
        let mut window = DayWindow::new(1, START);
        window.take();
        assert_eq!(window.remaining(), 0);
        let midnight = START + DayWindow::until_reset(START);
        assert_eq!(midnight.as_secs() % 86_400, 0);
        window.roll(midnight);
        assert_eq!(window.remaining(), 1);
    }
}
