//! Doing it: once, again, over what is ours, and with the secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{Home, digest};

#[test]
fn the_older_tools_files_stay_byte_for_byte() {
    for arguments in [&["--apply"][..], &["--apply", "--copy-secrets"]] {
        let home = Home::with_earlier();
        let before = digest(&home.openclaw());
        home.report(arguments);
        assert_eq!(digest(&home.openclaw()), before);
    }
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    for copy in [&[][..], &["--copy-secrets"]] {
        let home = Home::with_earlier();
        let arguments: Vec<&str> = ["--apply"].iter().chain(copy).copied().collect();
        let [taken, changed, ..] = home.report(&arguments).counts();
        assert!(taken > 10 && changed > 2);
        let before = digest(&home.state());
        let again = home.report(&arguments);
        let [taken, changed, present, _] = again.counts();
        assert_eq!((taken, changed), (0, 0), "{:#}", again.0);
        assert!(present > 10);
        assert_eq!(digest(&home.state()), before);
        let ran = home.run(&arguments);
        assert!(
            ran.stdout.contains("Nothing had to be changed."),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn without_being_asked_no_secret_is_copied() {
    let home = Home::with_earlier();
    home.report(&["--apply"]);
    for (path, (mode, .., bytes)) in digest(&home.state()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let found = super::SECRETS.iter().find(|secret| text.contains(**secret));
        assert_eq!(found, None, "{}", path.display());
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn asked_for_secrets_are_copied_logins_with_a_warning() {
    let home = Home::with_earlier();
    let report = home.report(&["--apply", "--copy-secrets"]);
    report.check(
        "auth profile",
        "google:gemini",
        Some("main"),
        "taken",
        "stop using the older tool",
    );
    report.check(
        "auth profile",
        "anthropic:claude-cli",
        Some("main"),
        "left",
        "create an API key",
    );
    report.check("variable", "OPENAI_API_KEYS", None, "taken", "env.vars");
    report.check("gateway", "token", None, "taken", "copied");
    let store = home.store("main");
    let profiles = &store["profiles"];
    assert_eq!(
        profiles["anthropic:default"]["key"],
        "sk-ant-api03-Vb7Qm2Xz9Kt4Lw8Rn3Hy6Jd1Gf5Sc0PaAA"
    );
    assert_eq!(profiles["google:gemini"]["refresh"], "1//0Lm7Rd2Hf9Js4Gp");
    assert_eq!(profiles["mylocal:imported"]["key"], "local-Zq8Xw3Rt6Yn1Lm5Kc9Vb");
    assert_eq!(
        profiles["groq:imported-GROQ_API_KEY"]["key"],
        "gsk_hR7mQ2xVt9LwZ4bNcK8pYs3DfJ6aGe1U"
    );
    assert_eq!(profiles.get("anthropic:claude-cli"), None);
}

#[test]
fn what_was_referred_to_can_be_copied_later() {
    let home = Home::with_earlier();
    home.report(&["--apply"]);
    let report = home.report(&["--apply", "--copy-secrets"]);
    report.check(
        "auth profile",
        "anthropic:default",
        Some("main"),
        "taken",
        "in the place of the reference",
    );
    report.check("provider's key", "mylocal", None, "changed", "copied");
    let store = home.store("main");
    let left: Vec<&String> = store["profiles"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, profile)| {
            let reference = profile.get("keyRef").or_else(|| profile.get("tokenRef"));
            reference.is_some_and(|reference| reference["source"] == "file")
        })
        .map(|(id, _)| id)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A home in which both the older tool and we have things of the same names; and our store.
fn with_both() -> (Home, Value) {
    let config = "// ours\n{\n  gateway: { port: 19000 }, // ours too\n  agents: { defaults: { model: 'openai/gpt-5', \
                  models: { 'groq/llama': { alias: 'sonnet' } } }, list: [{ id: 'coder', model: 'groq/llama' }] },\n  \
                  auth: { order: { openai: ['openai:mine'] } },\n  mine: 1,\n}\n";
    let store = json!({ "version": 1, "profiles": {
        "anthropic:default": { "type": "api_key", "provider": "anthropic", "key": "sk-ant-api03-Ours5Zx8Wq1Kt4Bn7" },
        "openai:work": { "type": "passkey", "provider": "openai" },
    }, "order": { "anthropic": ["anthropic:default"] }, "extra": true });
    let home = Home::with_earlier();
    home.write("ours/coderclaw.json", config);
    home.write("ours/agents/main/agent/auth-profiles.json", &store.to_string());
    (home, store)
}

#[test]
fn what_is_ours_wins() {
    let (home, _) = with_both();
    let report = home.report(&["--apply"]);
    let main = Some("main");
    report.check(
        "auth profile",
        "anthropic:default",
        main,
        "left",
        "another of this name stands here",
    );
    report.check(
        "auth profile",
        "openai:work",
        main,
        "left",
        "another of this name stands here",
    );
    report.check(
        "order",
        "anthropic",
        main,
        "left",
        "ours stays: anthropic:default",
    );
    report.check("order", "openai", None, "left", "ours stays: openai:mine");
    report.check(
        "default model",
        "anthropic/claude-sonnet-4-5",
        None,
        "left",
        "ours stays: openai/gpt-5",
    );
    report.check(
        "fallbacks",
        "github-copilot/gpt-4o, openai/gpt-5",
        None,
        "left",
        "has none",
    );
    report.check("alias", "Sonnet", None, "left", "here it stands for groq/llama");
    report.check("agent", "coder", None, "left", "ours of this name stays");
    report.check("gateway", "port", None, "left", "ours stays: 19000");
    let entries = report.0["entries"].as_array().unwrap();
    let clash = entries
        .iter()
        .find(|entry| entry["name"] == "anthropic:default" && entry["agent"] == "main")
        .unwrap();
    assert!(
        clash["fingerprint"].is_string()
            && clash["ours"].is_string()
            && clash["ours"] != clash["fingerprint"]
    );
}

#[test]
fn ours_stays_as_it_is_with_its_comments() {
    let (home, store) = with_both();
    home.report(&["--apply"]);
    let after = home.store("main");
    assert_eq!(
        after["profiles"]["anthropic:default"],
        store["profiles"]["anthropic:default"]
    );
    assert_eq!(after["profiles"]["openai:work"], store["profiles"]["openai:work"]);
    assert_eq!(after["extra"], true);
    let text = fs::read_to_string(home.state().join("coderclaw.json")).unwrap();
    assert!(
        text.starts_with("// ours\n{\n  gateway: { port: 19000 }, // ours too\n"),
        "{text}"
    );
    assert!(text.contains("mine: 1,"), "{text}");
}

#[test]
fn files_of_ours_that_do_not_parse_stop_everything() {
    for (path, text) in [
        ("ours/coderclaw.json", "{ gateway: "),
        ("ours/agents/main/agent/auth-profiles.json", "{\"profiles\":"),
        ("ours/agents/coder/agent/auth-profiles.json", "[]"),
    ] {
        let home = Home::with_earlier();
        home.write(path, text);
        let before = digest(home.path());
        let ran = home.run(&["--apply"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(
            ran.stderr.contains(path.rsplit('/').next().unwrap()),
            "{}",
            ran.stderr
        );
        assert_eq!(digest(home.path()), before);
    }
}

#[test]
fn a_file_of_theirs_that_does_not_parse_is_said_and_the_rest_is_taken() {
    let home = Home::with_earlier();
    home.write(
        ".openclaw/agents/coder/agent/auth-profiles.json",
        "{\"profiles\": {,}}",
    );
    let report = home.report(&["--apply"]);
    report.check(
        "store",
        "~/.openclaw/agents/coder/agent/auth-profiles.json",
        None,
        "left",
        ":1:15: not JSON",
    );
    report.check("auth profile", "anthropic:default", Some("main"), "taken", "");
    home.write(".openclaw/openclaw.json", "{ agents: [ }");
    let report = home.report(&[]);
    report.check("config", "~/.openclaw/openclaw.json", None, "left", "not JSON5");
    report.check("auth profile", "anthropic:default", Some("main"), "present", "");
}

#[test]
fn a_state_folder_that_can_not_be_written_is_said() {
    let home = Home::with_earlier();
    home.write("ours/agents/main", "a file where a folder has to be");
    let ran = home.run(&["--apply"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("help:"), "{}", ran.stderr);
    fs::set_permissions(home.state(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn an_agent_whose_name_is_a_path_leads_nowhere() {
    let home = Home::new();
    let store = r#"{"profiles":{"openai:x":{"type":"api_key","provider":"openai","key":"sk-proj-Qx7Lr2Vn9Kd4Tz8Mw1Yb"}}}"#;
    home.write("elsewhere/auth-profiles.json", store);
    let elsewhere = home.path().join("elsewhere");
    let agents: Vec<Value> = ["../../out", "..", "a/b", ""]
        .map(|id| json!({ "id": id, "agentDir": elsewhere }))
        .into();
    home.write(
        ".openclaw/openclaw.json",
        &json!({ "agents": { "list": agents } }).to_string(),
    );
    home.report(&["--apply"]);
    let written: Vec<_> = digest(home.path()).into_keys().collect();
    let stores = written.iter().filter(|path| path.ends_with("auth-profiles.json"));
    assert_eq!(stores.count(), 1, "{written:?}");
    assert!(!home.path().join("out").exists());
}

#[test]
fn no_name_is_taken_that_the_config_would_be_refused_for() {
    let home = Home::new();
    let models = json!({
        "agents": {
            "defaults": {
                "model": { "primary": "claude-opus-4", "fallbacks": ["fast", "lost", "openai/", "mine", "groq/x"] },
                "models": { "groq/llama": { "alias": "Fast" }, "gpt-5": { "alias": "lost" } },
            },
            "list": [
                { "id": "strict", "model": { "primary": "groq/x", "fallbacks": [] } },
                { "id": "bare", "model": "opus" },
            ],
        },
        "models": { "providers": { "own": { "baseUrl": "http://127.0.0.1:9", "models": [{ "id": "mine" }] } } },
    });
    home.write(".openclaw/openclaw.json", &models.to_string());
    home.report(&["--apply"]);
    let agents = &home.config()["agents"];
    assert_eq!(
        agents["defaults"]["model"],
        json!({ "fallbacks": ["fast", "mine", "groq/x"] })
    );
    assert_eq!(
        agents["list"][0]["model"],
        json!({ "primary": "groq/x", "fallbacks": [] })
    );
    let state = home.state().to_str().unwrap().to_owned();
    let environment = std::collections::BTreeMap::from([("CODERCLAW_STATE_DIR".to_owned(), state)]);
    let settings = coderclaw::config::Settings::load(&environment);
    assert!(settings.is_ok(), "{settings:?}");
}
