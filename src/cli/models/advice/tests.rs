use serde_json::{Value, json};

use super::*;
use crate::status::testing::Scene;

const SECRET: &str = "sk-proj-Qw7ErTyUiOpAsDf";
const HOUR_MS: i64 = 3_600_000;

/// What is told of one stored profile, `what` and `how` in one line each.
fn told(scene: &Scene) -> Vec<String> {
    let advice = advice(&scene.report());
    let line = |advice: Advice| match advice.how {
        Some(how) => format!("{} | {how}", advice.what),
        None => advice.what,
    };
    advice.into_iter().map(line).collect()
}

fn stored(profile: &str, credential: &Value) -> Scene {
    Scene::new().store(&json!({ "version": 1, "profiles": { profile: credential } }))
}

fn key(provider: &str) -> Value {
    json!({ "type": "api_key", "provider": provider, "key": SECRET })
}

fn token(provider: &str, ends_in_ms: i64) -> Value {
    json!({ "type": "token", "provider": provider, "token": SECRET, "expires": Scene::at(ends_in_ms) })
}

fn login(ends_in_ms: i64, refresh: &str) -> Value {
    json!({ "type": "oauth", "provider": "mistral", "access": SECRET, "refresh": refresh, "expires": Scene::at(ends_in_ms) })
}

fn disabled(reason: &str) -> Value {
    json!({ "state": "disabled", "reason": reason })
}

#[test]
fn a_stored_credential_is_mended_by_one_command() {
    let exhausted =
        json!({ "state": "exhausted", "until_ms": Scene::at(5 * HOUR_MS), "reason": "quota_hard" });
    for (provider, credential, standing, wanted) in [
        (
            "openai",
            key("openai"),
            disabled("auth_dead"),
            "openai:work: the provider refuses it | coderclaw models auth paste-api-key --provider openai --profile-id openai:work",
        ),
        (
            "anthropic",
            token("anthropic", 300 * HOUR_MS),
            disabled("auth_dead"),
            "anthropic:work: the provider refuses it | coderclaw models auth paste-token --provider anthropic --profile-id anthropic:work",
        ),
        (
            "anthropic",
            token("anthropic", 300 * HOUR_MS),
            disabled("credential_use_forbidden"),
            "anthropic:work: Anthropic allows this credential in Claude Code only | create an API key at https://console.anthropic.com, then: coderclaw models auth paste-api-key --provider anthropic",
        ),
        (
            "mistral",
            login(HOUR_MS, "rt-Qw7ErTyUi"),
            disabled("auth_refresh"),
            "mistral:work: its login has ended | coderclaw models auth login --provider mistral --profile-id mistral:work",
        ),
    ] {
        let id = format!("{provider}:work");
        let scene = stored(&id, &credential).standing(provider, &id, &standing);
        assert_eq!(told(&scene), [wanted]);
    }
    let scene = stored("openai:work", &key("openai")).standing("openai", "openai:work", &exhausted);
    assert_eq!(
        told(&scene),
        [
            "openai:work: out of money or quota | top up, then: coderclaw models auth clear openai:work",
            "openai: no credential is available; the first is back in 5h",
        ]
    );
}

#[test]
fn what_ends_or_has_ended_is_renewed_and_what_renews_itself_is_not_told() {
    let paste = "coderclaw models auth paste-token --provider anthropic --profile-id anthropic:work";
    for (ends_in_ms, wanted) in [
        (300 * HOUR_MS, vec![]),
        (
            5 * HOUR_MS,
            vec![format!("anthropic:work: it expires in 5h | {paste}")],
        ),
        (
            -HOUR_MS,
            vec![format!("anthropic:work: it has expired | {paste}")],
        ),
    ] {
        assert_eq!(
            told(&stored("anthropic:work", &token("anthropic", ends_in_ms))),
            wanted
        );
    }
    assert!(told(&stored("mistral:work", &login(-HOUR_MS, "rt-Qw7ErTyUi"))).is_empty());
    assert_eq!(
        told(&stored("mistral:work", &login(-HOUR_MS, ""))),
        [
            "mistral:work: its login has ended | coderclaw models auth login --provider mistral --profile-id mistral:work"
        ]
    );
}

#[test]
fn a_login_whose_end_nobody_noted_is_told_since_a_check_counts_it_as_missing() {
    let mut unknown = login(HOUR_MS, "");
    unknown["expires"] = json!(0);
    assert_eq!(
        told(&stored("mistral:work", &unknown)),
        [
            "mistral:work: nobody noted when its login ends | coderclaw models auth login --provider mistral --profile-id mistral:work"
        ]
    );
    unknown["refresh"] = json!("rt-Qw7ErTyUi");
    assert_eq!(
        told(&stored("mistral:work", &unknown)),
        ["mistral:work: nobody noted when its login ends; its next renewal tells"]
    );
}

#[test]
fn a_key_of_the_environment_is_mended_there() {
    let scene = Scene::new().variable("OPENAI_API_KEY", SECRET).standing(
        "openai",
        "openai:env:OPENAI_API_KEY",
        &disabled("auth_dead"),
    );
    assert_eq!(
        told(&scene),
        [
            "openai:env:OPENAI_API_KEY: the provider refuses it | set another value for OPENAI_API_KEY and start the gateway again"
        ]
    );
    let config = json!({ "models": { "providers": { "openai": { "apiKey": SECRET } } } });
    let scene = Scene::new()
        .config(&config)
        .standing("openai", "openai:config", &disabled("auth_dead"));
    assert_eq!(
        told(&scene),
        [
            "openai:config: the provider refuses it | set another value for models.providers.openai.apiKey (config)"
        ]
    );
}

#[test]
fn a_profile_that_cannot_be_used_is_told_with_its_reason() {
    let empty = json!({ "type": "api_key", "provider": "openai", "key": " " });
    assert_eq!(
        told(&stored("openai:work", &empty)),
        [
            "openai:work: holds no secret | coderclaw models auth paste-api-key --provider openai --profile-id openai:work"
        ]
    );
    let elsewhere =
        json!({ "type": "api_key", "provider": "openai", "keyRef": { "source": "env", "id": "NOT_SET" } });
    let told = told(&stored("openai:work", &elsewhere));
    assert!(
        told.len() == 1 && told[0].contains("NOT_SET") && !told[0].contains(" | "),
        "{told:?}"
    );
}

#[test]
fn a_rest_is_told_only_where_nothing_else_can_serve() {
    let cooling = json!({ "state": "cooling", "until_ms": Scene::at(90_000), "reason": "rate_limit" });
    let one = Scene::new().variable("OPENAI_API_KEY", SECRET);
    let one = one.standing("openai", "openai:env:OPENAI_API_KEY", &cooling);
    let lines = told(&one);
    assert!(
        lines.len() == 1
            && lines[0].starts_with("openai: no credential is available; the first is back in 1m 3")
    );
    assert!(told(&one.variable("OPENAI_API_KEY_2", "sk-proj-another")).is_empty());
}

#[test]
fn an_id_is_one_word_of_a_shell() {
    for (id, wanted) in [
        ("openai:me@example.com", "openai:me@example.com"),
        ("openai:env:OPENAI_API_KEYS#2", "openai:env:OPENAI_API_KEYS#2"),
        ("openai:my key", "'openai:my key'"),
        ("openai:$(id)'s", r"'openai:$(id)'\''s'"),
        ("", "''"),
    ] {
        assert_eq!(word(id), wanted);
    }
}
