//! How long a provider asks to wait: every header, body field and phrase that says so. Pure.

use std::time::Duration;

use coderclaw_actors::domain::clock::Timestamp;
use http::HeaderMap;
use serde_json::Value;

pub mod body;
pub mod duration;
pub mod headers;

#[cfg(test)]
mod tests;

/// Seconds of 366 days.
const WAIT_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// A hint of a longer wait is no hint: 366 days.
pub const WAIT_MAX: Duration = Duration::from_secs(WAIT_SECONDS_MAX);

/// A wait that the provider asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitHint {
    /// From the moment of the answer.
    pub wait: Duration,
    /// The header, field or phrase that said so.
    pub source: &'static str,
}

/// The wait that an answer asks for, by the first of these that says anything usable: `retry-after-ms`,
/// `retry-after`, a field or phrase of the body, the reset of the exhausted dimension.
///
/// `body` is the parsed body, `text` its messages in lower case. Waits that are negative, not a number or longer
/// than [`WAIT_MAX`] are passed over.
#[must_use]
pub fn wait_hint(headers: &HeaderMap, body: Option<&Value>, text: &str, now: Timestamp) -> Option<WaitHint> {
    let now = headers::provider_now(headers, now);
    headers::retry_after(headers, now)
        .or_else(|| body.and_then(|body| body::stated(body, now)))
        .or_else(|| body::in_words(text))
        .or_else(|| headers::exhausted_reset(headers, now))
}

/// The wait until `instant`; `None` once it has passed.
pub(crate) fn until(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    let wait = instant.since(now);
    (!wait.is_zero() && wait <= WAIT_MAX).then_some(wait)
}
