//! Errors become HTTP here and nowhere else: who is to blame, what happened, whether trying again helps.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::outcome::ErrorClass;
use std::time::Duration;

use super::access::Denied;
use super::body::BodyError;
use super::dialect::{Dialect, Trouble};
use super::in_flight::Refused;
use super::routes::RouteError;
use super::session::{PinError, SESSION_HEADER};
use crate::config::{ProxyPathError, ResolveError};
use crate::upstream::answer::NoAnswer;
use crate::wire::model::ModelFieldError;
use crate::wire::session_key::SessionKeyError;

/// SDKs obey `retry-after` without bound: no caller is told to come back later than this.
pub const RETRY_AFTER_LONGEST: Duration = Duration::from_mins(1);
/// Nor sooner than this.
pub const RETRY_AFTER_SHORTEST: Duration = Duration::from_secs(1);
/// What a caller is told who comes while the gateway stops or is full.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// An error on its way to the caller.
#[derive(Debug)]
pub struct ErrorReply {
    trouble: Trouble,
    code: &'static str,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl ErrorReply {
    /// An error with the gateway's own short name for its cause.
    #[must_use]
    pub fn new(trouble: Trouble, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            trouble,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds to what happened what it comes from.
    #[must_use]
    pub fn because(mut self, cause: &str) -> Self {
        self.message.push_str("; ");
        self.message.push_str(cause);
        self
    }

    /// Adds when to come back.
    #[must_use]
    pub fn with_recovery(mut self, soonest: Option<Timestamp>, now: Timestamp) -> Self {
        self.headers.extend(recovery_headers(soonest, now));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.trouble.status()
    }

    /// The short name of the cause, for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The error as the caller's SDK understands it.
    #[must_use]
    pub fn into_response(self, dialect: Dialect) -> HttpResponse {
        let status = StatusCode::from_u16(self.trouble.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        let wait = self.headers.iter().find(|(name, _)| *name == "retry-after");
        let wait = wait.map(|(_, seconds)| seconds.as_str());
        response.json(dialect.error_body(self.trouble, self.code, &self.message, wait))
    }
}

/// When to come back, in the headers that SDKs read. Beyond [`RETRY_AFTER_LONGEST`] trying again is no use, and the
/// true time stands where no SDK obeys it.
#[must_use]
pub fn recovery_headers(soonest: Option<Timestamp>, now: Timestamp) -> Vec<(&'static str, String)> {
    let wait = soonest.map_or(Duration::MAX, |at| at.since(now));
    let told = wait.clamp(RETRY_AFTER_SHORTEST, RETRY_AFTER_LONGEST);
    let mut headers = vec![
        ("retry-after", told.as_millis().div_ceil(1000).to_string()),
        ("retry-after-ms", told.as_millis().to_string()),
    ];
    if wait > RETRY_AFTER_LONGEST {
        headers.push(("x-should-retry", "false".to_owned()));
        if let Some(at) = soonest.and_then(rfc3339) {
            headers.push(("x-coderclaw-retry-at", at));
        }
    }
    headers
}

/// An instant as RFC 3339 has it, in UTC.
#[must_use]
pub fn rfc3339(at: Timestamp) -> Option<String> {
    let ms = i64::try_from(at.as_unix_ms()).ok()?;
    jiff::Timestamp::from_millisecond(ms)
        .ok()
        .map(|at| at.to_string())
}

/// Sets `headers` on `response`, instead of those of the same names that the provider sent.
pub fn replace_headers(response: &mut HttpResponse, headers: Vec<(&'static str, String)>) {
    for name in [
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-coderclaw-retry-at",
    ] {
        response.headers_mut().remove(name);
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
}

// === impl From: each cause, once ===

impl From<Denied> for ErrorReply {
    fn from(denied: Denied) -> Self {
        let (trouble, code) = match denied {
            Denied::NoToken => (Trouble::Unauthenticated, "gateway_token_missing"),
            Denied::WrongToken => (Trouble::Unauthenticated, "gateway_token_wrong"),
            Denied::Host => (Trouble::Forbidden, "host_refused"),
            Denied::Origin => (Trouble::Forbidden, "origin_refused"),
        };
        Self::new(trouble, code, denied.to_string())
    }
}

impl From<RouteError> for ErrorReply {
    fn from(error: RouteError) -> Self {
        let message = error.to_string();
        match error {
            RouteError::UnknownPath { .. } => Self::new(Trouble::NotFound, "unknown_path", message),
            RouteError::UnknownMethod { .. } => Self::new(Trouble::NotFound, "unknown_method", message),
            RouteError::BadModel(_) => Self::new(Trouble::Invalid, "bad_model", message),
            RouteError::WebSocket => Self::new(Trouble::UpgradeRequired, "no_websocket", message),
            RouteError::MethodNotAllowed { allow, .. } => {
                Self::new(Trouble::MethodNotAllowed, "method_not_allowed", message).with("allow", allow)
            }
        }
    }
}

impl From<BodyError> for ErrorReply {
    fn from(error: BodyError) -> Self {
        let (trouble, code) = match error {
            BodyError::TooLarge { .. } => (Trouble::TooLarge, "body_too_large"),
            BodyError::HeadersTooLarge { .. } => (Trouble::HeadersTooLarge, "headers_too_large"),
            BodyError::Slow { .. } | BodyError::TooLong { .. } => (Trouble::RequestTimeout, "body_too_slow"),
            BodyError::Broken(_) => (Trouble::Invalid, "body_broken"),
            BodyError::Compressed => (Trouble::Invalid, "body_compressed"),
            BodyError::NoRoom => {
                return Self::new(Trouble::Unavailable, "buffers_full", error.to_string())
                    .with("retry-after", BUSY_RETRY_AFTER.as_secs().to_string());
            }
        };
        Self::new(trouble, code, error.to_string())
    }
}

impl From<Refused> for ErrorReply {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Draining => "draining",
            Refused::Full { .. } => "too_many_requests_in_flight",
        };
        let reply = Self::new(Trouble::Unavailable, code, refused.to_string())
            .with("retry-after", BUSY_RETRY_AFTER.as_secs().to_string());
        if refused == Refused::Draining {
            reply.with("connection", "close")
        } else {
            reply
        }
    }
}

impl From<ModelFieldError> for ErrorReply {
    fn from(error: ModelFieldError) -> Self {
        Self::new(Trouble::Invalid, "bad_body", error.to_string())
    }
}

impl From<SessionKeyError> for ErrorReply {
    fn from(error: SessionKeyError) -> Self {
        Self::new(
            Trouble::Invalid,
            "bad_session_key",
            format!("`{SESSION_HEADER}` {error}"),
        )
    }
}

impl From<PinError> for ErrorReply {
    fn from(error: PinError) -> Self {
        let message = error.to_string();
        // An SDK that tried again would hear the same: a 400, and the word of those that ask.
        let for_good =
            |code| Self::new(Trouble::Invalid, code, message.clone()).with("x-should-retry", "false");
        match error {
            PinError::Gone { .. } => for_good("pin_gone"),
            PinError::Unusable { .. } => for_good("pin_unusable"),
            PinError::Resting { .. } => Self::new(Trouble::RateLimited, "pin_resting", message),
        }
    }
}

impl From<ResolveError> for ErrorReply {
    fn from(error: ResolveError) -> Self {
        let (trouble, code) = match error {
            ResolveError::Empty => (Trouble::Invalid, "no_model"),
            ResolveError::WrongFormat { .. } => (Trouble::Invalid, "wrong_endpoint"),
            ResolveError::NotAllowed { .. } => (Trouble::NotFound, "model_not_allowed"),
            ResolveError::UnknownProvider { .. } => (Trouble::NotFound, "unknown_provider"),
            ResolveError::UnknownModel { .. } => (Trouble::NotFound, "unknown_model"),
            ResolveError::UnknownAgent { .. } => (Trouble::NotFound, "unknown_agent"),
            ResolveError::NoDefaultModel { .. } => (Trouble::NotFound, "no_default_model"),
        };
        Self::new(trouble, code, error.to_string())
    }
}

impl From<ProxyPathError> for ErrorReply {
    fn from(error: ProxyPathError) -> Self {
        Self::new(Trouble::Invalid, "bad_proxy_path", error.to_string())
    }
}

/// What a caller is told when `provider` gave no answer.
#[must_use]
pub fn no_answer(provider: &str, no_answer: &NoAnswer) -> ErrorReply {
    let message = format!("provider `{provider}` gave no answer: {}", no_answer.what);
    if no_answer.class == ErrorClass::Timeout {
        ErrorReply::new(Trouble::GatewayTimeout, "provider_timeout", message)
    } else {
        ErrorReply::new(Trouble::BadGateway, "provider_unreachable", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(wait_ms: Option<u64>) -> Vec<(&'static str, String)> {
        let now = Timestamp::from_unix_ms(1_770_000_000_000);
        recovery_headers(wait_ms.map(|ms| now.after(Duration::from_millis(ms))), now)
    }

    fn owned(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_short_wait_is_told_as_it_is() {
        assert_eq!(
            headers(Some(2_200)),
            owned(&[("retry-after", "3"), ("retry-after-ms", "2200")])
        );
        assert_eq!(
            headers(Some(10)),
            owned(&[("retry-after", "1"), ("retry-after-ms", "1000")])
        );
        assert_eq!(
            headers(Some(60_000)),
            owned(&[("retry-after", "60"), ("retry-after-ms", "60000")])
        );
    }

    #[test]
    fn a_long_wait_stands_where_no_sdk_obeys_it() {
        let long = owned(&[
            ("retry-after", "60"),
            ("retry-after-ms", "60000"),
            ("x-should-retry", "false"),
            ("x-coderclaw-retry-at", "2026-02-02T03:40:00Z"),
        ]);
        assert_eq!(headers(Some(3_600_000)), long);
        assert_eq!(headers(None), long[..3]);
    }
}
