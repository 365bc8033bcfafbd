//! The life of a gateway's process: how it stops, how it is found, what it refuses to start with, what it remembers.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "drain/memory.rs"]
mod memory;
#[path = "drain/start.rs"]
mod start;

use std::time::Duration;

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, Fault, FaultKind, RunningEmulator};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::Instant;

use support::{GatewayProcess, Home, RawConnection, RawEnd, RawHead, becomes, get, key, post};

/// From the last answer to the end of the process.
const EXIT_MAX: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);
const CHAT: &str = "/v1/chat/completions";
const STREAM: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const WHOLE: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#;
/// A stream of this model never ends.
const ENDLESS: &str = r#"{"model":"endless","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

/// Streams of a second and a half, and endless ones.
fn emulator() -> RunningEmulator {
    let mut endless = Fault::new(FaultKind::HangMidStream).after_chunks(2);
    endless.model = Some("endless".to_owned());
    Emulator::start(EmulatorConfig {
        behaviour: Behaviour {
            reply_tokens: Some(30),
            chunk_delay_ms: Some(50),
            ..Behaviour::default()
        },
        faults: vec![endless],
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts")
}

fn home(emulator: &RunningEmulator, config: Value) -> Home {
    let key = key("openai", "one");
    Home::new(&emulator.base_url(), &[("OPENAI_API_KEY", &key)], config)
}

/// A stream whose first piece has come.
async fn begin(gateway: &GatewayProcess, body: &str) -> (RawConnection, RawHead) {
    let mut caller = RawConnection::open(gateway.address).await;
    caller.send(&post(CHAT, body)).await;
    let head = caller.head().await;
    assert_eq!(head.status, 200);
    assert!(caller.chunk().await.is_some());
    (caller, head)
}

/// A connection that has been used and may be used again.
async fn idle(gateway: &GatewayProcess) -> RawConnection {
    let mut caller = RawConnection::open(gateway.address).await;
    assert_eq!(caller.call(&get("/healthz")).await.status(), 200);
    caller
}

/// Waits until the gateway says that it drains.
async fn until_draining(gateway: &GatewayProcess) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut caller = RawConnection::open(gateway.address).await;
        let answer = caller.call(&get("/readyz")).await;
        if answer.status() == 503 {
            assert_eq!(answer.json()["draining"], json!(true));
            return;
        }
        assert!(Instant::now() < deadline, "it does not drain");
    }
}

async fn assert_refused(caller: &mut RawConnection) {
    let answer = caller.call(&post(CHAT, WHOLE)).await;
    assert_eq!(answer.status(), 503, "{}", answer.text());
    assert_eq!(answer.json()["error"]["code"], json!("draining"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(caller.is_closed().await);
}

/// The process ends well within `within`, and is not to be found any more.
async fn assert_ends(gateway: &mut GatewayProcess, home: &Home, within: Duration) {
    let status = gateway.exit(within).await;
    let status = status.unwrap_or_else(|| panic!("it goes on for {within:?}: {}", gateway.stderr()));
    assert_eq!(status.code(), Some(0), "{}", gateway.stderr());
    assert!(!home.state().join("gateway.json").exists());
}

#[tokio::test]
async fn streams_finish_while_new_requests_are_told_to_come_back() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let emulator = emulator();
        let home = home(&emulator, json!({}));
        let mut gateway = home.gateway(&[]).await;
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(begin(&gateway, STREAM).await);
        }
        let mut used_later = idle(&gateway).await;
        let _never_used_again = idle(&gateway).await;
        gateway.signal(signal);
        until_draining(&gateway).await;
        assert_refused(&mut RawConnection::open(gateway.address).await).await;
        assert_refused(&mut used_later).await;
        assert_eq!(
            idle(&gateway).await.call(&get("/healthz")).await.status(),
            200,
            "it lives"
        );
        assert!(gateway.is_running());
        for (mut caller, head) in streams {
            let (body, end) = caller.body(&head).await;
            assert!(
                end == RawEnd::Whole && body.ends_with(b"data: [DONE]\n\n"),
                "{signal}: a stream was cut"
            );
        }
        assert_ends(&mut gateway, &home, EXIT_MAX).await;
        assert!(gateway.stderr().contains("drained"), "{}", gateway.stderr());
    }
}

/// Connections on which nothing happens are nobody's request.
#[tokio::test]
async fn idle_connections_do_not_hold_the_exit() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    let mut gateway = home.gateway(&[]).await;
    let mut connections = Vec::new();
    for _ in 0..20 {
        connections.push(idle(&gateway).await);
        connections.push(RawConnection::open(gateway.address).await);
    }
    gateway.signal(Signal::SIGTERM);
    assert_ends(&mut gateway, &home, EXIT_MAX).await;
}

/// A caller that reads slowly, or not at all, is cut when the time is over: it sees a cut and not an end.
#[tokio::test]
async fn the_deadline_of_the_drain_cuts_what_is_left() {
    let emulator = emulator();
    let home = home(
        &emulator,
        json!({ "gateway": { "timeouts": { "drain": "700ms" } } }),
    );
    let mut gateway = home.gateway(&[]).await;
    let (mut caller, head) = begin(&gateway, ENDLESS).await;
    let told = Instant::now();
    gateway.signal(Signal::SIGTERM);
    until_draining(&gateway).await;
    assert_eq!(caller.body(&head).await.1, RawEnd::Cut);
    assert!(
        told.elapsed() >= Duration::from_millis(700),
        "{:?}",
        told.elapsed()
    );
    assert_ends(&mut gateway, &home, EXIT_MAX).await;
    assert!(gateway.stderr().contains("before every request was finished"));
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGINT),
        (Signal::SIGTERM, Signal::SIGINT),
    ] {
        let emulator = emulator();
        let home = home(&emulator, json!({}));
        let mut gateway = home.gateway(&[]).await;
        let (mut caller, head) = begin(&gateway, ENDLESS).await;
        gateway.signal(first);
        until_draining(&gateway).await;
        gateway.signal(second);
        assert_ends(&mut gateway, &home, Duration::from_secs(1)).await;
        assert_eq!(caller.body(&head).await.1, RawEnd::Cut);
        becomes("upstream", PATIENCE, 0, || {
            emulator.stats().keys.iter().map(|key| key.in_flight).sum::<u64>()
        })
        .await;
    }
}
