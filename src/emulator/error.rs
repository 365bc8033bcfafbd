//! Errors as each provider words them: templates as data, filled with true numbers.

use std::fmt::Write as _;
use std::time::Duration;

use super::allowance::Refusal;
use super::clock::{millis, wall_now};
use super::profile::Profile;

mod wording;

/// What an error is about; each provider has its own status and wording for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Requests,
    Tokens,
    TooLarge,
    Day,
    Concurrency,
    Quota,
    Unauthorized,
    TokenExpired,
    NoKey,
    Suspended,
    Overloaded,
    /// Anything else; told by its status.
    Status(u16),
    BadRequest,
    UnknownModel,
    UnknownPath,
    Method,
}

/// The numbers and names of one error.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) model: &'a str,
    pub(super) org: &'a str,
    pub(super) key: &'a str,
    pub(super) message: &'a str,
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) requested: u64,
    /// How long to wait, in the caller's time; none is stated if absent.
    pub(super) wait: Option<Duration>,
}

/// An error ready to send.
#[derive(Clone, Debug)]
pub(super) struct ErrorAnswer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Cause {
    /// Limit errors: they state a wait.
    pub(super) const fn is_limit(self) -> bool {
        matches!(
            self,
            Self::Requests | Self::Tokens | Self::Day | Self::TooLarge | Self::Concurrency
        )
    }
}

impl Refusal {
    /// The cause, with the refusal's numbers put into `facts`; `real` turns emulated waits into the caller's time.
    pub(super) fn explain(&self, facts: &mut Facts<'_>, real: impl Fn(Duration) -> Duration) -> Cause {
        match *self {
            Self::Requests { limit, wait } => {
                facts.limit = limit;
                facts.used = limit;
                facts.requested = 1;
                facts.wait = Some(real(wait));
                Cause::Requests
            }
            Self::Tokens {
                limit,
                used,
                requested,
                wait,
            } => {
                facts.limit = limit;
                facts.used = used;
                facts.requested = requested;
                facts.wait = Some(real(wait));
                Cause::Tokens
            }
            Self::TooLarge { limit, requested } => {
                facts.limit = limit;
                facts.requested = requested;
                Cause::TooLarge
            }
            Self::Day { limit, wait } => {
                facts.limit = limit;
                facts.used = limit;
                facts.wait = Some(real(wait));
                Cause::Day
            }
            Self::Concurrency { limit } => {
                facts.limit = limit;
                Cause::Concurrency
            }
            Self::Credit => Cause::Quota,
        }
    }
}

/// The error as `profile` words it.
pub(super) fn word(profile: &Profile, cause: Cause, facts: &Facts<'_>) -> ErrorAnswer {
    let own = wording::templates(profile);
    let find =
        |all: &'static [wording::Template], cause: Cause| all.iter().find(|template| template.cause == cause);
    let other = Cause::Status(0);
    let template = find(own, cause)
        .or_else(|| find(own, other).filter(|_| matches!(cause, Cause::Status(_))))
        .or_else(|| find(wording::OPENAI, cause))
        .or_else(|| find(wording::OPENAI, other));
    let status = match (cause, template) {
        (Cause::Status(status), _) => status,
        (_, Some(template)) if template.status != 0 => template.status,
        _ => 500,
    };
    let body = template.map_or_else(String::new, |template| fill(template.body, status, facts));
    ErrorAnswer { status, body }
}

/// The same error, with the whole key in every message: what a careless provider does.
pub(super) fn echo_key(body: &str, key: &str) -> String {
    let key = escaped(&format!(" (request was made with key {key})"));
    for field in ["\"message\":\"", "\"error\":\"", "\"detail\":\"", "\"msg\":\""] {
        if let Some((before, after)) = body.split_once(field) {
            return format!("{before}{field}{key} {after}");
        }
    }
    format!("{body}{key}")
}

fn fill(template: &str, status: u16, facts: &Facts<'_>) -> String {
    let mut filled = String::with_capacity(template.len() + 128);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let end = after
            .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        filled.push_str(&value_of(name, status, facts));
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

fn value_of(name: &str, status: u16, facts: &Facts<'_>) -> String {
    let wait = facts.wait;
    let seconds = wait.map_or(0.0, |wait| wait.as_secs_f64());
    match name {
        "model" => escaped(facts.model),
        "org" => escaped(facts.org),
        "key" => escaped(&mask(facts.key)),
        "message" => escaped(facts.message),
        "limit" => facts.limit.to_string(),
        "used" => facts.used.to_string(),
        "requested" => facts.requested.to_string(),
        "status" => status.to_string(),
        "seconds" => ceil_seconds(wait.unwrap_or_default()).to_string(),
        "unix_ms" => millis(wall_now() + wait.unwrap_or_default()).to_string(),
        "request_id" => super::ids::request_id("req_011C"),
        "retry" => wait.map_or_else(String::new, |wait| {
            format!(" Please try again in {}.", go_duration(wait))
        }),
        "google_retry" => wait.map_or_else(String::new, |_| format!("\\nPlease retry in {seconds}s.")),
        "retry_info" => wait.map_or_else(String::new, |wait| {
            format!(
                r#",{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}s"}}"#,
                ceil_seconds(wait)
            )
        }),
        other => format!("${other}"),
    }
}

/// A key as `OpenAI` shows it in errors: the first 8 and the last 4 characters.
fn mask(key: &str) -> String {
    let count = key.chars().count();
    key.chars()
        .enumerate()
        .map(|(index, c)| if index < 8 || index + 4 >= count { c } else { '*' })
        .collect()
}

/// Text as it stands between the quotes of a JSON string.
pub(super) fn escaped(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
        .replace('\u{85}', "\\u0085")
}

/// Nothing in it needs an escape. (Google escapes U+2028 and U+2029, which break some readers of lines: they count.)
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\' && byte.is_ascii())
}

/// Whole seconds, rounded up: what `retry-after` can say.
pub(super) fn ceil_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A duration as Go prints it: `17ms`, `1s`, `6m0s`, `1h2m3.5s`.
pub(super) fn go_duration(duration: Duration) -> String {
    let ms = millis(duration);
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, fraction) = (ms / 1000 % 60, ms % 1000);
    let mut text = String::new();
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    if fraction > 0 {
        let digits = format!("{fraction:03}");
        let _ = write!(text, "{seconds}.{}s", digits.trim_end_matches('0'));
    } else {
        let _ = write!(text, "{seconds}s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::profile;

    const CAUSES: [Cause; 19] = [
        Cause::Requests,
        Cause::Tokens,
        Cause::TooLarge,
        Cause::Day,
        Cause::Concurrency,
        Cause::Quota,
        Cause::Unauthorized,
        Cause::TokenExpired,
        Cause::NoKey,
        Cause::Suspended,
        Cause::Overloaded,
        Cause::Status(500),
        Cause::Status(502),
        Cause::Status(413),
        Cause::Status(504),
        Cause::BadRequest,
        Cause::UnknownModel,
        Cause::UnknownPath,
        Cause::Method,
    ];

    #[test]
    fn every_error_of_every_provider_is_whole_json() {
        let facts = Facts {
            model: "gpt-\"x\"",
            org: "org-test",
            key: "sk-proj-Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS",
            message: "a \"quoted\" word",
            limit: 3,
            used: 3,
            requested: 1,
            wait: Some(Duration::from_millis(2200)),
        };
        for id in profile::ids() {
            let profile = profile::by_id(id).expect("listed");
            for cause in CAUSES {
                let answer = word(profile, cause, &facts);
                assert!((400..600).contains(&answer.status), "{id} {cause:?}");
                let parsed: serde_json::Value = serde_json::from_str(&answer.body)
                    .unwrap_or_else(|e| panic!("{id} {cause:?}: {e}: {}", answer.body));
                assert!(parsed.is_object());
                assert!(!answer.body.contains('$'), "{id} {cause:?}: {}", answer.body);
                let echoed = echo_key(&answer.body, facts.key);
                assert!(echoed.contains(facts.key), "{id} {cause:?}");
                serde_json::from_str::<serde_json::Value>(&echoed).expect("still JSON");
            }
        }
    }

    #[test]
    fn durations_read_as_go_prints_them() {
        let text = |ms| go_duration(Duration::from_millis(ms));
        assert_eq!(text(17), "17ms");
        assert_eq!(text(1000), "1s");
        assert_eq!(text(360_000), "6m0s");
        assert_eq!(text(179_560), "2m59.56s");
        assert_eq!(text(3_723_500), "1h2m3.5s");
    }
}
