//! `coderclaw completions`: what a shell needs to complete these commands.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::exit::Failure;
use super::printer::Printer;

const EXAMPLES: &str = "\
Examples:
  coderclaw completions bash > ~/.local/share/bash-completion/completions/coderclaw
  coderclaw completions zsh > \"${fpath[1]}/_coderclaw\"
  coderclaw completions fish > ~/.config/fish/completions/coderclaw.fish";

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsCommand {
    /// The shell
    shell: Shell,
}

impl CompletionsCommand {
    pub(super) fn run(
        &self,
        program: &mut clap::Command,
        printer: &mut Printer,
    ) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, program, "coderclaw", &mut script);
        printer.text(String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
