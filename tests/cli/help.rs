//! Help: what each command is for, with examples.

use super::Home;

#[test]
fn of_the_program() {
    insta::assert_snapshot!(Home::new().told(&["--help"]));
}

#[test]
fn of_gateway() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "--help"]));
}

#[test]
fn of_gateway_run() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "run", "--help"]));
}

#[test]
fn of_gateway_status() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "status", "--help"]));
}

#[test]
fn of_models() {
    insta::assert_snapshot!(Home::new().told(&["models", "--help"]));
}

#[test]
fn of_models_status() {
    insta::assert_snapshot!(Home::new().told(&["models", "status", "--help"]));
}

#[test]
fn of_models_list() {
    insta::assert_snapshot!(Home::new().told(&["models", "list", "--help"]));
}

#[test]
fn of_models_set() {
    insta::assert_snapshot!(Home::new().told(&["models", "set", "--help"]));
}

#[test]
fn of_models_aliases() {
    insta::assert_snapshot!(Home::new().told(&["models", "aliases", "--help"]));
    insta::assert_snapshot!(Home::new().told(&["models", "aliases", "add", "--help"]));
}

#[test]
fn of_models_fallbacks() {
    insta::assert_snapshot!(Home::new().told(&["models", "fallbacks", "--help"]));
    insta::assert_snapshot!(Home::new().told(&["models", "fallbacks", "add", "--help"]));
}

#[test]
fn of_status() {
    insta::assert_snapshot!(Home::new().told(&["status", "--help"]));
}

#[test]
fn of_emulator() {
    insta::assert_snapshot!(Home::new().told(&["emulator", "--help"]));
}

#[test]
fn of_import() {
    insta::assert_snapshot!(Home::new().told(&["import", "--help"]));
}

#[test]
fn of_completions() {
    insta::assert_snapshot!(Home::new().told(&["completions", "--help"]));
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Home::new().run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}: {}", ran.stderr);
        assert!(ran.stdout.contains("state-dir"), "{shell}");
    }
}

#[test]
fn stands_in_for_a_missing_command_but_fails() {
    let ran = Home::new().run(&[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.is_empty() && ran.stderr.contains("Usage: coderclaw"));
}

#[test]
fn the_version_is_the_packages() {
    let ran = Home::new().run(&["--version"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.stdout, format!("coderclaw {}\n", env!("CARGO_PKG_VERSION")));
}
