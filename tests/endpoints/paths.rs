//! Which upstream path each path of the gateway leads to.

use serde_json::json;

use crate::support::{CHAT, Call, GEMINI, MESSAGES, RESPONSES, Seen, key};
use crate::{accepting, environment};

fn went(call: Call) -> Seen {
    let (upstream, gateway) = accepting(json!({}));
    let heard = call.send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (200, r#"{"ok":"yes"}"#));
    upstream.only()
}

#[test]
fn every_posted_path_leads_to_its_own_provider_with_the_pools_key() {
    let body = |model: &str| format!(r#"{{"model":"{model}","input":"x"}}"#);
    let google = r#"{"contents":[]}"#.to_owned();
    let paths = [
        ("/v1/chat/completions", CHAT.body.to_owned(), "openai"),
        ("/v1/completions", body("gpt-test"), "openai"),
        ("/v1/embeddings", body("text-embedding"), "openai"),
        ("/v1/responses", RESPONSES.body.to_owned(), "openai"),
        ("/v1/messages", MESSAGES.body.to_owned(), "anthropic"),
        ("/v1/messages/count_tokens", MESSAGES.body.to_owned(), "anthropic"),
        (
            "/v1beta/models/gemini-test:generateContent",
            google.clone(),
            "google",
        ),
        (
            "/v1beta/models/gemini-test:streamGenerateContent",
            google.clone(),
            "google",
        ),
        ("/v1beta/models/gemini-test:countTokens", google.clone(), "google"),
        (
            "/v1beta/models/gemini-test:embedContent",
            google.clone(),
            "google",
        ),
        (
            "/v1beta/models/gemini-test:batchEmbedContents",
            google.clone(),
            "google",
        ),
        ("/v1/models/gemini-test:generateContent", google.clone(), "google"),
        (
            "/v1/models/gemini-test:streamGenerateContent",
            google.clone(),
            "google",
        ),
        ("/v1/models/gemini-test:countTokens", google, "google"),
    ];
    for (path, body, provider) in paths {
        let seen = went(Call::post(path, body.clone()));
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", path));
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{path}");
        assert_eq!(seen.key(), key(provider, "a"), "{path}");
    }
}

#[test]
fn each_provider_gets_its_key_where_it_wants_it() {
    for (format, place, scheme) in [
        (CHAT, "authorization", "Bearer "),
        (MESSAGES, "x-api-key", ""),
        (GEMINI, "x-goog-api-key", ""),
    ] {
        let seen = went(format.call());
        let expected = format!("{scheme}{}", key(format.provider, "a"));
        for name in ["authorization", "x-api-key", "x-goog-api-key"] {
            let wanted = (name == place).then_some(expected.as_str());
            assert_eq!(seen.header(name), wanted, "{} {name}", format.name());
        }
    }
}

#[test]
fn the_list_of_models_has_three_shapes() {
    let lists = [
        ("/v1/models", &[][..], "/v1/models", "openai"),
        (
            "/v1/models",
            &[("authorization", "Bearer x")][..],
            "/v1/models",
            "openai",
        ),
        (
            "/v1/models",
            &[("anthropic-version", "2026-10-21"), ("authorization", "Bearer x")][..],
            "/v1/models",
            "anthropic",
        ),
        (
            "/v1/models",
            &[("x-goog-api-key", "x")][..],
            "/v1/models",
            "google",
        ),
        (
            "/v1/models",
            &[("x-goog-api-client", "gl-node")][..],
            "/v1/models",
            "google",
        ),
        ("/v1beta/models", &[][..], "/v1beta/models", "google"),
        ("/v1/models/gpt-test", &[][..], "/v1/models/gpt-test", "openai"),
        (
            "/v1/models/claude-test",
            &[("anthropic-version", "2023-06-01")][..],
            "/v1/models/claude-test",
            "anthropic",
        ),
        (
            "/v1beta/models/gemini-test",
            &[][..],
            "/v1beta/models/gemini-test",
            "google",
        ),
        (
            "/v1/models/groq/llama3:8b",
            &[][..],
            "/openai/v1/models/llama3:8b",
            "groq",
        ),
    ];
    for (path, headers, target, provider) in lists {
        for query in ["", "?pageSize=5&pageToken=a%2Fb"] {
            let seen = went(Call::get(&format!("{path}{query}")).headers(headers));
            assert_eq!(seen.target, format!("{target}{query}"), "{headers:?}");
            assert_eq!(seen.key(), key(provider, "a"), "{path} {headers:?}");
        }
    }
}

#[test]
fn a_root_with_a_path_is_kept_and_gets_no_version() {
    let body = r#"{"model":"local/llama3:8b"}"#;
    let seen = went(Call::post("/v1/chat/completions", body));
    assert_eq!(seen.target, "/deep/root/chat/completions");
    assert_eq!(seen.key(), key("local", "config"));
    assert_eq!(seen.header("x-team"), Some("red"));
    assert_eq!(String::from_utf8_lossy(&seen.body), r#"{"model":"llama3:8b"}"#);
}

#[test]
fn query_strings_pass_but_for_the_key() {
    let queries = [
        ("", ""),
        ("?beta=true", "?beta=true"),
        ("?key=AIzaSyCallersOwnKey", ""),
        ("?alt=sse&key=AIzaSyCallersOwnKey&x=%20+%2F", "?alt=sse&x=%20+%2F"),
        ("?k%65y=AIzaSyCallersOwnKey&&a", "?&a"),
        ("?key", ""),
        ("?monkey=1&keys=2", "?monkey=1&keys=2"),
    ];
    for format in [CHAT, MESSAGES, GEMINI] {
        for (query, expected) in queries {
            let seen = went(Call::post(&format!("{}{query}", format.path), format.body));
            assert_eq!(seen.target, format!("{}{expected}", format.path), "{query}");
        }
    }
}

#[test]
fn the_gateways_own_paths_answer() {
    let (upstream, gateway) = accepting(json!({}));
    for path in ["/healthz", "/readyz", "/metrics", "/status"] {
        let heard = Call::get(path).send(gateway.address);
        assert_eq!(heard.status, 200, "{path}");
        assert!(!heard.body.is_empty(), "{path}");
        let heard = Call::new("HEAD", path).send(gateway.address);
        assert_eq!((heard.status, heard.text().as_str()), (200, ""), "{path}");
    }
    let status = Call::get("/status").send(gateway.address).text();
    let metrics = Call::get("/metrics").send(gateway.address).text();
    for (variable, secret) in environment() {
        assert!(status.contains(&variable), "{variable}: {status}");
        for told in [&status, &metrics] {
            assert!(!told.contains(&secret[secret.len() - 9..]), "{variable}");
        }
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn slashes_and_colons_in_model_names_reach_google_as_they_are() {
    let targets = [
        (
            "/v1beta/models/google/gemini-test:generateContent",
            "/v1beta/models/gemini-test:generateContent",
        ),
        (
            "/v1beta/models/google%2Fgemini-test:generateContent",
            "/v1beta/models/gemini-test:generateContent",
        ),
        (
            "/v1/models/gemini:free:countTokens",
            "/v1/models/gemini:free:countTokens",
        ),
    ];
    for (path, target) in targets {
        let (upstream, gateway) = accepting(json!({}));
        let heard = Call::post(path, GEMINI.body).send(gateway.address);
        assert_eq!(heard.status, 200, "{path}");
        assert_eq!(upstream.only().target, target, "{path}");
    }
    let (upstream, gateway) = accepting(json!({}));
    let heard = Call::post("/v1beta/models/tunedModels/mine:generateContent", GEMINI.body);
    let heard = heard.send(gateway.address);
    assert_eq!(heard.status, 404, "{}", heard.text());
    assert_eq!(heard.json()["error"]["status"], "NOT_FOUND");
    assert!(upstream.seen().is_empty());
}
