//! Waits that a body asks for, in fields or in words.

use coderclaw_actors::domain::clock::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{WAIT_MAX, WaitHint, duration, headers, until};

/// What a field's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// Seconds from now, or an instant if it is far too great for that.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
}

/// Fields that state a wait, the most exact first.
const WAIT_FIELDS: [(&str, Counts); 13] = [
    ("retry_after_ms", Counts::Milliseconds),
    ("retryAfterMs", Counts::Milliseconds),
    ("retryDelay", Counts::Seconds),
    ("retry_delay", Counts::Seconds),
    ("retry_after_seconds", Counts::Seconds),
    ("retryAfterSeconds", Counts::Seconds),
    ("retry_after", Counts::Seconds),
    ("retryAfter", Counts::Seconds),
    ("retry-after", Counts::Seconds),
    ("resets_in_seconds", Counts::Seconds),
    ("reset_in_seconds", Counts::Seconds),
    ("reset_after_seconds", Counts::Seconds),
    ("reset_after", Counts::Seconds),
];

/// Fields that state an instant.
const INSTANT_FIELDS: [&str; 5] = ["resets_at", "reset_at", "resetsAt", "resetAt", "reset_time"];

/// Where in a body such fields stand.
const PLACES: [&str; 8] = [
    "/error/metadata",
    "/error",
    "/response/error",
    "/metadata",
    "",
    "/0/error",
    "/detail",
    "/error/details",
];

/// Phrases after which a message states a wait, in lower case.
const PHRASES: [&str; 17] = [
    "try again in ",
    "try again after ",
    "retry in ",
    "retry after ",
    "retry-after: ",
    "please wait ",
    "wait for ",
    "wait ",
    "resets in ",
    "reset in ",
    "reset after ",
    "resets after ",
    "available in ",
    "available again in ",
    "again in about ",
    "retrydelay\": \"",
    "retry_after\": ",
];

/// A wait that a field of the body states. Instants that have passed say nothing: they are stale.
#[must_use]
pub fn stated(body: &Value, now: Timestamp) -> Option<WaitHint> {
    let objects = || PLACES.iter().filter_map(|place| body.pointer(place));
    details(body)
        .find_map(|detail| field(detail, now))
        .or_else(|| objects().find_map(|object| stated_instant(object, now)))
        .or_else(|| objects().find_map(|object| field(object, now)))
        .or_else(|| objects().find_map(|object| nested_headers(object.get("headers")?, now)))
}

/// The instant at which a window ends, if a field states one that has not passed, and that field's name.
#[must_use]
pub fn stated_reset(body: &Value, now: Timestamp) -> Option<(Timestamp, &'static str)> {
    let objects = || PLACES.iter().filter_map(|place| body.pointer(place));
    let instant = objects().find_map(|object| {
        INSTANT_FIELDS
            .iter()
            .find_map(|name| Some((instant(object.get(name)?)?, *name)))
            .filter(|(instant, _)| until(*instant, now).is_some())
    });
    instant.or_else(|| {
        objects().find_map(|object| {
            ["resets_in_seconds", "reset_in_seconds", "reset_after_seconds"]
                .into_iter()
                .find_map(|name| {
                    let wait = duration::from_seconds(object.get(name)?.as_f64()?)?;
                    (!wait.is_zero()).then(|| (now.after(wait), name))
                })
        })
    })
}

/// A wait that a message states in words: `please try again in 1m2.5s`. A bare number counts seconds.
#[must_use]
pub fn in_words(text: &str) -> Option<WaitHint> {
    PHRASES.iter().find_map(|phrase| {
        text.match_indices(phrase).find_map(|(at, _)| {
            let after = text.get(at + phrase.len()..)?;
            let wait = duration::leading(after).or_else(|| {
                let (number, rest) = duration::leading_number(after)?;
                // "try again in 2026", "wait 3 more turns": a number of something else.
                let ends = rest.is_empty() || rest.starts_with(['"', '\n', ',', ')', '}']);
                ends.then(|| duration::from_seconds(number))?
            })?;
            (wait <= WAIT_MAX).then_some(WaitHint {
                wait,
                source: "the message",
            })
        })
    })
}

fn details(body: &Value) -> impl Iterator<Item = &Value> {
    ["/error/details", "/0/error/details", "/details"]
        .iter()
        .filter_map(|place| body.pointer(place)?.as_array())
        .flatten()
}

fn stated_instant(object: &Value, now: Timestamp) -> Option<WaitHint> {
    INSTANT_FIELDS.iter().find_map(|source| {
        let wait = until(instant(object.get(source)?)?, now)?;
        Some(WaitHint { wait, source })
    })
}

fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => duration::instant_of(number.as_f64()?),
        Value::String(text) => match text.trim().parse() {
            Ok(number) => duration::instant_of(number),
            Err(_) => duration::rfc3339(text),
        },
        _ => None,
    }
}

fn field(object: &Value, now: Timestamp) -> Option<WaitHint> {
    WAIT_FIELDS.iter().find_map(|(source, counts)| {
        let value = object.get(source)?;
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        let wait = match (number, counts) {
            (Some(number), Counts::Milliseconds) => duration::from_seconds(number / 1e3),
            (Some(number), Counts::Seconds) => duration::from_number(number, now),
            (None, _) => duration::any_form(value.as_str()?, now),
        };
        Some(WaitHint { wait: wait?, source })
    })
}

/// More members than this are no headers; a map of headers has no room for all that a body may hold.
const NESTED_HEADERS_MAX: usize = 256;

/// Headers of a provider behind the provider, told in the body.
fn nested_headers(told: &Value, now: Timestamp) -> Option<WaitHint> {
    let mut map = HeaderMap::new();
    for (name, value) in told.as_object()?.iter().take(NESTED_HEADERS_MAX) {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(text)) {
            map.insert(name, value);
        }
    }
    headers::retry_after(&map, now).or_else(|| headers::exhausted_reset(&map, now))
}
