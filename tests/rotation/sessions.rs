//! A session keeps its credential while that is available; whoever has none is served as before.

use coderclaw::emulator::{EmulatorConfig, Fault, FaultKind};
use serde_json::{Value, json};

use super::chat::{KEY, SESSION};
use crate::support::{CHAT, Call, FORMATS, Format, MESSAGES, Rig, Scripted, TestGateway, key, reply};

const KEYS: [&str; 3] = ["first", "second", "third"];
const GOOD: &str = r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

fn balanced(format: Format) -> Rig {
    let config = json!({ "auth": { "rotation": { "strategy": "balanced" } } });
    Rig::with(format, &KEYS, EmulatorConfig::default(), config)
}

fn profile(rig: &Rig, call: Call) -> String {
    let heard = rig.send(call);
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.header("x-coderclaw-profile").expect("a profile").to_owned()
}

#[test]
fn a_session_stays_with_one_credential_and_others_spread() {
    for format in FORMATS {
        let rig = balanced(format);
        let with = |key: &str| format.call().header(SESSION, key);
        let (one, other) = (profile(&rig, with("one")), profile(&rig, with("other")));
        assert_ne!(one, other, "{}", format.name());
        for _ in 0..3 {
            assert_eq!(profile(&rig, with("one")), one);
            assert_eq!(profile(&rig, format.stream().header(SESSION, "other")), other);
        }
        let none: Vec<String> = (0..3).map(|_| profile(&rig, format.call())).collect();
        assert!(none.iter().any(|profile| *profile != none[0]), "{none:?}");
    }
}

#[test]
fn the_body_tells_of_a_session_too() {
    for (format, member) in [
        (CHAT, json!({ "user": "u-1" })),
        (CHAT, json!({ "prompt_cache_key": "c-1" })),
        (CHAT, json!({ "session_id": "s-1" })),
        (MESSAGES, json!({ "metadata": { "user_id": "m-1" } })),
    ] {
        let rig = balanced(format);
        let mut body: Value = serde_json::from_str(format.body).expect("JSON");
        crate::support::merge(&mut body, member.clone());
        let call = || Call::post(format.path, body.to_string());
        let first = profile(&rig, call());
        for _ in 0..4 {
            assert_eq!(profile(&rig, call()), first, "{member}");
        }
    }
}

#[test]
fn who_names_the_header_and_the_body_is_in_the_session_of_the_header() {
    let rig = balanced(CHAT);
    let body = r#"{"model":"gpt-test","user":"u","messages":[{"role":"user","content":"hello"}]}"#;
    let by_header = profile(&rig, CHAT.call().header(SESSION, "h"));
    let by_body = profile(&rig, Call::post(CHAT.path, body));
    assert_ne!(by_header, by_body);
    assert_eq!(
        profile(&rig, Call::post(CHAT.path, body).header(SESSION, "h")),
        by_header
    );
}

#[test]
fn a_session_moves_when_its_credential_rests_and_stays_where_it_went() {
    for format in FORMATS {
        let rig = Rig::new(format, &KEYS);
        let call = || format.call().header(SESSION, KEY);
        assert_eq!(profile(&rig, call()), format.profile(1));
        let mut fault = Fault::new(FaultKind::RateLimit);
        fault.key = Some("first".to_owned());
        fault.first = Some(1);
        rig.fault(fault);
        assert_eq!(profile(&rig, call()), format.profile(2), "{}", format.name());
        rig.advance(600);
        assert_eq!(
            profile(&rig, format.call()),
            format.profile(1),
            "the first is well again"
        );
        assert_eq!(
            profile(&rig, call()),
            format.profile(2),
            "the provider's cache is warm there"
        );
    }
}

#[test]
fn a_proxied_request_has_the_session_of_its_header() {
    let rig = balanced(CHAT);
    let call = || Call::post("/proxy/openai/v1/chat/completions", CHAT.body).header(SESSION, KEY);
    let first = profile(&rig, call());
    for _ in 0..4 {
        assert_eq!(profile(&rig, call()), first);
    }
}

#[test]
fn a_header_that_can_be_no_key_is_refused_in_the_callers_dialect() {
    let long = "k".repeat(10_000);
    for format in FORMATS {
        let rig = Rig::new(format, &["only"]);
        for (bad, word) in [
            (long.as_str(), "longer than 512 bytes"),
            ("a\tb", "control characters"),
            ("coderclaw:main", "reserved"),
            ("CoderClaw:x", "reserved"),
        ] {
            let heard = rig.send(format.call().header(SESSION, bad));
            assert_eq!(heard.status, 400, "{}", heard.text());
            let error = &heard.json()["error"];
            let message = error["message"].as_str().expect("a message");
            assert!(message.contains(SESSION) && message.contains(word), "{message}");
            assert!(!message.contains("kkkk"), "{message}");
            match format.provider {
                "google" => assert_eq!(error["status"], "INVALID_ARGUMENT"),
                _ => assert_eq!(error["type"], "invalid_request_error"),
            }
            assert!(heard.header("x-coderclaw-request-id").is_some());
        }
        let twice = format.call().header(SESSION, "a").header(SESSION, "b");
        assert_eq!(rig.send(twice).status, 400);
        assert_eq!(rig.requests(), [0]);
    }
}

#[test]
fn what_a_body_says_is_never_refused_and_goes_on_as_it_is() {
    let upstream = Scripted::answering(reply("200 OK", &[("content-type", "application/json")], GOOD));
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &key("openai", "a"))]);
    let long = "u".repeat(10_000);
    let bodies = [
        format!(r#"{{"model":"gpt-test","user":"{long}","messages":[]}}"#),
        r#"{"model":"gpt-test","user":{"a":1},"metadata":7,"session_id":["x"],"messages":[]}"#.to_owned(),
        r#"{"model":"gpt-test","user":"coderclaw:x","prompt_cache_key":"a\nb","messages":[]}"#.to_owned(),
        r#"{"user":"a","user":"b","model":"gpt-test","messages":[]}"#.to_owned(),
    ];
    for body in &bodies {
        let heard = Call::post(CHAT.path, body.as_str()).send(gateway.address);
        assert_eq!(heard.status, 200, "{}", heard.text());
    }
    let seen = upstream.seen();
    for (seen, body) in seen.iter().zip(&bodies) {
        assert_eq!(seen.body, body.as_bytes());
        assert_eq!(seen.header(SESSION), None);
    }
    assert_eq!(
        gateway.shared.sessions.counts().held,
        1,
        "only `user: b` can be a key"
    );
}

#[test]
fn status_and_metrics_count_sessions_and_hold_no_key() {
    let rig = Rig::new(CHAT, &["only"]);
    for session in [KEY, "another", KEY] {
        assert_eq!(rig.send(CHAT.call().header(SESSION, session)).status, 200);
    }
    let status = rig.send(Call::get("/status"));
    let sessions = &status.json()["gateway"]["sessions"];
    assert_eq!(*sessions, json!({ "held": 2, "chosen": 0, "pinned": 0 }));
    let metrics = rig.send(Call::get("/metrics")).text();
    assert!(metrics.contains("coderclaw_sessions 2\n"), "{metrics}");
    assert!(metrics.contains("coderclaw_session_pins 0\n"), "{metrics}");
    for page in [status.text(), metrics] {
        assert!(!page.contains(KEY));
    }
}
