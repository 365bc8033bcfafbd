//! When to refresh, and how long to leave a provider alone. Pure.

use std::time::Duration;

/// The earliest that a token is refreshed ahead of its end: five minutes.
const MARGIN_MS_MAX: u64 = 5 * 60_000;

/// The margin is at most this share of a token's life: a tenth.
const MARGIN_SHARE: u64 = 10;

/// The jitter is at most this share of the margin: a half.
const JITTER_SHARE: u64 = 2;

/// The pause after the second try that gave nothing; it doubles from there.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// When a token that is good from `issued_ms` to `expires_at_ms` is refreshed ahead, in Unix milliseconds. Different
/// `seed`s scatter, so that neither the logins of one gateway nor two gateways come all at once.
#[must_use]
pub fn refresh_at(issued_ms: u64, expires_at_ms: u64, seed: u64) -> u64 {
    let life = expires_at_ms.saturating_sub(issued_ms);
    let margin = MARGIN_MS_MAX.min(life / MARGIN_SHARE);
    let jitter = fastrand::Rng::with_seed(seed).u64(0..=margin / JITTER_SHARE);
    expires_at_ms.saturating_sub(margin + jitter)
}

/// How long after its `tries`-th try without a result a refresh is tried again. The first is tried again at once.
#[must_use]
pub(super) fn pause_after(tries: u32) -> Duration {
    match tries.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => PAUSE
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(PAUSE_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hour_is_refreshed_five_to_seven_and_a_half_minutes_early() {
        let early: Vec<u64> = (0..1000)
            .map(|seed| 3_600_000 - refresh_at(0, 3_600_000, seed))
            .collect();
        assert!(early.iter().all(|early| (300_000..=450_000).contains(early)));
        let (least, most) = (early.iter().min().unwrap(), early.iter().max().unwrap());
        assert!(most - least > 100_000, "{least}..{most} does not scatter");
        assert_eq!(refresh_at(0, 3_600_000, 7), refresh_at(0, 3_600_000, 7));
    }

    proptest! {
        #[test]
        fn never_after_the_end_nor_before_most_of_the_life_is_used(
            issued in 0..u64::MAX / 2, life in 0..u64::MAX / 2, seed: u64,
        ) {
            let at = refresh_at(issued, issued + life, seed);
            prop_assert!(at <= issued + life);
            prop_assert!(at >= issued + life - life / 10 * 3 / 2);
        }

        #[test]
        fn a_token_that_has_ended_is_due(issued: u64, ended: u64, seed: u64) {
            prop_assert!(refresh_at(issued, ended.min(issued), seed) <= issued);
        }
    }

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let seconds: Vec<u64> = (0..14).map(|tries| pause_after(tries).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(pause_after(u32::MAX), PAUSE_MAX);
    }
}
