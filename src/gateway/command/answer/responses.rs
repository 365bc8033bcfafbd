//! `OpenAI`'s responses.

use serde_json::{Map, Value, json};

use super::{Answer, event};

pub(super) fn whole(answer: &Answer<'_>) -> Value {
    response(answer, true)
}

pub(super) fn stream(answer: &Answer<'_>) -> String {
    let item_id = answer.id("msg_");
    let text = answer.text;
    let place = json!({ "item_id": item_id, "output_index": 0, "content_index": 0 });
    let events = [
        ("response.created", json!({ "response": response(answer, false) })),
        (
            "response.in_progress",
            json!({ "response": response(answer, false) }),
        ),
        (
            "response.output_item.added",
            json!({ "output_index": 0, "item": item(answer, false) }),
        ),
        (
            "response.content_part.added",
            with(&place, json!({ "part": part("") })),
        ),
        (
            "response.output_text.delta",
            with(&place, json!({ "delta": text, "logprobs": [] })),
        ),
        (
            "response.output_text.done",
            with(&place, json!({ "text": text, "logprobs": [] })),
        ),
        (
            "response.content_part.done",
            with(&place, json!({ "part": part(text) })),
        ),
        (
            "response.output_item.done",
            json!({ "output_index": 0, "item": item(answer, true) }),
        ),
        (
            "response.completed",
            json!({ "response": response(answer, true) }),
        ),
    ];
    let numbered = events.iter().enumerate().map(|(number, (name, data))| {
        let begin = json!({ "type": name, "sequence_number": number });
        event(name, &with(&begin, data.clone()))
    });
    numbered.collect()
}

/// `more` behind the members of `begin`.
fn with(begin: &Value, more: Value) -> Value {
    let mut members: Map<String, Value> = begin.as_object().cloned().unwrap_or_default();
    if let Value::Object(more) = more {
        members.extend(more);
    }
    Value::Object(members)
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn item(answer: &Answer<'_>, done: bool) -> Value {
    let (status, content) = if done {
        ("completed", json!([part(answer.text)]))
    } else {
        ("in_progress", json!([]))
    };
    json!({
        "id": answer.id("msg_"),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

fn response(answer: &Answer<'_>, done: bool) -> Value {
    let (status, output, usage) = if done {
        ("completed", json!([item(answer, true)]), usage())
    } else {
        ("in_progress", json!([]), Value::Null)
    };
    json!({
        "id": answer.id("resp_"),
        "object": "response",
        "created_at": answer.created_s,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "store": false,
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": null,
        "metadata": {},
    })
}

fn usage() -> Value {
    json!({
        "input_tokens": 0,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": 0,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": 0,
    })
}
