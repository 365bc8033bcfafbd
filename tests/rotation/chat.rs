//! A chat in each format: what the user says, and what is said to that.

use coderclaw::emulator::EmulatorConfig;
use serde_json::{Value, json};

use crate::support::{Call, Format, Heard, Rig};

pub(crate) const SESSION: &str = "x-coderclaw-session-key";
/// A key like a chat program's; it must not come out anywhere.
pub(crate) const KEY: &str = "chat-7-Zq3vLxW9Tm";

/// A gateway with `config` before a provider with two keys, `first` and `second`.
pub(crate) fn two_keys(format: Format, config: Value) -> Rig {
    Rig::with(format, &["first", "second"], EmulatorConfig::default(), config)
}

/// The body of a chat whose last message is `text`, and where it goes.
pub(crate) fn chat(format: Format, model: &str, text: &str, stream: bool) -> (String, String) {
    let (path, mut body) = match format.path {
        "/v1/chat/completions" => (
            format.path.to_owned(),
            json!({ "model": model, "messages": [{ "role": "system", "content": "be brief" }, { "role": "user", "content": text }] }),
        ),
        "/v1/responses" => (format.path.to_owned(), json!({ "model": model, "input": text })),
        "/v1/messages" => (
            format.path.to_owned(),
            json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": [{ "type": "text", "text": text }] }] }),
        ),
        _ => {
            let method = if stream {
                "streamGenerateContent?alt=sse"
            } else {
                "generateContent"
            };
            let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] });
            return (format!("/v1beta/models/{model}:{method}"), body.to_string());
        }
    };
    if stream {
        body["stream"] = json!(true);
    }
    (path, body.to_string())
}

/// The request of such a chat, in the session [`KEY`].
pub(crate) fn say(format: Format, text: &str) -> Call {
    say_of(format, "coderclaw", text, false)
}

/// The same, streamed.
pub(crate) fn say_streamed(format: Format, text: &str) -> Call {
    say_of(format, "coderclaw", text, true)
}

pub(crate) fn say_of(format: Format, model: &str, text: &str, stream: bool) -> Call {
    let (path, body) = chat(format, model, text, stream);
    Call::post(&path, body).header(SESSION, KEY)
}

/// What was said, whether it came whole or as events.
pub(crate) fn said(heard: &Heard) -> String {
    assert_eq!(heard.status, 200, "{}", heard.text());
    let text = heard.text();
    let is_stream = heard
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    if !is_stream {
        return said_in(&heard.json()).unwrap_or_else(|| panic!("nothing is said: {text}"));
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .filter_map(|data| said_in(&serde_json::from_str(data).expect("an event holds JSON")))
        .collect()
}

fn said_in(document: &Value) -> Option<String> {
    let places = [
        "/choices/0/message/content",
        "/choices/0/delta/content",
        "/output/0/content/0/text",
        "/content/0/text",
        "/candidates/0/content/parts/0/text",
        "/0/candidates/0/content/parts/0/text",
        "/delta/text",
    ];
    let delta = document["type"] == "response.output_text.delta";
    let delta = document["delta"].as_str().filter(|_| delta);
    let found = places.iter().find_map(|place| document.pointer(place)?.as_str());
    found.or(delta).map(str::to_owned)
}
