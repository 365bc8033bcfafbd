//! Disks and folders that refuse: the old file is whole, and the error is clear.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::{Home, key};

const PASTE: [&str; 4] = ["paste-api-key", "--provider", "openai", "--from-env=KEY"];
/// A user that owns nothing of ours.
const NOBODY: u32 = 65_534;

fn home() -> Home {
    let secret = key("openai", "new");
    Home::new().secret(&secret).variable("KEY", &secret).store(
        "main",
        r#"{ "version": 1, "profiles": { "openai:default": { "type": "api_key", "provider": "openai", "key": "old" } } }"#,
    )
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn a_disk_without_room_keeps_the_old_file() {
    let home = home();
    let before = fs::read_to_string(home.store_path("main")).unwrap();
    let direct = home.command(&PASTE);
    // A limit of the size of files stands in for a full disk: a write fails in the same place.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    command.arg(direct.get_program()).args(direct.get_args());
    command
        .env_clear()
        .envs(home.environment())
        .current_dir(home.path())
        .stdin(Stdio::null());
    let ran = home.checked(&command.output().unwrap());
    insta::assert_snapshot!("disk_without_room", home.told(&ran));
    assert_eq!(fs::read_to_string(home.store_path("main")).unwrap(), before);
    assert_eq!(home.config_text(), "");
    let folder = home.store_path("main").parent().unwrap().to_owned();
    let left: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().ends_with(".next")),
        "{left:?}"
    );
}

/// Root may write everywhere: then the command runs as somebody else.
fn as_somebody(home: &Home) -> Command {
    let mut command = home.command(&PASTE);
    if is_root() {
        for path in [
            "",
            "state",
            "state/agents",
            "state/agents/main",
            "state/agents/main/agent",
        ] {
            chown(home.path().join(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(home.store_path("main"), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[test]
fn a_folder_that_is_read_only() {
    let home = home();
    let before = fs::read_to_string(home.store_path("main")).unwrap();
    let mut command = as_somebody(&home);
    let folder = home.store_path("main").parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let ran = home.checked(&command.output().unwrap());
    insta::assert_snapshot!("disk_read_only_folder", home.told(&ran));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fs::read_to_string(home.store_path("main")).unwrap(), before);
    assert_eq!(home.config_text(), "");
}

#[test]
fn a_config_that_can_not_be_written_is_told_after_what_was_done() {
    let home = home();
    let mut command = as_somebody(&home);
    let state = home.path().join("state");
    // The lock is there, so that only the write fails.
    fs::write(state.join("coderclaw.json.lock"), "").unwrap();
    if is_root() {
        chown(state.join("coderclaw.json.lock"), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o500)).unwrap();
    let ran = home.checked(&command.output().unwrap());
    insta::assert_snapshot!("disk_config_not_written", home.told(&ran));
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        home.stored("main")["profiles"]["openai:default"]["key"],
        key("openai", "new")
    );
    assert_eq!(home.config_text(), "");
}

#[test]
fn a_store_of_somebody_else() {
    if !is_root() {
        eprintln!("not tried: only root can give a file away");
        return;
    }
    let home = home();
    chown(home.store_path("main"), Some(NOBODY), Some(NOBODY)).unwrap();
    let ran = home.run(&PASTE);
    insta::assert_snapshot!("disk_wrong_owner", home.told(&ran).replace("$(id -u)", "[id]"));
    assert_eq!(home.stored("main")["profiles"]["openai:default"]["key"], "old");
    assert_eq!(home.config_text(), "");
}

#[test]
fn a_store_that_others_could_read_is_closed_and_told() {
    let home = home();
    fs::set_permissions(home.store_path("main"), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = home.run(&PASTE);
    insta::assert_snapshot!("disk_world_readable", home.told(&ran));
    let mode = fs::metadata(home.store_path("main"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
