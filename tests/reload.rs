//! Settings that change while a gateway serves: obeyed at once, never half, and no request pays for it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "reload/agents.rs"]
mod agents;
#[path = "reload/config.rs"]
mod config;
#[path = "reload/fallbacks.rs"]
mod fallbacks;
#[path = "reload/load.rs"]
mod load;
#[path = "reload/stores.rs"]
mod stores;

use coderclaw::credentials::store::{
    AuthStore, MAIN_AGENT, NewCredential, StoreError, StoreFile, StoredSecret,
};
use coderclaw::emulator::{Emulator, EmulatorConfig, KeyConfig, RunningEmulator};
use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use serde_json::{Value, json};
use support::{CHAT, Call, GatewayProcess, Home, key};

/// An emulator that knows these keys of `openai`, and no other.
fn emulator(keys: &[&str]) -> RunningEmulator {
    let keys = keys.iter().map(|name| KeyConfig::new(name, &key("openai", name)));
    Emulator::start(EmulatorConfig {
        keys: keys.collect(),
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts")
}

/// A home whose store of `main` holds these keys of `openai`, as `openai:NAME`.
fn home(emulator: &RunningEmulator, keys: &[&str], config: Value) -> Home {
    let home = Home::new(&emulator.base_url(), &[], config);
    change(&home, |store| keys.iter().for_each(|name| put(store, name)));
    home
}

fn change(home: &Home, change: impl FnOnce(&mut AuthStore)) {
    change_of(home, MAIN_AGENT, change);
}

/// Changes the own store of an agent.
fn change_of(home: &Home, agent: &str, change: impl FnOnce(&mut AuthStore)) {
    let store = StoreFile::of_agent(&home.state(), agent);
    let changed = store.update(|content| {
        change(content);
        Ok::<(), StoreError>(())
    });
    changed.expect("the store can be written");
}

fn put(store: &mut AuthStore, name: &str) {
    let secret = StoredSecret::Here(Secret::new(key("openai", name)));
    let (id, openai) = (profile(name), ProviderId::new("openai"));
    store.put(&id, &openai, None, NewCredential::ApiKey(secret));
}

fn order(home: &Home, names: &[&str]) {
    let ids: Vec<ProfileId> = names.iter().map(|name| profile(name)).collect();
    change(home, |store| {
        store.set_order(&ProviderId::new("openai"), Some(&ids));
    });
}

fn profile(name: &str) -> ProfileId {
    ProfileId::new(&format!("openai:{name}"))
}

/// What a reload that a command asks for comes to.
fn reload(gateway: &GatewayProcess) -> Value {
    let heard = Call::post("/reload", "").send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.json()
}

/// Who serves the next request.
fn served_by(gateway: &GatewayProcess) -> String {
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.header("x-coderclaw-profile").expect("a profile").to_owned()
}

fn status(gateway: &GatewayProcess) -> Value {
    Call::get("/status").send(gateway.address).json()
}

fn write_config(home: &Home, text: &str) {
    std::fs::write(home.state().join("coderclaw.json"), text).expect("the config is written");
}

/// The config of [`Home`], with `more` merged over it.
fn config_text(emulator: &RunningEmulator, more: Value) -> String {
    let mut whole = json!({
        "models": { "providers": { "openai": { "baseUrl": format!("{}/v1", emulator.base_url()) } } },
        "gateway": { "workers": 2, "bind": "127.0.0.1" },
    });
    support::merge(&mut whole, more);
    whole.to_string()
}
