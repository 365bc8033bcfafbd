//! `models auth login`: logs in to a provider that the config describes, in a browser or with a code.

mod browser;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use coderclaw_actors::SystemClock;
use coderclaw_actors::domain::credential::ProfileId;
use tokio::signal::unix::{SignalKind, signal};

use super::paste::{KEY_NAME, profile};
use super::save::{NewProfile, save};
use super::scope::Scope;
use super::secret::no_terminal;
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::prompt::Terminal;
use crate::cli::span;
use crate::config::{OauthProvider, Provider};
use crate::credentials::oauth::{DevicePrompt, LoginError, OauthClient, Tokens, login_with_device};
use crate::credentials::store::{NewCredential, OauthSecrets};
use crate::upstream::token_endpoint::TokenEndpoint;

/// How long a browser is waited for.
const WAIT: &str = "5m";

/// Log in to a provider with OAuth, as the config describes it
#[derive(Debug, Args)]
pub(super) struct LoginCommand {
    /// The provider
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
    /// The profile [default: PROVIDER:EMAIL, or PROVIDER:default where no address is told]
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    /// Type a code in on any machine, instead of a browser on this one
    #[arg(long, conflicts_with = "paste")]
    device: bool,
    /// Paste the address at which the browser ends, instead of waiting for it
    #[arg(long)]
    paste: bool,
    /// How long the browser is waited for
    #[arg(long, value_name = "SPAN", default_value = WAIT)]
    wait: String,
}

/// How the login goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Browser,
    Paste,
    Device,
}

impl LoginCommand {
    /// A login to `provider`, in the way that suits this machine.
    pub(super) fn to(provider: &Provider, profile_id: Option<&str>) -> Self {
        Self {
            provider: provider.id.to_string(),
            profile_id: profile_id.map(str::to_owned),
            device: false,
            paste: false,
            wait: WAIT.to_owned(),
        }
    }

    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let provider = scope.provider(&self.provider)?;
        let oauth = provider
            .oauth
            .as_ref()
            .ok_or_else(|| not_configured(scope, provider))?;
        let id = self.profile_id.as_deref();
        let id = id
            .map(|typed| profile(scope, Some(typed), KEY_NAME, provider))
            .transpose()?;
        let wait = span::parse(&self.wait)
            .map_err(|what| Failure::new(format_args!("`--wait`: {what}"), "as in `--wait 5m`"))?;
        let flow = self.flow(scope, oauth)?;
        let tokens = log_in(scope, oauth, flow, Duration::from_millis(wait), printer)?;
        let id = id.unwrap_or_else(|| named_after(provider, &tokens));
        save(scope, new_profile(id, provider, tokens), Vec::new(), printer)
    }

    /// As asked for; else a browser where there can be one, else a code, else a paste.
    fn flow(&self, scope: &Scope, oauth: &OauthProvider) -> Result<Flow, Failure> {
        let flow = if self.device {
            Flow::Device
        } else if self.paste {
            Flow::Paste
        } else if oauth.authorize_url.is_none() {
            Flow::Device
        } else if !browser::is_remote(&*scope.environment) {
            Flow::Browser
        } else if oauth.device_url.is_some() {
            Flow::Device
        } else {
            Flow::Paste
        };
        if flow == Flow::Paste && Terminal::find().is_none() {
            let other = match oauth.device_url {
                Some(_) => "`--device` needs none",
                None => "run it in one",
            };
            return Err(no_terminal(other));
        }
        Ok(flow)
    }
}

fn log_in(
    scope: &Scope,
    oauth: &OauthProvider,
    flow: Flow,
    wait: Duration,
    printer: &mut Printer,
) -> Result<Tokens, Failure> {
    let failed = |error: &io::Error| {
        Failure::new(
            format_args!("there can be no login: {error}"),
            "this is a defect: please report it",
        )
    };
    let endpoint = TokenEndpoint::new().map_err(|error| failed(&error))?;
    let clock = SystemClock::start();
    let client = OauthClient::new(oauth, &endpoint, &clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let outcome = runtime.block_on(async {
        // Listened to before anybody is told of it.
        let mut interrupts = signal(SignalKind::interrupt()).ok()?;
        tokio::select! {
            tokens = async {
                match flow {
                    Flow::Device => Some(login_with_device(client, |prompt| show_code(prompt, printer)).await),
                    Flow::Browser => browser::log_in(client, Some(wait), scope, printer).await,
                    Flow::Paste => browser::log_in(client, None, scope, printer).await,
                }
            } => tokens,
            _ = interrupts.recv() => None,
        }
    });
    match outcome {
        Some(Ok(tokens)) => Ok(tokens),
        Some(Err(error)) => Err(explain(&error)),
        None => Err(Failure::new(
            "interrupted: nothing was saved",
            "run the command again",
        )),
    }
}

fn show_code(prompt: &DevicePrompt, printer: &mut Printer) {
    // Where nobody can read it there is nothing to be done: the login ends when its time does.
    let _unread = printer.aside(format_args!(
        "Open {} and type in {}",
        prompt.url, prompt.user_code
    ));
    if let Some(url) = &prompt.url_with_code {
        let _unread = printer.aside(format_args!("or open {url}"));
    }
    let minutes = prompt.expires_in.as_secs().div_ceil(60);
    let _unread = printer.aside(format_args!(
        "Waiting for it, {minutes} minutes at most; Ctrl-C gives up."
    ));
}

fn new_profile(id: ProfileId, provider: &Provider, tokens: Tokens) -> NewProfile {
    NewProfile {
        id,
        provider: provider.id.clone(),
        email: tokens.email,
        fingerprint: Some(tokens.access.fingerprint()),
        credential: NewCredential::Oauth(OauthSecrets {
            access: Some(tokens.access),
            refresh: tokens.refresh,
            expires_ms: Some(tokens.expires_at_ms),
            account_id: tokens.account_id,
        }),
        force: false,
    }
}

/// `provider:address`, if the address makes an id.
fn named_after(provider: &Provider, tokens: &Tokens) -> ProfileId {
    let address = tokens
        .email
        .as_deref()
        .map(|email| format!("{}:{email}", provider.id));
    let id = address.and_then(|id| super::name::profile_id(&id, &provider.id).ok());
    id.unwrap_or_else(|| ProfileId::new(&format!("{}:{KEY_NAME}", provider.id)))
}

fn not_configured(scope: &Scope, provider: &Provider) -> Failure {
    Failure::new(
        format_args!("{} has no OAuth login: its config describes none", provider.id),
        format!(
            "store an API key: coderclaw models auth paste-api-key --provider {}; or describe your own OAuth client in \
             `models.providers.{}.oauth` of {}",
            provider.id,
            provider.id,
            scope.settings.config_path.display()
        ),
    )
}

fn explain(error: &LoginError) -> Failure {
    let help = match error {
        LoginError::NotConfigured(_) => "add it to `oauth` of the provider in the config",
        LoginError::Denied { .. } => "log in again, and allow it",
        LoginError::Loopback(_) => "end the program that listens there, or give `--paste`",
        LoginError::Token(_) => "run it again; if it stays so, look at `oauth` of the provider in the config",
        _ => "run it again; `--paste` or `--device` need no browser on this machine",
    };
    Failure::new(format_args!("{error}; nothing was saved"), help)
}
