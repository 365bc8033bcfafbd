//! How a command ends that did not do what was asked: one line of what, one of what to do, exit code 1.

use std::io;
use std::process::ExitCode;

use clap::error::ContextValue;

use super::printer::Printer;
use crate::config::ConfigError;
use crate::credentials::form::may_be_secret;
use crate::credentials::store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was typed makes no sense, or asks for help.
    Usage(clap::Error),
    /// It can't be done.
    Refused {
        /// What is the matter; one line each.
        what: Vec<String>,
        /// What to do.
        help: String,
    },
    /// Nobody reads what is printed, or it can't be written.
    Output(io::Error),
}

impl Failure {
    pub(super) fn new(what: impl std::fmt::Display, help: impl Into<String>) -> Self {
        Self::Refused {
            what: vec![what.to_string()],
            help: help.into(),
        }
    }

    /// What clap says about what was typed, unless it repeats what may be a secret.
    pub(super) fn usage(error: clap::Error) -> Self {
        let repeats = error.context().any(|(_, value)| match value {
            ContextValue::String(text) => may_be_secret(text),
            ContextValue::Strings(texts) => texts.iter().any(|text| may_be_secret(text)),
            _ => false,
        });
        if repeats {
            return Self::new(
                "there is an argument that makes no sense here; if it was a secret, the shell's history has it now",
                "a secret is never an argument; `--help` shows what is",
            );
        }
        Self::Usage(error)
    }

    /// The same, told after what was done all the same, with what is left to do.
    pub(super) fn after(self, done: String, left: &str) -> Self {
        match self {
            Self::Refused { mut what, .. } => {
                what.insert(0, done);
                Self::Refused {
                    what,
                    help: left.to_owned(),
                }
            }
            other => other,
        }
    }

    /// Tells people, and gives the exit code.
    pub(super) fn tell(self, printer: &mut Printer) -> ExitCode {
        let told = match self {
            Self::Usage(error) if error.use_stderr() => printer.usage(&error).map(|()| ExitCode::FAILURE),
            Self::Usage(error) => printer.text(error.render().ansi()).map(|()| ExitCode::SUCCESS),
            Self::Refused { what, help } => printer.error(&what, &help).map(|()| ExitCode::FAILURE),
            Self::Output(error) => Err(error),
        };
        match told {
            Ok(code) => code,
            // Whoever closes the pipe has read enough: `coderclaw models status | head -1`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let help = match &error {
            ConfigError::Store(error) => &error.help(),
            ConfigError::NoHome => "set CODERCLAW_STATE_DIR to a folder, or give `--state-dir`",
            ConfigError::Unreadable { .. } => {
                "make the file readable, or name another with `--config` or CODERCLAW_CONFIG_PATH"
            }
            ConfigError::StateFolder { .. } => {
                "make the folder writable, or name another with `--state-dir` or CODERCLAW_STATE_DIR"
            }
            ConfigError::Refused(_) => {
                "correct what is named above and run the command again; no file was changed"
            }
        };
        let what = match &error {
            ConfigError::NoHome => {
                vec!["there is no state folder: neither CODERCLAW_STATE_DIR nor HOME is set".to_owned()]
            }
            ConfigError::Refused(problems) => problems.as_slice().iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        };
        Self::Refused {
            what,
            help: help.to_owned(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(&error, error.help())
    }
}
