//! The newest version, which keeps credentials in databases.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use super::{Home, digest, fixtures};

const MAIN: Option<&str> = Some("main");
const CODER: Option<&str> = Some("coder");

/// Makes a database of a fixture. Until it is closed, its changes wait in the log beside it.
fn database(path: &Path, fixture: &str) -> Connection {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let database = Connection::open(path).unwrap();
    let sql = fs::read_to_string(fixtures().join("newest").join(fixture)).unwrap();
    database.execute_batch(&sql).unwrap();
    database
}

fn state_path(home: &Home) -> PathBuf {
    home.openclaw().join("state/openclaw.sqlite")
}

/// A home as the newest version leaves it, and its open databases.
fn running() -> (Home, [Connection; 2]) {
    let home = Home::new();
    let state = database(&state_path(&home), "state.sql");
    let agent = home.openclaw().join("agents/coder/agent/openclaw-agent.sqlite");
    let agent = database(&agent, "agent.sql");
    fs::copy(
        fixtures().join("newest/openclaw.json"),
        home.openclaw().join("openclaw.json"),
    )
    .unwrap();
    (home, [state, agent])
}

fn stopped() -> Home {
    let (home, open) = running();
    drop(open);
    home
}

#[test]
fn what_is_in_a_database_is_left_unless_it_is_copied() {
    let home = stopped();
    let before = digest(&home.openclaw());
    let report = home.report(&["--apply"]);
    report.check(
        "auth profile",
        "anthropic:default",
        MAIN,
        "left",
        "`--copy-secrets` copies it",
    );
    report.check(
        "auth profile",
        "openai:coder",
        CODER,
        "left",
        "`--copy-secrets` copies it",
    );
    report.check("order", "openai", CODER, "left", "none of its profiles is here");
    report.check("agent", "coder", None, "taken", "with openai/gpt-5");
    report.check("gateway", "port", None, "present", "the default");
    let report = home.report(&["--apply", "--copy-secrets"]);
    report.check("auth profile", "anthropic:default", MAIN, "taken", "copied");
    report.check("order", "openai", CODER, "taken", "openai:coder, openai:home");
    assert_eq!(
        digest(&home.openclaw()),
        before,
        "neither a byte nor a file beside it"
    );
    assert_eq!(home.store("main")["profiles"].as_object().unwrap().len(), 2);
    let coder = home.store("coder");
    assert_eq!(
        coder["order"],
        json!({ "openai": ["openai:coder", "openai:home"] })
    );
    assert_eq!(
        coder["profiles"]["openai:coder"]["key"],
        "sk-proj-6Yt1Hn8Bg3Vf5Cd9Xs2Zw7Qm4Lk"
    );
    let [taken, changed, ..] = home.report(&["--apply", "--copy-secrets"]).counts();
    assert_eq!((taken, changed), (0, 0));
}

#[test]
fn what_waits_in_the_log_of_a_running_one_is_read_too() {
    let (home, open) = running();
    let log = home.openclaw().join("state/openclaw.sqlite-wal");
    assert!(
        fs::metadata(&log).unwrap().len() > 0,
        "the changes wait in the log"
    );
    let before = digest(&home.openclaw());
    let report = home.report(&["--apply", "--copy-secrets"]);
    report.check("auth profile", "openai:home", MAIN, "taken", "copied");
    report.check("auth profile", "openai:coder", CODER, "taken", "copied");
    assert_eq!(digest(&home.openclaw()), before);
    drop(open);
}

#[test]
fn aliases_make_no_allowlist_where_there_was_none() {
    let home = stopped();
    let report = home.report(&["--apply"]);
    report.check("alias", "opus", None, "taken", "");
    report.check(
        "allowlist",
        "none",
        None,
        "changed",
        "every model of every provider",
    );
    let config = home.config();
    let models = config["agents"]["defaults"]["models"].as_object().unwrap();
    assert!(models.contains_key("openai/*") && models.contains_key("mistral/*"));
    assert_eq!(models["anthropic/claude-opus-5"]["alias"], "opus");
    assert!(!models.contains_key("openai/gpt-5"));
}

#[test]
fn a_policy_of_the_newest_version_is_an_allowlist() {
    let home = stopped();
    let policy = json!({ "agents": { "defaults": { "modelPolicy": { "allow": ["openai/*", "kimi/k2"] } } } });
    home.write(".openclaw/openclaw.json", &policy.to_string());
    home.report(&["--apply"])
        .check("allowlist", "1 models", None, "taken", "");
    assert_eq!(
        home.config()["agents"]["defaults"]["models"],
        json!({ "openai/*": {} })
    );
}

#[test]
fn a_database_can_be_named_alone() {
    let home = stopped();
    let path = home.openclaw().join("agents/coder/agent/openclaw-agent.sqlite");
    let report = home.report(&["--from", path.to_str().unwrap(), "--copy-secrets"]);
    report.check("auth profile", "openai:coder", CODER, "taken", "copied");
}

#[test]
fn a_database_that_is_none_is_said() {
    let home = stopped();
    fs::write(
        state_path(&home),
        b"SQLite format 3\0 and then nothing of the kind",
    )
    .unwrap();
    let report = home.report(&["--copy-secrets"]);
    let (verdict, why) = report.of("store", "~/.openclaw/state/openclaw.sqlite", None);
    assert_eq!(verdict, "left");
    assert!(why.contains("not a database"), "{why}");
    report.check("auth profile", "openai:coder", CODER, "taken", "copied");
    let path = home.write("empty.sqlite", "");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let ran = home.run(&["--from", path.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("no credentials of an older tool"),
        "{}",
        ran.stderr
    );
}
