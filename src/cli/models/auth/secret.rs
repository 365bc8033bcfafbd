//! Where a secret comes from: a prompt without echo, a pipe, a variable, a file; or it stays elsewhere and only a
//! reference is stored. Never from an argument, which every process could read and a shell would keep.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use coderclaw_actors::domain::credential::{CredentialKind, Fingerprint};

use super::scope::Scope;
use super::{name, reference};
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::prompt::Terminal;
use crate::config::load::read_bounded;
use crate::credentials::form::{Expected, Recognised, Unfit};
use crate::credentials::reference::SecretRef;
use crate::credentials::store::StoredSecret;
use crate::nearest::did_you_mean;

/// No credential is longer: 64 KiB.
const SECRET_BYTES_MAX: u64 = 64 << 10;

const WAYS: &str = "pipe it in, as in `op read … | coderclaw models auth …`, or give `--from-env NAME`, `--from-file \
    PATH` or `--ref`";

/// Where the secret is.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SecretOptions {
    /// Take the secret from an environment variable of this command
    #[arg(long, value_name = "NAME", group = "secret")]
    from_env: Option<String>,
    /// Take the secret from a file
    #[arg(long, value_name = "FILE", group = "secret")]
    from_file: Option<PathBuf>,
    /// Store where the secret is, not the secret: `env:NAME`, `file:PATH#/POINTER`, `exec:COMMAND` or
    /// `keyring:SERVICE/ACCOUNT`
    #[arg(long = "ref", value_name = "REFERENCE", group = "secret")]
    reference: Option<String>,
    /// Store it though it looks like something else, or in the place of a login
    #[arg(long)]
    pub(super) force: bool,
    /// Here so that a secret that is given as an argument is refused without being repeated.
    #[arg(hide = true)]
    stray: Vec<String>,
}

/// A secret, or where it is.
pub(super) struct Obtained {
    pub(super) secret: StoredSecret,
    /// What it is.
    pub(super) kind: CredentialKind,
    /// What people see of it; none if it can't be had now.
    pub(super) fingerprint: Option<Fingerprint>,
    /// What to know of it.
    pub(super) notes: Vec<String>,
}

impl SecretOptions {
    /// Refuses arguments that can only be secrets in the wrong place.
    pub(super) fn check(&self) -> Result<(), Failure> {
        Self::refuse(&self.stray)
    }

    /// Refuses `stray`, unless there is none, without repeating it.
    pub(super) fn refuse(stray: &[String]) -> Result<(), Failure> {
        if stray.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            "there is an argument too many; if it was a secret, the shell's history has it now, and nothing was saved",
            format!("a secret is never an argument: {WAYS}, or run it in a terminal and be asked"),
        ))
    }

    /// Whether the secret is given, and nobody has to be asked for it.
    pub(super) fn is_given(&self) -> bool {
        self.from_env.is_some()
            || self.from_file.is_some()
            || self.reference.is_some()
            || !io::stdin().is_terminal()
    }

    /// Gets the secret from where it is; `question` is asked on the terminal otherwise.
    pub(super) fn obtain(
        &self,
        scope: &Scope,
        expected: &Expected,
        asked: CredentialKind,
        question: &str,
    ) -> Result<Obtained, Failure> {
        if let Some(typed) = &self.reference {
            return Obtained::referred(&reference::parse(typed)?, scope, expected, asked);
        }
        let (text, place) = if let Some(name) = &self.from_env {
            (from_env(scope, name)?, format!("the variable {name}"))
        } else if let Some(path) = &self.from_file {
            (from_file(path)?, "the file".to_owned())
        } else if io::stdin().is_terminal() {
            (ask(question, expected)?, "the answer".to_owned())
        } else {
            (from_pipe()?, "what came on stdin".to_owned())
        };
        let recognised = expected.check(&text).map_err(|unfit| refused(&place, &unfit))?;
        Ok(Obtained::of(recognised, asked))
    }
}

impl Obtained {
    /// A reference. Its secret is looked at, so that a wrong one is told now and not by the provider; one that can't
    /// be had now may be there for the gateway.
    pub(super) fn referred(
        reference: &SecretRef,
        scope: &Scope,
        expected: &Expected,
        asked: CredentialKind,
    ) -> Result<Self, Failure> {
        let stored = StoredSecret::Elsewhere(reference.to_json());
        let secret = match scope.settings.resolver.resolve(reference) {
            Ok(secret) => secret,
            Err(error) => {
                let note = format!("it is stored, though it gives no secret now: {error}");
                return Ok(Self {
                    secret: stored,
                    kind: asked,
                    fingerprint: None,
                    notes: vec![note],
                });
            }
        };
        let recognised = expected
            .check_secret(&secret)
            .map_err(|unfit| refused(&format!("what {} holds", reference.describe()), &unfit))?;
        Ok(Self {
            secret: stored,
            ..Self::of(recognised, asked)
        })
    }

    /// What was recognised, where `asked` was expected.
    pub(super) fn of(recognised: Recognised, asked: CredentialKind) -> Self {
        let name = |kind| match kind {
            CredentialKind::ApiKey => "an API key",
            CredentialKind::Token => "a token",
            CredentialKind::Oauth => "a login",
        };
        let mut notes = Vec::from_iter(recognised.doubt);
        if recognised.kind != asked {
            notes.push(format!(
                "by its form it is {}, not {}, and is stored as one",
                name(recognised.kind),
                name(asked)
            ));
        }
        Self {
            fingerprint: Some(recognised.secret.fingerprint()),
            secret: StoredSecret::Here(recognised.secret),
            kind: recognised.kind,
            notes,
        }
    }
}

/// Why there can be no question.
pub(super) fn no_terminal(help: impl Into<String>) -> Failure {
    Failure::new("there is no terminal to ask on; nothing was changed", help)
}

/// Asks until the answer is a credential.
pub(super) fn ask(question: &str, expected: &Expected) -> Result<String, Failure> {
    let terminal = Terminal::find().ok_or_else(|| no_terminal(WAYS))?;
    let expected = expected.clone();
    let check = move |answer: &str| match expected.check(answer) {
        Ok(_) => Ok(()),
        Err(unfit) => Err(format!("{unfit}: {}", unfit.help())),
    };
    Ok(terminal.secret(question, "it is not shown; paste it and press Enter", check)?)
}

fn refused(place: &str, unfit: &Unfit) -> Failure {
    match unfit {
        Unfit::Empty => Failure::new(format_args!("{place} is empty, and nothing was saved"), WAYS),
        _ => Failure::new(
            format_args!("{place} is no credential to store: {unfit}; nothing was saved"),
            unfit.help(),
        ),
    }
}

fn from_env(scope: &Scope, name: &str) -> Result<String, Failure> {
    if !reference::is_variable(name) || crate::credentials::form::may_be_secret(name) {
        return Err(Failure::new(
            format_args!(
                "`--from-env` takes the name of a variable, not {}",
                name::shown(name)
            ),
            "give the name, as in `--from-env OPENAI_API_KEY`",
        ));
    }
    let value = scope.environment.get(name).map(str::to_owned);
    value.ok_or_else(|| {
        let hint = did_you_mean(name, scope.environment.names());
        Failure::new(
            format_args!("the variable `{name}` is not set for this command{hint}"),
            "export it, or give another name; `--ref env:NAME` stores the name for the gateway to read",
        )
    })
}

fn from_file(path: &Path) -> Result<String, Failure> {
    let told = name::shown(&path.to_string_lossy());
    let refused = |reason: &str| {
        let what = format!("the secret can't be read from {told}: {reason}; nothing was saved");
        Failure::new(
            what,
            "give the path of a readable file that holds the secret and nothing else",
        )
    };
    match read_bounded(path, SECRET_BYTES_MAX) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(refused("there is no such file")),
        Err(reason) => Err(refused(&reason)),
    }
}

fn from_pipe() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin()
        .lock()
        .take(SECRET_BYTES_MAX + 1)
        .read_to_end(&mut bytes);
    let refused = |what: &str| Failure::new(format_args!("{what}; nothing was saved"), WAYS);
    read.map_err(|error| refused(&format!("stdin can't be read: {error}")))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(refused("what came on stdin is larger than any secret"));
    }
    String::from_utf8(bytes).map_err(|_| refused("what came on stdin is no text"))
}

/// Prints what is to be known, on stderr.
pub(super) fn tell(notes: &[String], printer: &mut Printer) -> io::Result<()> {
    notes.iter().try_for_each(|note| printer.warning(note))
}
