//! `coderclaw models`: models and the credentials that serve them.

mod advice;
mod aliases;
pub(in crate::cli) mod auth;
mod choice;
mod fallbacks;
mod list;
mod lists;
mod scope;
mod set;
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
    List(list::ListCommand),
    Set(set::SetCommand),
    Aliases(aliases::AliasesCommand),
    Fallbacks(fallbacks::FallbacksCommand),
    Auth(Box<auth::AuthCommand>),
}

impl ModelsCommand {
    pub(super) fn run(self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let status = match self.command {
            Some(Command::Status(status)) => status,
            Some(Command::List(list)) => return list.run(options, printer),
            Some(Command::Set(set)) => return set.run(options, printer),
            Some(Command::Aliases(aliases)) => return aliases.run(options, printer),
            Some(Command::Fallbacks(fallbacks)) => return fallbacks.run(options, printer),
            Some(Command::Auth(auth)) => return auth.run(options, printer),
            None => self.status,
        };
        status.run(options, printer)
    }
}

/// An output is for programs in one way only.
fn exclusive(json: bool, plain: bool) -> Result<(), Failure> {
    if json && plain {
        return Err(Failure::new(
            "`--json` and `--plain` exclude each other",
            "give one of them",
        ));
    }
    Ok(())
}
