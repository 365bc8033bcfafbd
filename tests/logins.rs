//! OAuth logins in a gateway: renewed for a request, ahead of their end, once for everybody; and what it says when a
//! login is over.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[expect(dead_code, reason = "the tests of the protocol use more of it")]
#[path = "oauth/scene.rs"]
mod scene;

use std::time::Duration;

use coderclaw::credentials::oauth::Tokens;
use coderclaw::credentials::store::{
    AuthStore, MAIN_AGENT, NewCredential, OauthSecrets, StoreError, StoreFile, StoredCredential, StoredSecret,
};
use coderclaw::emulator::{IdpConfig, IdpTokenState};
use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use coderclaw_actors::{Clock as _, SystemClock};
use serde_json::{Value, json};

use scene::{CLIENT, Scene};
use support::{CHAT, Call, GatewayProcess, Home, eventually, key};

const LOGIN: &str = "openai:me";
const HOUR_MS: u64 = 3_600_000;
/// What each of two commands writes.
const PASTES: usize = 300;
/// What the gateway writes beside them, at least.
const RENEWALS: u64 = 400;
/// Callers that come at once.
const CALLERS: usize = 16;

fn idp(lifetime: Duration) -> Scene {
    Scene::with(IdpConfig {
        access_lifetime_ms: u64::try_from(lifetime.as_millis()).expect("a short life"),
        ..IdpConfig::default()
    })
}

/// A home whose provider `openai` takes logins of the scene's identity provider.
fn home(scene: &Scene) -> Home {
    let base = scene.emulator.base_url();
    let at = |path: &str| format!("{base}/__idp/{path}");
    let oauth = json!({ "authorizeUrl": at("authorize"), "tokenUrl": at("token"), "clientId": CLIENT });
    let config = json!({ "models": { "providers": { "openai": { "oauth": oauth } } } });
    Home::new(&base, &[], config)
}

fn store(home: &Home) -> StoreFile {
    StoreFile::of_agent(&home.state(), MAIN_AGENT)
}

/// Stores a login whose access token is said to end at `expires_ms`.
fn keep(home: &Home, tokens: &Tokens, expires_ms: u64) {
    keep_of(home, MAIN_AGENT, tokens, expires_ms);
}

/// The same in the own store of an agent.
fn keep_of(home: &Home, agent: &str, tokens: &Tokens, expires_ms: u64) {
    let login = OauthSecrets {
        access: Some(tokens.access.clone()),
        refresh: tokens.refresh.clone(),
        expires_ms: Some(expires_ms),
        account_id: tokens.account_id.clone(),
    };
    let put = |content: &mut AuthStore| {
        let (id, openai) = (ProfileId::new(LOGIN), ProviderId::new("openai"));
        content.put(&id, &openai, None, NewCredential::Oauth(login));
        Ok::<(), StoreError>(())
    };
    let store = StoreFile::of_agent(&home.state(), agent);
    store.update(put).expect("the store can be written");
}

fn stored(home: &Home) -> OauthSecrets {
    stored_of(home, MAIN_AGENT)
}

fn stored_of(home: &Home, agent: &str) -> OauthSecrets {
    let store = StoreFile::of_agent(&home.state(), agent);
    let content = store.read().expect("the store can be read");
    match content.profile(LOGIN).expect("the login").credential {
        StoredCredential::Oauth(login) => login,
        other => panic!("{LOGIN} is {:?}", other.kind()),
    }
}

/// Requests that the identity provider got.
fn asked_of(scene: &Scene) -> u64 {
    scene.emulator.idp().requests.values().sum()
}

fn now_ms() -> u64 {
    SystemClock::start().now().as_unix_ms()
}

fn reload(gateway: &GatewayProcess) {
    let heard = Call::post("/reload", "").send(gateway.address);
    assert_eq!(heard.json()["applied"], true, "{}", heard.text());
}

fn openai(gateway: &GatewayProcess) -> Value {
    let status = Call::get("/status").send(gateway.address).json();
    let providers = status["auth"]["providers"].as_array().expect("providers").clone();
    let found = providers
        .into_iter()
        .find(|provider| provider["provider"] == "openai");
    found.expect("openai")
}

#[tokio::test]
async fn a_login_serves_as_it_is_while_it_lives() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    keep(&home, &scene.login().await, now_ms() + HOUR_MS);
    let gateway = home.gateway(&[]).await;
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-profile"), Some(LOGIN));
    assert_eq!(scene.emulator.idp().refreshes, 0);
}

#[tokio::test]
async fn a_token_that_has_run_out_is_renewed_once_for_everybody() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    let tokens = scene.login().await;
    keep(&home, &tokens, 1);
    let gateway = home.gateway(&[]).await;
    let address = gateway.address;
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| std::thread::spawn(move || CHAT.call().send(address).status))
        .collect();
    for caller in callers {
        assert_eq!(caller.join().expect("a caller"), 200);
    }
    assert_eq!(scene.emulator.idp().refreshes, 1);
    assert_eq!(scene.emulator.idp().reuses, 0);
    let kept = stored(&home);
    assert_ne!(kept.refresh, tokens.refresh, "it rotates");
    assert!(kept.expires_ms > Some(now_ms()));
    assert_eq!(
        CHAT.call().send(address).attempts(),
        1,
        "the pool has the new token"
    );
}

#[tokio::test]
async fn a_token_that_the_provider_calls_expired_is_renewed_and_sent_again() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    keep(&home, &scene.login().await, now_ms() + HOUR_MS);
    scene.emulator.expire_access_tokens();
    let gateway = home.gateway(&[]).await;
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.attempts(), 2);
    assert_eq!(scene.emulator.idp().refreshes, 1);
    let status = openai(&gateway);
    assert_eq!(status["credentials"][0]["state"], "available", "{status}");
}

#[tokio::test]
async fn logins_are_renewed_ahead_without_a_request() {
    let scene = idp(Duration::from_secs(2));
    let home = home(&scene);
    let tokens = scene.login().await;
    keep(&home, &tokens, tokens.expires_at_ms);
    let gateway = home.gateway(&[]).await;
    eventually("three renewals", || {
        (scene.emulator.idp().refreshes >= 3).then_some(())
    });
    assert_eq!(scene.emulator.idp().reuses, 0);
    assert_eq!(CHAT.call().send(gateway.address).status, 200);
    let told = gateway.stderr();
    assert!(
        !told.contains(stored(&home).refresh.expect("a token").expose()),
        "a token in the log"
    );
}

#[tokio::test]
async fn a_login_that_is_over_is_said_until_somebody_logs_in_again() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    keep(&home, &scene.login_as("account-7").await, 1);
    scene.emulator.sign_out("account-7");
    let gateway = home.gateway(&[]).await;
    assert_ne!(CHAT.call().send(gateway.address).status, 200);
    let told = eventually("the end of the login in status", || {
        let unusable = openai(&gateway)["unusable"][0].clone();
        (unusable["id"] == LOGIN).then(|| unusable["why"].to_string())
    });
    assert!(told.contains("log in again"), "{told}");
    let asked = asked_of(&scene);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 401);
    assert!(heard.text().contains("log in again"), "{}", heard.text());
    assert_eq!(
        asked_of(&scene),
        asked,
        "nobody asks again with a token that was refused"
    );
    keep(&home, &scene.login_as("account-7").await, now_ms() + HOUR_MS);
    reload(&gateway);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
}

#[tokio::test]
async fn tokens_that_end_at_once_are_not_asked_for_without_pause() {
    let scene = idp(Duration::ZERO);
    let home = home(&scene);
    keep(&home, &scene.login().await, 1);
    let started = now_ms();
    let _gateway = home.gateway(&[]).await;
    eventually("three renewals", || {
        (scene.emulator.idp().refreshes >= 3).then_some(())
    });
    let took = now_ms() - started;
    assert!(took >= 2000, "three renewals in {took} ms");
}

#[tokio::test]
async fn logins_of_an_agent_that_becomes_the_default_are_renewed() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    let gateway = home.gateway(&[]).await;
    let tokens = scene.login().await;
    let ended = OauthSecrets {
        access: Some(tokens.access.clone()),
        refresh: tokens.refresh.clone(),
        expires_ms: Some(1),
        account_id: None,
    };
    let of_work = StoreFile::of_agent(&home.state(), "work");
    let put = of_work.update(|content| {
        let (id, openai) = (ProfileId::new(LOGIN), ProviderId::new("openai"));
        content.put(&id, &openai, None, NewCredential::Oauth(ended));
        Ok::<(), StoreError>(())
    });
    put.expect("the store can be written");
    let path = home.state().join("coderclaw.json");
    let config = std::fs::read_to_string(&path).expect("the config");
    let mut config: Value = serde_json::from_str(&config).expect("the config is JSON");
    config["agents"] = json!({ "list": [{ "id": "work", "default": true }] });
    std::fs::write(&path, config.to_string()).expect("the config can be written");
    reload(&gateway);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-profile"), Some(LOGIN));
}

#[tokio::test]
async fn a_login_in_an_agent_s_own_store_is_renewed_there_beside_one_of_the_same_id() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    let path = home.state().join("coderclaw.json");
    let config = std::fs::read_to_string(&path).expect("the config");
    let mut config: Value = serde_json::from_str(&config).expect("the config is JSON");
    config["agents"] = json!({ "list": [{ "id": "work" }] });
    std::fs::write(&path, config.to_string()).expect("the config can be written");
    let (of_main, of_work) = (
        scene.login_as("account-1").await,
        scene.login_as("account-2").await,
    );
    keep(&home, &of_main, now_ms() + HOUR_MS);
    keep_of(&home, "work", &of_work, 1);
    let gateway = home.gateway(&[]).await;
    let heard = CHAT
        .call()
        .header("x-coderclaw-agent-id", "work")
        .send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-profile"), Some(LOGIN));
    assert_eq!(scene.emulator.idp().refreshes, 1);
    assert_eq!(
        stored(&home).refresh,
        of_main.refresh,
        "the other login is as it was"
    );
    let renewed = stored_of(&home, "work");
    assert_ne!(renewed.refresh, of_work.refresh, "it rotates");
    assert!(renewed.expires_ms > Some(now_ms()));
    assert_eq!(scene.emulator.idp().reuses, 0);
    // What ends for one agent goes on for the other.
    scene.emulator.sign_out("account-2");
    assert_eq!(CHAT.call().send(gateway.address).status, 200);
    scene.emulator.expire_access_tokens();
    assert_eq!(CHAT.call().send(gateway.address).status, 200);
    assert_ne!(stored(&home).refresh, of_main.refresh);
    let heard = CHAT
        .call()
        .header("x-coderclaw-agent-id", "work")
        .send(gateway.address);
    assert_ne!(heard.status, 200, "its login has ended");
}

/// Writes one key after the other by a command of its own process each.
async fn paste(home: &Home, writer: &str) {
    for number in 0..PASTES {
        let name = format!("{writer}-{number}");
        let file = home.state().join(format!("../{writer}"));
        std::fs::write(&file, key("openai", &name)).expect("a file");
        let (id, file) = (format!("openai:{name}"), file.display().to_string());
        let arguments = ["models", "auth", "paste-api-key", "--provider", "openai"];
        let more = ["--profile-id", &id, "--from-file", &file];
        let ended = home.run(&[&arguments[..], &more].concat()).await;
        assert_eq!(ended.code, Some(0), "{id}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn two_commands_and_a_gateway_lose_nothing_of_each_other() {
    let scene = idp(Duration::from_hours(1));
    let home = home(&scene);
    keep(&home, &scene.login().await, now_ms() + HOUR_MS);
    let gateway = home.gateway(&[]).await;
    let (address, done) = (gateway.address, std::cell::Cell::new(false));
    let commands = async {
        tokio::join!(paste(&home, "a"), paste(&home, "b"));
        done.set(true);
    };
    // Each request finds its token over, and the gateway writes the next one.
    let renewals = async {
        while !done.get() || scene.emulator.idp().refreshes < RENEWALS {
            // A reload that read the store before the last renewal may just have come to its end.
            reload(&gateway);
            scene.emulator.expire_access_tokens();
            let call = move || CHAT.call().send(address);
            let heard = tokio::task::spawn_blocking(call).await.expect("a caller");
            assert_eq!(heard.status, 200, "{}", heard.text());
        }
    };
    tokio::join!(commands, renewals);
    let content = store(&home).read().expect("the store parses");
    for name in ["a", "b"]
        .iter()
        .flat_map(|writer| (0..PASTES).map(move |number| format!("{writer}-{number}")))
    {
        let profile = content
            .profile(&format!("openai:{name}"))
            .expect("nothing is lost");
        let StoredCredential::ApiKey {
            key: StoredSecret::Here(secret),
        } = profile.credential
        else {
            panic!("openai:{name} is no key");
        };
        assert_eq!(
            secret.fingerprint(),
            Secret::new(key("openai", &name)).fingerprint()
        );
    }
    let (stats, login) = (scene.emulator.idp(), stored(&home));
    let live = stats.refresh_token(&login.refresh.expect("a token").fingerprint().to_string());
    assert_eq!(live.map(|token| token.state), Some(IdpTokenState::Live));
    assert_eq!(stats.reuses, 0);
}
