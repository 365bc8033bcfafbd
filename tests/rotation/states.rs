//! What a failure does to a key, and what does nothing to it.

use std::sync::Arc;
use std::time::Duration;

use coderclaw::emulator::{EmulatorConfig, Fault, FaultKind, KeyConfig};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{Clock as _, SharedClock, StateName, SystemClock, TestClock};
use serde_json::{Value, json};

use crate::support::{CHAT, Call, FORMATS, MESSAGES, Rig, Scripted, Step, TestGateway, key, reply};

fn dead(format: crate::support::Format) -> EmulatorConfig {
    let mut dead = KeyConfig::new("dead", &key(format.provider, "dead"));
    dead.dead = true;
    EmulatorConfig {
        keys: vec![dead],
        ..EmulatorConfig::default()
    }
}

#[test]
fn a_dead_key_fails_one_caller_and_is_then_disabled() {
    for format in FORMATS {
        let rig = Rig::with(format, &["dead", "healthy"], dead(format), json!({}));
        // No throttle: the caller hears of it, and only this one.
        let heard = rig.call();
        assert!([400, 401].contains(&heard.status), "{}", heard.status);
        assert_eq!(heard.attempts(), 1, "{}", format.name());
        let credential = rig.credential("dead");
        assert_eq!(credential.state, StateName::Disabled, "{}", format.name());
        assert_eq!(credential.reason, Some(ErrorClass::AuthDead), "{}", format.name());
        assert_eq!(credential.until_ms, None, "{}", format.name());
        assert_eq!(rig.call().status, 200, "{}", format.name());
        // Time alone never brings it back.
        rig.advance(30 * 24 * 3600);
        assert_eq!(rig.call().status, 200, "{}", format.name());
        assert_eq!(rig.requests(), [1, 2], "{}", format.name());
    }
}

#[test]
fn a_suspended_account_is_disabled_too() {
    for format in [CHAT, crate::support::GEMINI] {
        let rig = Rig::new(format, &["first", "second"]);
        rig.fault(Fault::new(FaultKind::Suspended).for_key("first"));
        assert_eq!(rig.call().status, 403, "{}", format.name());
        assert_eq!(
            rig.credential("first").state,
            StateName::Disabled,
            "{}",
            format.name()
        );
        assert_eq!(rig.call().status, 200, "{}", format.name());
    }
}

#[test]
fn with_auth_widened_a_dead_key_fails_nobody() {
    for format in FORMATS {
        let config = json!({ "auth": { "rotation": { "on": ["auth"] } } });
        let rig = Rig::with(format, &["dead", "healthy"], dead(format), config);
        let heard = rig.call();
        assert_eq!(heard.status, 200, "{}", heard.text());
        assert_eq!(heard.attempts(), 2);
        assert_eq!(rig.credential("dead").state, StateName::Disabled);
    }
}

#[test]
fn a_caller_cannot_kill_a_key_through_the_proxy_path_nor_by_what_it_names_or_brings() {
    let rig = Rig::with(CHAT, &["dead", "healthy"], dead(CHAT), json!({}));
    let proxied = crate::support::Call::post("/proxy/openai/v1/chat/completions", CHAT.body);
    assert_eq!(rig.send(proxied).status, 401);
    assert_eq!(rig.credential("dead").state, StateName::Available);
    for header in [
        "openai-organization",
        "openai-project",
        "x-goog-user-project",
        "api-key",
        "cookie",
    ] {
        let heard = rig.send(CHAT.call().header(header, "org-someone-else"));
        assert_eq!(heard.status, 401, "{header}");
        assert_eq!(rig.credential("dead").state, StateName::Available, "{header}");
    }
    for query in ["access_token=x", "a=b&API_KEY=x", "%61pikey=x"] {
        let path = format!("/v1/chat/completions?{query}");
        assert_eq!(
            rig.send(crate::support::Call::post(&path, CHAT.body)).status,
            401,
            "{query}"
        );
        assert_eq!(rig.credential("dead").state, StateName::Available, "{query}");
    }
    assert_eq!(rig.call().status, 401);
    assert_eq!(rig.credential("dead").state, StateName::Disabled);
}

#[test]
fn money_that_runs_out_rests_ten_minutes_doubling() {
    for format in FORMATS {
        let rig = Rig::new(format, &["poor", "rich"]);
        rig.fault(Fault::new(FaultKind::Quota).for_key("poor").first(2));
        let mut calls_of_poor = Vec::new();
        for pause in [0, 595, 10, 1190, 20] {
            rig.advance(pause);
            let heard = rig.call();
            assert_eq!(heard.status, 200, "{}: {}", format.name(), heard.text());
            calls_of_poor.push(rig.requests()[0]);
        }
        assert_eq!(calls_of_poor, [1, 1, 2, 2, 3], "{}", format.name());
        assert_eq!(rig.credential("poor").state, StateName::Available);
    }
}

#[test]
fn a_closed_window_rests_to_its_reset_with_one_real_request_an_hour() {
    const HOUR: u64 = 3600;
    let clock = TestClock::at(SystemClock::start().now());
    let reset = clock.now().as_unix_ms() / 1000 + 5 * HOUR;
    let (first, second) = (key("anthropic", "first"), key("anthropic", "second"));
    let (closed, told) = (first.clone(), Arc::clone(&clock));
    let upstream = Scripted::start(move |seen, _| {
        let json = ("content-type", "application/json");
        let open = seen.key() != closed || told.now().as_unix_ms() / 1000 >= reset;
        vec![Step::Send(if open {
            reply(
                "200 OK",
                &[json],
                r#"{"type":"message","content":[{"type":"text","text":"hi"}]}"#,
            )
        } else {
            let reset = reset.to_string();
            let headers = [
                json,
                ("retry-after", "30"),
                ("anthropic-ratelimit-unified-status", "rejected"),
                ("anthropic-ratelimit-unified-reset", &reset),
                ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
                ("anthropic-ratelimit-unified-5h-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-reset", &reset),
            ];
            let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}"#;
            reply("429 Too Many Requests", &headers, body)
        })]
    });
    let gateway = TestGateway::try_with_clock(
        &upstream.url(),
        &[("ANTHROPIC_API_KEYS", &format!("{first},{second}"))],
        json!({}),
        Arc::clone(&clock) as SharedClock,
    )
    .expect("the gateway starts");
    let mut calls_of_first = Vec::new();
    // The short `retry-after` does not count; the hour does, and so does the reset.
    for pause in [0, 60, 58 * 60, 2 * 60, 0, 59 * 60, 2 * 60, 3 * HOUR, 0] {
        clock.advance(Duration::from_secs(pause));
        assert_eq!(MESSAGES.call().send(gateway.address).status, 200);
        let calls = upstream.seen().iter().filter(|seen| seen.key() == first).count();
        calls_of_first.push(calls);
    }
    assert_eq!(calls_of_first, [1, 1, 1, 2, 2, 2, 3, 4, 5]);
}

#[test]
fn trouble_of_the_provider_touches_no_key() {
    let troubles = [
        (FaultKind::Overloaded, None),
        (FaultKind::Status, Some(500)),
        (FaultKind::Status, Some(502)),
        (FaultKind::Status, Some(503)),
        (FaultKind::Status, Some(504)),
        (FaultKind::Status, Some(400)),
        (FaultKind::Status, Some(404)),
        (FaultKind::Status, Some(422)),
        (FaultKind::CloseBeforeHead, None),
        (FaultKind::TruncatedHead, None),
        (FaultKind::UnparseableHead, None),
    ];
    for format in FORMATS {
        let rig = Rig::new(format, &["first", "second"]);
        for (kind, status) in troubles {
            let what = format!("{} {} {status:?}", format.name(), kind.as_str());
            let mut fault = Fault::new(kind);
            fault.status = status;
            rig.emulator.set_faults(vec![fault]).expect("it makes sense");
            rig.emulator.reset();
            let heard = rig.call();
            assert!(heard.status >= 400, "{what}");
            assert_eq!(rig.requests(), [1, 0], "{what}");
            let credential = rig.credential("first");
            assert_eq!(credential.state, StateName::Available, "{what}");
            assert!(credential.models.is_empty(), "{what}: {credential:?}");
        }
        rig.emulator.set_faults(Vec::new()).expect("none is sensible");
        assert_eq!(
            rig.call().header("x-coderclaw-profile"),
            Some(format.profile(1).as_str())
        );
    }
}

#[test]
fn a_missing_permission_is_no_dead_key() {
    let upstream = Scripted::answering(reply(
        "403 Forbidden",
        &[("content-type", "application/json")],
        r#"{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission to use the specified resource."}}"#,
    ));
    let secret = key("anthropic", "first");
    let gateway = TestGateway::start(&upstream.url(), &[("ANTHROPIC_API_KEY", &secret)]);
    assert_eq!(MESSAGES.call().send(gateway.address).status, 403);
    assert_eq!(gateway.credentials("anthropic")[0].state, StateName::Available);
    assert_eq!(MESSAGES.call().send(gateway.address).status, 403);
    assert_eq!(upstream.seen().len(), 2);
}

#[test]
fn a_token_for_claude_code_alone_is_disabled_for_api_use_with_the_reason() {
    let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"This credential is only authorized for use with Claude Code and cannot be used for other API requests."}}"#;
    let upstream = Scripted::answering(reply(
        "400 Bad Request",
        &[("content-type", "application/json")],
        body,
    ));
    let token = format!("sk-ant-oat01-{}", key("token", "subscription"));
    let gateway = TestGateway::start(&upstream.url(), &[("ANTHROPIC_OAUTH_TOKEN", &token)]);
    let heard = MESSAGES.call().send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (400, body));
    let seen = upstream.only();
    assert_eq!(
        seen.header("authorization"),
        Some(format!("Bearer {token}").as_str())
    );
    assert_eq!(seen.header("x-api-key"), None);
    assert_eq!(seen.header("anthropic-beta"), None);
    let credential = &gateway.credentials("anthropic")[0];
    assert_eq!(credential.state, StateName::Disabled);
    assert_eq!(credential.reason, Some(ErrorClass::CredentialUseForbidden));
    let told = told(&gateway, "anthropic");
    assert_eq!(told[0]["state"], "disabled");
    assert_eq!(told[0]["reason"], "credential_use_forbidden");
    assert!(told[0]["until"].is_null());
}

/// The credentials of a provider as `/status` tells them.
fn told(gateway: &TestGateway, provider: &str) -> Vec<Value> {
    let status = Call::get("/status").send(gateway.address).json();
    let providers = status["auth"]["providers"]
        .as_array()
        .expect("a list of providers");
    let of_provider = providers.iter().find(|told| told["provider"] == provider);
    of_provider.expect("the provider is told of")["credentials"]
        .as_array()
        .expect("a list of credentials")
        .clone()
}

#[test]
fn status_tells_each_key_its_state_until_when_and_why() {
    let rig = Rig::new(CHAT, &["slow", "poor", "dead", "healthy"]);
    let faults = [
        Fault::new(FaultKind::RateLimit)
            .for_key("slow")
            .retry_after_ms(30_000),
        Fault::new(FaultKind::Quota).for_key("poor"),
        Fault::new(FaultKind::Unauthorized).for_key("dead"),
    ];
    for fault in faults {
        rig.fault(fault);
    }
    assert_eq!((rig.call().status, rig.call().status), (401, 200));
    let now = rig.clock.now().as_unix_ms();
    let told = told(&rig.gateway, "openai");
    let fields = |credential: &Value| {
        // What one model is throttled by stands with the model.
        let at = credential["models"].get(0).unwrap_or(credential);
        let text = |name: &str| at[name].as_str().unwrap_or("none").to_owned();
        (
            text("state"),
            text("reason"),
            at["remainingMs"].as_u64(),
            at["until"].as_u64(),
        )
    };
    let expected = [
        ("cooling", "rate_limit", Some(30_000)),
        ("exhausted", "quota_hard", Some(600_000)),
        ("disabled", "auth_dead", None),
        ("available", "none", None),
    ];
    assert_eq!(told.len(), expected.len());
    for (place, (state, reason, rest)) in expected.into_iter().enumerate() {
        let until = rest.map(|rest| now + rest);
        assert_eq!(
            fields(&told[place]),
            (state.to_owned(), reason.to_owned(), rest, until),
            "{:?}",
            told[place]
        );
        assert_eq!(told[place]["id"], CHAT.profile(place + 1));
        let throttled = usize::from(place < 2);
        assert_eq!(
            (
                told[place]["requests"].as_u64(),
                told[place]["throttles"].as_u64()
            ),
            (Some(1), Some(throttled as u64))
        );
    }
    // Next is who would serve a model that no key rests for.
    let next: Vec<bool> = told.iter().map(|credential| credential["next"] == true).collect();
    assert_eq!(next, [true, false, false, false]);
}
