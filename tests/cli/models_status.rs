//! `models status` where no gateway runs: the environment, the config, and what the last gateway left.

use serde_json::Value;

use super::{Home, key};

const STATUS: [&str; 2] = ["models", "status"];
const JSON: [&str; 3] = ["models", "status", "--json"];
const PLAIN: [&str; 3] = ["models", "status", "--plain"];

fn json(home: &Home) -> Value {
    let ran = home.run(&JSON);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn provider<'a>(report: &'a Value, id: &str) -> &'a Value {
    let providers = report["auth"]["providers"].as_array().unwrap();
    providers.iter().find(|entry| entry["provider"] == id).unwrap()
}

/// Keys of three providers from all sorts of places, a default model, aliases.
fn furnished() -> Home {
    let dotenv = key("groq", "dotenv");
    let listed = [key("openai", "file-1"), key("openai", "file-2")];
    let config = key("mistral", "config");
    Home::new()
        .keys("OPENAI_API_KEYS", "openai", &["a", "b", "a"])
        .keys("OPENAI_API_KEY_2", "openai", &["numbered"])
        .keys("ANTHROPIC_API_KEY", "anthropic", &["one"])
        .keys("ANTHROPIC_OAUTH_TOKEN", "anthropic", &["token"])
        .secret_file("keys.txt", &listed.join("\n"), &listed)
        .secret_file(
            "state/.env",
            &format!("GROQ_API_KEY={dotenv}\n"),
            std::slice::from_ref(&dotenv),
        )
        .secret_file(
            "state/coderclaw.json",
            &format!(
                r#"{{
  agents: {{ defaults: {{
    model: {{ primary: "openai/gpt-5", fallbacks: ["groq/llama-3.3-70b", "xai/grok-4"] }},
    models: {{ "openai/gpt-5": {{ alias: "big" }}, "groq/*": {{}} }},
  }} }},
  models: {{ providers: {{ mistral: {{ apiKey: "{config}" }} }} }},
}}"#
            ),
            std::slice::from_ref(&config),
        )
}

#[test]
fn without_any_credential_says_how_to_add_one() {
    insta::assert_snapshot!(Home::new().told(&STATUS));
}

#[test]
fn names_every_credential_and_its_source() {
    let home = furnished();
    let file = home.path().join("keys.txt");
    let home = home.variable("OPENAI_API_KEY_FILE", &file.display().to_string());
    insta::assert_snapshot!(home.told(&STATUS));
}

#[test]
fn as_json_is_complete() {
    insta::assert_snapshot!(furnished().told(&JSON));
}

#[test]
fn a_live_key_is_the_whole_pool() {
    let home = furnished().keys("CODERCLAW_LIVE_OPENAI_KEY", "openai", &["live"]);
    let report = json(&home);
    let openai = provider(&report, "openai");
    let ids: Vec<&str> = openai["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|credential| credential["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["openai:env:CODERCLAW_LIVE_OPENAI_KEY"]);
    assert_eq!(openai["credentials"][0]["next"], true);
}

#[test]
fn as_json_keeps_the_names_that_scripts_know() {
    let report = json(&furnished());
    assert_eq!(report["source"], "environment");
    assert_eq!(report["resolvedDefault"], "openai/gpt-5");
    assert_eq!(report["fallbacks"][1], "xai/grok-4");
    assert_eq!(report["imageModel"], Value::Null);
    assert_eq!(report["aliases"]["big"], "openai/gpt-5");
    assert_eq!(
        report["auth"]["missingProvidersInUse"],
        serde_json::json!(["xai"])
    );
    assert_eq!(
        report["auth"]["providersWithOAuth"],
        serde_json::json!(["anthropic (1)"])
    );
    assert_eq!(report["auth"]["oauth"]["warnAfterMs"], 86_400_000);
    let (openai, mistral) = (provider(&report, "openai"), provider(&report, "mistral"));
    assert_eq!(openai["effective"]["kind"], "env");
    assert_eq!(openai["env"]["source"], "env: OPENAI_API_KEYS");
    assert_eq!(openai["profiles"]["count"], 3);
    assert_eq!(openai["profiles"]["apiKey"], 3);
    assert_eq!(mistral["effective"]["kind"], "models.json");
    assert_eq!(provider(&report, "xai")["effective"]["kind"], "missing");
}

#[test]
fn warnings_say_where_they_come_from() {
    let home = Home::new()
        .keys("OPENAI_API_KEY", "openai", &["one"])
        .variable("OPENAI_API_KEYS_FILE", "/nowhere/keys.txt")
        .config(
            "{\n  gatewayy: { port: 1 },\n  agents: { defaults: { models: { \"opnai/gpt-5\": {} } } },\n}",
        );
    insta::assert_snapshot!(home.told(&STATUS));
    let report = json(&home);
    assert_eq!(report["warnings"].as_array().unwrap().len(), 3);
}

#[test]
fn what_the_last_gateway_knew_still_holds() {
    let digest = |name: &str| {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(key("openai", name));
        digest[..4]
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    // Half a minute more than is asserted: the program may take its time.
    let until = |hours: u128| now + hours * 3_600_000 + 30_000;
    let saved = format!(
        r#"{{ "openai": [
  {{ "profile": "openai:env:OPENAI_API_KEYS#1", "fingerprint": "{}",
     "standing": {{ "state": "exhausted", "until_ms": {}, "reason": "quota_hard" }} }},
  {{ "profile": "openai:env:OPENAI_API_KEYS#2", "fingerprint": "{}",
     "models": {{ "gpt-5": {{ "state": "cooling", "until_ms": {}, "reason": "rate_limit", "hint": "retry-after", "stated": true }} }} }},
  {{ "profile": "openai:env:OPENAI_API_KEYS#3", "fingerprint": "{}",
     "standing": {{ "state": "disabled", "reason": "auth_dead" }} }}
] }}"#,
        digest("a"),
        until(50),
        digest("b"),
        until(30),
        digest("c"),
    );
    let home = Home::new()
        .keys("OPENAI_API_KEYS", "openai", &["a", "b", "c", "d"])
        .file("state/credential-state.json", &saved);
    insta::assert_snapshot!(home.told(&STATUS));
    let report = json(&home);
    let unusable = report["auth"]["unusableProfiles"].as_array().unwrap();
    assert_eq!(unusable[0]["profileId"], "openai:env:OPENAI_API_KEYS#1");
    assert_eq!(unusable[0]["kind"], "disabled");
    assert_eq!(unusable[0]["reason"], "quota_hard");
    assert_eq!(unusable[1]["until"], Value::Null);
    let file = std::fs::read_to_string(home.path().join("state/credential-state.json")).unwrap();
    assert_eq!(file, saved, "looking changes nothing");
}

#[test]
fn a_memory_that_cannot_be_read_is_said_and_left() {
    let home = Home::new()
        .keys("OPENAI_API_KEY", "openai", &["one"])
        .file("state/credential-state.json", "{ nonsense");
    let ran = home.run(&STATUS);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr
            .contains("warning: what the last gateway knew of credentials can't be read")
    );
    assert!(home.path().join("state/credential-state.json").exists());
}

#[test]
fn plain_is_the_default_model_and_nothing_else() {
    insta::assert_snapshot!(furnished().told(&PLAIN));
}

#[test]
fn plain_without_a_default_model_says_how_to_set_one() {
    insta::assert_snapshot!(Home::new().told(&PLAIN));
}

#[test]
fn models_alone_is_models_status() {
    let home = furnished();
    assert_eq!(home.told(&["models"]), home.told(&STATUS));
    assert_eq!(home.told(&["models", "--plain"]), home.told(&PLAIN));
}

#[test]
fn flags_name_another_config_and_state_folder() {
    let home = Home::new()
        .config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }")
        .file(
            "other.json",
            "{ agents: { defaults: { model: \"google/gemini-2.5-pro\" } } }",
        );
    let ran = home.run(&["models", "status", "--plain", "--config", "other.json"]);
    assert_eq!(ran.stdout, "google/gemini-2.5-pro\n");
    let ran = home.run(&["--state-dir", "elsewhere", "models", "status", "--plain"]);
    assert_eq!(ran.stdout, "\n");
    assert!(!home.path().join("elsewhere").exists(), "looking makes no folder");
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let home = furnished();
    let mut child = home
        .command(&JSON)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn no_colour_comes_out_of_a_pipe() {
    let ran = furnished().run(&STATUS);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
}
