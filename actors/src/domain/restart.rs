//! How often a crashed actor is started again, and when that ends.

use std::collections::VecDeque;
use std::time::Duration;

use super::backoff::doubling;
use super::clock::Timestamp;

/// At most `restarts_max` restarts within `within`, each after a delay that doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// More crashes than this within [`Self::within`] end the restarts.
    pub restarts_max: u32,
    /// The span that crashes are counted in.
    pub within: Duration,
    /// The delay before the first restart.
    pub delay_first: Duration,
    /// The longest delay before a restart.
    pub delay_longest: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            restarts_max: 10,
            within: Duration::from_mins(1),
            delay_first: Duration::from_millis(1),
            delay_longest: Duration::from_secs(1),
        }
    }
}

/// What to do about a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartDecision {
    /// Start a fresh actor after this delay.
    RestartAfter(Duration),
    /// It crashed too often: leave it, and say so.
    Escalate,
}

/// The crashes of one actor that still count.
#[derive(Clone, Debug, Default)]
pub struct RestartHistory {
    crashes: VecDeque<Timestamp>,
}

impl RestartHistory {
    /// Counts a crash at `now` and decides.
    pub fn crashed(&mut self, now: Timestamp, policy: &RestartPolicy) -> RestartDecision {
        while self
            .crashes
            .front()
            .is_some_and(|at| now.since(*at) >= policy.within)
        {
            self.crashes.pop_front();
        }
        let counted = u32::try_from(self.crashes.len()).unwrap_or(u32::MAX);
        if counted >= policy.restarts_max {
            return RestartDecision::Escalate;
        }
        self.crashes.push_back(now);
        RestartDecision::RestartAfter(doubling(policy.delay_first, policy.delay_longest, counted + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        restarts_max: 3,
        within: Duration::from_mins(1),
        delay_first: Duration::from_millis(1),
        delay_longest: Duration::from_millis(3),
    };

    #[test]
    fn backs_off_then_escalates() {
        let mut history = RestartHistory::default();
        let now = Timestamp::from_unix_ms(1_000_000);
        let decisions: Vec<_> = (0..4).map(|_| history.crashed(now, &POLICY)).collect();
        assert_eq!(
            decisions,
            [
                RestartDecision::RestartAfter(Duration::from_millis(1)),
                RestartDecision::RestartAfter(Duration::from_millis(2)),
                RestartDecision::RestartAfter(Duration::from_millis(3)),
                RestartDecision::Escalate,
            ]
        );
    }

    #[test]
    fn crashes_further_apart_never_escalate() {
        let mut history = RestartHistory::default();
        for n in 0..50 {
            let now = Timestamp::from_unix_ms(n * 30_000);
            assert_ne!(
                history.crashed(now, &POLICY),
                RestartDecision::Escalate,
                "crash {n}"
            );
        }
    }
}
