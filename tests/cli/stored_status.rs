//! `models status` of stored profiles: when they end, which can't be used, what to do, and what `--check` says of it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Home, key};

const STATUS: [&str; 2] = ["models", "status"];
const HOUR_MS: i64 = 3_600_000;

/// An instant so many hours from now, in Unix milliseconds; half a minute more, since the program may take its time.
fn hence(hours: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap() + hours * HOUR_MS + 30_000
}

fn api_key(provider: &str, name: &str) -> Value {
    json!({ "type": "api_key", "provider": provider, "key": key(provider, name) })
}

fn token(name: &str, ends_in_hours: i64) -> Value {
    json!({ "type": "token", "provider": "anthropic", "token": key("anthropic", name), "expires": hence(ends_in_hours) })
}

fn login(name: &str, refresh: Option<&str>, ends_in_hours: i64) -> Value {
    let refresh = refresh.map(|name| key("mistral", name)).unwrap_or_default();
    json!({ "type": "oauth", "provider": "mistral", "access": key("mistral", name), "refresh": refresh,
            "expires": hence(ends_in_hours), "email": "me@example.com" })
}

/// A home whose main agent holds these profiles.
fn holding(profiles: &Value) -> Home {
    with_order(profiles, &json!({}))
}

fn with_order(profiles: &Value, order: &Value) -> Home {
    let home = Home::new();
    let folder = home.path().join("state/agents/main/agent");
    std::fs::create_dir_all(&folder).unwrap();
    let store = json!({ "version": 1, "profiles": profiles, "order": order }).to_string();
    let fields = ["key", "token", "access", "refresh"];
    let secrets: Vec<String> = profiles
        .as_object()
        .unwrap()
        .values()
        .flat_map(|profile| fields.map(|field| profile[field].as_str().unwrap_or_default().to_owned()))
        .filter(|secret| secret.len() > 16)
        .collect();
    let home = home.secret_file("state/agents/main/agent/auth-profiles.json", &store, &secrets);
    let file = folder.join("auth-profiles.json");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    home
}

/// What the last gateway left of a credential of `provider`.
fn left(provider: &str, id: &str, name: &str, standing: &Value) -> Value {
    json!({ "profile": id, "fingerprint": fingerprint(&key(provider, name)), "standing": standing })
}

/// What it left of a login that is known by its id and whose renewal was refused.
fn login_left(id: &str, name: &str) -> Value {
    let refused = fingerprint(&key("mistral", name));
    let standing = json!({ "state": "disabled", "reason": "auth_refresh", "refused": refused });
    json!({ "profile": id, "fingerprint": fingerprint(&format!("oauth login\0{id}")), "standing": standing })
}

fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest[..4]
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Profiles of every type, in every relation to their ends.
fn furnished() -> Home {
    let profiles = json!({
        "openai:default": api_key("openai", "default"),
        "openai:blank": { "type": "api_key", "provider": "openai", "key": " " },
        "openai:vault": { "type": "api_key", "provider": "openai", "keyRef": { "source": "env", "provider": "default", "id": "VAULT_KEY" } },
        "anthropic:long": token("long", 24 * 30),
        "anthropic:soon": token("soon", 5),
        "anthropic:over": token("over", -2),
        "mistral:me@example.com": login("me", Some("refresh"), 1),
        "mistral:once": login("once", None, 20),
        "mistral:unknown": { "type": "oauth", "provider": "mistral", "access": key("mistral", "unknown") },
    });
    holding(&profiles).config(r#"{ agents: { defaults: { model: "openai/gpt-5" } } }"#)
}

/// Profiles that the provider has refused in every way.
fn refused() -> Home {
    let profiles = json!({
        "openai:dead": api_key("openai", "dead"),
        "openai:unpaid": api_key("openai", "unpaid"),
        "anthropic:claude": token("claude", 24 * 30),
        "mistral:ended": login("ended", Some("refresh"), 1),
        "groq:resting": api_key("groq", "resting"),
    });
    let disabled = |reason: &str| json!({ "state": "disabled", "reason": reason });
    let resting = json!({ "state": "cooling", "until_ms": hence(2), "reason": "rate_limit", "hint": "retry-after", "stated": true });
    let unpaid = json!({ "state": "exhausted", "until_ms": hence(30), "reason": "quota_hard" });
    let saved = json!({
        "openai": [
            left("openai", "openai:dead", "dead", &disabled("auth_dead")),
            left("openai", "openai:unpaid", "unpaid", &unpaid),
            left("openai", "openai:env:OPENAI_API_KEY", "env", &disabled("auth_dead")),
        ],
        "anthropic": [left("anthropic", "anthropic:claude", "claude", &disabled("credential_use_forbidden"))],
        "mistral": [login_left("mistral:ended", "ended")],
        "groq": [left("groq", "groq:resting", "resting", &resting)],
    });
    holding(&profiles)
        .keys("OPENAI_API_KEY", "openai", &["env"])
        .file("state/credential-state.json", &saved.to_string())
}

/// The numbers of a JSON report that differ from run to run, replaced.
fn steady_json(told: &str) -> String {
    let names = ["\"expiresAt\": ", "\"remainingMs\": ", "\"until\": "];
    let steady = |line: &str| {
        let name = names.iter().find(|name| line.trim_start().starts_with(**name));
        let Some((name, (before, value))) = name.and_then(|name| Some((name, line.split_once(*name)?)))
        else {
            return line.to_owned();
        };
        let sign = if value.starts_with('-') { "-" } else { "" };
        let comma = if value.ends_with(',') { "," } else { "" };
        if value.starts_with("null") {
            return line.to_owned();
        }
        format!("{before}{name}{sign}[ms]{comma}")
    };
    told.lines().map(steady).collect::<Vec<_>>().join("\n")
}

#[test]
fn profiles_of_every_type_tell_their_ends() {
    insta::assert_snapshot!(furnished().told(&STATUS));
}

#[test]
fn profiles_of_every_type_as_json() {
    let told = furnished().told(&["models", "status", "--json"]);
    insta::assert_snapshot!(steady_json(&told));
}

#[test]
fn what_was_refused_is_told_with_what_to_do() {
    insta::assert_snapshot!(refused().told(&STATUS));
}

#[test]
fn what_was_refused_as_json() {
    let told = refused().told(&["models", "status", "--json"]);
    let report: Value = serde_json::from_str(told.split_once("--- stdout\n").unwrap().1).unwrap();
    let unusable = json!(report["auth"]["unusableProfiles"]);
    insta::assert_snapshot!(steady_json(&serde_json::to_string_pretty(&unusable).unwrap()));
}

#[test]
fn a_hundred_dead_keys_are_no_hundred_lines_of_advice() {
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dead = json!({ "state": "disabled", "reason": "auth_dead" });
    let pool: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let id = format!("openai:env:OPENAI_API_KEYS#{}", n + 1);
            left("openai", &id, name, &dead)
        })
        .collect();
    let home = Home::new().keys("OPENAI_API_KEYS", "openai", &names).file(
        "state/credential-state.json",
        &json!({ "openai": pool }).to_string(),
    );
    let told = home.told(&STATUS);
    assert!(told.contains("\n  and 90 more: see the table above\n"), "{told}");
}

#[test]
fn check_tells_by_its_exit_code_in_every_form() {
    let (fit, soon, over) = (token("fit", 30), token("soon", 5), token("over", -1));
    let model = r#"{ agents: { defaults: { model: "xai/grok-4" } } }"#;
    let profiles = json!({ "anthropic:a": fit, "anthropic:b": over });
    for (home, code) in [
        (Home::new(), 0),
        (holding(&json!({ "anthropic:a": fit })), 0),
        (holding(&json!({ "anthropic:a": soon })), 2),
        (holding(&json!({ "anthropic:a": soon, "anthropic:b": over })), 1),
        (
            holding(&json!({ "openai:a": { "type": "api_key", "provider": "openai" } })),
            1,
        ),
        (with_order(&profiles, &json!({ "anthropic": ["anthropic:a"] })), 0),
        (Home::new().config(model), 1),
    ] {
        for form in [&[][..], &["--json"], &["--plain"]] {
            let ran = home.run(&[&["models", "status", "--check"], form].concat());
            assert_eq!(ran.code, Some(code), "{form:?}: {}{}", ran.stdout, ran.stderr);
            let without = home.run(&[&STATUS[..], form].concat());
            assert_eq!(without.code, Some(0), "only a check has other exit codes");
            if form.is_empty() {
                assert_eq!(ran.stdout, without.stdout);
            }
        }
    }
}
