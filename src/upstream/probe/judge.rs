//! What the answer to a probe says of the credential. Pure.

use coderclaw_actors::domain::clock::Timestamp;
use http::response::Parts;
use http::{HeaderMap, header};
use serde_json::Value;

use crate::status::ProbeStatus;
use crate::upstream::classify::{Failure, classify};
use crate::upstream::request::UpstreamRequest;
use crate::upstream::scrub::Scrubber;
use crate::wire::gate::judge_whole_json;

/// So many characters of what a provider says are repeated.
const WORDS_CHARS_MAX: usize = 200;
/// Where the vendors' errors say something for people.
const WORDS_PLACES: [&str; 8] = [
    "/error/message",
    "/0/error/message",
    "/message",
    "/error_description",
    "/detail",
    "/detail/message",
    "/errors/0/message",
    "/error",
];

/// A provider's whole answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::upstream) struct Heard<'a> {
    pub(in crate::upstream) provider: &'a str,
    pub(in crate::upstream) status: u16,
    pub(in crate::upstream) headers: &'a HeaderMap,
    pub(in crate::upstream) body: &'a [u8],
    pub(in crate::upstream) now: Timestamp,
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::upstream) struct Judged {
    pub(in crate::upstream) status: ProbeStatus,
    /// What stands in the way.
    pub(in crate::upstream) error: Option<String>,
}

impl Judged {
    pub(in crate::upstream) fn new(status: ProbeStatus, error: impl Into<String>) -> Self {
        Self {
            status,
            error: Some(error.into()),
        }
    }

    /// The same, without a piece of the secret.
    pub(in crate::upstream) fn scrubbed(self, scrubber: &Scrubber) -> Self {
        let scrub = |error: String| String::from_utf8_lossy(&scrubber.scrub(error.as_bytes())).into_owned();
        Self {
            status: self.status,
            error: self.error.map(scrub).map(|error| shortened(&error)),
        }
    }
}

impl<'a> Heard<'a> {
    /// The answer to `request` that has that `head` and `body`.
    pub(in crate::upstream) fn of(
        request: &'a UpstreamRequest,
        head: &'a Parts,
        body: &'a [u8],
        now: Timestamp,
    ) -> Self {
        Self {
            provider: request.parts().provider.as_str(),
            status: head.status.as_u16(),
            headers: &head.headers,
            body,
            now,
        }
    }

    /// Whether the status alone says no.
    pub(in crate::upstream) const fn is_refusal(&self) -> bool {
        self.status >= 400
    }

    /// What it says.
    pub(in crate::upstream) fn judge(&self) -> Judged {
        match self.status {
            400.. => self.refused(Some(self.status), self.body),
            200..300 => self.accepted(),
            300..400 => Judged::new(
                ProbeStatus::Unknown,
                format!(
                    "it answered {} and redirects, which is not followed: see `models.providers.{}.baseUrl`",
                    self.status, self.provider
                ),
            ),
            _ => Judged::new(ProbeStatus::Unknown, format!("it answered {}", self.status)),
        }
    }

    /// A good status is good only with JSON that is no error: proxies and log-in pages answer 200 too.
    fn accepted(&self) -> Judged {
        if let Some(failure) = judge_whole_json(self.body) {
            return self.refused(failure.status, &failure.body);
        }
        if let Ok(Value::Object(_) | Value::Array(_)) = serde_json::from_slice(self.body) {
            return Judged {
                status: ProbeStatus::Ok,
                error: None,
            };
        }
        let kind = self.headers.get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("no content type");
        let what = format!("it answered {} with no JSON ({kind})", self.status);
        Judged::new(ProbeStatus::Unknown, what)
    }

    fn refused(&self, status: Option<u16>, body: &[u8]) -> Judged {
        let verdict = classify(&Failure {
            provider: self.provider,
            status,
            headers: self.headers,
            body,
            now: self.now,
        });
        let said = words(body).map(|words| format!(": {words}")).unwrap_or_default();
        let what = format!("{} ({}){said}", verdict.class, status.unwrap_or(self.status));
        Judged::new(ProbeStatus::of(verdict.class), what)
    }
}

/// What a refusal says for people. Not cut here: a piece of a secret that is cut is not found.
fn words(body: &[u8]) -> Option<String> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let is_page = text.starts_with('<');
        return match text {
            "" => None,
            _ if is_page => Some("a page for people".to_owned()),
            text => Some(text.to_owned()),
        };
    };
    let said = WORDS_PLACES
        .iter()
        .find_map(|place| json.pointer(place)?.as_str());
    said.or_else(|| json.as_str()).map(str::to_owned)
}

/// One line of at most [`WORDS_CHARS_MAX`] characters.
fn shortened(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use coderclaw_actors::domain::credential::Secret;

    use super::*;

    fn heard(status: u16, kind: &'static str, body: &str) -> Judged {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, header::HeaderValue::from_static(kind))]);
        Heard {
            provider: "openai",
            status,
            headers: &headers,
            body: body.as_bytes(),
            now: Timestamp::default(),
        }
        .judge()
    }

    #[test]
    fn ok_is_a_2xx_whose_body_is_an_answer() {
        let json = "application/json";
        for (status, kind, body, wanted) in [
            (
                200,
                json,
                r#"{"choices":[{"message":{"content":"hi"}}]}"#,
                ProbeStatus::Ok,
            ),
            (200, json, r#"{"data":[]}"#, ProbeStatus::Ok),
            (200, "text/html", "<html>log in</html>", ProbeStatus::Unknown),
            (200, json, "", ProbeStatus::Unknown),
            (204, json, "", ProbeStatus::Unknown),
            (200, json, r#"{"choices":[{"mess"#, ProbeStatus::Unknown),
            (
                200,
                json,
                r#"{"error":{"message":"Rate limit reached","type":"rate_limit_exceeded","code":429}}"#,
                ProbeStatus::RateLimit,
            ),
            (302, "text/html", "", ProbeStatus::Unknown),
            (
                401,
                json,
                r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
                ProbeStatus::Auth,
            ),
            (
                429,
                json,
                r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
                ProbeStatus::Billing,
            ),
            (
                400,
                json,
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error"}}"#,
                ProbeStatus::Format,
            ),
            (
                404,
                json,
                r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
                ProbeStatus::NoModel,
            ),
            (503, "text/html", "<html>busy</html>", ProbeStatus::Unknown),
        ] {
            let judged = heard(status, kind, body);
            assert_eq!(judged.status, wanted, "{status} {body}: {judged:?}");
            assert_eq!(judged.error.is_none(), wanted == ProbeStatus::Ok, "{judged:?}");
        }
    }

    #[test]
    fn what_is_said_is_short_and_has_no_piece_of_the_secret() {
        let key = "sk-proj-QwErTyUiOpAsDfGhQwErTyUiOpAs";
        let scrubber = Scrubber::new(&Secret::new(key.to_owned()));
        let escaped: String = key
            .chars()
            .fold(String::new(), |text, c| format!("{text}\\u{:04x}", u32::from(c)));
        for said in [
            key,
            &escaped,
            &format!("{}{key}", "x ".repeat(WORDS_CHARS_MAX / 2 - 5)),
        ] {
            let body = format!(r#"{{"error":{{"message":"Incorrect\nkey: {said}"}}}}"#);
            let error = heard(401, "application/json", &body)
                .scrubbed(&scrubber)
                .error
                .unwrap();
            assert!(!error.contains("QwErTyUi"), "{error}");
            assert!(error.chars().count() <= WORDS_CHARS_MAX + 1, "{error}");
            assert!(error.contains(" (401): Incorrect key: "), "{error}");
        }
    }
}
