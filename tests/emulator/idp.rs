//! The identity provider: logins, grants, rotation, and the tokens at work.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coderclaw::emulator::{
    Emulator, EmulatorClock, EmulatorConfig, IdpConfig, IdpFault, IdpFaultKind, IdpTokenState, KeySecret,
    RunningEmulator,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Answer, Ask, chat_body, messages};

const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-verifier-of-at-least-43-characters-as-the-rfc-wants-it";

/// A clock that moves when it is told to.
#[derive(Debug, Default)]
struct Stepped(Mutex<Duration>);

impl EmulatorClock for Stepped {
    fn now(&self) -> Duration {
        *self.0.lock()
    }
}

fn start(idp: IdpConfig) -> (RunningEmulator, Arc<Stepped>) {
    let clock = Arc::new(Stepped::default());
    let config = EmulatorConfig {
        idp,
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start_with_clock(config, Arc::clone(&clock) as Arc<dyn EmulatorClock>);
    (emulator.expect("starts"), clock)
}

fn form(path: &str, fields: &[(&str, &str)]) -> Ask {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Ask::new("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .text(&body)
}

fn token(emulator: &RunningEmulator, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_id", "app")];
    all.extend(fields);
    form("/__idp/token", &all).send(emulator)
}

/// A code, from the address that the browser is sent to.
fn authorize(emulator: &RunningEmulator, redirect: &str) -> Answer {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", redirect),
            ("state", "the-state"),
            ("scope", "chat offline_access"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    Ask::new("GET", &format!("/__idp/authorize?{query}")).send(emulator)
}

fn code(emulator: &RunningEmulator) -> String {
    let answer = authorize(emulator, REDIRECT);
    assert_eq!(answer.status, 302, "{}", answer.body);
    let location = answer.header("location").expect("a location");
    let url = url::Url::parse(location).expect("a URL");
    let pairs: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs["state"], "the-state");
    pairs["code"].clone()
}

fn redeem(emulator: &RunningEmulator, code: &str, verifier: &str) -> Answer {
    token(
        emulator,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ],
    )
}

fn login(emulator: &RunningEmulator) -> Value {
    redeem(emulator, &code(emulator), VERIFIER).json()
}

fn refresh(emulator: &RunningEmulator, token_now: &str) -> Answer {
    token(
        emulator,
        &[("grant_type", "refresh_token"), ("refresh_token", token_now)],
    )
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field}: {value}"))
}

fn chat(emulator: &RunningEmulator, access: &str) -> Answer {
    Ask::post("/v1/chat/completions", &chat_body(false))
        .key(access)
        .send(emulator)
}

#[test]
fn a_code_is_redeemed_once_with_the_right_verifier() {
    let (emulator, _) = start(IdpConfig::default());
    let wrong = redeem(&emulator, &code(&emulator), "another verifier");
    assert_eq!(
        (wrong.status, text(&wrong.json(), "error")),
        (400, "invalid_grant")
    );
    let code = code(&emulator);
    let tokens = redeem(&emulator, &code, VERIFIER).json();
    assert_eq!(
        (tokens["expires_in"].as_u64(), text(&tokens, "scope")),
        (Some(3600), "chat offline_access")
    );
    let claims = URL_SAFE_NO_PAD
        .decode(text(&tokens, "id_token").split('.').nth(1).expect("claims"))
        .expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["https://idp.example/auth"]["account_id"], "account-1");
    assert_eq!(claims["email"], "account-1@idp.example");
    // A code that comes again may be stolen: the tokens that it gave are gone too.
    assert_eq!(redeem(&emulator, &code, VERIFIER).status, 400);
    assert_eq!(chat(&emulator, text(&tokens, "access_token")).status, 401);
    assert_eq!(refresh(&emulator, text(&tokens, "refresh_token")).status, 400);
}

#[test]
fn it_redirects_nowhere_but_to_this_machine() {
    let (emulator, _) = start(IdpConfig::default());
    for redirect in ["http://evil.example/", "https://127.0.0.1/", "", "file:///etc"] {
        assert_eq!(authorize(&emulator, redirect).status, 400, "{redirect}");
    }
    let (denying, _) = start(IdpConfig {
        deny: true,
        ..IdpConfig::default()
    });
    let location = authorize(&denying, REDIRECT);
    assert!(
        location
            .header("location")
            .expect("one")
            .contains("error=access_denied")
    );
}

#[test]
fn refresh_tokens_are_single_use_and_reuse_is_counted() {
    let (emulator, _) = start(IdpConfig::default());
    let first = login(&emulator);
    let second = refresh(&emulator, text(&first, "refresh_token")).json();
    let again = refresh(&emulator, text(&first, "refresh_token"));
    assert_eq!(
        (again.status, text(&again.json(), "error")),
        (400, "invalid_grant")
    );
    assert_eq!(refresh(&emulator, text(&second, "refresh_token")).status, 200);
    let stats = emulator.idp();
    assert_eq!((stats.refreshes, stats.reuses, stats.access_tokens), (2, 1, 3));
    let spent = KeySecret::new(text(&first, "refresh_token")).fingerprint();
    let spent = stats.refresh_token(&spent).expect("known");
    assert_eq!((spent.state, spent.reuses), (IdpTokenState::Spent, 1));
    assert_eq!(stats.live("account-1").count(), 1);
    let shown = Ask::new("GET", "/__emulator/idp").send(&emulator);
    assert_eq!(shown.json()["reuses"], 1);
    assert!(!shown.body.contains(text(&second, "refresh_token")));
}

#[test]
fn reuse_can_end_the_whole_login() {
    let (emulator, _) = start(IdpConfig {
        revoke_family: true,
        ..IdpConfig::default()
    });
    let first = login(&emulator);
    let second = refresh(&emulator, text(&first, "refresh_token")).json();
    assert_eq!(refresh(&emulator, text(&first, "refresh_token")).status, 400);
    assert_eq!(refresh(&emulator, text(&second, "refresh_token")).status, 400);
    assert_eq!(chat(&emulator, text(&second, "access_token")).status, 401);
}

#[test]
fn access_tokens_work_as_bearers_while_they_live() {
    let (emulator, clock) = start(IdpConfig {
        access_lifetime_ms: 60_000,
        ..IdpConfig::default()
    });
    let access = text(&login(&emulator), "access_token").to_owned();
    assert_eq!(chat(&emulator, &access).status, 200);
    let as_key = Ask::post("/v1/messages", &json!({"model": "m", "messages": []}))
        .header("x-api-key", &access)
        .send(&emulator);
    assert_eq!(
        (as_key.status, as_key.body.contains("invalid x-api-key")),
        (401, true)
    );
    *clock.0.lock() += Duration::from_mins(1);
    let openai = chat(&emulator, &access);
    assert_eq!(
        (openai.status, &openai.json()["error"]["code"]),
        (401, &json!("token_expired"))
    );
    let anthropic = Ask::post("/v1/messages", &json!({"model": "m", "messages": []}))
        .key(&access)
        .send(&emulator);
    assert!(
        anthropic.body.contains("OAuth token has expired"),
        "{}",
        anthropic.body
    );
    // Keys are keys still.
    assert_eq!(messages(false).send(&emulator).status, 200);
}

#[test]
fn known_keys_only_leaves_access_tokens_in() {
    let config = EmulatorConfig {
        allow_unknown_keys: false,
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start(config).expect("starts");
    let access = text(&login(&emulator), "access_token").to_owned();
    assert_eq!(chat(&emulator, &access).status, 200);
    assert_eq!(chat(&emulator, "eyJnever.handed.out").status, 401);
    emulator.expire_access_tokens();
    assert_eq!(chat(&emulator, &access).status, 401);
}

#[test]
fn a_device_is_approved_by_a_control_call() {
    let (emulator, clock) = start(IdpConfig::default());
    let asked = form("/__idp/device", &[("client_id", "app"), ("scope", "chat")])
        .send(&emulator)
        .json();
    let poll = || {
        let answer = token(
            &emulator,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("device_code", text(&asked, "device_code")),
            ],
        );
        let told = answer.json();
        told["error"].as_str().unwrap_or("tokens").to_owned()
    };
    let later = |seconds| *clock.0.lock() += Duration::from_secs(seconds);
    assert_eq!(asked["interval"], 5);
    assert_eq!(poll(), "authorization_pending");
    later(4);
    assert_eq!(poll(), "slow_down");
    later(6);
    assert_eq!(poll(), "slow_down", "the interval is ten seconds now");
    later(15);
    assert_eq!(poll(), "authorization_pending");
    let approve = json!({"userCode": text(&asked, "user_code")});
    assert_eq!(
        Ask::post("/__emulator/idp/approve", &approve)
            .send(&emulator)
            .status,
        200
    );
    assert_eq!(
        Ask::post("/__emulator/idp/approve", &approve)
            .send(&emulator)
            .status,
        404
    );
    later(15);
    assert_eq!(poll(), "tokens");
    later(15);
    assert_eq!(poll(), "invalid_grant");
    later(600);
    assert_eq!(poll(), "expired_token");
    assert_eq!(emulator.idp().early_polls, 2);
}

#[test]
fn faults_strike_before_or_after_the_work() {
    let (emulator, _) = start(IdpConfig::default());
    let mut now = text(&login(&emulator), "refresh_token").to_owned();
    emulator.add_idp_fault(IdpFault::on_refresh(IdpFaultKind::ServerError).first(1));
    emulator.add_idp_fault(IdpFault::on_refresh(IdpFaultKind::NoRefreshToken).first(1));
    emulator.add_idp_fault(
        IdpFault::on_refresh(IdpFaultKind::DelayAfter)
            .first(1)
            .delay_ms(1),
    );
    emulator.add_idp_fault(IdpFault::on_refresh(IdpFaultKind::CutAfter).first(1));
    assert_eq!(refresh(&emulator, &now).status, 500);
    let kept = refresh(&emulator, &now).json();
    assert_eq!(kept.get("refresh_token"), None);
    now = text(&refresh(&emulator, &now).json(), "refresh_token").to_owned();
    let (bytes, _) = form(
        "/__idp/token",
        &[
            ("client_id", "app"),
            ("grant_type", "refresh_token"),
            ("refresh_token", &now),
        ],
    )
    .raw(&emulator);
    assert!(bytes.is_empty());
    // It was spent all the same.
    assert_eq!(refresh(&emulator, &now).status, 400);
    assert_eq!(emulator.idp().faults, 4);
}

#[test]
fn only_the_known_client_with_its_secret_is_served() {
    let (emulator, _) = start(IdpConfig {
        client_id: Some("app".into()),
        client_secret: Some(KeySecret::new("a-client-secret")),
        ..IdpConfig::default()
    });
    let without = refresh(&emulator, "rt_x");
    assert_eq!(
        (without.status, text(&without.json(), "error")),
        (401, "invalid_client")
    );
    let with = token(
        &emulator,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", "rt_x"),
            ("client_secret", "a-client-secret"),
        ],
    );
    assert_eq!(text(&with.json(), "error"), "invalid_grant");
    let basic = base64::engine::general_purpose::STANDARD.encode("app:a-client-secret");
    let in_header = form(
        "/__idp/token",
        &[("grant_type", "refresh_token"), ("refresh_token", "rt_x")],
    )
    .header("authorization", &format!("Basic {basic}"))
    .send(&emulator);
    assert_eq!(text(&in_header.json(), "error"), "invalid_grant");
    assert_eq!(token(&emulator, &[("grant_type", "password")]).status, 400);
    assert_eq!(Ask::new("GET", "/__idp/token").send(&emulator).status, 405);
    assert_eq!(Ask::new("GET", "/__idp/userinfo").send(&emulator).status, 404);
    // The config shows no secret, and what it shows can be put back.
    let shown = Ask::new("GET", "/__emulator/idp/config").send(&emulator);
    assert!(!shown.body.contains("a-client-secret"));
    let put = Ask::new("PUT", "/__emulator/idp/config")
        .text("{accessLifetimeMs: 1000}")
        .send(&emulator);
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(
        text(&refresh(&emulator, "rt_x").json(), "error"),
        "invalid_client"
    );
    for wrong in ["{lifetime: 1}", "{account: ''}", "{intervalS: 100000}"] {
        let put = Ask::new("PUT", "/__emulator/idp/config")
            .text(wrong)
            .send(&emulator);
        assert_eq!(put.status, 400, "{wrong}");
    }
}

#[test]
fn a_reset_forgets_every_login() {
    let (emulator, _) = start(IdpConfig::default());
    let tokens = login(&emulator);
    Ask::new("POST", "/__emulator/reset").send(&emulator);
    assert_eq!(
        chat(&emulator, text(&tokens, "access_token")).status,
        200,
        "logins outlive the statistics"
    );
    emulator.sign_out("account-1");
    assert_eq!(refresh(&emulator, text(&tokens, "refresh_token")).status, 400);
    Ask::new("POST", "/__emulator/idp/reset").send(&emulator);
    assert_eq!(emulator.idp().refresh_tokens, []);
}
