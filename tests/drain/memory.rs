//! What a gateway knows of its credentials outlives its process.

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::support::{GatewayProcess, Home, RawConnection, becomes, get, key, post};
use super::{CHAT, EXIT_MAX, PATIENCE, WHOLE};

/// Two keys: the first is out of money, the second serves.
fn house() -> (RunningEmulator, Home) {
    let emulator = Emulator::start(EmulatorConfig {
        keys: ["first", "second"]
            .map(|name| KeyConfig::new(name, &key("openai", name)))
            .into(),
        faults: vec![Fault::new(FaultKind::Quota).for_key("first")],
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let keys = format!("{},{}", key("openai", "first"), key("openai", "second"));
    let home = Home::new(&emulator.base_url(), &[("OPENAI_API_KEYS", &keys)], json!({}));
    (emulator, home)
}

fn requests(emulator: &RunningEmulator) -> [u64; 2] {
    let stats = emulator.stats();
    ["first", "second"].map(|name| stats.key(name).map_or(0, |key| key.requests))
}

async fn serve(gateway: &GatewayProcess) {
    let mut caller = RawConnection::open(gateway.address).await;
    let answer = caller.call(&post(CHAT, WHOLE)).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

fn saved(home: &Home) -> Option<Value> {
    let text = std::fs::read(home.state().join("credential-state.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whether the process is asked to stop or killed: what was learned is not learned again.
#[tokio::test]
async fn cooldowns_survive_the_process() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (emulator, home) = house();
        let mut gateway = home.gateway(&[]).await;
        serve(&gateway).await;
        assert_eq!(requests(&emulator), [1, 1]);
        if signal == Signal::SIGKILL {
            becomes("written down", PATIENCE, true, || {
                saved(&home).is_some_and(|saved| saved.to_string().contains("exhausted"))
            })
            .await;
        }
        gateway.signal(signal);
        assert!(gateway.exit(EXIT_MAX).await.is_some(), "{signal}");
        let next = home.gateway(&[]).await;
        for _ in 0..3 {
            serve(&next).await;
        }
        assert_eq!(
            requests(&emulator),
            [1, 4],
            "{signal}: the first key was tried again"
        );
        let mut caller = RawConnection::open(next.address).await;
        let status = caller.call(&get("/status")).await.text();
        assert!(status.contains("exhausted"), "{status}");
    }
}

/// How much each credential was used and when is not forgotten either, though nothing else is to be said of it.
#[tokio::test]
async fn counters_survive_the_process() {
    let (_emulator, home) = house();
    for served in 1..=2 {
        let mut gateway = home.gateway(&[]).await;
        serve(&gateway).await;
        gateway.signal(Signal::SIGTERM);
        assert!(gateway.exit(EXIT_MAX).await.is_some());
        let saved = saved(&home).unwrap();
        let [first, second] = [0, 1].map(|n| saved["openai"][n].clone());
        assert_eq!((&first["requests"], &first["throttles"]), (&json!(1), &json!(1)));
        assert_eq!(second["requests"], json!(served), "{saved}");
        assert!(second["last_used_ms"].is_u64(), "{saved}");
        assert!(second["standing"].is_null(), "{saved}");
    }
}

#[tokio::test]
async fn a_memory_that_is_unreadable_is_set_aside() {
    let (emulator, home) = house();
    let file = home.state().join("credential-state.json");
    std::fs::write(&file, "{ \"openai\": [ this is no").unwrap();
    let mut gateway = home.gateway(&[]).await;
    serve(&gateway).await;
    assert_eq!(requests(&emulator), [1, 1], "it starts without a memory");
    let aside = home.state().join("credential-state.unreadable.json");
    assert_eq!(
        std::fs::read_to_string(aside).unwrap(),
        "{ \"openai\": [ this is no"
    );
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.exit(EXIT_MAX).await.is_some());
    // Lines gather for a moment before they are written; at the end all of them are.
    assert!(gateway.stderr().contains("can't be read"), "{}", gateway.stderr());
    assert!(saved(&home).is_some(), "and has one again");
}

/// Nothing of a secret stands in it, and nobody else may read it.
#[tokio::test]
async fn the_memory_is_its_owners_and_holds_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let (_emulator, home) = house();
    let mut gateway = home.gateway(&[]).await;
    serve(&gateway).await;
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.exit(EXIT_MAX).await.is_some());
    let mode = std::fs::metadata(home.state().join("credential-state.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = saved(&home).unwrap().to_string();
    for name in ["first", "second"] {
        let key = key("openai", name);
        assert!(!text.contains(&key[key.len() - 12..]), "{name}");
    }
}
