//! `paste-token` and `paste-api-key`: one credential, from a prompt, a pipe, a variable or a file, or a reference.

use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::{CredentialKind, ProfileId};

use super::name;
use super::save::{NewProfile, save};
use super::scope::Scope;
use super::secret::{Obtained, SecretOptions};
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::span;
use crate::config::Provider;
use crate::credentials::form::Expected;
use crate::credentials::store::NewCredential;

/// The name of a pasted token's profile, as the older tools have it.
pub(super) const TOKEN_NAME: &str = "manual";
/// The name of a key of which nothing else is known.
pub(super) const KEY_NAME: &str = "default";

/// Store a token that was pasted, piped or referred to
#[derive(Debug, Args)]
pub(super) struct PasteTokenCommand {
    /// The provider
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
    /// The profile [default: PROVIDER:manual]
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    /// When the token runs out: 365d, 12h, 90m, 30s; a number alone is days
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<String>,
    #[command(flatten)]
    secret: SecretOptions,
}

/// Store an API key that was pasted, piped or referred to
#[derive(Debug, Args)]
pub(super) struct PasteApiKeyCommand {
    /// The provider
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
    /// The profile [default: PROVIDER:default]
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    #[command(flatten)]
    secret: SecretOptions,
}

/// A credential that is to be stored.
pub(super) struct Paste<'a> {
    pub(super) provider: &'a Provider,
    pub(super) id: ProfileId,
    pub(super) kind: CredentialKind,
    pub(super) expires_in_ms: Option<u64>,
    pub(super) force: bool,
}

impl PasteTokenCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        self.secret.check()?;
        let provider = scope.provider(&self.provider)?;
        let paste = Paste {
            provider,
            id: profile(scope, self.profile_id.as_deref(), TOKEN_NAME, provider)?,
            kind: CredentialKind::Token,
            expires_in_ms: expires_in(self.expires_in.as_deref())?,
            force: self.secret.force,
        };
        let obtained = paste.obtain(&self.secret, scope)?;
        paste.save(obtained, scope, printer)
    }
}

impl PasteApiKeyCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        self.secret.check()?;
        let provider = scope.provider(&self.provider)?;
        let paste = Paste {
            provider,
            id: profile(scope, self.profile_id.as_deref(), KEY_NAME, provider)?,
            kind: CredentialKind::ApiKey,
            expires_in_ms: None,
            force: self.secret.force,
        };
        let obtained = paste.obtain(&self.secret, scope)?;
        paste.save(obtained, scope, printer)
    }
}

impl Paste<'_> {
    /// What the credential has to be.
    pub(super) fn expected(&self, scope: &Scope) -> Expected {
        Expected::of(self.provider, &scope.settings.providers, self.kind).trusting(self.force)
    }

    fn obtain(&self, options: &SecretOptions, scope: &Scope) -> Result<Obtained, Failure> {
        let what = match self.kind {
            CredentialKind::ApiKey => "API key",
            CredentialKind::Token | CredentialKind::Oauth => "Token",
        };
        let question = format!("{what} of {}:", self.provider.id);
        options.obtain(scope, &self.expected(scope), self.kind, &question)
    }

    /// Stores what was obtained.
    pub(super) fn save(
        self,
        mut obtained: Obtained,
        scope: &Scope,
        printer: &mut Printer,
    ) -> Result<ExitCode, Failure> {
        let credential = match obtained.kind {
            CredentialKind::ApiKey => {
                if self.expires_in_ms.is_some() {
                    obtained
                        .notes
                        .push("an API key has no end of its own, and none is stored".to_owned());
                }
                NewCredential::ApiKey(obtained.secret)
            }
            CredentialKind::Token | CredentialKind::Oauth => {
                let end = self
                    .expires_in_ms
                    .map(|span| Scope::now_ms().saturating_add(span));
                NewCredential::Token(obtained.secret, end)
            }
        };
        let profile = NewProfile {
            id: self.id,
            provider: self.provider.id.clone(),
            email: None,
            fingerprint: obtained.fingerprint,
            credential,
            force: self.force,
        };
        save(scope, profile, obtained.notes, printer)
    }
}

/// The profile that was named, else `provider:otherwise`.
///
/// An id that the store has is taken as it is: older tools write others than this one makes.
pub(super) fn profile(
    scope: &Scope,
    typed: Option<&str>,
    otherwise: &str,
    provider: &Provider,
) -> Result<ProfileId, Failure> {
    match typed.map(str::trim) {
        None => Ok(ProfileId::new(&format!("{}:{otherwise}", provider.id))),
        Some(typed) if is_stored(scope, typed, provider)? => Ok(ProfileId::new(typed)),
        Some(typed) => name::profile_id(typed, &provider.id).map_err(|what| {
            let help = format!("as in `--profile-id {}:work`", provider.id);
            Failure::new(what, help)
        }),
    }
}

fn is_stored(scope: &Scope, id: &str, provider: &Provider) -> Result<bool, Failure> {
    let profile = scope.store.read()?.profile(id);
    Ok(profile.is_some_and(|profile| profile.provider == provider.id))
}

/// The milliseconds of `--expires-in`.
pub(super) fn expires_in(typed: Option<&str>) -> Result<Option<u64>, Failure> {
    let span = typed.map(span::parse).transpose();
    span.map_err(|what| {
        let got = name::shown(typed.unwrap_or_default());
        Failure::new(
            format_args!("`--expires-in`: {what}, got {got}"),
            "leave it out for a token of which no end is known",
        )
    })
}
