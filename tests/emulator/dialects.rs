//! Good answers in every format.

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, RunningEmulator};
use serde_json::{Value, json};

use crate::client::{Ask, KEY, chat, chat_body, generate, messages};

fn emulator() -> RunningEmulator {
    Emulator::start(EmulatorConfig::default()).expect("starts")
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = chat_body(false);
    change(&mut body);
    body
}

#[test]
fn a_chat_has_text_usage_and_an_id() {
    let answer = chat(false).send(&emulator());
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "gpt-test");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["completion_tokens"], 32);
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(answer.header("x-request-id").unwrap().starts_with("req_"));
}

#[test]
fn a_chat_stream_delivers_the_same_text_and_ends_with_done() {
    let emulator = emulator();
    let whole = chat(false).send(&emulator).json();
    let mut body = chat_body(true);
    body["stream_options"] = json!({"include_usage": true});
    let answer = Ask::post("/v1/chat/completions", &body).key(KEY).send(&emulator);
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    let events = answer.events();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(Value::from(text), whole["choices"][0]["message"]["content"]);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events.last().unwrap(), "[DONE]");
    let usage = &events[events.len() - 2];
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["completion_tokens"], 32);
    assert!(answer.whole);
}

#[test]
fn max_tokens_cuts_the_reply() {
    let body = with(|body| body["max_completion_tokens"] = json!(5));
    let body = Ask::post("/v1/chat/completions", &body)
        .key(KEY)
        .send(&emulator())
        .json();
    assert_eq!(body["choices"][0]["finish_reason"], "length");
    assert_eq!(body["usage"]["completion_tokens"], 5);
}

#[test]
fn tools_are_called_when_the_last_message_says_so() {
    let emulator = emulator();
    let parameters =
        json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let quiet = with(|body| body["tools"] = tools.clone());
    let quiet = Ask::post("/v1/chat/completions", &quiet)
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(quiet["choices"][0]["finish_reason"], "stop");
    for stream in [false, true] {
        let body = with(|body| {
            body["tools"] = tools.clone();
            body["stream"] = json!(stream);
            body["messages"][0]["content"] = json!("please call the tool");
        });
        let answer = Ask::post("/v1/chat/completions", &body).key(KEY).send(&emulator);
        let arguments: String = if stream {
            answer
                .events()
                .iter()
                .filter_map(|event| {
                    event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
                        .as_str()
                        .map(str::to_owned)
                })
                .collect()
        } else {
            let body = answer.json();
            assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
            body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            serde_json::from_str::<Value>(&arguments).unwrap(),
            json!({"city": "text"})
        );
    }
}

#[test]
fn structured_output_fits_its_schema_in_every_dialect() {
    let emulator = emulator();
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let wanted = json!({"n": 1}).to_string();
    let body = with(|body| {
        body["response_format"] =
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
    });
    let openai = Ask::post("/v1/chat/completions", &body)
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(openai["choices"][0]["message"]["content"], wanted);
    let body = json!({"model": "gpt-test", "input": "hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}});
    let responses = Ask::post("/v1/responses", &body).key(KEY).send(&emulator).json();
    assert_eq!(responses["output"][0]["content"][0]["text"], wanted);
    let body = json!({"model": "claude-test", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "record", "input_schema": schema}], "tool_choice": {"type": "tool", "name": "record"}});
    let anthropic = Ask::post("/v1/messages", &body)
        .header("x-api-key", KEY)
        .send(&emulator)
        .json();
    assert_eq!(anthropic["content"][0]["input"], json!({"n": 1}));
    assert_eq!(anthropic["stop_reason"], "tool_use");
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"responseSchema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}}});
    let google = Ask::post("/v1beta/models/gemini-test:generateContent", &body)
        .header("x-goog-api-key", KEY)
        .send(&emulator)
        .json();
    assert_eq!(google["candidates"][0]["content"]["parts"][0]["text"], wanted);
}

#[test]
fn completions_embeddings_and_lists_are_served() {
    let emulator = emulator();
    let body = json!({"model": "gpt-test", "prompt": "once"});
    let completion = Ask::post("/v1/completions", &body)
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(completion["object"], "text_completion");
    let numbers = json!({"model": "e", "input": ["a", "b"], "dimensions": 8});
    let floats = Ask::post("/v1/embeddings", &numbers)
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(floats["data"].as_array().unwrap().len(), 2);
    assert_eq!(floats["data"][1]["embedding"].as_array().unwrap().len(), 8);
    let mut coded = numbers;
    coded["encoding_format"] = json!("base64");
    let coded = Ask::post("/v1/embeddings", &coded)
        .key(KEY)
        .send(&emulator)
        .json();
    // 8 floats of 4 bytes are 44 characters of base64.
    assert_eq!(coded["data"][0]["embedding"].as_str().unwrap().len(), 44);
    let list = Ask::new("GET", "/v1/models").key(KEY).send(&emulator).json();
    assert_eq!(list["object"], "list");
    let anthropic = Ask::new("GET", "/v1/models")
        .key(KEY)
        .header("anthropic-version", "2026-10-21")
        .send(&emulator)
        .json();
    assert_eq!(anthropic["data"][0]["type"], "model");
    let google = Ask::new("GET", &format!("/v1beta/models?key={KEY}"))
        .header("x-goog-api-client", "x")
        .send(&emulator)
        .json();
    assert!(
        google["models"][0]["name"]
            .as_str()
            .unwrap()
            .starts_with("models/")
    );
    let one = Ask::new("GET", "/v1/models/gpt-test")
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(one["id"], "gpt-test");
}

#[test]
fn a_response_stream_has_the_whole_sequence_numbered() {
    let body = json!({"model": "gpt-test", "stream": true, "input": "hello", "max_output_tokens": 3});
    let answer = Ask::post("/v1/responses", &body).key(KEY).send(&emulator());
    let names: Vec<&str> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        names,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete",
        ]
    );
    let numbers: Vec<u64> = answer
        .events()
        .iter()
        .filter_map(|event| event["sequence_number"].as_u64())
        .collect();
    assert_eq!(numbers, (0..11).collect::<Vec<u64>>());
}

#[test]
fn a_message_and_its_stream_have_anthropics_shape() {
    let emulator = emulator();
    let whole = messages(false).send(&emulator);
    assert!(whole.header("request-id").is_some());
    let answer = messages(true).send(&emulator);
    let names: Vec<&str> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(names[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(
        names[names.len() - 3..],
        ["content_block_stop", "message_delta", "message_stop"]
    );
    let text: String = answer
        .events()
        .iter()
        .filter_map(|event| event["delta"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(Value::from(text), whole.json()["content"][0]["text"]);
    let body = json!({"model": "claude-test", "messages": [{"role": "user", "content": "count me"}]});
    let count = Ask::post("/v1/messages/count_tokens", &body)
        .header("x-api-key", KEY)
        .send(&emulator)
        .json();
    assert!(count["input_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn google_streams_events_with_crlf_or_one_array() {
    let emulator = emulator();
    let whole = generate("generateContent").send(&emulator).json();
    let text = |parts: &[Value]| -> String {
        parts
            .iter()
            .filter_map(|part| part["candidates"][0]["content"]["parts"][0]["text"].as_str())
            .collect()
    };
    let sse = generate("streamGenerateContent?alt=sse").send(&emulator);
    assert!(sse.body.ends_with("}\r\n\r\n"), "{}", sse.body);
    let array = generate("streamGenerateContent").send(&emulator);
    let parts = array.json();
    for parts in [sse.events(), parts.as_array().unwrap().clone()] {
        assert_eq!(text(&parts), text(std::slice::from_ref(&whole)));
        assert_eq!(parts.last().unwrap()["candidates"][0]["finishReason"], "STOP");
    }
    assert!(
        generate("countTokens").send(&emulator).json()["totalTokens"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert!(generate("embedContent").send(&emulator).json()["embedding"]["values"].is_array());
    let batch = Ask::post(
        "/v1beta/models/e:batchEmbedContents",
        &json!({"requests": [{}, {}, {}]}),
    )
    .header("x-goog-api-key", KEY);
    assert_eq!(
        batch.send(&emulator).json()["embeddings"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let older = Ask::post("/v1/models/gemini-test:generateContent", &json!({"contents": []}))
        .header("x-goog-api-key", KEY);
    assert_eq!(older.send(&emulator).status, 200);
}

#[test]
fn behaviour_sets_size_pieces_and_pace() {
    let mut config = EmulatorConfig {
        behaviour: Behaviour {
            reply_tokens: Some(10),
            ..Behaviour::default()
        },
        ..EmulatorConfig::default()
    };
    config.models.insert(
        "gpt-test".into(),
        Behaviour {
            chunks: Some(4),
            chunk_delay_ms: Some(20),
            latency_ms: Some(30),
            ..Behaviour::default()
        },
    );
    config.models.insert(
        "parrot".into(),
        Behaviour {
            echo: Some(true),
            ..Behaviour::default()
        },
    );
    let emulator = Emulator::start(config).expect("starts");
    let begun = std::time::SystemTime::now();
    let answer = chat(true).send(&emulator);
    let took = begun.elapsed().unwrap();
    assert!(took.as_millis() >= 30 + 3 * 20, "{took:?}");
    let pieces = answer
        .events()
        .iter()
        .filter(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        })
        .count();
    assert_eq!(pieces, 4);
    let echo = with(|body| body["model"] = json!("parrot"));
    let echo = Ask::post("/v1/chat/completions", &echo)
        .key(KEY)
        .send(&emulator)
        .json();
    assert_eq!(echo["choices"][0]["message"]["content"], "hello there");
}

#[test]
fn bad_requests_get_the_dialects_own_errors() {
    let emulator = emulator();
    let no_json = Ask::post("/v1/chat/completions", &json!({}))
        .text("{nope")
        .key(KEY)
        .send(&emulator);
    assert_eq!(
        (no_json.status, no_json.json()["error"]["type"].as_str()),
        (400, Some("invalid_request_error"))
    );
    let no_model = Ask::post("/v1/messages", &json!({"messages": []}))
        .key(KEY)
        .send(&emulator);
    assert_eq!(no_model.json()["error"]["message"], "model: Field required");
    let method = Ask::new("GET", "/v1/chat/completions").key(KEY).send(&emulator);
    assert_eq!((method.status, method.header("allow")), (405, Some("POST")));
    assert_eq!(Ask::new("HEAD", "/api/hello").send(&emulator).status, 404);
    let upgrade = Ask::new("GET", "/v1/responses")
        .header("upgrade", "websocket")
        .key(KEY)
        .send(&emulator);
    assert_eq!(upgrade.status, 426);
    assert_eq!(Ask::new("GET", "/v1/models").send(&emulator).status, 401);
}
