//! Programs with bounded time and output.

use std::collections::BTreeMap;
use std::time::Duration;

use coderclaw::credentials::command::{CommandError, ExternalCommand, OUTPUT_BYTES_MAX, Output};

use super::eventually::eventually;
use super::{Home, KEY};

/// A script's time where a test is about another limit: far above what any takes, on the slowest machine.
const ENOUGH: Duration = Duration::from_secs(30);

fn script(text: &str) -> ExternalCommand {
    let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    ExternalCommand {
        time_max: ENOUGH,
        ..ExternalCommand::new("sh", vec!["-c".to_owned(), text.to_owned()], environment)
    }
}

fn run(text: &str) -> Result<String, String> {
    said(script(text).run())
}

fn said(ran: Result<Output, CommandError>) -> Result<String, String> {
    ran.map(|output| output.text().unwrap().to_owned())
        .map_err(|error| error.to_string())
}

#[test]
fn what_a_program_prints_is_given() {
    assert_eq!(run("echo one; echo two >&2"), Ok("one\n".to_owned()));
    assert_eq!(run("true"), Ok(String::new()));
    let bytes = script("printf '\\377'").run().unwrap();
    assert_eq!((bytes.bytes(), bytes.text()), (&b"\xff"[..], None));
}

#[test]
fn it_gets_the_environment_that_it_is_given_and_no_other() {
    let mut command = script("env | sort | grep -v '^PWD=\\|^_=\\|^SHLVL='");
    command.environment.insert("TOKEN".to_owned(), "x".to_owned());
    assert_eq!(
        said(command.run()),
        Ok("PATH=/usr/bin:/bin\nTOKEN=x\n".to_owned())
    );
}

#[test]
fn it_reads_what_it_is_given_and_nothing_else() {
    assert_eq!(run("cat"), Ok(String::new()));
    // More than a pipe holds, both ways at once.
    let input = "0123456789abcdef".repeat(32 << 10);
    let command = ExternalCommand {
        input: Some(input.clone()),
        output_bytes_max: 1 << 20,
        ..script("cat")
    };
    assert_eq!(said(command.run()).unwrap().len(), input.len());
    let unread = ExternalCommand {
        input: Some(input),
        ..script("exec 0<&-; echo done")
    };
    assert_eq!(said(unread.run()), Ok("done\n".to_owned()));
}

#[test]
fn its_folder_is_the_one_it_is_given() {
    let home = Home::new();
    let command = ExternalCommand {
        folder: Some(home.path("state")),
        ..script("pwd -P")
    };
    assert!(said(command.run()).unwrap().trim_end().ends_with("/state"));
}

#[test]
fn a_failure_tells_the_end_and_the_first_line_of_the_complaint() {
    assert_eq!(
        run("echo; echo '  no session  ' >&2; echo more >&2; exit 3"),
        Err("`sh` failed with exit code 3: no session".to_owned())
    );
    assert_eq!(run("exit 1"), Err("`sh` failed with exit code 1".to_owned()));
    assert_eq!(run("kill -9 $$"), Err("`sh` failed with signal 9".to_owned()));
    // So much that the program would wait for a reader.
    assert_eq!(
        run("echo first >&2; head -c 300000 /dev/zero | tr '\\0' x >&2; exit 2"),
        Err("`sh` failed with exit code 2: first".to_owned())
    );
}

#[test]
fn a_failure_shows_no_secret() {
    for text in [
        format!("echo {KEY}; echo 'cannot use {KEY}' >&2; exit 1"),
        format!("echo 'cannot use {KEY}' >&2; exit 1"),
        format!(
            "echo 'correct horse battery'; echo 'bad: correct horse battery' >&2; exit {}",
            1
        ),
    ] {
        let error = run(&text).unwrap_err();
        assert!(
            !error.contains("9vTq2LxW") && !error.contains("correct horse"),
            "{error}"
        );
    }
    let command = script(&format!("echo {KEY}"));
    assert_eq!(format!("{command:?}"), "ExternalCommand(sh)");
    assert_eq!(
        format!("{:?}", command.run()),
        format!("Ok(Output({} bytes))", KEY.len() + 1)
    );
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let command = ExternalCommand::new("no-such-program-here", Vec::new(), BTreeMap::new());
    assert_eq!(
        said(command.run()),
        Err("`no-such-program-here` is not there; install it, or give its path".to_owned())
    );
    let folder = ExternalCommand::new("/tmp", Vec::new(), BTreeMap::new());
    assert!(matches!(folder.run(), Err(CommandError::NotRun { .. })));
}

#[test]
fn a_program_that_prints_too_much_is_killed() {
    let error = run("yes").unwrap_err();
    assert_eq!(error, "`sh` was killed: it printed more than 64.0 KiB");
    let exactly = format!("head -c {OUTPUT_BYTES_MAX} /dev/zero");
    assert_eq!(script(&exactly).run().unwrap().bytes().len(), OUTPUT_BYTES_MAX);
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_its_whole_group() {
    let home = Home::new();
    let pids = home.path("pids");
    let command = ExternalCommand {
        time_max: Duration::from_millis(300),
        ..script(&format!(
            "trap '' TERM HUP INT; sleep 60 & echo $! > {0}; echo $$ >> {0}; wait; wait",
            pids.display()
        ))
    };
    assert_eq!(
        said(command.run()),
        Err("`sh` was killed: it did not end within 300ms".to_owned())
    );
    for pid in home.read("pids").lines() {
        let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
        // A killed process is there until its parent, or init, has awaited it.
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let is_gone = || nix::sys::signal::kill(pid, None).is_err() || stat().contains(") Z ");
        // It was told to die; the system may take a moment.
        eventually("the end of the whole group", || is_gone().then_some(()));
    }
}

#[test]
fn a_process_that_stays_behind_with_the_pipes_open_is_not_waited_for() {
    // It outlives the time that the whole run may take, if it were waited for.
    let command = ExternalCommand {
        time_max: Duration::from_secs(5),
        ..script("sleep 6 & echo key")
    };
    assert_eq!(said(command.run()), Ok("key\n".to_owned()));
}

#[test]
fn a_program_that_closes_its_output_and_runs_on_is_killed_too() {
    let command = ExternalCommand {
        time_max: Duration::from_millis(300),
        ..script("exec >&- 2>&-; exec sleep 60")
    };
    assert!(matches!(command.run(), Err(CommandError::TimeOver { .. })));
}

#[tokio::test]
async fn it_runs_inside_a_runtime_too() {
    assert_eq!(run("echo here"), Ok("here\n".to_owned()));
    let ran = tokio::task::spawn_blocking(|| run("echo there")).await;
    assert_eq!(ran.unwrap(), Ok("there\n".to_owned()));
}

#[test]
fn commands_are_told_apart_by_everything_they_get() {
    let base = script("x");
    let mut others = vec![base.clone()];
    let mut change = |change: &dyn Fn(&mut ExternalCommand)| {
        let mut other = base.clone();
        change(&mut other);
        others.push(other);
    };
    change(&|command| command.program.push('x'));
    change(&|command| command.arguments.push(String::new()));
    change(&|command| command.arguments = vec!["-cx".to_owned()]);
    change(&|command| command.input = Some("x".to_owned()));
    change(&|command| drop(command.environment.insert("A".to_owned(), "b".to_owned())));
    let digests: std::collections::BTreeSet<_> = others.iter().map(ExternalCommand::digest).collect();
    assert_eq!(digests.len(), others.len());
}
