//! `models auth clear` where no gateway runs: what the next one would remember.

use std::fs;

use super::{Home, key};
use serde_json::{Value, json};

fn resting() -> Home {
    let store = format!(
        r#"{{ "version": 1, "profiles": {{
  "openai:a": {{ "type": "api_key", "provider": "openai", "key": "{}" }},
  "openai:b": {{ "type": "api_key", "provider": "openai", "key": "{}" }} }},
  "usageStats": {{ "openai:b": {{ "lastUsed": 5, "cooldownUntil": 4102444800000, "errorCount": 3 }} }} }}"#,
        key("openai", "a"),
        key("openai", "b")
    );
    let saved = r#"{ "openai": [ { "profile": "openai:a", "fingerprint": "01234567", "requests": 7,
        "standing": { "state": "disabled", "reason": "auth_dead" },
        "models": { "gpt-5": { "state": "cooling", "until_ms": 4102444800000, "reason": "rate_limit", "stated": true } } } ] }"#;
    Home::new()
        .store("main", &store)
        .file("state/credential-state.json", saved)
}

fn saved(home: &Home) -> Value {
    serde_json::from_str(&fs::read_to_string(home.path().join("state/credential-state.json")).unwrap())
        .unwrap()
}

#[test]
fn a_rest_is_forgotten_and_counters_stay() {
    let home = resting();
    insta::assert_snapshot!("clear", home.told(&home.run(&["clear", "openai:a"])));
    let saved = saved(&home);
    assert_eq!(saved["openai"][0]["requests"], 7);
    assert!(saved["openai"][0].get("standing").is_none());
    assert!(saved["openai"][0].get("models").is_none());
    insta::assert_snapshot!("clear_again", home.told(&home.run(&["clear", "openai:a"])));
}

#[test]
fn what_older_tools_noted_goes_too() {
    let home = resting();
    insta::assert_snapshot!(
        "clear_json",
        home.told(&home.run(&["clear", "openai:b", "--json"]))
    );
    assert_eq!(
        home.stored("main")["usageStats"]["openai:b"],
        json!({ "lastUsed": 5 })
    );
}

#[test]
fn all_of_them() {
    let home = resting();
    insta::assert_snapshot!("clear_all", home.told(&home.run(&["clear", "--all"])));
    insta::assert_snapshot!("clear_all_again", home.told(&home.run(&["clear", "--all"])));
}

#[test]
fn an_unknown_one_clears_nothing() {
    let home = resting();
    let before = saved(&home);
    insta::assert_snapshot!(
        "clear_unknown",
        home.told(&home.run(&["clear", "openai:a", "openai:c"]))
    );
    assert_eq!(saved(&home), before);
    assert_eq!(home.run(&["clear"]).code, Some(1));
}
