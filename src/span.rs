//! Spans of time as people read them.

use std::time::Duration;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// `42s`, `3m 20s`, `5h 10m`, `2d 3h`: two units at most, rounded up, so that a rest is over when it says so.
pub(crate) fn short(ms: u64) -> String {
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

/// The milliseconds of a span as people type it: `365d`, `1.5h`, `90m`, `30s`, `500ms`; a number alone is days.
///
/// # Errors
/// What was expected.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    const UNITS_S: [(&str, f64); 5] = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
        ("d", 86_400.0),
    ];
    /// A hundred years.
    const DAYS_MAX: u64 = 36_525;

    let expected = || "expected a span such as 365d, 12h, 90m, 30s or 1.5 (days)".to_owned();
    let text = text.trim().to_lowercase();
    let unit = UNITS_S
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let (number, seconds) = unit.unwrap_or((&text, 86_400.0));
    let number = number.trim_end();
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = number.parse().ok().filter(|_| is_plain).ok_or_else(expected)?;
    let span = Duration::try_from_secs_f64(number * seconds).map_err(|_| expected())?;
    if span > Duration::from_secs(DAYS_MAX * DAY_S) {
        return Err("expected a span of at most 100 years".to_owned());
    }
    match u64::try_from(span.as_millis()) {
        Ok(ms) if ms > 0 => Ok(ms),
        _ => Err("expected a span that is longer than nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, short};

    #[test]
    fn a_span_is_read_in_every_unit_and_in_days_without_one() {
        for (text, ms) in [
            ("365d", 31_536_000_000),
            ("1", 86_400_000),
            ("1.5", 129_600_000),
            (" 0.5h ", 1_800_000),
            ("90m", 5_400_000),
            ("30 s", 30_000),
            ("500ms", 500),
            ("2D", 172_800_000),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "d",
            "0",
            "0d",
            "-1d",
            "1w",
            "1e3d",
            "inf",
            "nan",
            "1.2.3",
            "one",
            "1d2h",
            "99999999999999d",
            "36526d",
        ] {
            parse(text).unwrap_err();
        }
    }

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
