//! `coderclaw models auth`: the credentials that an agent holds. One subcommand a file.

mod add;
mod clear;
mod list;
mod login;
pub(in crate::cli) mod name;
mod order;
mod paste;
mod ranking;
mod reference;
mod remove;
mod save;
pub(super) mod scope;
mod secret;
mod setup_token;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;

const EXAMPLES: &str = "\
Examples:
  coderclaw models auth add                                 asks for everything
  coderclaw models auth paste-api-key --provider openai     asks for the key and does not show it
  op read op://vault/key | coderclaw models auth paste-api-key --provider openai
  coderclaw models auth paste-api-key --provider groq --ref env:GROQ_KEY
  coderclaw models auth order set --provider openai openai:work openai:default

A secret is never an argument. It is stored in auth-profiles.json of the agent's folder, for your
eyes only (0600); a running gateway obeys at the next request.";

/// Add, list, order and remove the credentials that an agent holds
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct AuthCommand {
    #[command(flatten)]
    options: AuthOptions,
    #[command(subcommand)]
    command: Command,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
struct AuthOptions {
    /// Whose credentials [default: the config's default agent, else main]
    #[arg(long, global = true, value_name = "AGENT")]
    agent: Option<String>,
    /// Print what was done as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(add::AddCommand),
    PasteToken(paste::PasteTokenCommand),
    PasteApiKey(paste::PasteApiKeyCommand),
    SetupToken(setup_token::SetupTokenCommand),
    Login(login::LoginCommand),
    List(list::ListCommand),
    Remove(remove::RemoveCommand),
    Clear(clear::ClearCommand),
    Order(order::OrderCommand),
}

impl AuthCommand {
    pub(super) fn run(self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let scope = scope::Scope::open(options, &self.options)?;
        match self.command {
            Command::Add(command) => command.run(&scope, printer),
            Command::PasteToken(command) => command.run(&scope, printer),
            Command::PasteApiKey(command) => command.run(&scope, printer),
            Command::SetupToken(command) => command.run(&scope, printer),
            Command::Login(command) => command.run(&scope, printer),
            Command::List(command) => command.run(&scope, printer),
            Command::Remove(command) => command.run(&scope, printer),
            Command::Clear(command) => command.run(&scope, printer),
            Command::Order(command) => command.run(&scope, printer),
        }
    }
}
