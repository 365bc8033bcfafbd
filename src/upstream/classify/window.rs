//! Allowances of hours, days and months: which failures speak of one, and when it begins anew.

use std::time::Duration;

use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::outcome::{ErrorClass, Scope, ScopeOwner};
use http::HeaderMap;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::evidence::Evidence;
use super::{Failure, Judged, scopes};
use crate::upstream::retry_after::{body, duration, headers, wait_hint};

/// Where Google's days begin.
const GOOGLE_TIME_ZONE: &str = "America/Los_Angeles";

/// Anthropic's subscription windows: `anthropic-ratelimit-unified-<window>-status`.
const UNIFIED_PREFIX: &str = "anthropic-ratelimit-unified-";

/// Windows of one family of models; the others are of the whole subscription.
const FAMILY_WINDOWS: [&str; 4] = ["7d_oi", "7d_opus", "7d_sonnet", "7d-opus"];

/// Looks closer at a throttle: whether it is of a longer window, or of an allowance of nothing.
pub(super) fn refine(judged: Judged, evidence: &Evidence, failure: &Failure<'_>) -> Judged {
    let (class, scope) = judged;
    match class {
        ErrorClass::RateLimit | ErrorClass::QuotaWindow => {
            if let Some(rejected) = rejected_window(failure.headers) {
                return (ErrorClass::QuotaWindow, Some(rejected.scope));
            }
            if allows_nothing(evidence, failure) {
                return (ErrorClass::QuotaHard, scope.or_else(|| nothing_scope(failure)));
            }
            if is_daily(evidence, failure) {
                return (ErrorClass::QuotaWindow, scope);
            }
            judged
        }
        // Money that comes back at a stated instant is a window.
        ErrorClass::QuotaHard if money_returns(evidence, failure).is_some() => {
            let scope = scope.unwrap_or_else(|| scopes::of(failure.provider, class, evidence));
            (ErrorClass::QuotaWindow, Some(scope))
        }
        _ => judged,
    }
}

/// When the window that is used up begins anew, and what says so. A window's own reset beats `retry-after`.
pub(super) fn reset(evidence: &Evidence, failure: &Failure<'_>) -> Option<(Timestamp, &'static str)> {
    let now = failure.now;
    let rejected = rejected_window(failure.headers).and_then(|rejected| rejected.reset);
    if let Some(reset) = rejected.filter(|reset| *reset > now) {
        return Some((reset, "anthropic-ratelimit-unified-reset"));
    }
    if let Some(told) = money_returns(evidence, failure) {
        return Some(told);
    }
    if evidence.quotas.iter().any(|(id, _)| is_per_day(id)) {
        return next_midnight(now).map(|midnight| (midnight, "QuotaFailure.quotaId"));
    }
    let hint = wait_hint(failure.headers, evidence.json.as_ref(), &evidence.text, now);
    let header = headers::exhausted_reset(failure.headers, headers::provider_now(failure.headers, now));
    // An exhausted header may be of another window than the one that refused: the longer wait is safe.
    let longest = hint.into_iter().chain(header).max_by_key(|hint| hint.wait)?;
    (longest.wait > Duration::ZERO).then(|| (now.after(longest.wait), longest.source))
}

/// A subscription window that turned the request away.
struct RejectedWindow {
    scope: Scope,
    reset: Option<Timestamp>,
}

/// The rejected windows as one: the latest reset, and the reach of the widest.
fn rejected_window(map: &HeaderMap) -> Option<RejectedWindow> {
    let reset_of = |window: &str| {
        let value = headers::text(map, &format!("{UNIFIED_PREFIX}{window}reset"))?;
        instant(value)
    };
    let rejected: Vec<(&str, Option<Timestamp>)> = map
        .iter()
        .filter_map(|(name, value)| {
            let window = name
                .as_str()
                .strip_prefix(UNIFIED_PREFIX)?
                .strip_suffix("-status")?;
            (value.as_bytes() == b"rejected" && window != "overage")
                .then(|| (window, reset_of(&format!("{window}-"))))
        })
        .collect();
    let whole = headers::text(map, &format!("{UNIFIED_PREFIX}status")) == Some("rejected");
    if rejected.is_empty() && !whole {
        return None;
    }
    let of_family =
        !rejected.is_empty() && rejected.iter().all(|(window, _)| FAMILY_WINDOWS.contains(window));
    let key = ScopeOwner::Key;
    Some(RejectedWindow {
        scope: if of_family {
            Scope::per_model(key)
        } else {
            Scope::of(key)
        },
        reset: rejected
            .into_iter()
            .filter_map(|(_, reset)| reset)
            .max()
            .or_else(|| reset_of("")),
    })
}

fn instant(value: &str) -> Option<Timestamp> {
    match value.trim().parse() {
        Ok(number) => duration::instant_of(number),
        Err(_) => duration::rfc3339(value),
    }
}

/// The instant that the body gives for the return of an allowance.
fn money_returns(evidence: &Evidence, failure: &Failure<'_>) -> Option<(Timestamp, &'static str)> {
    let told = evidence
        .json
        .as_ref()
        .and_then(|json| body::stated_reset(json, failure.now));
    told.or_else(|| date_in_words(&evidence.text).map(|reset| (reset, "the message")))
        .filter(|(reset, _)| *reset > failure.now)
}

/// The day and time after "regain access on": `2026-12-01 at 00:00 UTC`.
fn date_in_words(text: &str) -> Option<Timestamp> {
    const BEFORE: [&str; 4] = ["regain access on ", "resets on ", "reset on ", "available on "];
    let after = BEFORE.iter().find_map(|phrase| text.split_once(phrase))?.1;
    let date: Date = after.get(..10)?.parse().ok()?;
    let time = after.get(10..).unwrap_or_default().trim_start_matches([' ', 't']);
    let time = time.strip_prefix("at ").unwrap_or(time);
    let (hour, minute) = match time.get(..5).and_then(|time| time.split_once(':')) {
        Some((hour, minute)) => (hour.parse().ok()?, minute.parse().ok()?),
        None => (0, 0),
    };
    let at = date.to_datetime(jiff::civil::Time::new(hour, minute, 0, 0).ok()?);
    stamp(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Whether a limit that the answer names is of a day or longer, though its words do not say so.
fn is_daily(evidence: &Evidence, failure: &Failure<'_>) -> bool {
    let is_used_up = |name: &str| number(failure.headers, name).is_some_and(|left| left.abs() < f64::EPSILON);
    evidence.quotas.iter().any(|(id, _)| is_per_day(id))
        || is_used_up("x-ratelimit-remaining-requests-day")
        || is_used_up("x-ratelimit-remaining-tokens-day")
        || is_used_up("x-ratelimit-remaining-tokens-month")
        // Groq counts requests by the day and tokens by the minute.
        || (failure.provider == "groq" && is_used_up("x-ratelimit-remaining-requests"))
}

fn is_per_day(quota_id: &str) -> bool {
    quota_id.contains("PerDay")
}

/// Whether the limit that refused is zero: waiting brings nothing.
fn allows_nothing(evidence: &Evidence, failure: &Failure<'_>) -> bool {
    const MISTRAL_LIMITS: [&str; 3] = [
        "x-ratelimit-limit-req-minute",
        "x-ratelimit-limit-tokens-minute",
        "x-ratelimit-limit-tokens-month",
    ];
    let is_zero = |name: &&str| number(failure.headers, name).is_some_and(|limit| limit.abs() < f64::EPSILON);
    let google_zero = !evidence.quotas.is_empty() && evidence.quotas.iter().all(|(_, value)| value == "0");
    google_zero
        || evidence.says(&["limit: 0,", "limit: 0\n", "limit: 0 /", "limit 0,"])
        || (failure.provider == "mistral" && MISTRAL_LIMITS.iter().any(is_zero))
}

/// An allowance of nothing is of a model; only Google tells so.
fn nothing_scope(failure: &Failure<'_>) -> Option<Scope> {
    matches!(failure.provider, "google" | "gemini").then(|| Scope::per_model(ScopeOwner::Project))
}

fn number(map: &HeaderMap, name: &str) -> Option<f64> {
    headers::text(map, name)?.trim().parse().ok()
}

/// The midnight at which Google's daily quotas begin anew.
fn next_midnight(now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(GOOGLE_TIME_ZONE).ok()?;
    let now = jiff::Timestamp::from_millisecond(i64::try_from(now.as_unix_ms()).ok()?).ok()?;
    let today = now.to_zoned(zone).start_of_day().ok()?;
    let tomorrow = today.checked_add(1.day()).ok()?.start_of_day().ok()?;
    stamp(tomorrow.timestamp())
}

fn stamp(instant: jiff::Timestamp) -> Option<Timestamp> {
    u64::try_from(instant.as_millisecond())
        .ok()
        .map(Timestamp::from_unix_ms)
}
