//! `models list` without a network: what the config names, and what providers listed some time ago.

use std::fs;

use coderclaw_actors::domain::credential::Secret;
use serde_json::{Value, json};

use super::Home;

const LIST: [&str; 2] = ["models", "list"];
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1/v1";
const HOUR_MS: u128 = 3_600_000;

/// A config whose providers are out of reach, with a choice of models.
const CONFIG: &str = r#"{
  agents: {
    defaults: {
      model: { primary: "fast", fallbacks: ["openai/gpt-5"] },
      models: { "groq/llama-3.3-70b": { alias: "fast" }, "openai/o9": { alias: "deep" }, "opnai/gpt-5": {}, "*": {} },
    },
    list: [{ id: "work", model: "home/small" }],
  },
  models: { providers: {
    openai: { baseUrl: "http://127.0.0.1:1/v1" },
    groq: { baseUrl: "https://groq.invalid/openai/v1" },
    home: { baseUrl: "http://nas.local:8080/v1", models: [
      "tiny", { id: "small", name: "Small One", input: ["text", "image"], contextWindow: 8192 },
    ] },
  } },
}"#;

/// A list that `provider` gave at `base` so many hours ago.
pub(crate) fn kept(home: &Home, provider: &str, base: &str, hours: u128, models: &Value) {
    let folder = home.path().join("state/cache/models");
    fs::create_dir_all(&folder).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let fetched = u64::try_from(now - hours * HOUR_MS).unwrap();
    let list = json!({ "provider": provider, "baseUrl": base, "fetchedAt": fetched, "models": models });
    fs::write(folder.join(format!("{provider}.json")), list.to_string()).unwrap();
}

/// With keys of two providers, of which one was asked three hours ago.
fn furnished() -> Home {
    let home = Home::new()
        .config(CONFIG)
        .keys("OPENAI_API_KEY", "openai", &["one"])
        .keys("HOME_API_KEY", "openai", &["home"]);
    let models = json!([
        { "id": "gpt-5", "name": "GPT-5", "input": ["text", "image"], "contextWindow": 400_000 },
        { "id": "gpt-4o-mini" },
    ]);
    kept(&home, "openai", NOWHERE, 3, &models);
    home
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&LIST[..], more].concat()
}

#[test]
fn what_the_config_names() {
    insta::assert_snapshot!(furnished().told(&LIST));
}

#[test]
fn as_json_it_is_complete() {
    let ran = furnished().run(&with(&["--json"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut told: Value = serde_json::from_str(&ran.stdout).unwrap();
    // These differ from run to run.
    let list = told["lists"][0].as_object_mut().unwrap();
    assert!(list["ageMs"].as_u64().unwrap() >= 3 * 3_600_000);
    list.insert("ageMs".to_owned(), json!("[age]"));
    list.insert("fetchedAt".to_owned(), json!("[time]"));
    insta::assert_json_snapshot!(told);
}

#[test]
fn plain_is_one_key_a_line() {
    insta::assert_snapshot!(furnished().told(&with(&["--plain"])));
}

#[test]
fn one_provider_one_agent_and_what_is_local() {
    let home = furnished();
    insta::assert_snapshot!(
        "list_of_openai",
        home.told(&with(&["--provider", "OpenAI", "--all"]))
    );
    insta::assert_snapshot!("list_of_an_agent", home.told(&with(&["--agent", "work"])));
    insta::assert_snapshot!("list_of_local", home.told(&with(&["--local", "--plain"])));
}

#[test]
fn nothing_is_said() {
    let home = Home::new();
    insta::assert_snapshot!("list_of_nothing", home.told(&LIST));
    insta::assert_snapshot!("list_of_nothing_plain", home.told(&with(&["--plain"])));
    insta::assert_snapshot!("list_of_nothing_json", home.told(&with(&["--json"])));
    insta::assert_snapshot!("list_of_nothing_all", home.told(&with(&["--all"])));
    insta::assert_snapshot!("list_of_nothing_refresh", home.told(&with(&["--refresh"])));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = furnished();
    insta::assert_snapshot!("list_json_and_plain", home.told(&with(&["--json", "--plain"])));
    insta::assert_snapshot!("list_unknown_provider", home.told(&with(&["--provider", "grok"])));
    insta::assert_snapshot!("list_unknown_agent", home.told(&with(&["--agent", "wrok"])));
    let ran = home.run(&with(&["--timeout", "0"]));
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
}

#[test]
fn a_provider_without_a_credential_can_not_be_asked() {
    insta::assert_snapshot!(furnished().told(&with(&["--provider", "xai", "--all"])));
}

#[test]
fn an_old_list_is_shown_where_no_newer_one_can_be_had() {
    let home = furnished();
    kept(&home, "openai", NOWHERE, 30, &json!([{ "id": "gpt-5" }]));
    let all = home.told(&with(&["--provider", "openai", "--all"]));
    insta::assert_snapshot!("list_that_is_old", all);
    let refreshed = home.told(&with(&["--provider", "openai", "--refresh"]));
    insta::assert_snapshot!("list_that_is_not_refreshed", refreshed);
}

#[test]
fn a_list_of_another_address_and_one_that_is_none_do_not_count() {
    let home = furnished();
    kept(
        &home,
        "openai",
        "http://127.0.0.1:2/v1",
        0,
        &json!([{ "id": "elsewhere" }]),
    );
    let ran = home.run(&with(&["--provider", "openai", "--all", "--plain"]));
    assert_eq!(ran.stdout, "openai/gpt-5\nopenai/o9\n");
    fs::write(home.path().join("state/cache/models/openai.json"), "[1, 2").unwrap();
    insta::assert_snapshot!(home.told(&with(&["--provider", "openai"])));
}

#[test]
fn an_allowlist_is_told() {
    let home = Home::new().config(r#"{ agents: { defaults: { models: { "openai/gpt-5": {} } } } }"#);
    kept(
        &home,
        "openai",
        "https://api.openai.com/v1",
        0,
        &json!([{ "id": "gpt-5" }, { "id": "o9" }]),
    );
    insta::assert_snapshot!(home.told(&with(&["--all"])));
    let ran = home.run(&with(&["--all", "--json"]));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let allowed: Vec<&Value> = told["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["allowed"])
        .collect();
    assert_eq!(allowed, [&json!(true), &json!(false)]);
}

#[test]
fn looking_writes_nothing() {
    let home = Home::new();
    home.run(&LIST);
    assert_eq!(fs::read_dir(home.path().join("state")).unwrap().count(), 0);
}

#[test]
fn a_credential_that_was_disabled_is_no_way_to_a_model() {
    let secret = Secret::new(super::key("openai", "one"));
    let fingerprint = secret.fingerprint().to_string();
    let saved = json!({ "openai": [{
        "profile": "openai:env:OPENAI_API_KEY", "fingerprint": fingerprint,
        "standing": { "state": "disabled", "reason": "auth_dead" },
    }] });
    let home = furnished().file("state/credential-state.json", &saved.to_string());
    let told: Value = serde_json::from_str(&home.run(&with(&["--json"])).stdout).unwrap();
    let rows = told["models"].as_array().unwrap();
    let of = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap()["available"].clone();
    assert_eq!(of("openai/gpt-5"), json!(false));
    assert_eq!(of("home/small"), json!(true));
    assert_eq!(of("groq/llama-3.3-70b"), json!(false));
}
