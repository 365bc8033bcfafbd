//! What one frame of an answer is: life signs, meaning, a failure, or the end.

use bytes::Bytes;
use serde_json::Value;

use super::sse::SseEvent;
use super::{Api, anthropic, gemini, openai_chat, openai_responses};

/// What a frame is to the one who must decide whether the answer has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A sign of life that says nothing yet: it may be held back.
    Lifecycle,
    /// The answer itself: once it has gone out, nothing can be replayed.
    Meaning,
    /// The provider's word that it failed.
    Failure,
    /// The answer is over.
    End,
}

/// How the body of an answer is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    Sse,
    /// One JSON document.
    Json,
    /// Anything else; its first byte is meaning.
    Opaque,
}

impl Framing {
    /// The framing that a `content-type` announces.
    #[must_use]
    pub fn of(content_type: Option<&str>) -> Self {
        let media_type = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        match media_type.as_str() {
            "text/event-stream" => Self::Sse,
            "application/json" | "text/json" => Self::Json,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Opaque,
        }
    }
}

/// A failure that came inside an answer whose status said that all was well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFailure {
    /// The JSON that says so; empty where the answer ended before it had begun.
    pub body: Bytes,
    /// The HTTP status that the JSON itself names.
    pub status: Option<u16>,
}

impl StreamFailure {
    /// The failure that `data`, the payload of an error frame, speaks of.
    #[must_use]
    pub fn read(data: &[u8]) -> Self {
        let status = serde_json::from_slice::<Value>(data)
            .ok()
            .as_ref()
            .and_then(embedded_status);
        Self {
            body: Bytes::copy_from_slice(data),
            status,
        }
    }

    /// An answer that ended before anything of meaning had come.
    #[must_use]
    pub const fn ended_early() -> Self {
        Self {
            body: Bytes::new(),
            status: None,
        }
    }

    /// Whether the answer only ended, without a word on why.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.body.is_empty() && self.status.is_none()
    }
}

/// The HTTP status of a failure that an error payload names in `code`, `status` or `status_code`.
#[must_use]
pub fn embedded_status(payload: &Value) -> Option<u16> {
    const PLACES: [&str; 5] = ["", "/error", "/response/error", "/0/error", "/choices/0/error"];
    const NAMES: [&str; 4] = ["code", "status", "status_code", "statusCode"];
    let objects = PLACES.iter().filter_map(|place| payload.pointer(place));
    objects
        .flat_map(|object| NAMES.iter().filter_map(|name| object.get(name)))
        .find_map(status_number)
}

/// A number, or a string of one, that can only be the status of a failure.
fn status_number(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (400..=599).contains(&number).then_some(number)
}

/// What an event is, by the format that it shows, else by `api`.
#[must_use]
pub fn judge(api: Option<Api>, event: &SseEvent<'_>) -> FrameKind {
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        return FrameKind::End;
    }
    let is_error_event = event.name == b"error";
    match serde_json::from_slice::<Value>(data) {
        Ok(Value::Array(elements)) => elements
            .first()
            .map_or(FrameKind::Lifecycle, |first| judge_json(api, first)),
        Ok(frame) if is_error_event && frame.is_object() => FrameKind::Failure,
        Ok(frame) => judge_json(api, &frame),
        Err(_) if is_error_event => FrameKind::Failure,
        Err(_) if data.is_empty() => FrameKind::Lifecycle,
        Err(_) => FrameKind::Meaning,
    }
}

/// What one JSON frame is.
#[must_use]
pub fn judge_json(api: Option<Api>, frame: &Value) -> FrameKind {
    match shown_api(frame).or(api) {
        Some(Api::OpenaiCompletions) => openai_chat::judge(frame),
        Some(Api::OpenaiResponses) => openai_responses::judge(frame),
        Some(Api::AnthropicMessages) => anthropic::judge(frame),
        Some(Api::GoogleGenerativeAi) => gemini::judge(frame),
        None if names_failure(frame) => FrameKind::Failure,
        None => FrameKind::Meaning,
    }
}

/// The format that a frame can only be of; a provider may speak another one than its config says.
fn shown_api(frame: &Value) -> Option<Api> {
    let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.starts_with("response.") {
        Some(Api::OpenaiResponses)
    } else if anthropic::EVENTS.contains(&kind) {
        Some(Api::AnthropicMessages)
    } else if frame.get("choices").is_some() {
        Some(Api::OpenaiCompletions)
    } else if gemini::MEMBERS.iter().any(|name| frame.get(name).is_some()) {
        Some(Api::GoogleGenerativeAi)
    } else {
        None
    }
}

/// Whether a frame is an error in any of the vendors' shapes.
#[must_use]
pub fn names_failure(frame: &Value) -> bool {
    let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
    let has = |name: &str| frame.get(name).is_some();
    frame.get("error").is_some_and(says_something)
        || text("type") == "error"
        || text("object") == "error"
        || (!text("message").is_empty() && (has("code") || has("type")))
        || (has("detail") && !has("id"))
}

/// Whether a value holds anything: not null, false, or an empty text, list or object.
#[must_use]
pub fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
