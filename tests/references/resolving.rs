//! From a reference to its secret: variables, files, programs.

use std::sync::Arc;
use std::time::Duration;

use coderclaw::credentials::reference::{COMMAND_KEPT, FAILURE_KEPT, FILE_BYTES_MAX, SecretRef};
use coderclaw_actors::TestClock;
use coderclaw_actors::domain::credential::Secret;
use serde_json::json;

use super::{Home, KEY, resolve};

#[test]
fn a_variable_is_read_clean() {
    let home = Home::new()
        .set("MY_KEY", &format!(" {KEY}\n"))
        .set("BLANK", " ")
        .set("ACCENT", "é");
    assert_eq!(home.resolve(&json!("${MY_KEY}")), Ok(KEY.to_owned()));
    assert_eq!(
        home.resolve(&json!("${BLANK}")),
        Err(
            "env BLANK: the variable is not set, or blank; set it in the gateway's environment, in .env of the state \
             folder or in env.vars"
                .to_owned()
        )
    );
    assert_eq!(
        home.resolve(&json!("${ACCENT}")),
        Err("env ACCENT: what it holds has characters that no HTTP header can carry".to_owned())
    );
    assert!(
        home.resolve(&json!({"source": "env", "provider": "other", "id": "MY_KEY"}))
            .is_err()
    );
    assert!(
        home.resolve(&json!({"source": "env", "provider": "default", "id": "MY_KEY"}))
            .is_ok()
    );
}

#[test]
fn a_file_is_read_whole_if_it_is_one_line() {
    let home = Home::new();
    home.file("key", &format!("\u{feff}\n {KEY} \r\n\n"));
    home.file("two", &format!("{KEY}\nuser: me\n"));
    home.file("blank", " \n");
    home.file("large", &"x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1));
    let file = |name: &str| home.resolve(&json!({"source": "file", "path": format!("~/{name}")}));
    assert_eq!(file("key"), Ok(KEY.to_owned()));
    let refused = |name: &str| file(name).unwrap_err();
    assert_eq!(
        refused("two"),
        "file ~/two: expected one line, got 2; let it give the secret alone"
    );
    assert_eq!(refused("blank"), "file ~/blank: what it holds is blank");
    assert_eq!(refused("none"), "file ~/none: there is no such file");
    assert_eq!(
        refused("large"),
        "file ~/large: cannot be read: it is larger than 1.0 MiB"
    );
    assert_eq!(
        refused("state"),
        "file ~/state: cannot be read: it is a folder, not a file"
    );
}

#[test]
fn a_pipe_is_no_file() {
    let home = Home::new();
    nix::unistd::mkfifo(&home.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(
        home.resolve(&json!({"source": "file", "path": home.path("pipe")})),
        Err("file [home]/pipe: cannot be read: it is a pipe or a device, not a file".to_owned())
    );
}

#[test]
fn a_pointer_finds_text_in_json() {
    let home = Home::new();
    home.file("keys.json", &json!({"a/b": {"keys": [KEY, 7, ""]}}).to_string());
    home.file("broken.json", &format!("{{\n \"a\": {KEY} }}"));
    let at = |name: &str, id: &str| {
        home.resolve(&json!({"source": "file", "path": format!("~/{name}"), "id": id}))
    };
    assert_eq!(at("keys.json", "/a~1b/keys/0"), Ok(KEY.to_owned()));
    let refused = |id: &str| at("keys.json", id).unwrap_err();
    assert_eq!(
        refused("/a~1b/keys/1"),
        "file ~/keys.json#/a~1b/keys/1: holds no text at /a~1b/keys/1"
    );
    assert_eq!(
        refused("/a~1b/keys/2"),
        "file ~/keys.json#/a~1b/keys/2: what it holds is blank"
    );
    assert_eq!(refused("/x"), "file ~/keys.json#/x: holds nothing at /x");
    assert_eq!(
        at("broken.json", "/a"),
        Err("file ~/broken.json#/a: is not JSON: line 2, column 7".to_owned())
    );
}

#[test]
fn a_program_prints_the_secret() {
    let home = Home::new().set("TOKEN_OF_PROGRAM", KEY);
    let run = |script: &str| home.resolve(&json!({"source": "exec", "command": ["sh", "-c", script]}));
    assert_eq!(run("echo \" $TOKEN_OF_PROGRAM \""), Ok(KEY.to_owned()));
    assert_eq!(run("true").unwrap_err(), "exec sh: what it holds is blank");
    assert_eq!(
        run("echo a; echo b; echo c").unwrap_err(),
        "exec sh: expected one line, got 3; let it give the secret alone"
    );
    assert_eq!(
        run("printf '\\377'").unwrap_err(),
        "exec sh: what it holds is not UTF-8"
    );
    assert_eq!(
        run("echo not signed in >&2; exit 6").unwrap_err(),
        "exec sh: `sh` failed with exit code 6: not signed in"
    );
    assert_eq!(
        home.resolve(&json!({"source": "exec", "command": ["no-such-program-here", KEY]})),
        Err(
            "exec no-such-program-here: `no-such-program-here` is not there; install it, or give its path"
                .to_owned()
        )
    );
    // No shell: what looks like one is an argument.
    assert_eq!(
        home.resolve(&json!({"source": "exec", "command": ["echo", "$HOME;id"]})),
        Ok("$HOME;id".to_owned())
    );
    home.file("op", "echo from-home");
    assert!(
        home.resolve(&json!({"source": "exec", "command": ["~/op"]}))
            .unwrap_err()
            .contains("[home]/op")
    );
}

#[test]
fn what_a_program_printed_is_kept_for_a_while_and_a_failure_for_a_moment() {
    let home = Home::new();
    let clock = Arc::<TestClock>::default();
    let resolver = home.resolver_at(Arc::clone(&clock));
    let counted = json!({"source": "exec", "command": ["sh", "-c", "echo x >> ~/ran; wc -l < ~/ran"]});
    let now = || resolve(&resolver, &counted).unwrap();
    assert_eq!((now(), now()), ("1".to_owned(), "1".to_owned()));
    clock.advance(COMMAND_KEPT.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(now(), "1");
    clock.advance(Duration::from_millis(1));
    assert_eq!((now(), now()), ("2".to_owned(), "2".to_owned()));

    let failing = json!({"source": "exec", "command": ["sh", "-c", "echo x >> ~/failed; test $(wc -l < ~/failed) -gt 1 && echo ok"]});
    assert!(resolve(&resolver, &failing).is_err() && resolve(&resolver, &failing).is_err());
    clock.advance(FAILURE_KEPT);
    assert_eq!(resolve(&resolver, &failing), Ok("ok".to_owned()));

    let blank = json!({"source": "exec", "command": ["sh", "-c", "cat ~/later 2>/dev/null || true"]});
    assert!(resolve(&resolver, &blank).is_err());
    home.file("later", "here");
    clock.advance(FAILURE_KEPT);
    assert_eq!(resolve(&resolver, &blank), Ok("here".to_owned()));
}

#[test]
fn many_are_resolved_side_by_side_in_their_order() {
    let home = Home::new().set("MY_KEY", KEY);
    // Each waits until two have begun, so one after the other would never end.
    let meet = |name: &str| {
        let script =
            format!("touch ~/{name}; until [ -e ~/a ] && [ -e ~/b ]; do sleep 0.01; done; echo {name}");
        SecretRef::Command {
            argv: vec!["sh".to_owned(), "-c".to_owned(), script],
        }
    };
    let (first, second) = (meet("a"), meet("b"));
    let (variable, absent) = (SecretRef::env("MY_KEY"), SecretRef::env("ABSENT"));
    let mut references = vec![&first, &variable, &second];
    references.extend(std::iter::repeat_n(&variable, 20));
    references.push(&absent);
    let answers = home.resolver().resolve_all(&references);
    let shown: Vec<&str> = answers.iter().flatten().map(Secret::expose).collect();
    assert_eq!(shown[..3], ["a", KEY, "b"]);
    assert!(shown[3..].iter().all(|value| *value == KEY) && shown.len() == 23);
    assert!(answers.last().unwrap().is_err());
    assert!(home.resolver().resolve_all(&[]).is_empty());
}

#[test]
fn as_many_as_an_older_tools_store_holds_lead_into_it() {
    const MANY: usize = 10_000;

    let home = Home::new();
    let value = |at: usize| format!("{KEY}{at:0>64}");
    let store: serde_json::Map<_, _> = (0..MANY).map(|at| (at.to_string(), value(at).into())).collect();
    let path = home.file("store.json", &serde_json::Value::from(store).to_string());
    let reference = |pointer: String| SecretRef::File {
        path: path.clone(),
        pointer: Some(pointer),
    };
    let references: Vec<SecretRef> = (0..=MANY).map(|at| reference(format!("/{at}"))).collect();
    // Read and parsed for each of them, this would take minutes.
    let answers = home
        .resolver()
        .resolve_all(&references.iter().collect::<Vec<_>>());
    let (last, found) = answers.split_last().unwrap();
    assert!(last.is_err());
    for (at, found) in found.iter().enumerate() {
        assert_eq!(found.as_ref().unwrap().expose(), value(at));
    }
}

#[test]
fn a_resolver_shows_no_secret() {
    let home = Home::new().set("MY_KEY", KEY);
    let resolver = home.resolver();
    resolve(&resolver, &json!({"source": "exec", "command": ["echo", KEY]})).unwrap();
    assert!(!format!("{resolver:?}").contains("9vTq2LxW"), "{resolver:?}");
}
