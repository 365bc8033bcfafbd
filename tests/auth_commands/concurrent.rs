//! Several programs at once, and kills at any moment: nothing is lost, and the store always parses.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Home, key};

/// What each of two programs writes.
const WRITES: usize = 500;
const KILLS: usize = 300;
/// A write takes so long on a machine that has other things to do; kills come at random within it.
const KILLED_WITHIN_US: u64 = 60_000;

fn write(home: &Home, name: &str) {
    let secret = key("openai", name);
    let ran = home.pipe(
        &["paste-api-key", "--provider", "openai", "--profile-id", name],
        &secret,
    );
    assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
}

#[test]
fn two_programs_lose_nothing_of_each_other() {
    let home = Home::new();
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            let home = &home;
            scope.spawn(move || {
                for number in 0..WRITES {
                    write(home, &format!("{writer}-{number}"));
                }
            });
        }
    });
    let stored = home.stored("main");
    let config: Value = serde_json::from_str(&home.config_text()).unwrap();
    for writer in ["a", "b"] {
        for number in 0..WRITES {
            let name = format!("{writer}-{number}");
            let id = format!("openai:{name}");
            assert_eq!(stored["profiles"][&id]["key"], key("openai", &name));
            assert_eq!(config["auth"]["profiles"][&id]["mode"], "api_key");
        }
    }
}

#[tokio::test]
async fn a_kill_at_any_moment_leaves_the_old_store_or_the_new() {
    let home = Home::new();
    write(&home, "x");
    let mut old = key("openai", "x");
    let (mut kept, mut changed) = (0, 0);
    for number in 0..KILLS {
        let new = key("openai", &format!("x/{number}"));
        let mut command = home.command(&[
            "paste-api-key",
            "--provider",
            "openai",
            "--profile-id",
            "x",
            "--from-env=KEY",
        ]);
        command
            .env("KEY", &new)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..KILLED_WITHIN_US))).await;
        // It may have ended by itself.
        let _ended = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGKILL);
        child.wait().unwrap();
        let text = fs::read_to_string(home.store_path("main")).unwrap();
        let stored: Value = serde_json::from_str(&text).unwrap();
        let key = stored["profiles"]["openai:x"]["key"].as_str().unwrap();
        assert!(
            key == old || key == new,
            "{number}: neither the old store nor the new one"
        );
        if key == new {
            changed += 1;
            old = new;
        } else {
            kept += 1;
        }
        let _config: Value = serde_json::from_str(&home.config_text()).unwrap();
    }
    // Else the kills came always before, or always after.
    assert!(kept > 0, "{changed} changed");
    write(&home, "x");
}
