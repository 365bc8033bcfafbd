//! `models auth add`: asks for the provider, the way, the profile's name, the secret and its end, and stores it.

use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::{CredentialKind, ProfileId};

use super::login::LoginCommand;
use super::paste::{KEY_NAME, Paste, TOKEN_NAME, profile};
use super::scope::Scope;
use super::secret::{Obtained, SecretOptions, ask, no_terminal};
use super::{name, reference, setup_token};
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::prompt::{Terminal, Unanswered};
use crate::cli::span;
use crate::config::Provider;
use crate::credentials::store::{AuthStore, StoredCredential};

/// How long the tokens of `claude setup-token` last.
const TOKEN_LASTS: &str = "365d";
/// The answer for a token without a known end.
const NEVER: &str = "never";

/// Add a credential; asks for everything that is not given
#[derive(Debug, Args)]
pub(super) struct AddCommand {
    /// The provider
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// The profile
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    /// Store it though it looks like something else
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    stray: Stray,
}

/// Secrets in the wrong place.
#[derive(Debug, Args)]
struct Stray {
    #[arg(hide = true)]
    stray: Vec<String>,
}

/// The ways to a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ApiKey,
    Token,
    SetupToken,
    Login,
    Reference,
}

impl Way {
    const fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Token => "token",
            Self::SetupToken => {
                "token of `claude setup-token` (Anthropic may refuse it outside its own client)"
            }
            Self::Login => "OAuth login",
            Self::Reference => "reference: the secret stays in a variable, a file, a program or the keyring",
        }
    }

    const fn kind(self) -> CredentialKind {
        match self {
            Self::ApiKey | Self::Reference => CredentialKind::ApiKey,
            Self::Token | Self::SetupToken => CredentialKind::Token,
            Self::Login => CredentialKind::Oauth,
        }
    }
}

impl AddCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        SecretOptions::refuse(&self.stray.stray)?;
        let terminal = Terminal::find().ok_or_else(|| {
            no_terminal(
                "without one: `… | coderclaw models auth paste-api-key --provider PROVIDER`, or `paste-token`, with \
                 the secret piped in or `--from-env NAME`, `--from-file PATH` or `--ref`",
            )
        })?;
        let provider = match &self.provider {
            Some(typed) => scope.provider(typed)?,
            None => choose_provider(scope, terminal)?,
        };
        let way = choose_way(provider, terminal)?;
        if way == Way::Login {
            return LoginCommand::to(provider, self.profile_id.as_deref()).run(scope, printer);
        }
        let kind = match way {
            Way::Reference => choose_kind(terminal)?,
            _ => way.kind(),
        };
        let id = self.name(scope, provider, kind, terminal)?;
        if way == Way::SetupToken {
            setup_token::make(scope, printer)?;
        }
        let mut paste = Paste {
            provider,
            id,
            kind,
            expires_in_ms: None,
            // The question whether it may replace a profile was answered.
            force: true,
        };
        let obtained = obtain(scope, &paste, way, self.force, terminal)?;
        if obtained.kind == CredentialKind::Token {
            paste.expires_in_ms = ask_end(way, terminal)?;
        }
        paste.save(obtained, scope, printer)
    }

    /// The profile's id; one that is taken only if it may be replaced.
    fn name(
        &self,
        scope: &Scope,
        provider: &Provider,
        kind: CredentialKind,
        terminal: Terminal,
    ) -> Result<ProfileId, Failure> {
        let store = scope.store.read()?;
        if let Some(typed) = &self.profile_id {
            let id = profile(scope, Some(typed), KEY_NAME, provider)?;
            return if may_stand(&store, &id, terminal)? {
                Ok(id)
            } else {
                Err(Failure::new(
                    format_args!("`{id}` is there already and was kept; nothing was saved"),
                    "give another `--profile-id`",
                ))
            };
        }
        let proposed = free_id(&store, provider, kind);
        loop {
            let of = provider.id.clone();
            let check = move |answer: &str| name::profile_id(answer, &of).map(|_| ());
            let help = "a name for it, such as work; Enter takes the one proposed";
            let answer = terminal.line("Profile:", Some(&proposed), help, check)?;
            let id = profile(scope, Some(&answer), KEY_NAME, provider)?;
            if may_stand(&store, &id, terminal)? {
                return Ok(id);
            }
        }
    }
}

fn choose_provider(scope: &Scope, terminal: Terminal) -> Result<&Provider, Failure> {
    let providers = &scope.settings.providers;
    let labels: Vec<String> = providers.iter().map(|provider| provider.id.to_string()).collect();
    let chosen = terminal.choose("Provider:", &labels)?;
    let chosen = providers.get(chosen);
    chosen.ok_or_else(|| Failure::from(Unanswered::Interrupted))
}

fn choose_way(provider: &Provider, terminal: Terminal) -> Result<Way, Failure> {
    let mut ways = vec![Way::ApiKey, Way::Token];
    if provider.id.as_str() == "anthropic" {
        ways.push(Way::SetupToken);
    }
    if provider.oauth.is_some() {
        ways.push(Way::Login);
    }
    ways.push(Way::Reference);
    let labels: Vec<String> = ways.iter().map(|way| way.label().to_owned()).collect();
    let chosen = terminal.choose("What is it?", &labels)?;
    Ok(ways.get(chosen).copied().unwrap_or(Way::ApiKey))
}

fn choose_kind(terminal: Terminal) -> Result<CredentialKind, Failure> {
    let kinds = [CredentialKind::ApiKey, CredentialKind::Token];
    let labels = ["API key".to_owned(), "token".to_owned()];
    let chosen = terminal.choose("A reference to what?", &labels)?;
    Ok(kinds.get(chosen).copied().unwrap_or(CredentialKind::ApiKey))
}

fn obtain(
    scope: &Scope,
    paste: &Paste<'_>,
    way: Way,
    force: bool,
    terminal: Terminal,
) -> Result<Obtained, Failure> {
    if way == Way::Reference {
        let check = |answer: &str| reference::check(answer);
        let help = "env:NAME, file:PATH#/POINTER, exec:COMMAND or keyring:SERVICE/ACCOUNT";
        let answer = terminal.line("Reference:", None, help, check)?;
        let expected = paste.expected(scope).trusting(force);
        return Obtained::referred(&reference::parse(&answer)?, scope, &expected, paste.kind);
    }
    let expected = paste.expected(scope).trusting(force);
    let expected = if way == Way::SetupToken {
        expected.setup_token()
    } else {
        expected
    };
    let question = match way {
        Way::ApiKey | Way::Reference => format!("API key of {}:", paste.provider.id),
        Way::Token | Way::SetupToken | Way::Login => format!("Token of {}:", paste.provider.id),
    };
    let answer = ask(&question, &expected)?;
    let recognised = expected
        .check(&answer)
        .map_err(|unfit| Failure::new(&unfit, unfit.help()))?;
    Ok(Obtained::of(recognised, paste.kind))
}

/// The span after which a token ends, in milliseconds.
fn ask_end(way: Way, terminal: Terminal) -> Result<Option<u64>, Failure> {
    let proposed = if way == Way::SetupToken {
        TOKEN_LASTS
    } else {
        NEVER
    };
    let help = "365d, 12h, 90m; never for a token of which no end is known";
    let check = |answer: &str| match answer.trim() {
        NEVER => Ok(()),
        span => span::parse(span).map(|_| ()),
    };
    let answer = terminal.line("Runs out in:", Some(proposed), help, check)?;
    Ok(span::parse(&answer).ok())
}

/// Whether a profile may get the id `id`; asks if one has it.
fn may_stand(store: &AuthStore, id: &ProfileId, terminal: Terminal) -> Result<bool, Failure> {
    if !store.holds(id.as_str()) {
        return Ok(true);
    }
    let what = match store.profile(id.as_str()).map(|profile| profile.credential) {
        Some(StoredCredential::Oauth(_)) => "a login",
        Some(_) => "a credential",
        None => "a profile of a type that is not known here",
    };
    Ok(terminal.confirm(&format!("{id} is there already, {what}. Replace it?"))?)
}

/// The usual id of such a credential, or the first of its like that is not taken.
fn free_id(store: &AuthStore, provider: &Provider, kind: CredentialKind) -> String {
    let name = match kind {
        CredentialKind::ApiKey => KEY_NAME,
        CredentialKind::Token | CredentialKind::Oauth => TOKEN_NAME,
    };
    let usual = format!("{}:{name}", provider.id);
    let others = (2_u32..).map(|number| format!("{usual}-{number}"));
    let mut ids = std::iter::once(usual.clone()).chain(others);
    ids.find(|id| !store.holds(id)).unwrap_or(usual)
}
