//! What is decided about the files of an earlier version.

use serde_json::json;

use super::Home;

const MAIN: Option<&str> = Some("main");

#[test]
fn a_dry_run_says_everything_and_changes_nothing() {
    let home = Home::with_earlier();
    let before = super::digest(&home.openclaw());
    let ran = home.run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(super::digest(&home.openclaw()), before);
    assert!(!home.state().exists());
}

#[test]
fn keys_and_tokens_are_referred_to_and_logins_are_left() {
    let home = Home::with_earlier();
    let report = home.report(&["--from", "openclaw"]);
    let check = |id: &str, verdict: &str, why: &str| report.check("auth profile", id, MAIN, verdict, why);
    check(
        "anthropic:default",
        "taken",
        "stays where it is, and is referred to",
    );
    check("anthropic:manual", "taken", "stays where it is");
    check("openai:work", "changed", "an API key that was stored as a token");
    check(
        "google:gemini",
        "left",
        "coderclaw models auth login --provider google",
    );
    check("anthropic:claude-cli", "left", "create an API key");
    check("groq:shell", "taken", "its reference (env)");
    check("mistral:vault", "taken", "its reference (exec)");
    check("xai:own", "left", "own vault");
    check("zai:default", "taken", "there is no provider `zai` yet");
    check("deepseek:blank", "left", "no secret");
    check("aws:sso", "left", "aws-sdk");
    let coder = Some("coder");
    report.check(
        "auth profile",
        "anthropic:default",
        coder,
        "left",
        "reads through",
    );
    report.check("auth profile", "openai:work", coder, "taken", "");
    report.check("source of secrets", "vault", None, "taken", "");
}

#[test]
fn references_lead_to_the_very_key() {
    let home = Home::with_earlier();
    home.report(&["--apply"]);
    let store = home.store("main");
    let path = home.openclaw().join("agents/main/agent/auth-profiles.json");
    let profile = &store["profiles"]["openai:me~x/y"];
    assert_eq!(
        *profile,
        json!({
            "type": "api_key",
            "provider": "openai",
            "keyRef": { "source": "file", "path": path, "id": "/profiles/openai:me~0x~1y/key" },
            "email": "me@example.com",
        })
    );
    assert_eq!(store["profiles"]["openai:work"]["type"], "api_key");
    assert_eq!(
        store["profiles"]["openai:work"]["keyRef"]["id"],
        "/profiles/openai:work/token"
    );
    assert_eq!(
        store["profiles"]["anthropic:manual"]["expires"],
        1_893_456_000_000_u64
    );
    assert_eq!(store["profiles"]["groq:shell"]["keyRef"]["id"], "GROQ_SHELL");
    let old: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (id, profile) in store["profiles"].as_object().unwrap() {
        let reference = profile.get("keyRef").or_else(|| profile.get("tokenRef")).unwrap();
        if let Some(pointer) = reference["id"].as_str().filter(|id| id.starts_with("/profiles")) {
            assert!(
                old.pointer(pointer).is_some_and(serde_json::Value::is_string),
                "{id}"
            );
        }
    }
}

#[test]
fn orders_lose_what_is_not_here() {
    let home = Home::with_earlier();
    let report = home.report(&["--apply"]);
    report.check(
        "order",
        "anthropic",
        MAIN,
        "taken",
        "anthropic:manual, anthropic:default",
    );
    report.check(
        "order",
        "openai",
        Some("coder"),
        "taken",
        "openai:work, openai:me~x/y",
    );
    report.check("order", "openai", None, "changed", "not here: openai:gone");
    report.check("order", "zai", None, "left", "none of its profiles is here");
    assert_eq!(
        home.store("main")["order"]["anthropic"],
        json!(["anthropic:manual", "anthropic:default"])
    );
    assert_eq!(
        home.config()["auth"]["order"],
        json!({ "openai": ["openai:work"] })
    );
}

#[test]
fn models_agents_and_providers_are_taken_as_far_as_they_are_served() {
    let home = Home::with_earlier();
    let report = home.report(&["--apply"]);
    report.check("default model", "anthropic/claude-sonnet-4-5", None, "taken", "");
    report.check(
        "fallbacks",
        "github-copilot/gpt-4o, openai/gpt-5",
        None,
        "changed",
        "not served here: github-copilot/gpt-4o",
    );
    report.check("alias", "Sonnet", None, "taken", "anthropic/claude-sonnet-4-5");
    report.check("alias", "pilot", None, "left", "no provider here serves");
    report.check("allowlist", "2 models", None, "taken", "alone are served");
    report.check("agent", "coder", None, "taken", "with mylocal/qwen3-coder");
    report.check("agent", "a b", None, "left", "letters, digits");
    report.check(
        "provider",
        "mylocal",
        None,
        "changed",
        "without the headers x-gate-token",
    );
    report.check("provider", "relay", None, "changed", "`/v1` added");
    report.check(
        "provider",
        "cloud",
        None,
        "left",
        "a format that is not served here",
    );
    report.check("provider", "nowhere", None, "left", "no `baseUrl`");
    report.check(
        "provider's key",
        "mylocal",
        None,
        "changed",
        "becomes profile mylocal:imported",
    );
    report.check(
        "provider's key",
        "relay",
        None,
        "changed",
        "its reference is taken",
    );
}

#[test]
fn what_is_taken_of_the_config_stands_in_ours() {
    let home = Home::with_earlier();
    home.report(&["--apply"]);
    let config = home.config();
    let providers = &config["models"]["providers"];
    assert_eq!(
        providers["relay"]["baseUrl"],
        "https://relay.example/anthropic/v1"
    );
    assert_eq!(
        providers["mylocal"],
        json!({
            "baseUrl": "http://127.0.0.1:8000/v1",
            "api": "openai-completions",
            "headers": { "x-team": "blue" },
            "models": [{ "id": "qwen3-coder", "name": "Qwen", "contextWindow": 32768 }],
        })
    );
    assert_eq!(
        config["agents"],
        json!({
            "list": [{ "id": "coder", "model": "mylocal/qwen3-coder" }],
            "defaults": {
                "model": { "primary": "anthropic/claude-sonnet-4-5", "fallbacks": ["openai/gpt-5"] },
                "models": { "anthropic/claude-sonnet-4-5": { "alias": "Sonnet" }, "openai/gpt-5": {} },
            },
        })
    );
}

#[test]
fn variables_that_no_provider_reads_are_nobodys_business() {
    let home = Home::with_earlier();
    let report = home.report(&[]);
    report.check(
        "variable",
        "GROQ_API_KEY",
        None,
        "changed",
        "becomes profile groq:imported-GROQ_API_KEY",
    );
    report.check("variable", "OPENAI_API_KEYS", None, "left", "a list");
    report.check(
        "variable",
        "TELEGRAM_BOT_TOKEN",
        None,
        "left",
        "no provider here reads it",
    );
    let entries = report.0["entries"].as_array().unwrap();
    let telegram = entries
        .iter()
        .find(|entry| entry["name"] == "TELEGRAM_BOT_TOKEN")
        .unwrap();
    assert_eq!(telegram.get("fingerprint"), None);
    report.check("gateway", "port", None, "taken", "18801");
    report.check("gateway", "bind", None, "left", "only you decide");
    report.check("gateway", "token", None, "left", "--copy-secrets");
}

#[test]
fn the_first_agent_of_the_list_is_the_default_where_none_is_marked() {
    let home = Home::new();
    home.write(
        ".openclaw/openclaw.json",
        "// mine\n{ agents: { list: [{ id: 'Work' }, { id: 'main' }] } }",
    );
    let report = home.report(&["--apply"]);
    report.check("agent", "work", None, "taken", "as the default agent");
    assert_eq!(
        home.config()["agents"]["list"],
        json!([{ "id": "work", "default": true }])
    );
}
