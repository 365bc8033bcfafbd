//! `models auth setup-token`, with a program in the place of `claude`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::session::{CTRL_C, ENTER};
use super::{Home, Session, key, setup_token};

/// A home with a `claude` that does what `script` says.
fn with_claude(script: &str) -> Home {
    let home = Home::new().file("bin/claude", &format!("#!/bin/sh\n{script}\n"));
    let program = home.path().join("bin/claude");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path().join("bin").display());
    home.variable("PATH", &path)
}

#[test]
fn it_is_run_with_the_terminal_and_what_it_gives_is_pasted() {
    let secret = setup_token("a");
    let home = with_claude(
        "[ \"$*\" = setup-token ] || exit 9; printf 'Allow? '; read answer; echo \"got $answer\"; stty -echo",
    );
    let mut session = Session::start(&home, &["setup-token"]);
    session
        .expect("Anthropic may refuse such a token")
        .expect("paste-api-key");
    session
        .expect("setup-token; paste what it gives you")
        .expect("Allow? ")
        .send("yes\n")
        .expect("got yes");
    session
        .expect("Token (sk-ant-oat01-")
        .send("sk-ant-nonsense")
        .send(ENTER)
        .expect("cut off");
    session
        .send(&secret)
        .send(ENTER)
        .expect("Auth profile: anthropic:manual (anthropic/token)");
    let ended = session.end();
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.restored,
        "though the program left the terminal without echo"
    );
    home.secret(&secret).keeps(&ended.transcript);
}

#[test]
fn ctrl_c_ends_the_program_and_saves_nothing() {
    let home = with_claude("echo waiting; exec sleep 600");
    let mut session = Session::start(&home, &["setup-token"]);
    session.expect("waiting").send(CTRL_C);
    let ended = session.end();
    assert_eq!(ended.code, Some(1), "{:?}", ended.transcript);
    assert!(
        ended.transcript.contains("was interrupted; nothing was saved"),
        "{:?}",
        ended.transcript
    );
    assert!(ended.restored);
    assert!(!home.store_path("main").exists());
}

#[test]
fn a_program_that_fails_saves_nothing() {
    let home = with_claude("exit 7");
    let session = Session::start(&home, &["setup-token"]);
    let ended = session.end();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .transcript
            .contains("ended with exit code 7; nothing was saved"),
        "{:?}",
        ended.transcript
    );
}

#[test]
fn without_the_program_the_token_is_asked_for() {
    let home = Home::new();
    let mut session = Session::start(&home, &["setup-token"]);
    session
        .expect("`claude` is not on PATH")
        .expect("Token (sk-ant-oat01-")
        .send(CTRL_C);
    assert_eq!(session.end().code, Some(1));
}

#[test]
fn a_pipe_needs_no_program_and_says_the_same() {
    let secret = setup_token("a");
    let home = Home::new().secret(&secret);
    insta::assert_snapshot!(
        "setup_token_pipe",
        home.told(&home.pipe(&["setup-token", "--yes"], &secret))
    );
    let secret = key("anthropic", "a");
    let home = Home::new().secret(&secret);
    insta::assert_snapshot!(
        "setup_token_that_is_a_key",
        home.told(&home.pipe(&["setup-token"], &secret))
    );
}
