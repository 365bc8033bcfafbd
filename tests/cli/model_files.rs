//! The config under commands that choose models: many at once, links, folders that refuse, files that do not parse.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use serde_json::Value;

use super::model_choice::config_of;
use super::{Home, Ran};

/// A user that owns nothing of ours.
const NOBODY: u32 = 65_534;
/// What each of two programs adds.
const ADDED: usize = 12;

const MODEL: &str = "{ agents: { defaults: { model: \"openai/gpt-5\" } } }";

#[test]
fn two_programs_lose_nothing_of_each_other() {
    let home = Home::new().config(MODEL);
    std::thread::scope(|scope| {
        for provider in ["groq", "xai"] {
            let home = &home;
            scope.spawn(move || {
                for number in 0..ADDED {
                    let model = format!("{provider}/m-{number}");
                    let alias = format!("{provider}-{number}");
                    for arguments in [
                        ["fallbacks", "add", &model, "--json"],
                        ["aliases", "add", &alias, &model],
                    ] {
                        let ran = home.run(&[&["models"], &arguments[..]].concat());
                        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
                    }
                }
            });
        }
    });
    let ran = home.run(&["models", "list", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows = told["models"].as_array().unwrap();
    assert_eq!(rows.len(), 1 + 2 * ADDED);
    for row in rows.iter().skip(1) {
        let tags = row["tags"].to_string();
        assert!(tags.contains("fallback#") && tags.contains("alias:"), "{row}");
    }
}

#[test]
fn a_link_stays_a_link() {
    let home = Home::new().file("real.json", MODEL);
    let link = home.path().join("state/coderclaw.json");
    symlink(home.path().join("real.json"), &link).unwrap();
    let ran = home.run(&["models", "set", "xai/grok-4"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let real = fs::read_to_string(home.path().join("real.json")).unwrap();
    assert!(real.contains("xai/grok-4"), "{real}");
}

#[test]
fn a_config_that_does_not_parse_or_is_refused_is_left() {
    for (config, name) in [
        ("{ agents: { defaults: {", "unparsable"),
        ("{ agents: { defaults: { model: 5 } } }", "refused"),
    ] {
        let home = Home::new().config(config);
        for arguments in [
            &["set", "openai/gpt-5"][..],
            &["aliases", "add", "a", "openai/gpt-5"],
            &["fallbacks", "clear"],
        ] {
            let ran = home.run(&[&["models"], arguments].concat());
            assert_eq!(ran.code, Some(1));
            assert_eq!(config_of(&home), config);
        }
        insta::assert_snapshot!(
            format!("choice_{name}"),
            home.told(&["models", "set", "openai/gpt-5"])
        );
    }
}

#[test]
fn a_folder_that_is_read_only() {
    let home = Home::new().config(MODEL);
    let state = home.path().join("state");
    // The lock is there, so that only the write fails.
    fs::write(state.join("coderclaw.json.lock"), "").unwrap();
    let mut command = home.command(&["models", "set", "xai/grok-4"]);
    if nix::unistd::geteuid().is_root() {
        // Root may write everywhere: then the command runs as somebody else.
        let give = |path: &Path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        give(home.path());
        give(&state);
        give(&state.join("coderclaw.json"));
        give(&state.join("coderclaw.json.lock"));
        command.uid(NOBODY).gid(NOBODY);
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o500)).unwrap();
    let ran = Ran::of(&command.output().unwrap());
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    insta::assert_snapshot!(home.steady(&ran.told()));
    assert_eq!(config_of(&home), MODEL);
}
