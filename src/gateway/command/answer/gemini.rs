//! Google's `generateContent`.

use serde_json::{Value, json};

use super::Answer;

pub(super) fn whole(answer: &Answer<'_>) -> Value {
    json!({
        "candidates": [{
            "content": { "role": "model", "parts": [{ "text": answer.text }] },
            "finishReason": "STOP",
            "index": 0,
        }],
        "usageMetadata": { "promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0 },
        "modelVersion": answer.model,
        "responseId": answer.id(""),
    })
}
