//! The program `claude`: where it is, and `claude setup-token` with the terminal in its hands.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::sys::termios::{self, SetArg};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::exit::Failure;

const PROGRAM: &str = "claude";
/// Whoever may run a file.
const EXECUTABLE: u32 = 0o111;

/// The program, in the first folder of `path` that has it.
pub(super) fn find(path: &str) -> Option<PathBuf> {
    let folders = path.split(':').filter(|folder| !folder.is_empty());
    folders
        .map(|folder| Path::new(folder).join(PROGRAM))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & EXECUTABLE != 0)
}

/// Runs it to its end. What it prints goes to the terminal and nowhere else; Ctrl-C ends it and not us, and the
/// terminal is as it was afterwards.
///
/// # Errors
/// If it can't be run or does not end well.
pub(super) fn setup_token(program: &Path) -> Result<(), Failure> {
    let status = run(program);
    let ended = match status {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => match status.code() {
            Some(code) => format!("ended with exit code {code}"),
            None => "was interrupted".to_owned(),
        },
        Err(error) => format!("can't be run: {error}"),
    };
    Err(Failure::new(
        format_args!("`claude setup-token` {ended}; nothing was saved"),
        "run it again, or `coderclaw models auth setup-token --paste` with a token that you have",
    ))
}

fn run(program: &Path) -> io::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _entered = runtime.enter();
    // Listened to, it does not end this process, which has to put the terminal back and say what became of it.
    let _interrupts = signal(SignalKind::interrupt())?;
    let stdin = io::stdin();
    let before = termios::tcgetattr(stdin.as_fd());
    // Stdout is for what was asked for, which may be JSON for a program.
    let screen = io::stderr().as_fd().try_clone_to_owned()?;
    let status = Command::new(program)
        .arg("setup-token")
        .stdout(Stdio::from(screen))
        .status();
    if let Ok(before) = before {
        // It is the terminal that was read a moment ago.
        let _restored = termios::tcsetattr(stdin.as_fd(), SetArg::TCSADRAIN, &before);
    }
    status
}
