//! How long a stream without meaning is held back: 64 KiB and the hold time, then it commits.

use serde_json::json;

use crate::dialogue::{DIALOGUES, STREAM};
use crate::support::{
    Ending, Gate, LAST_CHUNK, MESSAGES, RESPONSES, Scripted, Step, TestGateway, chunk, chunked_head, key,
};

/// A stream that says nothing and stays open until `gate`, then throttles.
fn silent_then_throttled(lead: String, gate: Gate) -> Scripted {
    Scripted::start(move |_, _| {
        vec![
            Step::Send(chunked_head("200 OK", STREAM)),
            Step::Send(chunk(&lead)),
            Step::Wait(gate.clone()),
            Step::Send(chunk(DIALOGUES[2].throttle)),
            Step::Send(LAST_CHUNK.to_vec()),
        ]
    })
}

fn gateway(upstream: &Scripted, hold: &str) -> TestGateway {
    let keys = format!("{},{}", key("anthropic", "a"), key("anthropic", "b"));
    TestGateway::with_config(
        &upstream.url(),
        &[("ANTHROPIC_API_KEYS", &keys)],
        json!({ "gateway": { "timeouts": { "hold": hold } } }),
    )
}

#[test]
fn after_64_kib_without_meaning_the_stream_commits() {
    let gate = Gate::default();
    let pings = ": nothing yet, and nothing for a long time to come\n\n".repeat(1400);
    assert!(pings.len() > 64 * 1024);
    let upstream = silent_then_throttled(pings.clone(), gate.clone());
    let gateway = gateway(&upstream, "5m");
    let mut live = MESSAGES.stream().open(gateway.address);
    // It comes although the hold time is far away, and the error behind it can no longer rotate.
    live.until(&pings);
    gate.open();
    let heard = live.finish();
    assert_eq!(heard.status, 200);
    assert_eq!(heard.text(), format!("{pings}{}", DIALOGUES[2].throttle));
    assert_eq!(heard.ending, Ending::Whole);
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_little_less_is_held_back_and_rotates() {
    let gate = Gate::default();
    gate.open();
    let pings = ": nothing yet, and nothing for a long time to come\n\n".repeat(1120);
    assert!(pings.len() > 56 * 1024 && pings.len() < 60 * 1024);
    let upstream = silent_then_throttled(pings, gate);
    let gateway = gateway(&upstream, "5m");
    let heard = MESSAGES.stream().send(gateway.address);
    assert_eq!(heard.attempts(), 2);
    assert_eq!(upstream.seen().len(), 2);
}

#[test]
fn after_the_hold_time_the_stream_commits() {
    let gate = Gate::default();
    let upstream = silent_then_throttled(DIALOGUES[2].lifecycle.to_owned(), gate.clone());
    let gateway = gateway(&upstream, "50ms");
    let mut live = MESSAGES.stream().open(gateway.address);
    live.until(DIALOGUES[2].lifecycle);
    gate.open();
    let heard = live.finish();
    assert_eq!(
        heard.text(),
        format!("{}{}", DIALOGUES[2].lifecycle, DIALOGUES[2].throttle)
    );
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_head_without_a_body_is_held_no_longer_than_the_hold_time_either() {
    let gate = Gate::default();
    let of_upstream = gate.clone();
    let upstream = Scripted::start(move |_, _| {
        vec![
            Step::Send(chunked_head("200 OK", STREAM)),
            Step::Wait(of_upstream.clone()),
            Step::Send(chunk(DIALOGUES[1].end)),
            Step::Send(LAST_CHUNK.to_vec()),
        ]
    });
    let gateway = TestGateway::with_config(
        &upstream.url(),
        &[("OPENAI_API_KEY", &key("openai", "a"))],
        json!({ "gateway": { "timeouts": { "hold": "50ms" } } }),
    );
    let mut live = RESPONSES.stream().open(gateway.address);
    assert_eq!(live.head().status, 200);
    gate.open();
    assert_eq!(live.finish().text(), DIALOGUES[1].end);
}
