//! `models auth list`: what an agent holds, where each secret is, until when it lasts, and who is first.

mod places;
mod row;

use std::io;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use serde_json::json;

use super::scope::Scope;
use crate::cli::exit::Failure;
use crate::cli::printer::{BAD, FAINT, Printer, WAITING};
use crate::cli::table::Rows;
use crate::credentials::health::ExpiryStatus;
use row::{Row, ambient_rows, stored_rows};

const HEADINGS: [&str; 7] = [
    "PROFILE",
    "TYPE",
    "SECRET",
    "FINGERPRINT",
    "EXPIRES",
    "ORDER",
    "ACCOUNT",
];

/// Show the profiles that an agent holds, and where their secrets are
#[derive(Debug, Args)]
pub(super) struct ListCommand {
    /// Only this provider's
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Show what the environment and the config hold too
    #[arg(long)]
    all: bool,
}

impl ListCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let provider = self.provider.as_deref();
        let provider = provider.map(|typed| scope.any_provider(typed)).transpose()?;
        let is_asked = |row: &Row| provider.as_ref().is_none_or(|provider| *provider == row.provider);
        let mut rows = stored_rows(scope)?;
        rows.retain(is_asked);
        let mut ambient = ambient_rows(scope)?;
        ambient.retain(is_asked);
        let unshown = if self.all {
            rows.append(&mut ambient);
            rows.sort_by(|a, b| a.rank().cmp(&b.rank()));
            0
        } else {
            ambient.len()
        };
        if scope.json {
            printer.json(&json!({
                "agentId": scope.agent,
                "agentDir": scope.agent_dir(),
                "authStorePath": scope.store.path(),
                "profiles": rows,
                "elsewhere": unshown,
                "exposed": scope.store.exposure(),
            }))?;
        } else {
            text(scope, &rows, unshown, printer)?;
        }
        if let Some(warning) = scope.store.exposure() {
            printer.warning(warning)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(scope: &Scope, rows: &[Row], unshown: usize, printer: &mut Printer) -> io::Result<()> {
    printer.line(format_args!("Agent: {}", scope.agent))?;
    printer.line(format_args!("Auth file: {}", scope.store.path().display()))?;
    printer.line("")?;
    if rows.is_empty() {
        printer.line("No profiles are stored. To add one: coderclaw models auth add")?;
    } else {
        let mut table = Rows::new(&HEADINGS);
        for row in rows {
            table.push(style(row), row.cells());
        }
        table.print(printer)?;
    }
    if unshown > 0 {
        printer.line("")?;
        printer.line(format_args!(
            "{unshown} more in the environment and the config; `--all` shows them."
        ))?;
    }
    Ok(())
}

fn style(row: &Row) -> Style {
    match row.status() {
        Some(ExpiryStatus::Expired) => BAD,
        Some(ExpiryStatus::Expiring) => WAITING,
        _ if row.is_out() => FAINT,
        _ => Style::new(),
    }
}
