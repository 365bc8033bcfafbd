//! Names of models: prefixes, aliases, and the one change that a body undergoes.

use serde_json::json;

use crate::accepting;
use crate::support::{CHAT, Call, GEMINI, MESSAGES, key};

#[test]
fn the_prefix_is_cut_out_and_no_other_byte_of_the_body_is_touched() {
    let bodies = [
        ("{\"model\":\"openai/gpt-test\"}", "{\"model\":\"gpt-test\"}"),
        (
            " {\r\n\t\"messages\" : [ {\"model\":\"openai/inner\"} ] ,\n  \"model\"  :  \"openai/gpt-test\" , \"x\":1e400,\"y\":0.10,\"z\":\"\\u00e9\\/\"}\n ",
            " {\r\n\t\"messages\" : [ {\"model\":\"openai/inner\"} ] ,\n  \"model\"  :  \"gpt-test\" , \"x\":1e400,\"y\":0.10,\"z\":\"\\u00e9\\/\"}\n ",
        ),
        (
            "{\"unknown\":{\"model\":\"openai/a\"},\"model\":\"open\\u0061i\\/gpt-\\u0074est\",\"unknown\":2,\"big\":12345678901234567890123}",
            "{\"unknown\":{\"model\":\"openai/a\"},\"model\":\"gpt-test\",\"unknown\":2,\"big\":12345678901234567890123}",
        ),
        // A bare name is the endpoint's own provider's, and nothing at all changes.
        (
            "{ \"model\":\"gpt\\u002dtest\" }",
            "{ \"model\":\"gpt\\u002dtest\" }",
        ),
    ];
    for (sent, expected) in bodies {
        let (upstream, gateway) = accepting(json!({}));
        let heard = Call::post(CHAT.path, sent).send(gateway.address);
        assert_eq!(heard.status, 200, "{sent}: {}", heard.text());
        let seen = upstream.only();
        assert_eq!(String::from_utf8_lossy(&seen.body), expected);
        assert_eq!(seen.key(), key("openai", "a"));
        assert_eq!(
            seen.header("content-length"),
            Some(expected.len().to_string().as_str())
        );
    }
}

#[test]
fn a_body_of_ten_megabytes_passes_unchanged() {
    let image = "A".repeat(10 << 20);
    let body = format!(r#"{{"messages":[{{"image":"{image}"}}],"model":"anthropic/claude-test"}}"#);
    let (upstream, gateway) = accepting(json!({}));
    assert_eq!(
        Call::post(MESSAGES.path, body.clone())
            .send(gateway.address)
            .status,
        200
    );
    assert!(upstream.only().body == body.replace("anthropic/", "").as_bytes());
}

#[test]
fn a_prefix_leads_to_its_provider_at_any_endpoint_of_that_format() {
    let names = [
        ("groq/llama-test", "llama-test", "groq"),
        ("GROQ/llama-test", "llama-test", "groq"),
        ("groq/openai/gpt-oss", "openai/gpt-oss", "groq"),
        ("local/org/nested/model", "org/nested/model", "local"),
        // Listed in the config by one provider: its bare name is enough.
        ("llama3:8b", "llama3:8b", "local"),
        ("org/nested/model", "org/nested/model", "local"),
    ];
    for (name, model, provider) in names {
        let (upstream, gateway) = accepting(json!({}));
        let body = format!(r#"{{"model":"{name}"}}"#);
        let heard = Call::post(CHAT.path, body).send(gateway.address);
        assert_eq!(heard.header("x-coderclaw-provider"), Some(provider), "{name}");
        let sent = String::from_utf8_lossy(&upstream.only().body).into_owned();
        assert_eq!(sent, format!(r#"{{"model":"{model}"}}"#), "{name}");
    }
}

#[test]
fn aliases_and_the_default_stand_for_what_the_config_says() {
    let config = json!({ "agents": {
        "defaults": {
            "model": { "primary": "groq/llama-test" },
            "models": { "openai/gpt-test": { "alias": "fast" }, "groq/llama-test": {}, "google/gemini-test": { "alias": "g" } },
        },
    } });
    for (name, model, provider) in [
        ("fast", "gpt-test", "openai"),
        ("Fast", "gpt-test", "openai"),
        ("auto", "llama-test", "groq"),
        ("coderclaw", "llama-test", "groq"),
        ("coderclaw:main", "llama-test", "groq"),
    ] {
        let (upstream, gateway) = accepting(config.clone());
        let body = format!(r#"{{"model":"{name}"}}"#);
        let heard = Call::post(CHAT.path, body).send(gateway.address);
        assert_eq!(heard.status, 200, "{name}: {}", heard.text());
        assert_eq!(heard.header("x-coderclaw-provider"), Some(provider), "{name}");
        let sent = String::from_utf8_lossy(&upstream.only().body).into_owned();
        assert_eq!(sent, format!(r#"{{"model":"{model}"}}"#), "{name}");
    }
    let (upstream, gateway) = accepting(config.clone());
    let heard = Call::post("/v1beta/models/g:generateContent", GEMINI.body).send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(
        upstream.only().target,
        "/v1beta/models/gemini-test:generateContent"
    );

    // The list of models is an allowlist.
    let (upstream, gateway) = accepting(config);
    let heard = Call::post(CHAT.path, r#"{"model":"openai/gpt-tset"}"#).send(gateway.address);
    assert_eq!(heard.status, 404);
    assert!(heard.text().contains("openai/gpt-test"), "{}", heard.text());
    assert!(upstream.seen().is_empty());
}

#[test]
fn an_unknown_provider_is_a_404_with_the_nearest_names() {
    let (upstream, gateway) = accepting(json!({}));
    for (call, place, kind) in [
        (
            Call::post(CHAT.path, r#"{"model":"opnai/gpt-test"}"#),
            "/error/code",
            "unknown_provider",
        ),
        (
            Call::post(MESSAGES.path, r#"{"model":"opnai/gpt-test"}"#),
            "/error/type",
            "not_found_error",
        ),
        (
            Call::post("/v1beta/models/opnai/gpt:generateContent", GEMINI.body),
            "/error/status",
            "NOT_FOUND",
        ),
    ] {
        let heard = call.send(gateway.address);
        assert_eq!(heard.status, 404);
        let body = heard.json();
        assert_eq!(
            body.pointer(place).and_then(|kind| kind.as_str()),
            Some(kind),
            "{body}"
        );
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(
            message.contains("`opnai`") && message.contains("`openai`"),
            "{message}"
        );
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_model_of_another_format_is_a_400_that_names_the_endpoint() {
    let (upstream, gateway) = accepting(json!({}));
    let cases = [
        (
            Call::post(CHAT.path, r#"{"model":"anthropic/claude-test"}"#),
            "/v1/messages",
        ),
        (
            Call::post(CHAT.path, r#"{"model":"google/gemini-test"}"#),
            "/v1beta/models/",
        ),
        (
            Call::post(MESSAGES.path, r#"{"model":"openai/gpt-test"}"#),
            "/v1/chat/completions",
        ),
        (
            Call::post("/v1/responses", r#"{"model":"local/llama3:8b"}"#),
            "/v1/chat/completions",
        ),
        (
            Call::post("/v1beta/models/anthropic/claude:generateContent", "{}"),
            "/v1/messages",
        ),
    ];
    for (call, endpoint) in cases {
        let heard = call.send(gateway.address);
        assert_eq!(heard.status, 400, "{}", heard.text());
        let body = heard.json();
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(message.contains(endpoint), "{message}");
    }
    assert!(upstream.seen().is_empty());
}
