//! `coderclaw models`: models and the credentials that serve them.

mod advice;
mod auth;
pub(super) mod status;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::exit::Failure;
use super::options::GlobalOptions;
use super::printer::Printer;

/// Models, and the credentials that serve them
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = status::EXAMPLES)]
pub(super) struct ModelsCommand {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    status: status::StatusOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::StatusOptions),
    Auth(Box<auth::AuthCommand>),
}

impl ModelsCommand {
    pub(super) fn run(self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let status = match self.command {
            Some(Command::Status(status)) => status,
            Some(Command::Auth(auth)) => return auth.run(options, printer),
            None => self.status,
        };
        status.run(options, printer)
    }
}
