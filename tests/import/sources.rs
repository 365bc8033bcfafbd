//! Where the older tools' files are looked for.

use super::Home;

const CONFIG: &str = "{ gateway: { port: 18899 } }";

/// The folder that is read, by the variables and the arguments.
fn read(home: &Home, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let ours = home.state();
    let mut all = vec![("CODERCLAW_STATE_DIR", ours.to_str().unwrap())];
    all.extend(variables);
    let ran = home.run_with(&all, &[arguments, &["--json"]].concat());
    if ran.code != Some(0) {
        return ran.stderr.lines().next().unwrap_or_default().to_owned();
    }
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    report["source"]["path"].as_str().unwrap_or("ours").to_owned()
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let home = Home::new();
    assert_eq!(
        read(&home, &[], &[]),
        "error: no state of an older tool was found; looked at ~/.openclaw, ~/ours"
    );
    assert_eq!(
        read(&home, &[], &["--from", "~/none"]),
        "error: ~/none: there is no such file or folder"
    );
    home.write("documents/a.txt", "");
    let error = read(&home, &[], &["--from", "~/documents"]);
    assert!(
        error.contains("holds neither a config, nor agents, nor a database"),
        "{error}"
    );
}

#[test]
fn openclaw_is_where_its_own_variables_say() {
    let home = Home::new();
    for folder in [".openclaw", ".openclaw-work", "elsewhere", "other/.openclaw"] {
        home.write(&format!("{folder}/openclaw.json"), CONFIG);
    }
    let absolute = |path: &str| home.path().join(path).to_str().unwrap().to_owned();
    let (elsewhere, other) = (absolute("elsewhere"), absolute("other"));
    for (variables, folder) in [
        (&[][..], "~/.openclaw"),
        (&[("OPENCLAW_PROFILE", "default")], "~/.openclaw"),
        (&[("OPENCLAW_PROFILE", "work")], "~/.openclaw-work"),
        (&[("OPENCLAW_STATE_DIR", elsewhere.as_str())], "~/elsewhere"),
        (&[("OPENCLAW_HOME", other.as_str())], "~/other/.openclaw"),
    ] {
        assert_eq!(read(&home, variables, &["--from", "openclaw"]), folder);
        assert_eq!(read(&home, variables, &[]), folder);
    }
    let report = home.report(&[]);
    report.check(
        "state folder",
        "~/.openclaw-work",
        None,
        "left",
        "coderclaw import --from ~/.openclaw-work",
    );
    assert_eq!(
        read(&home, &[], &["--from", "~/.openclaw-work"]),
        "~/.openclaw-work"
    );
    assert_eq!(
        read(&home, &[], &["--from", "~/.openclaw-work/openclaw.json"]),
        "~/.openclaw-work"
    );
}

#[test]
fn the_older_coderclaw_has_a_folder_of_each_install() {
    let home = Home::new();
    home.write(".coderclaw/coderclaw.json", CONFIG);
    home.write(
        ".coderclaw/0f3a9c1e/agents/main/agent/auth-profiles.json",
        "{\"profiles\":{}}",
    );
    home.write(".coderclaw/plugins/x.json", "{}");
    let unset = [("CODERCLAW_STATE_DIR", "")];
    let ran = home.run_with(&unset, &["--from", "coderclaw", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["source"]["path"], "~/.coderclaw/0f3a9c1e");
    assert_eq!(
        report["source"]["config"],
        serde_json::Value::Null,
        "the config above it is ours already"
    );
    let ran = home.run_with(
        &[],
        &[
            "--state-dir",
            home.state().to_str().unwrap(),
            "--from",
            "coderclaw",
            "--json",
        ],
    );
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["source"]["config"], "~/.coderclaw/coderclaw.json");
}

#[test]
fn our_own_folder_is_used_as_it_is() {
    let home = Home::new();
    home.write(".coderclaw/coderclaw.json", CONFIG);
    let ran = home.run_with(&[], &["--from", "coderclaw"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout
            .contains("~/.coderclaw is coderclaw's own state folder"),
        "{}",
        ran.stdout
    );
    let ran = home.run_with(&[], &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["source"], serde_json::Value::Null);
}

#[test]
fn of_both_tools_one_has_to_be_named() {
    let home = Home::new();
    home.write(".openclaw/openclaw.json", CONFIG);
    home.write("old/coderclaw.json", CONFIG);
    let old = home.path().join("old");
    let variables = [("CODERCLAW_STATE_DIR", old.to_str().unwrap())];
    let ours = home.state();
    let ran = home.run_with(&variables, &["--state-dir", ours.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("both older tools were here: ~/.openclaw and ~/old"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("--from openclaw"), "{}", ran.stderr);
}

#[test]
fn a_folder_of_an_agent_that_the_config_does_not_know_is_left() {
    let home = Home::with_earlier();
    home.write(
        ".openclaw/agents/ghost/agent/auth-profiles.json",
        "{\"profiles\":{}}",
    );
    let report = home.report(&[]);
    let store = "~/.openclaw/agents/ghost/agent/auth-profiles.json";
    report.check("store", store, Some("ghost"), "left", "no such agent");
}
