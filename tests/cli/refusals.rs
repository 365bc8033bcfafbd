//! What is refused, and how: one line of what, one of what to do, exit code 1.

use super::Home;

fn refused(config: &str) -> String {
    Home::new().config(config).told(&["models", "status"])
}

#[test]
fn a_value_of_the_wrong_type() {
    insta::assert_snapshot!(refused("{\n  gateway: { port: \"abc\" },\n}"));
}

#[test]
fn several_values_at_once() {
    insta::assert_snapshot!(refused(
        "{\n  gateway: { port: 70000, bind: \"everywhere\" },\n  auth: { rotation: { strategy: \"random\" } },\n}"
    ));
}

#[test]
fn a_file_that_is_not_json5() {
    insta::assert_snapshot!(refused("{\n  gateway: {\n"));
}

#[test]
fn a_provider_that_is_there_twice() {
    insta::assert_snapshot!(refused(
        "{ models: { providers: {\n  mine: { baseUrl: \"http://127.0.0.1:1\", api: \"openai-completions\" },\n  mine: { baseUrl: \"http://127.0.0.1:2\", api: \"openai-completions\" },\n} } }"
    ));
}

#[test]
fn a_config_that_is_a_folder() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("state/coderclaw.json")).unwrap();
    insta::assert_snapshot!(home.told(&["status"]));
}

#[test]
fn a_port_in_the_environment_that_is_none() {
    let home = Home::new().variable("CODERCLAW_GATEWAY_PORT", "http");
    insta::assert_snapshot!(home.told(&["gateway", "run"]));
}

#[test]
fn a_gateway_with_a_bad_config_does_not_start_and_leaves_the_file() {
    let text = "{\n  gateway: { limits: { body: \"huge\" } },\n}";
    let home = Home::new().config(text);
    insta::assert_snapshot!(home.told(&["gateway"]));
    let left = std::fs::read_to_string(home.path().join("state/coderclaw.json")).unwrap();
    assert_eq!(left, text);
}

#[test]
fn listening_for_others_without_a_token() {
    insta::assert_snapshot!(Home::new().told(&[
        "gateway",
        "run",
        "--bind",
        "lan",
        "--port",
        "0",
        "--log-level",
        "off"
    ]));
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = Home::new().told(&["gateway", "--port", &port, "--log-level", "off"]);
    insta::assert_snapshot!(told.replace(&port, "[port]"));
}

#[test]
fn an_address_that_is_none() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "--bind", "everywhere"]));
}

#[test]
fn json_and_plain_together() {
    insta::assert_snapshot!(Home::new().told(&["models", "status", "--json", "--plain"]));
}

#[test]
fn an_unknown_flag() {
    insta::assert_snapshot!(Home::new().told(&["models", "status", "--jsn"]));
}

#[test]
fn an_unknown_command() {
    insta::assert_snapshot!(Home::new().told(&["gatway"]));
}

#[test]
fn a_demo_with_a_config() {
    insta::assert_snapshot!(Home::new().told(&["gateway", "--demo", "--config", "x.json"]));
}

#[test]
fn no_home_and_no_state_folder() {
    let home = Home::new();
    let output = home
        .command(&["status"])
        .env_remove("HOME")
        .env_remove("CODERCLAW_STATE_DIR")
        .output()
        .unwrap();
    insta::assert_snapshot!(super::Ran::of(&output).told());
}

#[test]
fn an_emulator_file_that_makes_no_sense() {
    let home = Home::new().file("emulator.json5", "{\n  rpm: 5 }");
    insta::assert_snapshot!(home.told(&["emulator", "--config", "emulator.json5"]));
}

#[test]
fn probe_and_plain_together() {
    insta::assert_snapshot!(Home::new().told(&["models", "status", "--probe", "--plain"]));
}

#[test]
fn a_probe_flag_without_a_probe_or_of_nothing() {
    for arguments in [
        ["--probe-provider", "openai"],
        ["--probe-timeout", "100"],
        ["--probe", "--probe-timeout=0"],
        ["--probe", "--probe-concurrency=0"],
        ["--probe", "--probe-max-tokens=0"],
        ["--probe", "--probe-concurrency=many"],
    ] {
        let ran = Home::new().run(&[&["models", "status"][..], &arguments].concat());
        assert_eq!(ran.code, Some(1), "{arguments:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("--probe"), "{}", ran.stderr);
    }
}

#[test]
fn a_probe_of_nobody() {
    let probe = |flag, name| {
        Home::new()
            .keys("OPENAI_API_KEY", "openai", &["one"])
            .told(&["models", "status", "--probe", flag, name])
    };
    insta::assert_snapshot!(probe("--probe-provider", "opnai"));
    insta::assert_snapshot!(probe("--probe-profile", "openai:env:OPENAI_KEY"));
}
