//! `models aliases`: short names, and the allowlist that they share a place with.

use super::Home;
use super::model_choice::config_of;

const RESTRICTED: &str = r#"{
  agents: { defaults: {
    model: "openai/gpt-5",
    models: {
      "groq/llama-3.3-70b": { alias: "Fast" }, // quick
      "mistral/*": {},
    },
  } },
}
"#;

fn told(home: &Home, arguments: &[&str]) -> String {
    let told = home.told(&[&["models", "aliases"], arguments].concat());
    format!("{told}--- config\n{}", config_of(home))
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let before = config_of(home);
    let told = home.told(&[&["models", "aliases"], arguments].concat());
    assert!(told.starts_with("exit 1\n"), "{told}");
    assert_eq!(config_of(home), before, "it is as it was");
    told
}

#[test]
fn the_first_alias_shuts_nothing_out() {
    let home = Home::new().config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }");
    insta::assert_snapshot!(
        "aliases_first",
        told(&home, &["add", "Fast", "groq/llama-3.3-70b"])
    );
    let ran = home.run(&["models", "status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(status["allowed"], serde_json::json!([]), "all models may be used");
    assert_eq!(status["warnings"], serde_json::json!([]));
    assert_eq!(status["aliases"]["fast"], "groq/llama-3.3-70b");
    insta::assert_snapshot!(
        "aliases_second",
        told(&home, &["add", "big", "openai/gpt-5", "--json"])
    );
    insta::assert_snapshot!("aliases_again", told(&home, &["add", "BIG", "openai/gpt-5"]));
    insta::assert_snapshot!("aliases_replaced", told(&home, &["add", "huge", "big"]));
    insta::assert_snapshot!("aliases_removed", told(&home, &["remove", "HUGE"]));
    insta::assert_snapshot!("aliases_removed_json", told(&home, &["remove", "fast", "--json"]));
}

#[test]
fn the_first_alias_shuts_out_only_if_it_is_told_to() {
    let home = Home::new().config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }");
    insta::assert_snapshot!(told(&home, &["add", "fast", "groq/llama-3.3-70b", "--restrict"]));
}

#[test]
fn where_only_some_models_may_be_used() {
    let home = Home::new().config(RESTRICTED);
    insta::assert_snapshot!("aliases_widen", told(&home, &["add", "smart", "xai/grok-4"]));
    insta::assert_snapshot!("aliases_within", told(&home, &["add", "large", "mistral/large"]));
    insta::assert_snapshot!("aliases_removed_within", told(&home, &["remove", "fast"]));
}

#[test]
fn they_are_listed() {
    let home = Home::new().config(RESTRICTED);
    insta::assert_snapshot!("aliases_list", home.told(&["models", "aliases", "list"]));
    insta::assert_snapshot!(
        "aliases_list_json",
        home.told(&["models", "aliases", "list", "--json"])
    );
    insta::assert_snapshot!(
        "aliases_list_plain",
        home.told(&["models", "aliases", "list", "--plain"])
    );
    insta::assert_snapshot!(
        "aliases_list_of_none",
        Home::new().told(&["models", "aliases", "list"])
    );
}

#[test]
fn what_can_not_be_is_refused() {
    let home = Home::new().config(RESTRICTED);
    insta::assert_snapshot!("aliases_clash", refused(&home, &["add", "fast", "openai/gpt-5"]));
    insta::assert_snapshot!(
        "aliases_reserved",
        refused(&home, &["add", "Auto", "openai/gpt-5"])
    );
    insta::assert_snapshot!("aliases_number", refused(&home, &["add", "3", "openai/gpt-5"]));
    insta::assert_snapshot!("aliases_signs", refused(&home, &["add", "a/b", "openai/gpt-5"]));
    insta::assert_snapshot!("aliases_of_nothing", refused(&home, &["add", "x", "opnai/gpt-5"]));
    insta::assert_snapshot!("aliases_not_found", refused(&home, &["remove", "fats"]));
    insta::assert_snapshot!(
        "aliases_json_and_plain",
        refused(&home, &["list", "--json", "--plain"])
    );
}
