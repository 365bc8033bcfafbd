//! `OpenAI`'s chat completions.

use serde_json::{Value, json};

use super::Answer;

pub(super) fn whole(answer: &Answer<'_>) -> Value {
    json!({
        "id": answer.id("chatcmpl-"),
        "object": "chat.completion",
        "created": answer.created_s,
        "model": answer.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": answer.text, "refusal": null, "annotations": [] },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": usage(),
    })
}

/// The usage comes with the last chunk: who did not ask for it passes it over.
pub(super) fn stream(answer: &Answer<'_>) -> String {
    let role = json!({ "role": "assistant", "content": "", "refusal": null });
    let chunks = [
        chunk(answer, &role, None),
        chunk(answer, &json!({ "content": answer.text }), None),
        chunk(answer, &json!({}), Some("stop")),
    ];
    let chunks = chunks
        .iter()
        .map(|chunk| format!("data: {}\n\n", super::json(chunk)));
    chunks.chain(["data: [DONE]\n\n".to_owned()]).collect()
}

fn chunk(answer: &Answer<'_>, delta: &Value, finish: Option<&str>) -> Value {
    let mut chunk = json!({
        "id": answer.id("chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": answer.created_s,
        "model": answer.model,
        "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
    });
    if finish.is_some()
        && let Some(members) = chunk.as_object_mut()
    {
        members.insert("usage".to_owned(), usage());
    }
    chunk
}

fn usage() -> Value {
    json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 })
}
