//! Events of Anthropic's messages.

use serde_json::Value;

use super::frame::{FrameKind, names_failure, says_something};

/// Types that only a stream of messages has.
pub const EVENTS: [&str; 7] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
];

/// Members of a content block that are there before it has said anything.
const BLOCK_FRAME: [&str; 3] = ["type", "index", "citations"];

/// What one event of a message is.
#[must_use]
pub fn judge(frame: &Value) -> FrameKind {
    match frame.get("type").and_then(Value::as_str).unwrap_or_default() {
        "message_start" if frame.pointer("/message/content").is_some_and(says_something) => {
            FrameKind::Meaning
        }
        "content_block_start" if holds_more(frame.get("content_block")) => FrameKind::Meaning,
        "content_block_delta" if holds_more(frame.get("delta")) => FrameKind::Meaning,
        "message_start" | "ping" | "content_block_start" | "content_block_delta" | "content_block_stop" => {
            FrameKind::Lifecycle
        }
        "message_stop" => FrameKind::End,
        _ if names_failure(frame) => FrameKind::Failure,
        _ => FrameKind::Meaning,
    }
}

/// Whether a block or a delta holds anything but its own frame: text, a tool's name, a signature.
fn holds_more(block: Option<&Value>) -> bool {
    block.and_then(Value::as_object).is_some_and(|members| {
        members
            .iter()
            .any(|(name, value)| !BLOCK_FRAME.contains(&name.as_str()) && says_something(value))
    })
}
