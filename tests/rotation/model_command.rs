//! `/model`, answered by the gateway itself in every format, and everything that only looks like it passed on.

use coderclaw::emulator::{EmulatorConfig, Fault, FaultKind};
use serde_json::{Value, json};

use super::chat::{KEY, SESSION, chat, said, say, say_of, say_streamed, two_keys};
use crate::support::{
    CHAT, Call, FORMATS, Format, GEMINI, MESSAGES, RESPONSES, Rig, Scripted, TestGateway, key, reply,
};

const GOOD: &str = r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// Models with aliases, a list and fallbacks, for the provider of `format`.
fn config(format: Format) -> Value {
    let provider = format.provider;
    json!({
        "agents": { "defaults": {
            "model": { "primary": format!("{provider}/{}", format.model), "fallbacks": [format!("{provider}/small")] },
        } },
        "models": { "providers": { provider: { "models": [{ "id": "large" }, { "id": "small" }] } } },
    })
}

fn rig(format: Format) -> Rig {
    two_keys(format, config(format))
}

/// An answer without what differs from run to run.
fn tame(text: &str, rig: &Rig) -> String {
    let state = rig.gateway.shared.live().settings.state_dir.display().to_string();
    text.replace(&rig.emulator.base_url(), "http://provider")
        .replace(&state, "STATE")
}

#[test]
fn every_command_is_answered_in_every_format_streamed_and_whole() {
    for format in FORMATS {
        let rig = rig(format);
        for command in [
            "/model",
            " /Model: list\n",
            "/model status",
            "/model small",
            "/model 1",
            "/model default",
        ] {
            let whole = rig.send(say(format, command));
            let streamed = rig.send(say_streamed(format, command));
            let (whole_text, streamed_text) = (said(&whole), said(&streamed));
            assert!(!whole_text.is_empty(), "{command}");
            assert_eq!(whole_text, streamed_text, "{} {command}", format.name());
            for heard in [whole, streamed] {
                assert!(heard.header("x-coderclaw-request-id").is_some());
                assert_eq!(heard.header("x-coderclaw-attempts"), Some("0"));
            }
        }
        assert_eq!(rig.requests(), [0, 0], "{}", format.name());
        let metrics = rig.send(Call::get("/metrics")).text();
        for line in [
            r#"coderclaw_requests_total{provider="none",endpoint="command",status="200",ending="complete"} 12"#,
            r#"coderclaw_chat_commands_total{kind="show"} 2"#,
            r#"coderclaw_chat_commands_total{kind="switch"} 4"#,
            r#"coderclaw_chat_commands_total{kind="default"} 2"#,
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }
    }
}

#[test]
fn a_stream_of_google_without_events_is_a_list() {
    let rig = rig(GEMINI);
    let (_, body) = chat(GEMINI, "coderclaw", "/model", true);
    let call = Call::post("/v1/models/auto:streamGenerateContent", body).header(SESSION, KEY);
    let heard = rig.send(call);
    assert_eq!(
        heard.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert!(
        said(&heard).starts_with("Current: `google/gemini-test`"),
        "{}",
        heard.text()
    );
}

#[test]
fn the_chosen_model_serves_bodies_that_leave_the_choice_and_no_others() {
    for format in FORMATS {
        let rig = rig(format);
        let model_of = |model: &str| {
            let before = rig.emulator.log(1000).len();
            let heard = rig.send(say_of(format, model, "hello", false));
            assert_eq!(heard.status, 200, "{}", heard.text());
            let log = rig.emulator.log(1000);
            assert_eq!(log.len(), before + 1);
            log.iter()
                .max_by_key(|entry| entry.sequence)
                .expect("one")
                .model
                .clone()
        };
        assert_eq!(model_of("coderclaw"), format.model);
        let told = said(&rig.send(say(format, "/model large")));
        assert!(
            told.starts_with(&format!("Model set to `{}/large`.", format.provider)),
            "{told}"
        );
        for name in ["coderclaw", "auto", "coderclaw:main"] {
            assert_eq!(model_of(name), "large", "{name}");
        }
        assert_eq!(model_of("other-model"), "other-model");
        let told = said(&rig.send(say_of(format, "other-model", "/model", false)));
        assert!(told.contains("asks for `other-model` by name"), "{told}");
        said(&rig.send(say(format, "/model default")));
        assert_eq!(model_of("auto"), format.model);
        // Another session was never touched.
        let (path, body) = chat(format, "coderclaw", "hello", false);
        rig.send(Call::post(&path, body).header(SESSION, "another"));
    }
}

#[test]
fn texts_are_as_they_were_looked_at() {
    let config = json!({
        "agents": { "defaults": {
            "model": { "primary": "openai/gpt-test", "fallbacks": ["openai/small"] },
            "models": { "openai/gpt-test": { "alias": "best" }, "openai/*": {}, "groq/*": {}, "anthropic/*": {} },
        } },
        "models": { "providers": { "openai": { "models": [{ "id": "large" }, { "id": "small" }] } } },
    });
    let rig = Rig::with(CHAT, &["first", "second"], EmulatorConfig::default(), config);
    for (name, command) in [
        ("show", "/model"),
        ("list", "/model list"),
        ("set_by_alias", "/model BEST"),
        ("set_any_model_of_a_provider", "/model groq/llama-9"),
        ("nonsense", "/model smol"),
        ("nothing_near", "/model nonsense"),
        ("unknown_provider", "/model openia/gpt-5"),
        ("another_format", "/model anthropic/claude-x"),
        ("not_allowed", "/model mistral/large"),
        ("too_high", "/model 7"),
        ("zero", "/model 0@first"),
        ("no_such_profile", "/model best@third"),
        ("profile_alone", "/model @first"),
        ("pin", "/model best@env:OPENAI_API_KEYS#2"),
        ("status", "/model status"),
        ("show_pinned", "/model"),
        ("release", "/model small"),
        ("default", "/model default"),
    ] {
        let told = tame(&said(&rig.send(say(CHAT, command))), &rig);
        insta::assert_snapshot!(format!("model_{name}"), told);
    }
}

#[test]
fn status_tells_how_each_credential_is_and_no_piece_of_one() {
    let rig = Rig::with(
        CHAT,
        &["first", "second", "third"],
        EmulatorConfig::default(),
        config(CHAT),
    );
    let mut fault = Fault::new(FaultKind::RateLimit);
    fault.key = Some("first".to_owned());
    fault.retry_after_ms = Some(90_000);
    rig.fault(fault);
    assert_eq!(rig.send(say(CHAT, "hello")).status, 200);
    let told = said(&rig.send(say(CHAT, "/model status")));
    let rows: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("OPENAI_API_KEYS#"))
        .collect();
    assert!(
        rows[0].contains("cooling for this model for 1m 30s (rate_limit)"),
        "{told}"
    );
    assert!(
        rows[1].ends_with("available, **next**") && rows[2].ends_with("available"),
        "{told}"
    );
    for name in ["first", "second", "third"] {
        let secret = key("openai", name);
        assert!(!told.contains(&secret[9..17]), "{told}");
    }
    assert!(!told.contains(KEY));
}

#[test]
fn a_long_pool_is_shown_in_part_with_what_serves() {
    let names: Vec<String> = (1..=40).map(|place| format!("key{place}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rig = Rig::with(CHAT, &names, EmulatorConfig::default(), config(CHAT));
    said(&rig.send(say(CHAT, "/model large@env:OPENAI_API_KEYS#33")));
    let told = said(&rig.send(say(CHAT, "/model status")));
    let rows = told
        .lines()
        .filter(|line| line.contains("OPENAI_API_KEYS#") && line.contains("api_key"));
    assert_eq!(rows.count(), 21, "{told}");
    assert!(
        told.contains("33. `openai:env:OPENAI_API_KEYS#33`") && told.contains("**next**, **pinned**"),
        "{told}"
    );
    assert!(told.contains("- … and 19 more"), "{told}");
}

#[test]
fn the_allowlist_is_asked_about_the_model_without_its_suffix() {
    let config = json!({ "agents": { "defaults": {
        "model": "openai/gpt-test",
        "models": { "openai/gpt-test": {}, "openai/gemma@q8_0": { "alias": "local" } },
    } } });
    let rig = Rig::with(CHAT, &["first", "second"], EmulatorConfig::default(), config);
    let told = |command: &str| said(&rig.send(say(CHAT, command)));
    assert!(told("/model openai/gpt-test@env:OPENAI_API_KEYS#2").contains("Pinned to"));
    assert!(
        told("/model openai/gemma@q8_0@env:OPENAI_API_KEYS#1")
            .starts_with("Model set to local (`openai/gemma@q8_0`)")
    );
    let refused = told("/model openai/other@env:OPENAI_API_KEYS#2");
    assert!(
        refused.contains("is not among those that `agents.defaults.models` allows"),
        "{refused}"
    );
    assert!(refused.ends_with("Nothing was changed."), "{refused}");
    assert!(told("/model").contains("pinned to `openai:env:OPENAI_API_KEYS#1`"));
}

#[test]
fn a_number_of_another_list_than_was_shown_chooses_nothing() {
    let config = json!({
        "agents": { "defaults": { "model": "openai/gpt-test" } },
        "models": { "providers": {
            "openai": { "models": [{ "id": "large" }] },
            "anthropic": { "models": [{ "id": "claude-a" }, { "id": "claude-b" }] },
        } },
    });
    let rig = Rig::with(CHAT, &["first"], EmulatorConfig::default(), config);
    said(&rig.send(say(MESSAGES, "/model list")));
    let told = said(&rig.send(say(CHAT, "/model 2")));
    assert!(told.contains("look again with `/model list`"), "{told}");
    said(&rig.send(say(RESPONSES, "/model list")));
    assert!(said(&rig.send(say(CHAT, "/model 2"))).contains("`openai/large`"));
}

#[test]
fn without_a_session_nothing_is_chosen_and_the_header_is_named() {
    let rig = Rig::with(CHAT, &["first"], EmulatorConfig::default(), {
        let mut config = config(CHAT);
        config["gateway"] = json!({ "chatCommands": "always" });
        config
    });
    let send = |text: &str| {
        let (path, body) = chat(CHAT, "coderclaw", text, false);
        said(&rig.send(Call::post(&path, body)))
    };
    assert!(send("/model").starts_with("Current: `openai/gpt-test`"));
    for command in [
        "/model small",
        "/model small@env:OPENAI_API_KEYS#1",
        "/model 2",
        "/model default",
    ] {
        let told = send(command);
        assert!(
            told.contains(SESSION) && told.ends_with("Nothing was changed."),
            "{told}"
        );
    }
    // The body's own word for a session is one too, where all may give commands.
    let body = r#"{"model":"auto","user":"u","messages":[{"role":"user","content":"/model small"}]}"#;
    assert!(said(&rig.send(Call::post(CHAT.path, body))).starts_with("Model set to"));
    assert_eq!(rig.requests(), [0]);
}

/// Bodies in which the words of a command are no command.
fn lookalikes() -> Vec<(&'static str, String)> {
    let chat = |messages: Value| json!({ "model": "gpt-test", "messages": messages }).to_string();
    let user = |content: Value| json!({ "role": "user", "content": content });
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } }] });
    vec![
        (CHAT.path, chat(json!([user(json!("what does /model list do?"))]))),
        (CHAT.path, chat(json!([user(json!("/model list\nand then say hello"))]))),
        (CHAT.path, chat(json!([user(json!("/models"))]))),
        (CHAT.path, chat(json!([user(json!("/model list")), { "role": "assistant", "content": "/model list" }]))),
        (CHAT.path, chat(json!([user(json!("hi")), call, { "role": "tool", "tool_call_id": "c", "content": "/model list" }]))),
        (CHAT.path, chat(json!([user(json!([{ "type": "text", "text": "/model" }, { "type": "text", "text": "x" }]))]))),
        (CHAT.path, chat(json!([{ "role": "system", "content": "/model" }]))),
        (RESPONSES.path, json!({ "model": "gpt-test", "input": "say /model" }).to_string()),
        (
            RESPONSES.path,
            json!({ "model": "gpt-test", "input": [{ "type": "function_call_output", "call_id": "c", "output": "/model" }] }).to_string(),
        ),
        (
            MESSAGES.path,
            json!({ "model": "claude-test", "max_tokens": 9, "messages": [{ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t", "content": "/model list" }] }] }).to_string(),
        ),
        ("/v1/messages/count_tokens", json!({ "model": "claude-test", "messages": [{ "role": "user", "content": "/model" }] }).to_string()),
        ("/v1/embeddings", json!({ "model": "e", "input": "/model" }).to_string()),
        (GEMINI.path, json!({ "contents": [{ "role": "model", "parts": [{ "text": "/model" }] }] }).to_string()),
    ]
}

fn passes(config: Value, calls: &[(&str, String)], with_key: bool) {
    let upstream = Scripted::answering(reply("200 OK", &[("content-type", "application/json")], GOOD));
    let keys = ["openai", "anthropic", "google"].map(|provider| key(provider, "a"));
    let gateway = TestGateway::with_config(
        &upstream.url(),
        &[
            ("OPENAI_API_KEY", &keys[0]),
            ("ANTHROPIC_API_KEY", &keys[1]),
            ("GEMINI_API_KEY", &keys[2]),
        ],
        config,
    );
    for (path, body) in calls {
        let call = Call::post(path, body.as_str());
        let call = if with_key { call.header(SESSION, KEY) } else { call };
        assert_eq!(call.send(gateway.address).text(), GOOD, "{body}");
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), calls.len());
    for (seen, (_, body)) in seen.iter().zip(calls) {
        assert_eq!(String::from_utf8_lossy(&seen.body), *body);
    }
}

#[test]
fn what_only_looks_like_a_command_goes_upstream_untouched() {
    passes(json!({}), &lookalikes(), true);
    passes(
        json!({ "gateway": { "chatCommands": "always" } }),
        &lookalikes(),
        false,
    );
}

#[test]
fn without_the_header_or_where_it_is_off_a_command_is_a_message_like_any_other() {
    let commands = || {
        FORMATS
            .map(|format| {
                let (path, body) = chat(format, format.model, "/model list", false);
                (path, body)
            })
            .to_vec()
    };
    let owned = commands();
    let borrowed = |calls: &[(String, String)]| -> Vec<(&'static str, String)> {
        let paths = [CHAT.path, RESPONSES.path, MESSAGES.path, GEMINI.path];
        paths
            .into_iter()
            .zip(calls.iter().map(|(_, body)| body.clone()))
            .collect()
    };
    passes(json!({}), &borrowed(&owned), false);
    passes(
        json!({ "gateway": { "chatCommands": "off" } }),
        &borrowed(&owned),
        true,
    );
}

#[test]
fn the_gateways_token_is_asked_for_first() {
    let mut with_token = config(CHAT);
    let token = key("other", "gateway token");
    with_token["gateway"] = json!({ "auth": { "token": token } });
    let rig = Rig::with(CHAT, &["only"], EmulatorConfig::default(), with_token);
    assert_eq!(rig.send(say(CHAT, "/model list")).status, 401);
    let call = say(CHAT, "/model list").header("authorization", &format!("Bearer {token}"));
    assert!(said(&rig.send(call)).contains("`openai/gpt-test`"));
}
