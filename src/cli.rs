//! The command line: the tree of commands here, one command a file.

mod completions;
mod emulator;
mod exit;
mod gateway;
mod import;
mod inquiry;
mod models;
mod options;
mod printer;
mod prompt;
mod status;
mod table;
mod told;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use exit::Failure;
use options::GlobalOptions;
use printer::Printer;

use crate::span;

const ABOUT: &str = "A local gateway that holds model-provider credentials and rotates them before a rate limit \
    reaches a caller";

const EXAMPLES: &str = "\
Examples:
  coderclaw gateway --demo                         see it work: no key, no file, no network
  OPENAI_API_KEYS=k1,k2 coderclaw gateway          serve http://127.0.0.1:18789/v1 with two keys
  coderclaw models status                          every credential: state, until when and why
  coderclaw import                                 what an older tool has that can be taken over

Exit codes: 0 it was done, 1 it was not.";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "coderclaw", version, about = ABOUT, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Gateway(gateway::GatewayCommand),
    Models(models::ModelsCommand),
    Status(status::StatusCommand),
    Import(import::ImportCommand),
    Emulator(emulator::EmulatorArgs),
    Completions(completions::CompletionsCommand),
}

/// Parses the process's arguments and runs the command that they name.
#[must_use]
pub fn main() -> ExitCode {
    let mut printer = Printer::new();
    let outcome = match Cli::try_parse() {
        Ok(cli) => run(cli, &mut printer),
        Err(error) => Err(Failure::usage(error)),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.tell(&mut printer),
    }
}

fn run(cli: Cli, printer: &mut Printer) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Gateway(command) => command.run(&cli.options, printer),
        Command::Models(command) => command.run(&cli.options, printer),
        Command::Status(command) => command.run(&cli.options, printer),
        Command::Import(command) => command.run(&cli.options, printer),
        Command::Completions(command) => command.run(&mut Cli::command(), printer),
        Command::Emulator(arguments) => emulator::run(&arguments, printer),
    }
}
