//! Other programs, run with bounded time and output: they print secrets, or the environment of a login shell.
//!
//! A program runs in a process group of its own, which is killed as a whole when its time is over; so it cannot ask at
//! the terminal. A process that it leaves behind on purpose (an agent) is let be, but not waited for, even if it keeps
//! the pipes open.

mod complaint;
mod exchange;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

pub(in crate::credentials) use complaint::complaint;

/// A program that prints a secret has this long: 15 s.
pub const TIME_MAX: Duration = Duration::from_secs(15);

/// A program that prints a secret prints at most this: 64 KiB.
pub const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// A program and all that it gets. Its `Debug` shows the program alone: arguments and environment may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalCommand {
    /// The program: a path, or a name that is looked for in the `PATH` of `environment`. No shell is asked.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// The folder that it runs in; `None` is ours.
    pub folder: Option<PathBuf>,
    /// What it reads from its standard input; `None` is nothing.
    pub input: Option<String>,
    /// How long it may run.
    pub time_max: Duration,
    /// How many bytes it may print.
    pub output_bytes_max: usize,
}

/// What a program printed. It may be a secret: its `Debug` shows its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Output(Vec<u8>);

/// Why a program gave nothing. Holds nothing of what it printed but the first line of its complaint, with what could
/// be a secret taken out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such program.
    #[error("`{program}` is not there; install it, or give its path")]
    NotFound {
        /// The program.
        program: String,
    },
    /// It can't be started or followed.
    #[error("`{program}` cannot be run: {reason}")]
    NotRun {
        /// The program.
        program: String,
        /// What stands in the way.
        reason: String,
    },
    /// Its time is over; it is killed, with all of its process group.
    #[error("`{program}` was killed: it did not end within {}", humantime::format_duration(*.time_max))]
    TimeOver {
        /// The program.
        program: String,
        /// How long it could run.
        time_max: Duration,
    },
    /// It printed too much; it is killed, with all of its process group.
    #[error("`{program}` was killed: it printed more than {}", bytesize::ByteSize::b(*.bytes_max))]
    TooMuchOutput {
        /// The program.
        program: String,
        /// How much it could print, in bytes.
        bytes_max: u64,
    },
    /// It ended and says that it failed.
    #[error("`{program}` failed with {ending}{complaint}")]
    Failed {
        /// The program.
        program: String,
        /// `exit code 3`, `signal 9`.
        ending: String,
        /// `: ` and the first line of what it said on stderr, or nothing.
        complaint: String,
    },
}

// === impl ExternalCommand ===

impl ExternalCommand {
    /// A program with the usual limits and without input.
    #[must_use]
    pub fn new(program: &str, arguments: Vec<String>, environment: BTreeMap<String, String>) -> Self {
        Self {
            program: program.to_owned(),
            arguments,
            environment,
            folder: None,
            input: None,
            time_max: TIME_MAX,
            output_bytes_max: OUTPUT_BYTES_MAX,
        }
    }

    /// Runs it, and waits for its end. Blocks the thread for at most a little longer than `time_max`; may be called
    /// inside an asynchronous runtime, but not on a thread that serves.
    ///
    /// # Errors
    /// If it can't be run, takes too long, prints too much, or fails.
    pub fn run(&self) -> Result<Output, CommandError> {
        // A runtime can't be entered from inside another, so this one has a thread of its own. With it no thread is
        // left behind reading a pipe that nobody closes, as there would be with blocking reads.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("command".to_owned());
            match thread.spawn_scoped(scope, || exchange::run(self)) {
                Ok(running) => running
                    .join()
                    .unwrap_or_else(|_| Err(self.not_run("the thread that followed it crashed"))),
                Err(error) => Err(self.not_run(error)),
            }
        })
    }

    /// What tells it from every other command, without holding a secret.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut add = |part: &str| {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part.as_bytes());
        };
        add(&self.program);
        add(&self.arguments.len().to_string());
        self.arguments.iter().for_each(|argument| add(argument));
        for (name, value) in &self.environment {
            add(name);
            add(value);
        }
        add(self.input.as_deref().unwrap_or_default());
        hasher.finalize().into()
    }

    fn not_run(&self, reason: impl fmt::Display) -> CommandError {
        CommandError::NotRun {
            program: self.program.clone(),
            reason: reason.to_string(),
        }
    }
}

impl fmt::Debug for ExternalCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalCommand({})", self.program)
    }
}

// === impl Output ===

impl Output {
    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; `None` if they are not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({} bytes)", self.0.len())
    }
}
