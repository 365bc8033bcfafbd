//! Durations and instants as providers write them.

use std::time::Duration;

use coderclaw_actors::domain::clock::Timestamp;

use super::{WAIT_MAX, until};

/// From this number of seconds on, a number is an instant and not a wait: the year 2001 in Unix seconds.
const UNIX_SECONDS_MIN: f64 = 1e9;

/// From here on it counts milliseconds: the year 2001 in Unix milliseconds.
const UNIX_MS_MIN: f64 = 1e12;

/// Units by name, in seconds. Of two that begin alike the longer stands first.
const UNITS: [(&str, f64); 27] = [
    ("milliseconds", 1e-3),
    ("millisecond", 1e-3),
    ("microseconds", 1e-6),
    ("microsecond", 1e-6),
    ("ms", 1e-3),
    ("us", 1e-6),
    ("\u{b5}s", 1e-6),
    ("\u{3bc}s", 1e-6),
    ("ns", 1e-9),
    ("seconds", 1.0),
    ("second", 1.0),
    ("secs", 1.0),
    ("sec", 1.0),
    ("s", 1.0),
    ("minutes", 60.0),
    ("minute", 60.0),
    ("mins", 60.0),
    ("min", 60.0),
    ("m", 60.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("hrs", 3600.0),
    ("hr", 3600.0),
    ("h", 3600.0),
    ("days", 86_400.0),
    ("day", 86_400.0),
    ("d", 86_400.0),
];

/// At most so many number-and-unit pairs make one duration.
const PAIRS_MAX: usize = 8;

/// A wait of so many seconds; `None` if it is negative, not finite, or longer than [`WAIT_MAX`].
#[must_use]
pub fn from_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|wait| *wait <= WAIT_MAX)
}

/// The duration that `text` begins with, in lower case: `20s`, `1m2.5s`, `6m0s`, `17ms`, `2 minutes 5 seconds`.
#[must_use]
pub fn leading(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut seconds = None;
    for _ in 0..PAIRS_MAX {
        let Some((number, after)) = leading_number(rest) else {
            break;
        };
        let Some((unit, after)) = leading_unit(after.trim_start()) else {
            break;
        };
        seconds = Some(seconds.unwrap_or(0.0) + number * unit);
        rest = after.trim_start();
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    seconds.and_then(from_seconds)
}

/// The number that `text` begins with, and what follows it.
#[must_use]
pub fn leading_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, after) = text.split_at_checked(end)?;
    // A full stop after the number ends the sentence.
    let number = number.trim_end_matches('.');
    number.parse().ok().map(|number| (number, after))
}

fn leading_unit(text: &str) -> Option<(f64, &str)> {
    UNITS.iter().find_map(|(name, seconds)| {
        let after = text.strip_prefix(name)?;
        let ends = !after.starts_with(|next: char| next.is_alphabetic());
        ends.then_some((*seconds, after))
    })
}

/// The instant that a number stands for if it is far too great for a wait.
#[must_use]
pub fn instant_of(number: f64) -> Option<Timestamp> {
    let seconds = if number >= UNIX_MS_MIN {
        number / 1e3
    } else if number >= UNIX_SECONDS_MIN {
        number
    } else {
        return None;
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .map(|since_epoch| Timestamp::default().after(since_epoch))
}

/// The instant of an RFC 3339 text.
#[must_use]
pub fn rfc3339(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.trim().parse().ok()?;
    u64::try_from(instant.as_millisecond())
        .ok()
        .map(Timestamp::from_unix_ms)
}

/// A wait in any of the forms of a reset: seconds, Unix seconds or milliseconds, RFC 3339, `1m2.5s`.
#[must_use]
pub fn any_form(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number, now);
    }
    rfc3339(text)
        .and_then(|instant| until(instant, now))
        .or_else(|| leading(&text.to_lowercase()))
}

/// A wait given as a number: Unix milliseconds, Unix seconds, or seconds from now.
#[must_use]
pub fn from_number(number: f64, now: Timestamp) -> Option<Duration> {
    if number >= UNIX_SECONDS_MIN {
        return instant_of(number).and_then(|instant| until(instant, now));
    }
    from_seconds(number)
}
