//! Spans of time as people read them.

use std::time::Duration;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// `42s`, `3m 20s`, `5h 10m`, `2d 3h`: two units at most, rounded up, so that a rest is over when it says so.
pub(super) fn short(ms: u64) -> String {
    let seconds = Duration::from_millis(ms.saturating_add(999)).as_secs();
    let two = |(large, of_large): (&str, u64), (small, of_small): (&str, u64)| {
        let smalls = seconds.div_ceil(of_small);
        let (larges, rest) = (smalls * of_small / of_large, smalls % (of_large / of_small));
        if rest == 0 {
            format!("{larges}{large}")
        } else {
            format!("{larges}{large} {rest}{small}")
        }
    };
    match seconds {
        0..MINUTE_S => format!("{seconds}s"),
        MINUTE_S..HOUR_S => two(("m", MINUTE_S), ("s", 1)),
        HOUR_S..DAY_S => two(("h", HOUR_S), ("m", MINUTE_S)),
        _ => two(("d", DAY_S), ("h", HOUR_S)),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_span_is_never_shorter_than_it_says() {
        let texts: Vec<String> = [
            0,
            1,
            41_200,
            60_000,
            200_000,
            3_600_000,
            18_601_000,
            86_400_000,
            183_600_001,
        ]
        .into_iter()
        .map(short)
        .collect();
        assert_eq!(
            texts,
            ["0s", "1s", "42s", "1m", "3m 20s", "1h", "5h 11m", "1d", "2d 4h"]
        );
    }
}
