//! Rate-limit headers, in each provider's names and formats, with true numbers.

use std::time::Duration;

use actix_http::header::{HeaderMap, HeaderName, HeaderValue};

use super::allowance::{Dimension, Meter};
use super::clock::{millis, wall_now};
use super::error::{ceil_seconds, go_duration};
use super::profile::{Axis, HeaderSpec, Profile, Telling, WaitHeaders};

/// Adds what `profile` tells of `meter`.
pub(super) fn meter(
    headers: &mut HeaderMap,
    profile: &Profile,
    meter: &Meter,
    refused: bool,
    real: impl Fn(Duration) -> Duration,
) {
    for spec in profile.headers {
        let dimension = match spec.axis {
            Axis::Requests => meter.requests,
            Axis::Tokens => meter.tokens,
            Axis::Day => meter.day,
        };
        if let Some(dimension) = dimension {
            put(
                headers,
                spec.header_name(),
                &tell(spec, &dimension, refused, real(dimension.reset)),
            );
        }
    }
}

/// Adds the wait of a limit error.
pub(super) fn wait(headers: &mut HeaderMap, profile: &Profile, wait: Duration) {
    let seconds = ceil_seconds(wait).to_string();
    match profile.wait {
        WaitHeaders::None => {}
        WaitHeaders::Seconds => put(headers, HeaderName::from_static("retry-after"), &seconds),
        WaitHeaders::SecondsAndMs => {
            put(headers, HeaderName::from_static("retry-after"), &seconds);
            let ms = millis(wait).to_string();
            put(headers, HeaderName::from_static("retry-after-ms"), &ms);
        }
        WaitHeaders::RatelimitReset => put(headers, HeaderName::from_static("x-ratelimit-reset"), &seconds),
    }
}

fn tell(spec: &HeaderSpec, dimension: &Dimension, refused: bool, reset: Duration) -> String {
    match spec.telling {
        Telling::Limit => dimension.limit.to_string(),
        Telling::Remaining => dimension.remaining.to_string(),
        Telling::ResetGo => go_duration(reset),
        Telling::ResetFloat => reset.as_secs_f64().to_string(),
        Telling::ResetSeconds => ceil_seconds(reset).to_string(),
        Telling::ResetUnixMs => millis(wall_now() + reset).to_string(),
        Telling::ResetRfc3339 => rfc3339(wall_now() + reset),
        Telling::OverLimit => if refused { "yes" } else { "no" }.to_owned(),
    }
}

/// A wall time to the second, rounded up.
fn rfc3339(since_epoch: Duration) -> String {
    let seconds = i64::try_from(ceil_seconds(since_epoch)).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Sets a header, if the value can stand in one.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::profile;

    fn shown(id: &str) -> Vec<String> {
        let one = |limit, remaining, seconds| {
            Some(Dimension {
                limit,
                remaining,
                reset: Duration::from_millis(seconds),
            })
        };
        let reading = Meter {
            requests: one(3, 2, 20_000),
            tokens: one(40_000, 39_900, 150),
            day: one(250, 1, 3_600_500),
        };
        let mut headers = HeaderMap::new();
        meter(
            &mut headers,
            profile::by_id(id).expect("known"),
            &reading,
            false,
            |wait| wait,
        );
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ascii")))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn numbers_are_told_in_the_providers_formats() {
        assert!(shown("openai").contains(&"x-ratelimit-reset-requests: 20s".to_owned()));
        assert!(shown("openai").contains(&"x-ratelimit-reset-tokens: 150ms".to_owned()));
        assert!(shown("groq").contains(&"x-ratelimit-limit-requests: 250".to_owned()));
        assert!(shown("cerebras").contains(&"x-ratelimit-reset-requests-day: 3600.5".to_owned()));
        assert!(shown("google").is_empty());
        let anthropic = shown("anthropic").join("\n");
        assert!(
            anthropic.contains("anthropic-ratelimit-requests-remaining: 2"),
            "{anthropic}"
        );
        assert!(anthropic.contains('Z'), "{anthropic}");
    }
}
