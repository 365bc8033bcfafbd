//! `coderclaw gateway status`: whether a gateway runs on this state folder, and where. Exit 0 if one does, else 1.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::exit::Failure;
use crate::cli::inquiry::{ask, find};
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::cli::status::gateway;
use crate::status::GatewayReport;
use crate::upstream::control::ControlError;

const EXAMPLES: &str = "\
Examples:
  coderclaw gateway status && echo up    exit code 0 if one runs, 1 if not
  coderclaw gateway status --json        the same for programs";

/// Say whether a gateway runs on this state folder, and where
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusOptions {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// What is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(flatten)]
    gateway: GatewayReport,
    state_dir: PathBuf,
    rpc: Rpc,
}

/// Whether it answers.
#[derive(Debug, Serialize)]
struct Rpc {
    ok: bool,
    error: Option<String>,
}

impl StatusOptions {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let settings = options.settings()?;
        let found =
            find(&settings).map_err(|what| Failure::new(what, "remove the file if no gateway runs"))?;
        let mut told = Told {
            gateway: GatewayReport::none(),
            state_dir: settings.state_dir.clone(),
            rpc: Rpc {
                ok: false,
                error: None,
            },
        };
        if let Some(found) = &found {
            told.gateway.pid = Some(found.pid);
            told.gateway.addresses.clone_from(&found.addresses);
            told.gateway.started_at_ms = Some(found.started_at_ms);
            match ask(found, &settings, None) {
                Ok((_, report)) => {
                    told.gateway = report.gateway;
                    told.rpc.ok = true;
                }
                Err(error) => {
                    // One that asks for its token runs, though it does not say how it is.
                    told.gateway.running = matches!(error, ControlError::Token { .. });
                    told.rpc.error = Some(error.to_string());
                }
            }
        }
        if self.json {
            printer.json(&told)?;
        } else {
            tell(&told, printer)?;
        }
        Ok(if told.gateway.running {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn tell(told: &Told, printer: &mut Printer) -> std::io::Result<()> {
    match (&told.rpc.error, told.gateway.pid) {
        (Some(error), Some(pid)) if told.gateway.running => {
            printer.line(format_args!("running (pid {pid}), but {error}"))
        }
        (Some(error), Some(pid)) => printer.line(format_args!(
            "process {pid} is said to be the gateway of {}, but {error}",
            told.state_dir.display()
        )),
        _ if told.gateway.running => printer.line(gateway(&told.gateway)),
        _ => printer.line(format_args!(
            "no gateway runs on the state folder {}: start one with `coderclaw gateway`",
            told.state_dir.display()
        )),
    }
}
