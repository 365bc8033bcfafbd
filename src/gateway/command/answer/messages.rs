//! Anthropic's messages.

use serde_json::{Value, json};

use super::{Answer, event};

pub(super) fn whole(answer: &Answer<'_>) -> Value {
    message(
        answer,
        &json!([{ "type": "text", "text": answer.text }]),
        Some("end_turn"),
    )
}

pub(super) fn stream(answer: &Answer<'_>) -> String {
    let none = Value::Null;
    [
        json!({ "type": "message_start", "message": message(answer, &json!([]), None) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
        json!({
            "type": "content_block_delta",
            "index": 0,
            "delta": { "type": "text_delta", "text": answer.text },
        }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta",
            "delta": { "stop_reason": "end_turn", "stop_sequence": none },
            "usage": { "output_tokens": 0 },
        }),
        json!({ "type": "message_stop" }),
    ]
    .iter()
    .map(|data| event(data.get("type").and_then(Value::as_str).unwrap_or_default(), data))
    .collect()
}

fn message(answer: &Answer<'_>, content: &Value, stop_reason: Option<&str>) -> Value {
    json!({
        "id": answer.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    })
}
