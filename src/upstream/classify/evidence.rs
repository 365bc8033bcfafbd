//! What an answer says, gathered from the shapes in which vendors say it.

use serde_json::Value;

use super::{Failure, echo};
use crate::upstream::retry_after::headers;
use crate::wire::frame::embedded_status;

/// So much of a body is looked at for words: 16 KiB.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A body beyond this is not parsed: 1 MiB. No vendor's error comes near.
const JSON_BYTES_MAX: usize = 1024 * 1024;

/// At most so many codes are kept; a body with more is no vendor's error.
const CODES_MAX: usize = 64;

/// Objects are followed so deep, JSON within strings included.
const DEPTH_MAX: u8 = 6;

/// Members that hold a code.
const CODE_MEMBERS: [&str; 14] = [
    "type",
    "code",
    "status",
    "reason",
    "error_type",
    "limit_source",
    "__type",
    "errorCode",
    "error_code",
    "name",
    "quotaId",
    "error",
    "Code",
    "category",
];

/// Members that hold words for people.
const TEXT_MEMBERS: [&str; 16] = [
    "message",
    "Message",
    "msg",
    "error",
    "detail",
    "raw",
    "reason",
    "code",
    "title",
    "description",
    "error_description",
    "error_message",
    "errorMessage",
    "status_msg",
    "error_msg",
    "faultstring",
];

/// Members whose own members are looked at. Echoes of the request (`input`, `param`) are not among them.
const CONTAINERS: [&str; 12] = [
    "error",
    "errors",
    "detail",
    "details",
    "metadata",
    "innererror",
    "inner_error",
    "base_resp",
    "x_groq",
    "fault",
    "choices",
    "violations",
];

/// What a router says of the provider behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behind {
    /// Nothing: the failure is its own.
    #[default]
    Nobody,
    /// It failed.
    Failed,
    /// It refused the prompt for what it says.
    Moderated,
}

/// What an answer says.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The body, if it is JSON.
    pub json: Option<Value>,
    /// Every code, lower case, letters and digits only: `ratelimitexceeded`.
    pub codes: Vec<String>,
    /// Every message, lower case, one a line.
    pub text: String,
    /// Of `text`, what can't be words of the caller's that the provider repeats.
    own_text: String,
    /// The status of the answer, else the one that its body names.
    pub status: Option<u16>,
    /// Whether it is a page for people: not from the provider's own program.
    pub is_html: bool,
    /// Whether a router says that a provider behind it failed.
    pub behind: Behind,
    /// Whether it states a wait in `retry-after`.
    pub has_retry_after: bool,
    /// Quota ids of Google's `QuotaFailure`, as written, each with its value.
    pub quotas: Vec<(String, String)>,
}

impl Evidence {
    /// Gathers what `failure` says.
    #[must_use]
    pub fn gather(failure: &Failure<'_>) -> Self {
        let body = failure.body.trim_ascii();
        let content_type = headers::text(failure.headers, "content-type").unwrap_or_default();
        let mut evidence = Self {
            has_retry_after: headers::retry_after(failure.headers, failure.now).is_some(),
            is_html: content_type.contains("html") || (body.starts_with(b"<") && !body.starts_with(b"<?xml")),
            ..Self::default()
        };
        let json = if body.len() <= JSON_BYTES_MAX {
            serde_json::from_slice::<Value>(body).ok()
        } else {
            None
        };
        for name in ["x-amzn-errortype", "x-ms-error-code"] {
            if let Some(code) = headers::text(failure.headers, name) {
                evidence.add_code(code);
            }
        }
        match &json {
            Some(Value::Object(response)) if response.get("object") == Some(&Value::from("response")) => {
                evidence.read(response.get("error"), DEPTH_MAX);
            }
            Some(Value::Object(_) | Value::Array(_)) => evidence.read(json.as_ref(), DEPTH_MAX),
            Some(Value::String(text)) => evidence.add_text(text, DEPTH_MAX),
            _ => {
                let head = body.get(..TEXT_BYTES_MAX.min(body.len())).unwrap_or_default();
                evidence.text = String::from_utf8_lossy(head).to_lowercase();
                evidence.own_text.clone_from(&evidence.text);
            }
        }
        let behind = json.as_ref().and_then(|json| json.pointer("/error/metadata"));
        evidence.behind = match behind {
            Some(metadata) if !metadata.get("provider_name").is_some_and(Value::is_string) => Behind::Nobody,
            Some(metadata) if metadata.get("reasons").is_some() => Behind::Moderated,
            Some(_) => Behind::Failed,
            None => Behind::Nobody,
        };
        evidence.status = failure
            .status
            .filter(|status| *status >= 300)
            .or_else(|| json.as_ref().and_then(embedded_status))
            .or_else(|| status_in_words(&evidence.own_text));
        if !echo::may_repeat(evidence.status) {
            evidence.own_text.clone_from(&evidence.text);
        } else if echo::speaks_of_a_check(&evidence.text) {
            evidence.own_text.clear();
        }
        evidence.json = json;
        evidence
    }

    /// Whether any of these codes was given.
    #[must_use]
    pub fn has_code(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    /// Whether any of these phrases is in the text.
    #[must_use]
    pub fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    /// Whether any of these phrases is in the text, and is not the caller's own.
    #[must_use]
    pub fn says_itself(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.own_text.contains(phrase))
    }

    fn read(&mut self, value: Option<&Value>, depth: u8) {
        let Some(value) = value.filter(|_| depth > 0) else {
            return;
        };
        match value {
            Value::Array(elements) => {
                for element in elements {
                    match element {
                        Value::String(text) => self.add_text(text, depth - 1),
                        other => self.read(Some(other), depth - 1),
                    }
                }
            }
            Value::Object(members) => {
                if let Some(Value::String(id)) = members.get("quotaId") {
                    let value = members
                        .get("quotaValue")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    self.quotas.push((id.clone(), value.to_owned()));
                }
                for (name, member) in members {
                    self.read_member(name, member, depth);
                }
            }
            _ => {}
        }
    }

    fn read_member(&mut self, name: &str, member: &Value, depth: u8) {
        match member {
            Value::String(text) => {
                if CODE_MEMBERS.contains(&name) {
                    self.add_code(text);
                }
                if TEXT_MEMBERS.contains(&name) {
                    self.add_text(text, depth - 1);
                }
            }
            // The rest of a response echoes the request.
            Value::Object(response) if name == "response" => self.read(response.get("error"), depth - 1),
            Value::Number(number) if CODE_MEMBERS.contains(&name) => self.add_code(&number.to_string()),
            Value::Array(_) | Value::Object(_) if CONTAINERS.contains(&name) => {
                self.read(Some(member), depth - 1);
            }
            _ => {}
        }
    }

    /// Adds a code in its plain form. AWS writes `Name:http://…` and `namespace#Name`, and ends names in `Exception`.
    fn add_code(&mut self, code: &str) {
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        let plain: String = code
            .chars()
            .filter(|character| character.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let plain = plain.strip_suffix("exception").unwrap_or(&plain);
        if !plain.is_empty() && self.codes.len() < CODES_MAX {
            self.codes.push(plain.to_owned());
        }
    }

    fn add_text(&mut self, text: &str, depth: u8) {
        let trimmed = text.trim_start();
        if trimmed.starts_with(['{', '['])
            && let Ok(nested) = serde_json::from_str::<Value>(trimmed)
        {
            self.read(Some(&nested), depth);
        }
        if self.text.len() < TEXT_BYTES_MAX {
            let (before, after) = echo::unquoted(text);
            push_line(&mut self.text, &[text]);
            push_line(&mut self.own_text, &[before, after]);
        }
    }
}

fn push_line(lines: &mut String, parts: &[&str]) {
    for part in parts {
        lines.extend(part.chars().take(TEXT_BYTES_MAX).flat_map(char::to_lowercase));
    }
    lines.push('\n');
}

/// The status that bare words name: first of all, or after one of a few phrases.
fn status_in_words(text: &str) -> Option<u16> {
    const BEFORE: [&str; 13] = [
        "status code ",
        "status code: ",
        "status: ",
        "status ",
        "http/1.1 ",
        "http ",
        "error code: ",
        "error ",
        "code: ",
        "with ",
        "got ",
        "returned ",
        "received ",
    ];
    let after = BEFORE
        .iter()
        .filter_map(|phrase| text.split_once(phrase).map(|(_, after)| after));
    std::iter::once(text.trim_start()).chain(after).find_map(|text| {
        let digits = text
            .find(|next: char| !next.is_ascii_digit())
            .unwrap_or(text.len());
        let number: u16 = text
            .get(..digits)
            .filter(|digits| digits.len() == 3)?
            .parse()
            .ok()?;
        (400..=599).contains(&number).then_some(number)
    })
}
