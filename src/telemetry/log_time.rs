//! The time at the head of a log line.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// RFC 3339 in UTC, to the microsecond. The text of a second is made once on each thread, for all of its lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct UtcMicros;

/// The last second that was written: its number since the epoch, and its text without fraction and zone.
struct Second {
    number: i64,
    text: String,
}

thread_local! {
    static LAST: RefCell<Second> = const { RefCell::new(Second { number: i64::MIN, text: String::new() }) };
}

impl FormatTime for UtcMicros {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write_time(writer, Timestamp::now())
    }
}

fn write_time(writer: &mut impl fmt::Write, now: Timestamp) -> fmt::Result {
    LAST.with_borrow_mut(|last| {
        if last.number != now.as_second() {
            last.text.clear();
            write!(last.text, "{}", now.strftime("%Y-%m-%dT%H:%M:%S"))?;
            last.number = now.as_second();
        }
        writer.write_str(&last.text)
    })?;
    let mut fraction = *b".000000Z";
    let mut micros = now.subsec_microsecond().unsigned_abs();
    for digit in fraction.iter_mut().skip(1).take(6).rev() {
        *digit = b'0' + u8::try_from(micros % 10).unwrap_or(0);
        micros /= 10;
    }
    writer.write_str(std::str::from_utf8(&fraction).map_err(|_| fmt::Error)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_and_to_the_microsecond() {
        let text = |time: &str| {
            let mut text = String::new();
            write_time(&mut text, time.parse().unwrap()).unwrap();
            text
        };
        for time in [
            "2026-11-24T13:05:09.000007Z",
            "2026-11-24T13:05:09.123456Z",
            "2026-11-24T13:05:10.999999Z",
            "2027-01-01T00:00:00.000000Z",
        ] {
            assert_eq!(text(time), time);
        }
    }
}
