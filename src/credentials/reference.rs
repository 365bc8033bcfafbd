//! References: what stands in a store or the config in place of a secret.
//!
//! A reference is a JSON object, or a text that names an environment variable:
//!
//! | form | the secret is |
//! |---|---|
//! | `"${NAME}"`, `"$NAME"` | the environment variable; in the short form the name is in capitals |
//! | `{source: "env", id: "NAME"}` | the same |
//! | `{source: "file", path: "~/key"}` | the one line of a file |
//! | `{source: "file", path: "~/keys.json", id: "/openai/key"}` | what the JSON pointer finds in a JSON file |
//! | `{source: "exec", command: ["op", "read", "op://…"]}` | the one line that a program prints; no shell is asked |
//! | `{source: "keyring", service: "coderclaw", account: "openai:work"}` | the entry in the operating system's keyring |
//! | `{source: "env"\|"file"\|"exec", provider: "NAME", id: "…"}` | what `secrets.providers.NAME` of the config gives for the id |
//!
//! The last form is that of the older tools; the others extend it. Paths are absolute or begin with `~/`. `id: "value"`
//! of a file is the whole file. `provider` may be left out: then `secrets.defaults` names it, else it is `default`,
//! which for the environment need not be configured. Unknown fields are ignored. The environment is that of
//! `credentials::environment`, with all its layers, and programs get it whole.

mod batch;
mod cache;
mod error;
mod exec;
mod file;
pub mod keyring;
mod parse;
mod provider;
mod resolver;
mod trust;

pub use cache::{COMMAND_KEPT, CommandCache, FAILURE_KEPT};
pub use error::{ReferenceError, Why};
pub use file::FILE_BYTES_MAX;
pub(crate) use parse::{is_path, is_provider};
pub use resolver::Resolver;

/// Where a secret is, instead of the secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// An environment variable.
    Env {
        /// The configured provider whose list of names it must be on, if there is one.
        provider: Option<String>,
        /// The variable.
        name: String,
    },
    /// A file.
    File {
        /// Its path, absolute or with `~/` at the beginning.
        path: String,
        /// What to take from it: a JSON pointer; `None` is the whole file.
        pointer: Option<String>,
    },
    /// A program that prints the secret.
    Command {
        /// The program and its arguments; never empty.
        argv: Vec<String>,
    },
    /// An entry of the operating system's keyring.
    Keyring {
        /// The service.
        service: String,
        /// The account.
        account: String,
    },
    /// An id that a configured provider of files or programs knows.
    Provided {
        /// What the provider reads.
        source: ProvidedBy,
        /// The provider; `None` is the default one of its source.
        provider: Option<String>,
        /// What it is asked for.
        id: String,
    },
}

/// What a configured provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProvidedBy {
    /// A file.
    File,
    /// A program that speaks the older tools' protocol, or prints one value.
    Exec,
}

impl ProvidedBy {
    /// The word for it in a reference.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Exec => "exec",
        }
    }
}

impl SecretRef {
    /// A reference to an environment variable.
    #[must_use]
    pub fn env(name: &str) -> Self {
        Self::Env {
            provider: None,
            name: name.to_owned(),
        }
    }

    /// What people see: `env OPENAI_KEY`, `file ~/keys.json#/openai`, `exec op`, `keyring service/account`. Of a
    /// program the arguments are left out, since they may hold a secret.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Env { name, .. } => format!("env {name}"),
            Self::File { path, pointer } => match pointer {
                Some(pointer) => format!("file {path}#{pointer}"),
                None => format!("file {path}"),
            },
            Self::Command { argv } => {
                let program = argv.first().map_or("", String::as_str);
                format!("exec {program}")
            }
            Self::Keyring { service, account } => format!("keyring {service}/{account}"),
            Self::Provided { source, provider, id } => {
                let provider = provider.as_deref().unwrap_or("default");
                format!("{} {provider}:{id}", source.as_str())
            }
        }
    }
}
