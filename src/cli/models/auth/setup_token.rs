//! `models auth setup-token`: has `claude setup-token` make a token, where that program is, and stores what is pasted.
//!
//! The token is stored and sent as what it is, a bearer token. Nothing here acts as another vendor's client.

mod claude;

use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::CredentialKind;

use super::paste::{Paste, TOKEN_NAME, expires_in, profile};
use super::scope::Scope;
use super::secret::{SecretOptions, no_terminal, tell};
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::prompt::Terminal;

const PROVIDER: &str = "anthropic";
const QUESTION: &str = "Token (sk-ant-oat01-…):";
const HONEST: &str = "Anthropic may refuse such a token outside its own client: coderclaw sends it as a plain bearer \
    token and imitates no client. An API key serves for certain: coderclaw models auth paste-api-key --provider \
    anthropic";

/// Store a token of `claude setup-token`, which is run if it is there
#[derive(Debug, Args)]
pub(super) struct SetupTokenCommand {
    /// The provider; only anthropic has such tokens
    #[arg(long, value_name = "PROVIDER", default_value = PROVIDER)]
    provider: String,
    /// The profile [default: anthropic:manual]
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    /// When the token runs out: 365d, 12h; a number alone is days
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<String>,
    /// Ask for the token at once; don't run `claude setup-token`
    #[arg(long)]
    paste: bool,
    /// Here because the older tools have it; nothing is asked but the token.
    #[arg(long, hide = true)]
    yes: bool,
    #[command(flatten)]
    secret: SecretOptions,
}

impl SetupTokenCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        self.secret.check()?;
        let provider = scope.provider(&self.provider)?;
        if provider.id.as_str() != PROVIDER {
            return Err(Failure::new(
                format_args!("{} has no setup tokens: only {PROVIDER} has", provider.id),
                format!("coderclaw models auth paste-token --provider {}", provider.id),
            ));
        }
        let paste = Paste {
            provider,
            id: profile(scope, self.profile_id.as_deref(), TOKEN_NAME, provider)?,
            kind: CredentialKind::Token,
            expires_in_ms: expires_in(self.expires_in.as_deref())?,
            force: self.secret.force,
        };
        tell(&[HONEST.to_owned()], printer)?;
        if !self.secret.is_given() && !self.paste {
            make(scope, printer)?;
        }
        let expected = paste.expected(scope).setup_token();
        let obtained = self
            .secret
            .obtain(scope, &expected, CredentialKind::Token, QUESTION)?;
        paste.save(obtained, scope, printer)
    }
}

/// Has `claude setup-token` make a token, which it shows to whoever sits at the terminal.
pub(super) fn make(scope: &Scope, printer: &mut Printer) -> Result<(), Failure> {
    if Terminal::find().is_none() {
        return Err(no_terminal(
            "make one with `claude setup-token` and pipe it in, or give `--from-env NAME`, `--from-file PATH` or `--ref`",
        ));
    }
    match claude::find(scope.environment.get("PATH").unwrap_or_default()) {
        Some(program) => {
            printer.aside(format_args!(
                "Running {} setup-token; paste what it gives you here afterwards.",
                program.display()
            ))?;
            claude::setup_token(&program)
        }
        None => printer
            .aside(
                "`claude` is not on PATH. Run `claude setup-token` where it is, and paste what it gives you.",
            )
            .map_err(Failure::from),
    }
}
