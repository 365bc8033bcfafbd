//! `coderclaw gateway`: runs the gateway, and says whether one runs.

mod demo;
mod run;
mod status;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::exit::Failure;
use super::options::GlobalOptions;
use super::printer::Printer;

const EXAMPLES: &str = "\
Examples:
  coderclaw gateway --demo                 see it work: no key, no file, no network
  OPENAI_API_KEYS=k1,k2 coderclaw gateway  serve with two keys
  coderclaw gateway --port 8080            serve on another port
  coderclaw gateway status                 is one running, and where

Ctrl-C or SIGTERM lets the requests under way end; a second one stops at once.";

/// Run the gateway in the foreground, or ask about the one that runs
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(super) struct GatewayCommand {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunOptions),
    Status(status::StatusOptions),
}

impl GatewayCommand {
    pub(super) fn run(self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        match self.command {
            Some(Command::Run(run)) => run.run(options, printer),
            Some(Command::Status(status)) => status.run(options, printer),
            None => self.run.run(options, printer),
        }
    }
}
