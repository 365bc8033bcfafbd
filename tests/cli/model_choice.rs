//! `models set` and `models fallbacks`: what they write, what they say, what they refuse.

use serde_json::json;

use super::Home;
use super::model_list::kept;

const COMMENTED: &str = r#"// mine
{
  agents: {
    defaults: {
      model: {
        primary: "openai/gpt-5", // the good one
        fallbacks: [
          "groq/llama-3.3-70b", // the fast one
          "openrouter/openai/gpt-5",
        ],
      },
      models: { "groq/llama-3.3-70b": { alias: "fast" }, "mistral/*": {}, "openai/gpt-5": {} },
    },
    list: [
      { id: "Work", model: "anthropic/claude-sonnet-4-5" }, // from nine to five
      { id: "play" },
    ],
  },
}
"#;

pub(crate) fn config_of(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("state/coderclaw.json")).unwrap_or_default()
}

fn told(home: &Home, arguments: &[&str]) -> String {
    let told = home.told(&[&["models"], arguments].concat());
    format!("{told}--- config\n{}", config_of(home))
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    let before = config_of(home);
    let told = home.told(&[&["models"], arguments].concat());
    assert!(told.starts_with("exit 1\n"), "{told}");
    assert_eq!(config_of(home), before, "it is as it was");
    told
}

#[test]
fn the_first_default_model_makes_the_config() {
    let home = Home::new();
    insta::assert_snapshot!(told(&home, &["set", "openai/gpt-5"]));
    let meta = std::fs::metadata(home.path().join("state/coderclaw.json")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777,
        0o600
    );
    insta::assert_snapshot!("set_again", told(&home, &["set", "openai/gpt-5"]));
}

#[test]
fn set_keeps_fallbacks_and_comments_and_adds_to_an_allowlist() {
    let home = Home::new().config(COMMENTED);
    insta::assert_snapshot!("set_of_another", told(&home, &["set", " OpenAI/gpt-4o-mini "]));
    insta::assert_snapshot!("set_of_an_alias", told(&home, &["set", "FAST", "--json"]));
    insta::assert_snapshot!(
        "set_of_an_allowed_provider",
        told(&home, &["set", "mistral/large"])
    );
}

#[test]
fn set_makes_no_allowlist() {
    let home = Home::new().config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }");
    home.run(&["models", "set", "xai/grok-4"]);
    assert_eq!(
        config_of(&home),
        "{ agents: { defaults: { model: \"xai/grok-4\" } } }"
    );
}

#[test]
fn set_for_an_agent() {
    let home = Home::new().config(COMMENTED);
    insta::assert_snapshot!(
        "set_for_work",
        told(&home, &["set", "anthropic/claude-opus-4", "--agent", "work"])
    );
    insta::assert_snapshot!(
        "set_for_play",
        told(&home, &["set", "xai/grok-4", "--agent", "play"])
    );
    insta::assert_snapshot!(
        "set_for_main",
        told(&home, &["set", "xai/grok-4", "--agent", "main", "--json"])
    );
}

#[test]
fn set_says_what_stands_in_the_way() {
    let home = Home::new().config(
        "{ agents: { defaults: { model: { primary: \"openai/a\", fallbacks: [\"groq/b\"] } },
           list: [{ id: \"work\", default: true, model: \"openai/c\" }] } }",
    );
    kept(
        &home,
        "anthropic",
        "https://api.anthropic.com",
        1,
        &json!([{ "id": "claude-sonnet-4-5" }]),
    );
    insta::assert_snapshot!(told(&home, &["set", "anthropic/claude-sonet-4-5"]));
}

#[test]
fn set_takes_a_bare_name_that_one_provider_has() {
    let home = Home::new().config(
        "{ models: { providers: { home: { baseUrl: \"http://nas.local/v1\", models: [\"tiny\"] } } } }",
    );
    kept(
        &home,
        "openai",
        "https://api.openai.com/v1",
        1,
        &json!([{ "id": "gpt-5" }, { "id": "both" }]),
    );
    kept(
        &home,
        "groq",
        "https://api.groq.com/openai/v1",
        1,
        &json!([{ "id": "both" }]),
    );
    let set = |name| home.run(&["models", "set", name]);
    assert!(set("tiny").stdout.contains("Default model: home/tiny\n"));
    assert!(set("gpt-5").stdout.contains("Default model: openai/gpt-5\n"));
    insta::assert_snapshot!("set_of_what_two_have", refused(&home, &["set", "both"]));
    insta::assert_snapshot!("set_of_what_nobody_has", refused(&home, &["set", "gtp-5"]));
}

#[test]
fn set_refuses_what_leads_nowhere() {
    let home = Home::new().config(COMMENTED);
    insta::assert_snapshot!("set_unknown_provider", refused(&home, &["set", "opnai/gpt-5"]));
    insta::assert_snapshot!("set_unknown_alias", refused(&home, &["set", "fats"]));
    insta::assert_snapshot!(
        "set_unknown_agent",
        refused(&home, &["set", "openai/gpt-5", "--agent", "wrok"])
    );
    for nothing in ["", "openai/", "auto", "coderclaw", "/", "a b"] {
        refused(&home, &["set", nothing]);
    }
    let secret = super::key("openai", "typed");
    let told = refused(&home, &["set", &secret]);
    assert!(!told.contains(&secret[10..]), "{told}");
}

#[test]
fn fallbacks_are_listed_added_and_removed() {
    let home = Home::new().config(COMMENTED);
    let fallbacks = |arguments: &[&str]| told(&home, &[&["fallbacks"], arguments].concat());
    insta::assert_snapshot!("fallbacks_list", home.told(&["models", "fallbacks", "list"]));
    insta::assert_snapshot!(
        "fallbacks_list_json",
        home.told(&["models", "fallbacks", "list", "--json"])
    );
    insta::assert_snapshot!(
        "fallbacks_list_plain",
        home.told(&["models", "fallbacks", "list", "--plain"])
    );
    insta::assert_snapshot!(
        "fallbacks_add",
        fallbacks(&["add", "xai/grok-4", "mistral/large"])
    );
    insta::assert_snapshot!("fallbacks_add_again", fallbacks(&["add", "fast"]));
    insta::assert_snapshot!("fallbacks_remove", fallbacks(&["remove", "FAST"]));
    insta::assert_snapshot!("fallbacks_add_json", fallbacks(&["add", "fast", "--json"]));
    insta::assert_snapshot!("fallbacks_clear", fallbacks(&["clear"]));
    insta::assert_snapshot!("fallbacks_clear_again", fallbacks(&["clear"]));
    insta::assert_snapshot!(
        "fallbacks_list_of_none",
        home.told(&["models", "fallbacks", "list"])
    );
}

#[test]
fn fallbacks_of_a_model_that_is_a_text() {
    let home = Home::new().config("{ agents: { defaults: { model: \"openai/gpt-5\" /* mine */ } } }");
    insta::assert_snapshot!(told(&home, &["fallbacks", "add", "groq/llama-3.3-70b"]));
}

#[test]
fn fallbacks_of_an_agent() {
    let home = Home::new().config(COMMENTED);
    let fallbacks = |arguments: &[&str]| told(&home, &[&["fallbacks"], arguments].concat());
    insta::assert_snapshot!(
        "fallbacks_add_for_work",
        fallbacks(&["add", "openrouter/anthropic/claude-sonnet-4-5", "--agent", "work"])
    );
    insta::assert_snapshot!(
        "fallbacks_remove_for_play",
        fallbacks(&["remove", "fast", "--agent", "play"])
    );
    insta::assert_snapshot!(
        "fallbacks_list_for_play",
        home.told(&["models", "fallbacks", "list", "--agent", "play"])
    );
    insta::assert_snapshot!(
        "fallbacks_clear_for_main",
        fallbacks(&["clear", "--agent", "main"])
    );
    let ran = home.run(&["models", "fallbacks", "list"]);
    assert_eq!(
        ran.stdout,
        "Fallbacks: groq/llama-3.3-70b, openrouter/openai/gpt-5\n"
    );
}

#[test]
fn fallbacks_that_can_not_be_are_refused() {
    let home = Home::new().config(COMMENTED);
    let fallbacks = |arguments: &[&str]| refused(&home, &[&["fallbacks"], arguments].concat());
    insta::assert_snapshot!(
        "fallbacks_of_another_format",
        fallbacks(&["add", "anthropic/claude-haiku-4-5"])
    );
    insta::assert_snapshot!("fallbacks_of_itself", fallbacks(&["add", "openai/gpt-5"]));
    insta::assert_snapshot!(
        "fallbacks_of_an_unknown_one",
        fallbacks(&["add", "xai/grok-4", "mistrl/large"])
    );
    insta::assert_snapshot!("fallbacks_not_found", fallbacks(&["remove", "groq/llama-3.3-7b"]));
    insta::assert_snapshot!(
        "fallbacks_json_and_plain",
        fallbacks(&["list", "--json", "--plain"])
    );
    fallbacks(&["add"]);
    let bare = Home::new();
    insta::assert_snapshot!(
        "fallbacks_of_nothing",
        refused(&bare, &["fallbacks", "add", "openai/gpt-5"])
    );
    assert!(!bare.path().join("state/coderclaw.json").exists());
}
