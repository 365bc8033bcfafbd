//! Chunks of Google's `generateContent` family.

use serde_json::Value;

use super::frame::{FrameKind, names_failure, says_something};

/// Members that only a chunk of Google's has.
pub const MEMBERS: [&str; 4] = ["candidates", "promptFeedback", "usageMetadata", "modelVersion"];

/// What one chunk is.
#[must_use]
pub fn judge(frame: &Value) -> FrameKind {
    if has_content(frame) {
        FrameKind::Meaning
    } else if names_failure(frame) {
        FrameKind::Failure
    } else if is_over(frame) {
        FrameKind::Meaning
    } else if MEMBERS.iter().any(|name| frame.get(name).is_some()) {
        FrameKind::Lifecycle
    } else {
        FrameKind::Meaning
    }
}

/// Whether a candidate has a part that says something.
#[must_use]
pub fn has_content(frame: &Value) -> bool {
    candidates(frame)
        .filter_map(|candidate| candidate.pointer("/content/parts").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_object)
        .any(|part| part.values().any(says_something))
}

/// Whether a candidate has finished, or the prompt was refused: no more will come.
#[must_use]
pub fn is_over(frame: &Value) -> bool {
    frame
        .pointer("/promptFeedback/blockReason")
        .is_some_and(says_something)
        || candidates(frame).any(|candidate| candidate.get("finishReason").is_some_and(says_something))
}

fn candidates(frame: &Value) -> impl Iterator<Item = &Value> {
    frame
        .get("candidates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
