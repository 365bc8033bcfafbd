//! What is refused before anything goes upstream, and in whose words.

use serde_json::{Value, json};

use crate::accepting;
use crate::support::{CHAT, Call, FORMATS, GEMINI, Heard, MESSAGES, Scripted, TestGateway};

/// The kind of error, as the dialect of `heard` says it.
fn kind(heard: &Heard) -> String {
    assert_eq!(heard.header("content-type"), Some("application/json"));
    let body = heard.json();
    let place = if body["error"]["status"].is_string() {
        "/error/status"
    } else {
        "/error/type"
    };
    assert!(
        body["error"]["message"]
            .as_str()
            .is_some_and(|message| message.len() > 10),
        "{body}"
    );
    body.pointer(place)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no kind in {body}"))
        .to_owned()
}

#[test]
fn a_compressed_body_is_told_to_be_one() {
    let (upstream, gateway) = accepting(json!({}));
    for (encoding, status) in [("gzip", 400), ("identity", 200)] {
        let call = CHAT.call().header("content-encoding", encoding);
        let heard = call.send(gateway.address);
        assert_eq!(heard.status, status, "{encoding}: {}", heard.text());
        assert!(
            status == 200 || heard.text().contains("`content-encoding`"),
            "{}",
            heard.text()
        );
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_body_that_is_no_request_is_a_400_in_the_callers_words() {
    let (upstream, gateway) = accepting(json!({}));
    let bodies = [
        "",
        "{",
        "not json",
        "[]",
        "null",
        "\"text\"",
        "{}",
        r#"{"messages":[]}"#,
        r#"{"model":""}"#,
        r#"{"model":null}"#,
        r#"{"model":["gpt"]}"#,
        r#"{"model":3}"#,
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"openai/"}"#,
        "{\"model\":\"\u{1}\"}",
    ];
    for body in bodies {
        for (path, expected) in [
            ("/v1/chat/completions", "invalid_request_error"),
            ("/v1/embeddings", "invalid_request_error"),
            ("/v1/responses", "invalid_request_error"),
            ("/v1/messages", "invalid_request_error"),
        ] {
            let heard = Call::post(path, body).send(gateway.address);
            assert_eq!(heard.status, 400, "{path} {body:?}: {}", heard.text());
            assert_eq!(kind(&heard), expected, "{path} {body:?}");
            let is_anthropic = heard.json()["type"] == "error";
            assert_eq!(is_anthropic, path == "/v1/messages", "{path}");
        }
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_body_larger_than_the_limit_is_a_413_whatever_says_its_length() {
    let (upstream, gateway) = accepting(json!({ "gateway": { "limits": { "body": "1KiB" } } }));
    let body = format!(r#"{{"model":"gpt-test","x":"{}"}}"#, "x".repeat(2000));
    for format in FORMATS {
        let heard = Call::post(format.path, body.clone()).send(gateway.address);
        assert_eq!(heard.status, 413, "{}", format.name());
        assert!(heard.text().contains("gateway.limits.body"), "{}", heard.text());
        kind(&heard);
    }
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let heard = Call::new("POST", CHAT.path)
        .header("transfer-encoding", "chunked")
        .body(chunked)
        .send(gateway.address);
    assert_eq!(heard.status, 413);
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_wrong_method_is_a_405_that_says_which_are_right() {
    let (upstream, gateway) = accepting(json!({}));
    let cases = [
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/v1/embeddings", "POST"),
        ("DELETE", "/v1/messages", "POST"),
        ("GET", "/v1/messages/count_tokens", "POST"),
        ("GET", "/v1/responses", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/gpt-test", "GET, HEAD, POST"),
        ("POST", "/status", "GET, HEAD"),
        ("PUT", "/healthz", "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        let heard = Call::new(method, path).send(gateway.address);
        assert_eq!(heard.status, 405, "{method} {path}");
        assert_eq!(heard.header("allow"), Some(allow), "{method} {path}");
        kind(&heard);
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn an_unknown_path_is_a_404_in_json_with_the_nearest_one() {
    let (upstream, gateway) = accepting(json!({}));
    for (path, expected) in [
        ("/v1/chat/completion", "/v1/chat/completions"),
        ("/v1/message", "/v1/messages"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/", "/proxy/"),
        ("/v1", "/proxy/"),
        ("/favicon.ico", "/proxy/"),
        ("/V1/Models", "/proxy/"),
    ] {
        let heard = Call::post(path, "{}").send(gateway.address);
        assert_eq!(heard.status, 404, "{path}");
        assert!(heard.text().contains(expected), "{path}: {}", heard.text());
        kind(&heard);
    }
    let heard = Call::new("HEAD", "/api/hello").send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (404, ""));
    let heard = Call::post("/v1beta/models/gemini-test:generateContents", GEMINI.body).send(gateway.address);
    assert_eq!((heard.status, kind(&heard).as_str()), (404, "NOT_FOUND"));
    assert!(heard.text().contains("generateContent"), "{}", heard.text());
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_web_socket_is_refused_with_426_at_once() {
    let (upstream, gateway) = accepting(json!({}));
    for path in ["/v1/responses", "/v1/models", "/proxy/openai/v1/realtime"] {
        let heard = Call::get(path)
            .headers(&[
                ("connection", "upgrade"),
                ("upgrade", "WebSocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("openai-beta", "responses_websockets=2026-02-06"),
            ])
            .send(gateway.address);
        assert_eq!(heard.status, 426, "{path}");
        assert_eq!(kind(&heard), "invalid_request_error", "{path}");
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn without_a_credential_the_caller_is_told_every_place_that_was_looked_in() {
    let upstream = Scripted::answering("");
    let gateway = TestGateway::start(&upstream.url(), &[]);
    for (format, expected, names) in [
        (
            CHAT,
            "authentication_error",
            [
                "OPENAI_API_KEYS",
                "OPENAI_API_KEY",
                "models.providers.openai.apiKey",
            ],
        ),
        (
            MESSAGES,
            "authentication_error",
            [
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_OAUTH_TOKEN",
                "CODERCLAW_LIVE_ANTHROPIC_KEY",
            ],
        ),
        (
            GEMINI,
            "UNAUTHENTICATED",
            ["GEMINI_API_KEY", "GOOGLE_API_KEY", "CODERCLAW_LIVE_GEMINI_KEY"],
        ),
    ] {
        for heard in [
            format.call().send(gateway.address),
            format.stream().send(gateway.address),
        ] {
            assert_eq!(heard.status, 401, "{}", format.name());
            assert_eq!(kind(&heard), expected, "{}", format.name());
            for name in names {
                assert!(heard.text().contains(name), "{name}: {}", heard.text());
            }
        }
    }
    let heard = Call::get("/proxy/groq/openai/v1/models").send(gateway.address);
    assert_eq!(heard.status, 401);
    assert!(heard.text().contains("GROQ_API_KEY"), "{}", heard.text());
    assert!(upstream.seen().is_empty());
}

#[test]
fn headers_beyond_the_limit_are_refused() {
    let (upstream, gateway) = accepting(json!({ "gateway": { "limits": { "header": "2KiB" } } }));
    let heard = CHAT
        .call()
        .header("x-long", &"x".repeat(3000))
        .send(gateway.address);
    assert_eq!(heard.status, 431);
    assert!(heard.text().contains("gateway.limits.header"), "{}", heard.text());
    assert!(upstream.seen().is_empty());
}
