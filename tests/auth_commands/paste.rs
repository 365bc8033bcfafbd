//! `paste-token` and `paste-api-key` without a terminal: pipes, variables, files, references.

use std::os::unix::fs::PermissionsExt as _;

use super::{Home, key, setup_token};
use serde_json::json;

const KEY: [&str; 3] = ["paste-api-key", "--provider", "openai"];
const TOKEN: [&str; 3] = ["paste-token", "--provider", "anthropic"];

fn with<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, more].concat()
}

#[test]
fn a_key_from_a_pipe() {
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&KEY, &format!("{secret}\n"));
    insta::assert_snapshot!(home.told(&ran));
    let profile = &home.stored("main")["profiles"]["openai:default"];
    assert_eq!(
        *profile,
        json!({ "type": "api_key", "provider": "openai", "key": secret })
    );
    let config = home.config_text();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(
        config["auth"]["profiles"]["openai:default"],
        json!({ "provider": "openai", "mode": "api_key" })
    );
    let mode = std::fs::metadata(home.store_path("main"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_token_from_a_pipe_as_json() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&with(&TOKEN, &["--json", "--profile-id", "My Mac"]), &secret);
    insta::assert_snapshot!(home.told(&ran));
}

#[test]
fn a_token_that_runs_out() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&with(&TOKEN, &["--expires-in", "1.5d"]), &secret);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("Runs out in: 36h\n"), "{}", ran.stdout);
    let expires = home.stored("main")["profiles"]["anthropic:manual"]["expires"]
        .as_u64()
        .unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let left = u128::from(expires) - now;
    assert!((129_000_000..129_600_001).contains(&left), "{left}");
}

#[test]
fn a_key_pasted_as_a_token_is_stored_as_a_key() {
    let secret = key("anthropic", "a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&with(&TOKEN, &["--expires-in", "30"]), &secret);
    insta::assert_snapshot!(home.told(&ran));
    assert_eq!(
        home.stored("main")["profiles"]["anthropic:manual"]["type"],
        "api_key"
    );
}

#[test]
fn a_token_pasted_as_a_key_is_stored_as_a_token() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&["paste-api-key", "--provider", "Anthropic"], &secret);
    insta::assert_snapshot!(home.told(&ran));
    assert_eq!(
        home.stored("main")["profiles"]["anthropic:default"]["type"],
        "token"
    );
}

#[test]
fn from_a_variable_and_from_a_file() {
    let (one, two) = (key("openai", "one"), key("openai", "two"));
    let home = Home::new()
        .secret(&one)
        .secret(&two)
        .variable("WORK_KEY", &one)
        .file("key.txt", &format!("\"{two}\"\n"));
    let ran = home.run(&with(
        &KEY,
        &["--from-env", "WORK_KEY", "--profile-id", "openai:work"],
    ));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = home.run(&with(&KEY, &["--from-file", "key.txt"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let stored = home.stored("main");
    assert_eq!(stored["profiles"]["openai:work"]["key"], one);
    assert_eq!(stored["profiles"]["openai:default"]["key"], two);
}

#[test]
fn references_are_stored_and_secrets_are_not() {
    let secret = key("openai", "a");
    let keys = format!("{{ \"openai\": {{ \"key\": \"{secret}\" }} }}");
    let home = Home::new()
        .secret(&secret)
        .variable("WORK_KEY", &secret)
        .file("keys.json", &keys);
    let ran = home.run(&with(&KEY, &["--ref", "env:WORK_KEY"]));
    insta::assert_snapshot!(home.told(&ran));
    for (name, reference) in [
        ("file", "file:~/keys.json#/openai/key"),
        ("exec", "exec:/bin/echo 'sk-not a secret'"),
        ("none", "env:NOT_THERE"),
    ] {
        let ran = home.run(&with(&KEY, &["--ref", reference, "--profile-id", name]));
        let refused = name == "exec";
        assert_eq!(ran.code, Some(i32::from(refused)), "{name}: {}", ran.stderr);
    }
    let profiles = &home.stored("main")["profiles"];
    assert_eq!(
        profiles["openai:default"],
        json!({ "type": "api_key", "provider": "openai", "keyRef": { "source": "env", "id": "WORK_KEY" } })
    );
    assert_eq!(
        profiles["openai:file"]["keyRef"],
        json!({ "source": "file", "path": "~/keys.json", "id": "/openai/key" })
    );
    assert_eq!(profiles["openai:none"]["keyRef"]["id"], "NOT_THERE");
    assert!(profiles.get("openai:exec").is_none());
}

#[test]
fn a_profile_is_put_first_in_both_orders_and_comments_stay() {
    let secret = key("openai", "b");
    let home = Home::new()
        .secret(&secret)
        .config("{\n  // mine\n  auth: {\n    order: {\n      OpenAI: [\n        \"openai:a\", // the old one\n      ],\n    },\n  },\n}\n")
        .store(
            "main",
            r#"{ "version": 1, "profiles": { "openai:a": { "type": "api_key", "provider": "openai", "key": "sk-old" } },
                "order": { "openai": ["openai:a"] } }"#,
        );
    let ran = home.pipe(&with(&KEY, &["--profile-id", "b"]), &secret);
    insta::assert_snapshot!(home.told(&ran));
    assert_eq!(
        home.stored("main")["order"]["openai"],
        json!(["openai:b", "openai:a"])
    );
    insta::assert_snapshot!("config_after_a_paste", home.config_text());
}

#[test]
fn what_was_there_is_told_and_unknown_fields_stay() {
    let (old, new) = (key("openai", "old"), key("openai", "new"));
    let home = Home::new().secret(&old).secret(&new).store(
        "main",
        &format!(
            r#"{{ "version": 1, "extra": [1], "profiles": {{
  "openai:default": {{ "type": "api_key", "provider": "openai", "key": "{old}", "displayName": "Mine" }},
  "x:y": {{ "type": "smoke_signal", "provider": "x", "puffs": 3 }} }} }}"#
        ),
    );
    let ran = home.pipe(&KEY, &new);
    insta::assert_snapshot!(home.told(&ran));
    let stored = home.stored("main");
    assert_eq!(stored["extra"], json!([1]));
    assert_eq!(stored["profiles"]["openai:default"]["displayName"], "Mine");
    assert_eq!(stored["profiles"]["x:y"]["puffs"], 3);
}

#[test]
fn the_same_secret_twice_is_told() {
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret).variable("OPENAI_API_KEY", &secret);
    let ran = home.pipe(&KEY, &secret);
    insta::assert_snapshot!(home.told(&ran));
}

#[test]
fn another_agents_store_is_its_own() {
    let secret = key("openai", "a");
    let home = Home::new()
        .secret(&secret)
        .config("{ agents: { list: [{ id: \"work\" }] } }")
        .store(
            "main",
            r#"{ "version": 1, "profiles": {}, "order": { "openai": ["openai:main"] } }"#,
        );
    let ran = home.pipe(&with(&["--agent", "Work"], &KEY), &secret);
    insta::assert_snapshot!(home.told(&ran));
    assert_eq!(home.stored("work")["profiles"]["openai:default"]["key"], secret);
    assert_eq!(home.stored("main")["profiles"], json!({}));
}

#[test]
fn an_id_that_older_tools_made_is_taken_as_it_is() {
    let secret = key("openai", "a");
    let store = r#"{ "version": 1, "profiles": { "openai:My Key!": { "type": "api_key", "provider": "openai", "key": "k" } } }"#;
    let home = Home::new().secret(&secret).store("main", store);
    let ran = home.pipe(&with(&KEY, &["--profile-id", "openai:My Key!"]), &secret);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(home.stored("main")["profiles"]["openai:My Key!"]["key"], secret);
}
