//! Frames of `OpenAI`'s chat completions and completions, and of those who speak alike.

use serde_json::Value;

use super::frame::{FrameKind, names_failure, says_something};

/// What one chunk of a chat completion is.
#[must_use]
pub fn judge(frame: &Value) -> FrameKind {
    if has_content(frame) {
        return FrameKind::Meaning;
    }
    let groq_error = frame.pointer("/x_groq/error").is_some_and(says_something);
    let choice_error = choices(frame).any(|choice| choice.get("error").is_some_and(says_something));
    if groq_error || choice_error || (frame.get("choices").is_none() && names_failure(frame)) {
        return FrameKind::Failure;
    }
    if frame.get("error").is_some_and(says_something) {
        return FrameKind::Failure;
    }
    if choices(frame).any(|choice| choice.get("finish_reason").is_some_and(says_something)) {
        return FrameKind::Meaning;
    }
    if frame.get("choices").is_some() || frame.get("usage").is_some() {
        FrameKind::Lifecycle
    } else {
        FrameKind::Meaning
    }
}

/// Whether any choice says more than whose turn it is.
#[must_use]
pub fn has_content(frame: &Value) -> bool {
    choices(frame).any(|choice| {
        choice.get("text").is_some_and(says_something)
            || ["delta", "message"]
                .iter()
                .filter_map(|name| choice.get(name).and_then(Value::as_object))
                .any(|members| {
                    members
                        .iter()
                        .any(|(name, value)| name != "role" && says_something(value))
                })
    })
}

fn choices(frame: &Value) -> impl Iterator<Item = &Value> {
    frame
        .get("choices")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
