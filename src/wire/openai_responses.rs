//! Events of `OpenAI`'s responses.

use serde_json::Value;

use super::frame::{FrameKind, names_failure, says_something};

/// Events that tell that work goes on, not what it gave.
const LIFECYCLE: [&str; 9] = [
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_summary_part.added",
    "response.metadata",
    "codex.rate_limits",
    "keepalive",
];

/// What one event of a response is.
#[must_use]
pub fn judge(frame: &Value) -> FrameKind {
    let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
    let response_failed = frame.pointer("/response/error").is_some_and(says_something);
    match kind {
        "error" | "response.failed" => FrameKind::Failure,
        "response.completed" | "response.incomplete" | "response.cancelled" => FrameKind::End,
        _ if response_failed => FrameKind::Failure,
        _ if LIFECYCLE.contains(&kind) => FrameKind::Lifecycle,
        _ if kind.rsplit('.').next() == Some("delta") && frame.get("delta") == Some(&Value::from("")) => {
            FrameKind::Lifecycle
        }
        "" if names_failure(frame) => FrameKind::Failure,
        _ => FrameKind::Meaning,
    }
}
