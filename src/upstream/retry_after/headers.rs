//! Waits that headers ask for.

use std::time::{Duration, UNIX_EPOCH};

use coderclaw_actors::domain::clock::Timestamp;
use http::HeaderMap;

use super::{WaitHint, duration, until};

/// Headers that state a wait in milliseconds.
const MILLISECOND_HEADERS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// Resets whose provider sends no `remaining` beside them may be waits in themselves.
const BARE_RESETS: [&str; 3] = ["x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"];

/// The headers of subscription windows are read where windows are, not as a minute's limits.
const WINDOW_MARK: &str = "-unified-";

/// The provider's own time, to which its instants relate: the `date` header, else `now`.
#[must_use]
pub fn provider_now(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    text(headers, "date").and_then(http_date).unwrap_or(now)
}

/// What `retry-after-ms` or `retry-after` (seconds or an HTTP date) asks for.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<WaitHint> {
    let milliseconds = MILLISECOND_HEADERS.iter().find_map(|name| {
        let number: f64 = text(headers, name)?.trim().parse().ok()?;
        let wait = duration::from_seconds(number / 1e3)?;
        Some(WaitHint { wait, source: name })
    });
    milliseconds.or_else(|| {
        let value = text(headers, "retry-after")?.trim();
        let wait = match http_date(value) {
            Some(instant) => until(instant, now).unwrap_or_default(),
            None => duration::any_form(value, now)?,
        };
        Some(WaitHint {
            wait,
            source: "retry-after",
        })
    })
}

/// The reset of the dimension that has nothing left; of several, the last one to come.
#[must_use]
pub fn exhausted_reset(headers: &HeaderMap, now: Timestamp) -> Option<WaitHint> {
    let resets = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let is_limit = name.contains("ratelimit") || name.contains("rate-limit");
        if !is_limit || !name.contains("reset") || name.contains(WINDOW_MARK) || !is_exhausted(headers, name)
        {
            return None;
        }
        let wait = duration::any_form(value.to_str().ok()?, now)?;
        (!wait.is_zero()).then(|| WaitHint {
            wait,
            source: source(name),
        })
    });
    resets.max_by_key(|hint| hint.wait)
}

/// Whether nothing is left of the dimension whose reset is `name`. A `-1` means that the header says nothing.
fn is_exhausted(headers: &HeaderMap, name: &str) -> bool {
    let number = |name: String| text(headers, &name).and_then(|value| value.trim().parse::<f64>().ok());
    if number(name.replace("reset", "limit")).is_some_and(|limit| limit < 0.0) {
        return false;
    }
    match number(name.replace("reset", "remaining")) {
        Some(remaining) => remaining.abs() < f64::EPSILON,
        None => BARE_RESETS.contains(&name),
    }
}

/// The static name of a reset header, for logs.
fn source(name: &str) -> &'static str {
    const KNOWN: [&str; 14] = [
        "x-ratelimit-reset",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "x-ratelimit-reset-requests-day",
        "x-ratelimit-reset-tokens-day",
        "x-ratelimit-reset-requests-minute",
        "x-ratelimit-reset-tokens-minute",
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-tokens-reset",
        "anthropic-ratelimit-input-tokens-reset",
        "anthropic-ratelimit-output-tokens-reset",
        "anthropic-ratelimit-priority-input-tokens-reset",
        "anthropic-ratelimit-priority-output-tokens-reset",
        "ratelimit-reset",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("a rate-limit reset header")
}

/// A header's value as text, if it is that.
#[must_use]
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(value: &str) -> Option<Timestamp> {
    let instant = httpdate::parse_http_date(value.trim()).ok()?;
    let since_epoch: Duration = instant.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::default().after(since_epoch))
}
