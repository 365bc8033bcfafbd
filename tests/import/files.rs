//! Single files that are named: `.env` files, stores, and what other programs keep their credentials in.

use std::fs;

use serde_json::json;

use super::{Home, digest};

const MAIN: Option<&str> = Some("main");

#[test]
fn dotenv_files_are_named_and_copied_or_left() {
    let home = Home::with_earlier();
    let path = home.write(
        ".openclaw/.env",
        "OPENAI_API_KEY=sk-proj-Env1Qx8Zt5Wm\nANTHROPIC_API_KEY_2='sk-ant-api03-Env2 Vb6'\nexport GROQ_API_KEY=gsk_Env3Kc9Ld\nPORT=1\n",
    );
    let from = path.to_str().unwrap();
    home.report(&[]).check(
        "file",
        "~/.openclaw/.env",
        None,
        "left",
        "--from ~/.openclaw/.env --copy-secrets",
    );
    let report = home.report(&["--from", from]);
    report.check(
        "variable",
        "OPENAI_API_KEY",
        None,
        "left",
        "`--copy-secrets` copies it",
    );
    report.check("variable", "PORT", None, "left", "no provider here reads it");
    home.write("ours/.env", "# ours\nGROQ_API_KEY=gsk_OursZx8");
    let before = digest(&home.openclaw());
    let report = home.report(&["--from", from, "--copy-secrets", "--apply"]);
    report.check("variable", "OPENAI_API_KEY", None, "taken", "for openai");
    report.check("variable", "GROQ_API_KEY", None, "left", "our .env file");
    assert_eq!(
        fs::read_to_string(home.state().join(".env")).unwrap(),
        "# ours\nGROQ_API_KEY=gsk_OursZx8\nOPENAI_API_KEY=sk-proj-Env1Qx8Zt5Wm\nANTHROPIC_API_KEY_2='sk-ant-api03-Env2 Vb6'\n"
    );
    assert_eq!(digest(&home.openclaw()), before);
    let [taken, ..] = home
        .report(&["--from", from, "--copy-secrets", "--apply"])
        .counts();
    assert_eq!(taken, 0);
}

#[test]
fn logins_of_other_programs_are_never_taken() {
    let claude =
        json!({ "claudeAiOauth": { "accessToken": "sk-ant-oat01-Cc1", "refreshToken": "sk-ant-ort01-Cc2" } });
    let codex =
        json!({ "OPENAI_API_KEY": null, "tokens": { "access_token": "sk-proj-x", "refresh_token": "y" } });
    let other = json!({ "access_token": "ya29.Zq", "refresh_token": "1//0Lq" });
    for (path, content, name, why) in [
        (
            ".claude/.credentials.json",
            claude,
            "Claude Code",
            "paste-api-key --provider anthropic",
        ),
        (
            ".codex/auth.json",
            codex,
            "Codex",
            "paste-api-key --provider openai",
        ),
        (
            ".qwen/oauth_creds.json",
            other,
            "of another program",
            "create an API key",
        ),
    ] {
        let home = Home::new();
        let file = home.write(path, &content.to_string());
        let report = home.report(&["--from", file.to_str().unwrap(), "--copy-secrets", "--apply"]);
        report.check("login", name, None, "left", why);
        assert_eq!(report.counts(), [0, 0, 0, 1]);
        assert!(!home.state().exists());
    }
}

#[test]
fn plain_keys_of_other_programs_are() {
    let home = Home::new();
    let codex = json!({ "OPENAI_API_KEY": "sk-proj-Cx3Lm8Zq", "tokens": { "access_token": "sk-proj-x" } });
    let codex = home.write(".codex/auth.json", &codex.to_string());
    let report = home.report(&["--from", codex.to_str().unwrap(), "--apply"]);
    report.check("auth profile", "openai:codex", MAIN, "taken", "stays where it is");
    report.check("login", "Codex", None, "left", "never taken");
    assert_eq!(
        home.store("main")["profiles"]["openai:codex"]["keyRef"],
        json!({ "source": "file", "path": codex, "id": "/OPENAI_API_KEY" })
    );

    let flat = json!({
        "anthropic": { "type": "api", "key": "sk-ant-api03-Fl1" },
        "openai": { "apiKey": "sk-proj-Fl2" },
        "google": { "type": "oauth", "access": "ya29.Fl3", "refresh": "1//0Fl", "expires": 0 },
    });
    let flat = home.write("auth.json", &flat.to_string());
    let report = home.report(&["--from", flat.to_str().unwrap(), "--apply"]);
    report.check("auth profile", "anthropic:default", MAIN, "taken", "");
    report.check("auth profile", "google:default", MAIN, "left", "log in again");
    assert_eq!(
        home.store("main")["profiles"]["openai:default"]["keyRef"]["id"],
        "/openai/apiKey"
    );
}

#[test]
fn a_store_can_be_named_alone_and_knows_its_agent() {
    let home = Home::with_earlier();
    let path = home.openclaw().join("agents/coder/agent/auth-profiles.json");
    let report = home.report(&["--from", path.to_str().unwrap()]);
    report.check("auth profile", "openai:work", Some("coder"), "taken", "");
}

#[test]
fn what_is_no_such_file_is_refused_and_repeats_nothing() {
    let home = Home::new();
    for (name, text, why) in [
        (
            "none.json",
            "{\"a\": 1}",
            "no credentials in a form that is known",
        ),
        (
            "broken.json",
            "{\"key\": sk-proj-Zq8}",
            "line 1, column 9: it is no JSON",
        ),
        ("list.json", "[]", "no credentials in a form that is known"),
        (".env", "only words", "not of the form NAME=value"),
        ("empty.env", "", "it sets no variable"),
    ] {
        let path = home.write(name, text);
        let ran = home.run(&["--from", path.to_str().unwrap()]);
        assert_eq!(ran.code, Some(1), "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("help: name a state folder"), "{}", ran.stderr);
    }
}
