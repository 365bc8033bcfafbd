//! What is refused: one line of what, one of what to do, exit code 1, and nothing is saved.

use super::{Home, key, setup_token};

/// What a refused command says. Nothing may have been written.
fn refused(home: &Home, arguments: &[&str], input: &str) -> String {
    let before = home.config_text();
    let ran = home.pipe(arguments, input);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(!home.store_path("main").exists(), "nothing is stored");
    assert_eq!(home.config_text(), before, "the config stays");
    home.told(&ran)
}

fn paste(provider: &str, input: &str) -> String {
    let home = Home::new()
        .secret(&key("openai", "a"))
        .secret(&key("anthropic", "a"));
    refused(&home, &["paste-api-key", "--provider", provider], input)
}

#[test]
fn an_empty_pipe() {
    insta::assert_snapshot!(paste("openai", ""));
    assert_eq!(paste("openai", "\n\n"), paste("openai", ""));
}

#[test]
fn a_line_of_a_shell() {
    insta::assert_snapshot!(paste(
        "openai",
        &format!("export OPENAI_API_KEY={}\n", key("openai", "a"))
    ));
}

#[test]
fn a_key_of_another_provider() {
    insta::assert_snapshot!(paste("anthropic", &key("openai", "a")));
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret);
    let ran = home.pipe(&["paste-api-key", "--provider", "anthropic", "--force"], &secret);
    insta::assert_snapshot!("a_key_of_another_provider_by_force", home.told(&ran));
}

#[test]
fn white_space_inside() {
    insta::assert_snapshot!(paste("openai", "this is not a key at all"));
}

#[test]
fn too_short() {
    insta::assert_snapshot!(paste("openai", "sk-proj-abc"));
    let home = Home::new();
    let cut = &setup_token("a")[..60];
    insta::assert_snapshot!("a_token_that_was_cut_off", refused(&home, &["setup-token"], cut));
}

#[test]
fn a_character_that_no_header_carries() {
    insta::assert_snapshot!(paste("openai", &format!("{}\u{200b}", key("openai", "a"))));
}

#[test]
fn several_keys() {
    let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
    insta::assert_snapshot!(paste("openai", &keys));
}

#[test]
fn more_than_any_secret() {
    insta::assert_snapshot!(paste("openai", &"x".repeat(70_000)));
}

#[test]
fn an_unknown_provider() {
    insta::assert_snapshot!(paste("opnai", &key("openai", "a")));
}

#[test]
fn an_unknown_agent() {
    let home = Home::new().config("{ agents: { list: [{ id: \"work\" }] } }");
    let arguments = ["paste-api-key", "--provider", "openai", "--agent", "wrok"];
    insta::assert_snapshot!(refused(&home, &arguments, &key("openai", "a")));
}

#[test]
fn a_profile_id_of_another_provider() {
    let arguments = [
        "paste-api-key",
        "--provider",
        "openai",
        "--profile-id",
        "anthropic:x",
    ];
    insta::assert_snapshot!(refused(&Home::new(), &arguments, &key("openai", "a")));
}

#[test]
fn a_span_that_is_none() {
    let arguments = ["paste-token", "--provider", "anthropic", "--expires-in", "soon"];
    insta::assert_snapshot!(refused(&Home::new(), &arguments, &setup_token("a")));
}

#[test]
fn a_variable_that_is_not_set() {
    let home = Home::new().variable("OPENAI_KEY", "x");
    let arguments = [
        "paste-api-key",
        "--provider",
        "openai",
        "--from-env",
        "OPENAI_KEYS",
    ];
    insta::assert_snapshot!(refused(&home, &arguments, ""));
}

#[test]
fn a_file_that_is_not_there() {
    let arguments = ["paste-api-key", "--provider", "openai", "--from-file", "no.txt"];
    insta::assert_snapshot!(refused(&Home::new(), &arguments, ""));
}

#[test]
fn two_places_at_once() {
    let arguments = [
        "paste-api-key",
        "--provider",
        "openai",
        "--from-file",
        "a",
        "--from-env",
        "B",
    ];
    insta::assert_snapshot!(refused(&Home::new(), &arguments, ""));
}

#[test]
fn a_secret_in_the_place_of_anything_else_is_not_repeated() {
    let secret = key("openai", "a");
    let home = Home::new().secret(&secret);
    let flag = format!("--token={secret}");
    let id = format!("openai:{secret}");
    for arguments in [
        vec!["paste-api-key", "--provider", "openai", &secret],
        vec!["paste-api-key", "--provider", "openai", &flag],
        vec!["paste-api-key", "--provider", &secret],
        vec!["paste-api-key", "--provider", "openai", "--profile-id", &secret],
        vec!["paste-api-key", "--provider", "openai", "--profile-id", &id],
        vec!["paste-api-key", "--provider", "openai", "--from-env", &secret],
        vec!["paste-api-key", "--provider", "openai", "--from-file", &secret],
        vec!["paste-api-key", "--provider", "openai", "--ref", &secret],
        vec!["paste-api-key", "--provider", "openai", "--agent", &secret],
        vec!["paste-token", "--provider", "openai", "--expires-in", &secret],
        vec!["setup-token", &secret],
        vec!["add", &secret],
        vec!["login", "--provider", &secret],
        vec!["list", "--provider", &secret],
        vec!["remove", &secret],
        vec!["clear", &secret],
        vec!["order", "set", "--provider", "openai", &secret],
        vec!["order", "get", "--provider", "openai", &secret],
        vec!["list", &secret],
        vec!["login", "--provider", "openai", &secret],
    ] {
        let told = refused(&home, &arguments, "");
        assert!(told.contains("error:"), "{told}");
    }
    let told = refused(&home, &["paste-api-key", "--provider", "openai", &secret], "");
    insta::assert_snapshot!(told);
}

#[test]
fn a_config_that_does_not_parse() {
    let home = Home::new().config("{\n  gateway: {\n");
    insta::assert_snapshot!(refused(
        &home,
        &["paste-api-key", "--provider", "openai"],
        &key("openai", "a")
    ));
}

#[test]
fn a_store_that_does_not_parse() {
    let home = Home::new().store("main", "{ \"version\": 1,\n  oops }");
    let ran = home.pipe(&["paste-api-key", "--provider", "openai"], &key("openai", "a"));
    insta::assert_snapshot!(home.told(&ran));
    let left = std::fs::read_to_string(home.store_path("main")).unwrap();
    assert_eq!(left, "{ \"version\": 1,\n  oops }");
    assert_eq!(home.config_text(), "");
}

#[test]
fn a_login_is_not_pasted_over() {
    let home = Home::new().store(
        "main",
        r#"{ "version": 1, "profiles": { "openai:default": { "type": "oauth", "provider": "openai", "refresh": "r" } } }"#,
    );
    let before = std::fs::read_to_string(home.store_path("main")).unwrap();
    let ran = home.pipe(&["paste-api-key", "--provider", "openai"], &key("openai", "a"));
    insta::assert_snapshot!(home.told(&ran));
    assert_eq!(std::fs::read_to_string(home.store_path("main")).unwrap(), before);
    assert_eq!(home.config_text(), "");
}

#[test]
fn commands_that_ask_say_what_does_it_without_a_terminal() {
    let home = Home::new();
    insta::assert_snapshot!("add_without_a_terminal", refused(&home, &["add"], ""));
    let told = refused(&home, &["login", "--provider", "openai"], "");
    insta::assert_snapshot!("login_that_is_not_configured", told);
    let told = refused(&home, &["setup-token", "--provider", "openai"], "");
    insta::assert_snapshot!("setup_token_of_another_provider", told);
}
