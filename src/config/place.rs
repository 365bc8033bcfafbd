//! Where in the file something is wrong, and what was expected there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::credentials::store::StoreError;

/// At most this many problems are told of one file.
const PROBLEMS_MAX: usize = 50;

/// A place in the config file; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// One value that is refused: `coderclaw.json:12:15: gateway.port: expected a port from 1 to 65535, got "abc"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value stands; `None` for one that doesn't come from the file.
    pub place: Option<Place>,
    /// The path of its key: `gateway.port`; empty for the file as a whole.
    pub key: String,
    /// What was expected. Never holds a secret.
    pub message: String,
}

/// Something that is kept and reported, and stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands; `None` for one that doesn't come from the file.
    pub place: Option<Place>,
    /// What it is about: the path of a key, or `env: NAME`.
    pub subject: String,
    /// What is the matter, and what to do. Never holds a secret.
    pub message: String,
}

impl Warning {
    /// A warning about something outside the config file.
    #[must_use]
    pub fn about(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: None,
            subject: subject.into(),
            message: message.into(),
        }
    }
}

fn write_line(
    f: &mut fmt::Formatter<'_>,
    place: Option<&Place>,
    subject: &str,
    message: &str,
) -> fmt::Result {
    if let Some(place) = place {
        write!(f, "{place}: ")?;
    }
    if !subject.is_empty() {
        write!(f, "{subject}: ")?;
    }
    f.write_str(message)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, self.place.as_ref(), &self.key, &self.message)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, self.place.as_ref(), &self.subject, &self.message)
    }
}

/// Everything that is wrong with one config, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Puts `problems` in the order of the file; of very many the first are told.
    pub(super) fn of(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
        problems.truncate(PROBLEMS_MAX);
        Self(problems)
    }

    /// The problems, first one first.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// Why there is no config to run with. The file is never touched.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither `CODERCLAW_STATE_DIR` nor `HOME` says where the state folder is.
    #[error("no state folder: neither CODERCLAW_STATE_DIR nor HOME is set; set one of them")]
    NoHome,
    /// The file is there and can't be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// The state folder can't be made.
    #[error("cannot create the state folder {path}: {reason}")]
    StateFolder {
        /// The folder.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// Values are refused.
    #[error("{0}")]
    Refused(Problems),
    /// A store of credentials can't be read or understood.
    #[error(transparent)]
    Store(#[from] StoreError),
}
