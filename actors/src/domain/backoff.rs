//! Delays that double: the one file that knows the `backoff` crate.
//!
//! The crate draws its own randomness and reads its own clock, so it serves as interval arithmetic only: no
//! randomisation, no elapsed-time limit, and no call that waits.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

/// Doubling further than this many times changes no delay that anybody configures.
const DOUBLINGS_MAX: u32 = 40;

/// The delay of the `nth` failure in a row, counted from 1: `first`, doubled each time, never above `longest`.
#[must_use]
pub fn doubling(first: Duration, longest: Duration, nth: u32) -> Duration {
    let mut intervals = ExponentialBackoff {
        current_interval: first,
        initial_interval: first,
        randomization_factor: 0.0,
        multiplier: 2.0,
        max_interval: longest,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    for _ in 1..nth.clamp(1, DOUBLINGS_MAX) {
        if intervals.current_interval >= longest {
            break;
        }
        intervals.next_backoff();
    }
    intervals.current_interval.min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_stays_there() {
        let delays: Vec<u64> = [1, 2, 3, 4, 5, 6, 7, u32::MAX]
            .into_iter()
            .map(|nth| doubling(Duration::from_secs(10), Duration::from_mins(5), nth).as_secs())
            .collect();
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn a_first_delay_above_the_longest_is_cut() {
        assert_eq!(
            doubling(Duration::from_secs(10), Duration::from_secs(3), 1),
            Duration::from_secs(3)
        );
    }
}
