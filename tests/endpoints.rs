//! Every path of the gateway: what goes upstream, what comes back, and what is refused and how.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "endpoints/access.rs"]
mod access;
#[path = "endpoints/headers.rs"]
mod headers;
#[path = "endpoints/models.rs"]
mod models;
#[path = "endpoints/paths.rs"]
mod paths;
#[path = "endpoints/proxy.rs"]
mod proxy;
#[path = "endpoints/refusals.rs"]
mod refusals;
#[path = "support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::{Scripted, TestGateway, key, reply};

/// The environment of a gateway with a key for each of the three.
fn environment() -> Vec<(String, String)> {
    [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GEMINI_API_KEY", "google"),
        ("GROQ_API_KEY", "groq"),
    ]
    .map(|(variable, provider)| (variable.to_owned(), key(provider, "a")))
    .into()
}

/// A gateway before an upstream that says yes to everything.
fn accepting(config: Value) -> (Scripted, TestGateway) {
    let upstream = Scripted::answering(reply(
        "200 OK",
        &[("content-type", "application/json")],
        r#"{"ok":"yes"}"#,
    ));
    let gateway = before(&upstream, config);
    (upstream, gateway)
}

/// A gateway before `upstream`, with `groq` behind `/openai/v1` of it, and an OpenAI-like `local` of the config's.
fn before(upstream: &Scripted, config: Value) -> TestGateway {
    let environment = environment();
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut whole = json!({ "models": { "providers": {
        "groq": { "baseUrl": format!("{}/openai/v1", upstream.url()) },
        "local": {
            "baseUrl": format!("{}/deep/root/", upstream.url()),
            "api": "openai-completions",
            "apiKey": key("local", "config"),
            "headers": { "x-team": "red" },
            "models": ["llama3:8b", "org/nested/model"],
        },
    } } });
    support::merge(&mut whole, config);
    TestGateway::with_config(&upstream.url(), &environment, whole)
}
