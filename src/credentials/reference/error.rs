//! Why a reference gives no secret.

use super::keyring::KeyringError;
use crate::credentials::command::CommandError;

/// A reference that is none, or that gives no secret. Says which and why, and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// What stands there is no reference.
    #[error("not a reference: {0}")]
    Malformed(String),
    /// The reference is well formed and gives nothing.
    #[error("{reference}: {why}")]
    Unresolved {
        /// The reference, as people see it.
        reference: String,
        /// What stands in the way.
        why: Why,
    },
}

/// What stands between a reference and its secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The variable is absent or blank.
    #[error(
        "the variable is not set, or blank; set it in the gateway's environment, in .env of the state folder or in env.vars"
    )]
    NotSet,
    /// The file can't be read or doesn't hold what is sought.
    #[error("{0}")]
    File(String),
    /// The program gave nothing.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The keyring gave nothing.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The config's provider is absent, of another kind, or refuses the id.
    #[error("{0}")]
    Provider(String),
    /// What was found is nothing but white space.
    #[error("what it holds is blank")]
    Blank,
    /// What was found has several lines.
    #[error("expected one line, got {0}; let it give the secret alone")]
    Lines(usize),
    /// What was found is no text.
    #[error("what it holds is not UTF-8")]
    NotText,
    /// What was found can't be sent.
    #[error("what it holds has characters that no HTTP header can carry")]
    NotForHeader,
}

impl Why {
    /// The error of this reference.
    pub(super) fn of(self, reference: &super::SecretRef) -> ReferenceError {
        ReferenceError::Unresolved {
            reference: reference.describe(),
            why: self,
        }
    }
}
