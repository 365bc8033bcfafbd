//! `status` and `gateway status` where no gateway runs.

use super::Home;

#[test]
fn a_glance_without_a_gateway() {
    let home = Home::new()
        .keys("OPENAI_API_KEYS", "openai", &["a", "b"])
        .keys("GEMINI_API_KEY", "google", &["one"])
        .config("{ agents: { defaults: { model: \"openai/gpt-5\" } } }");
    insta::assert_snapshot!(home.told(&["status"]));
}

#[test]
fn a_glance_without_credentials() {
    insta::assert_snapshot!(Home::new().told(&["status"]));
}

#[test]
fn status_and_models_status_tell_the_same_report() {
    let home = Home::new().keys("OPENAI_API_KEYS", "openai", &["a", "b"]);
    assert_eq!(
        home.told(&["status", "--json"]),
        home.told(&["models", "status", "--json"])
    );
}

#[test]
fn no_gateway_is_exit_1() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "status"]));
}

#[test]
fn no_gateway_as_json() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "status", "--json"]));
}

#[test]
fn a_file_of_a_gateway_that_is_gone_counts_for_nothing() {
    let home = Home::new().file(
        "state/gateway.json",
        r#"{ "pid": 2147483647, "startedAtMs": 1, "addresses": ["127.0.0.1:1"] }"#,
    );
    assert_eq!(
        home.told(&["gateway", "status"]),
        Home::new().told(&["gateway", "status"])
    );
}

fn home_of_this_process() -> Home {
    Home::new().file(
        "state/gateway.json",
        &format!(
            r#"{{ "pid": {}, "startedAtMs": 1, "addresses": ["127.0.0.1:1"] }}"#,
            std::process::id()
        ),
    )
}

/// Its number is another process's by now, which may listen there and would be told the token.
#[test]
fn a_file_that_names_a_stranger_counts_for_nothing() {
    let home = home_of_this_process().file("state/gateway.lock", "");
    assert_eq!(
        home.told(&["gateway", "status"]),
        Home::new().told(&["gateway", "status"])
    );
}

#[test]
fn a_gateway_that_does_not_answer_is_said() {
    // A process that lives and holds the folder, and a port of the loopback that nobody listens on.
    let home = home_of_this_process();
    let lock = std::fs::File::create(home.path().join("state/gateway.lock")).expect("a file");
    lock.lock().expect("nobody else has it");
    let pid = std::process::id().to_string();
    insta::assert_snapshot!(home.told(&["gateway", "status"]).replace(&pid, "[pid]"));
    let ran = home.run(&["models", "status"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout
            .starts_with("the running gateway did not answer: read from the environment")
    );
    assert!(
        ran.stderr.contains("127.0.0.1:1 can't be reached"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_that_makes_no_sense_is_named() {
    let home = Home::new().file("state/gateway.json", "nonsense");
    let ran = home.run(&["gateway", "status"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("error: gateway.json in "), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
}
