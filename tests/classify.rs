//! What failures mean: every fixture, and bodies that no fixture has.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use coderclaw::upstream::classify::{Failure, classify};
use coderclaw::wire::Api;
use coderclaw::wire::frame::{Framing, StreamFailure};
use coderclaw::wire::gate::{CommitGate, Gate};
use coderclaw::wire::tap::StreamTap;
use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::outcome::{Cooldown, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// 2026-11-22T08:20:00Z, a moment at which every instant in the fixtures is still to come.
const NOW: Timestamp = Timestamp::from_unix_ms(1_795_335_600_000);

#[path = "classify/bodies.rs"]
mod bodies;

fn headers(value: &Value) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        map.insert(
            HeaderName::try_from(name.as_str()).unwrap(),
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        );
    }
    map
}

/// What a fixture's failure means, and whether meaning had gone out before it came.
fn judged(fixture: &Value) -> (Verdict, bool) {
    let provider = fixture["provider"].as_str().unwrap();
    let headers = headers(&fixture["headers"]);
    let verdict = |status, body: &[u8]| {
        classify(&Failure {
            provider,
            status,
            headers: &headers,
            body,
            now: NOW,
        })
    };
    if let Some(stream) = fixture["sse"].as_str() {
        let (failure, committed) = failure_in(provider, stream);
        return (verdict(failure.status, &failure.body), committed);
    }
    let body = match &fixture["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let status = u16::try_from(fixture["http_status"].as_u64().unwrap()).unwrap();
    (verdict(Some(status), body.as_bytes()), false)
}

fn failure_in(provider: &str, stream: &str) -> (StreamFailure, bool) {
    let api = match provider {
        "anthropic" => Api::AnthropicMessages,
        "gemini" => Api::GoogleGenerativeAi,
        _ => Api::OpenaiResponses,
    };
    let mut gate = CommitGate::new(Some(api), Framing::Sse);
    let mut decision = Gate::Hold;
    for chunk in stream.as_bytes().chunks(7) {
        if decision == Gate::Hold {
            decision = gate.push(Bytes::copy_from_slice(chunk));
        }
    }
    match decision {
        Gate::Failed(failure) => (failure, false),
        Gate::Commit => {
            let mut tap = StreamTap::new(Some(api), Framing::Sse);
            tap.push(stream.as_bytes());
            (tap.report().failure.expect("an error frame"), true)
        }
        Gate::Hold => panic!("the gate stayed shut"),
    }
}

/// What `expect.cooldown` states; `None` where it leaves the time to the class's own schedule.
fn stated_cooldown(cooldown: &Value, class: &str) -> Option<Cooldown> {
    let instant = if let Some(seconds) = cooldown["until_unix"].as_u64() {
        Some(Timestamp::from_unix_ms(seconds * 1000))
    } else if let Some(ms) = cooldown["until_unix_ms"].as_u64() {
        Some(Timestamp::from_unix_ms(ms))
    } else {
        cooldown["until"].as_str().map(|text| {
            let instant: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_unix_ms(u64::try_from(instant.as_millisecond()).unwrap())
        })
    };
    let wait = cooldown["ms"].as_u64().map(Duration::from_millis);
    match (class, instant, wait) {
        ("quota_window", Some(instant), _) => Some(Cooldown::Until(instant)),
        ("quota_window", None, Some(wait)) => Some(Cooldown::Until(NOW.after(wait))),
        (_, Some(instant), _) => Some(Cooldown::hinted(instant.since(NOW))),
        (_, None, Some(wait)) => Some(Cooldown::hinted(wait)),
        (_, None, None) => None,
    }
}

#[test]
fn every_fixture_means_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/errors");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let fixture: Value =
            serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        let (verdict, committed) = judged(&fixture);
        let expect = &fixture["expect"];
        let class = expect["class"].as_str().unwrap();
        let mut got = json!({
            "class": verdict.class.as_str(),
            "scope": verdict.scope.to_string(),
            "rotate": verdict.class.is_throttle() && !committed,
        });
        let mut want = json!({"class": class, "scope": expect["scope"], "rotate": expect["rotate"]});
        let per_day = expect["cooldown"]["from"]
            .as_str()
            .unwrap_or_default()
            .contains("PerDay");
        if !per_day {
            let stated = stated_cooldown(&expect["cooldown"], class).unwrap_or(Cooldown::ClassDefault);
            got["cooldown"] = json!(format!("{:?}", verdict.cooldown));
            want["cooldown"] = json!(format!("{stated:?}"));
        } else if verdict.cooldown != Cooldown::Until(Timestamp::from_unix_ms(1_795_420_800_000)) {
            wrong.push(format!("{}: {:?}", fixture["fixture"], verdict.cooldown));
        }
        if got != want {
            wrong.push(format!("{}:\n   got {got}\n  want {want}", fixture["fixture"]));
        }
        count += 1;
    }
    assert!(count >= 62, "only {count} fixtures");
    assert!(
        wrong.is_empty(),
        "{} of {count} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The vectors of rotation tell failures by their words alone.
#[test]
fn words_alone_mean_what_the_vectors_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors.json");
    let all: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let rotations = all["vectors"].as_array().unwrap().iter();
    let mut count = 0;
    for vector in rotations.filter(|vector| vector["group"] == "rotation") {
        for words in vector["input"]["failures"].as_object().unwrap().values() {
            let words = words.as_str().unwrap();
            let verdict = classify(&Failure {
                provider: "acme",
                status: None,
                headers: &HeaderMap::new(),
                body: words.as_bytes(),
                now: NOW,
            });
            let is_limit = words.starts_with("429");
            assert_eq!(verdict.class.is_throttle(), is_limit, "{}: {words}", vector["id"]);
            count += 1;
        }
    }
    assert!(count >= 5, "only {count} failures");
}
