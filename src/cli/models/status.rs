//! `coderclaw models status`: every provider, every credential, its state, until when and why, and what is next.

use std::io;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use coderclaw_actors::StateName;
use coderclaw_actors::domain::credential::{ModelClass, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;

use crate::cli::exit::Failure;
use crate::cli::inquiry::Inquiry;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::{BAD, GOOD, Printer, STRONG, WAITING};
use crate::cli::span;
use crate::cli::table::Rows;
use crate::status::{CredentialReport, ModelReport, ProviderReport, Report};

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  coderclaw models status            a table of every credential
  coderclaw models status --json     everything, for programs
  coderclaw models status --plain    the default model, as provider/model

It asks the running gateway if there is one; else it works from the environment and the config.
No secret is shown: a credential is known by its id and the first 8 hex digits of its SHA-256.";

const HEADINGS: [&str; 9] = [
    "PROVIDER",
    "CREDENTIAL",
    "FINGERPRINT",
    "SOURCE",
    "STATE",
    "WHY",
    "REQUESTS",
    "THROTTLES",
    "NEXT",
];
const NUMBERS: [usize; 2] = [6, 7];

/// Every credential: its source, its state, until when and why, and what would be used next
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusOptions {
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// Print only the default model, as provider/model
    #[arg(long)]
    plain: bool,
}

impl StatusOptions {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        if self.json && self.plain {
            return Err(Failure::new(
                "`--json` and `--plain` exclude each other",
                "give one of them",
            ));
        }
        let inquiry = Inquiry::make(options, printer)?;
        let report = &inquiry.report;
        if self.json {
            printer.json(report)?;
        } else if self.plain {
            plain(report, printer)?;
        } else {
            printer.line(&inquiry.told_by)?;
            printer.line("")?;
            settings(report, printer)?;
            printer.line("")?;
            credentials(&report.auth.providers, printer)?;
            missing(report, printer)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// An empty line, and the way to a model on stderr, where there is no default model.
fn plain(report: &Report, printer: &mut Printer) -> io::Result<()> {
    if report.resolved_default.is_none() {
        printer.warning(format_args!(
            "no default model: set `agents.defaults.model` in {}",
            report.config_path.display()
        ))?;
    }
    printer.line(report.resolved_default.as_deref().unwrap_or_default())
}

fn settings(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let mut line =
        |name: &str, value: &str| printer.line(format_args!("{STRONG}{name:<14}{STRONG:#}{value}"));
    line("Config", &report.config())?;
    line("State folder", &report.state_dir.display().to_string())?;
    line("Default", report.resolved_default.as_deref().unwrap_or("-"))?;
    if !report.fallbacks.is_empty() {
        line("Fallbacks", &report.fallbacks.join(", "))?;
    }
    if !report.aliases.is_empty() {
        let aliases = report.aliases.iter();
        let aliases: Vec<String> = aliases
            .map(|(alias, model)| format!("{alias} = {model}"))
            .collect();
        line("Aliases", &aliases.join(", "))?;
    }
    if !report.allowed.is_empty() {
        line("Allowed", &report.allowed.join(", "))?;
    }
    Ok(())
}

/// The table of every credential.
pub(in crate::cli) fn credentials(providers: &[ProviderReport], printer: &mut Printer) -> io::Result<()> {
    let mut rows = Rows::new(&HEADINGS).right(&NUMBERS);
    for provider in providers {
        for credential in &provider.credentials {
            rows.push(style(provider, credential), row(provider, credential));
            for model in &credential.models {
                rows.push(WAITING, model_row(model));
            }
        }
    }
    if providers.iter().all(|provider| provider.credentials.is_empty()) {
        return printer.line("There are no credentials.");
    }
    rows.print(printer)?;
    for provider in providers.iter().filter(|provider| provider.down) {
        printer.styled(
            BAD,
            format_args!(
                "{} serves nobody: its actor crashed too often; restart the gateway",
                provider.provider
            ),
        )?;
    }
    for provider in providers.iter().filter(|provider| provider.restarts > 0) {
        printer.line(format_args!(
            "{}: its actor was restarted {} times",
            provider.provider, provider.restarts
        ))?;
    }
    Ok(())
}

fn row(provider: &ProviderReport, credential: &CredentialReport) -> Vec<String> {
    vec![
        provider.provider.to_string(),
        credential.id.to_string(),
        credential.fingerprint.to_string(),
        credential.source.clone(),
        state(credential.state, credential.remaining_ms),
        why(credential.reason, credential.hint.as_deref()),
        credential.requests.to_string(),
        credential.throttles.to_string(),
        next(credential),
    ]
}

/// `next`, `next for gpt-5`.
fn next(credential: &CredentialReport) -> String {
    let models: Vec<&str> = credential.next_for.iter().map(ModelClass::as_str).collect();
    match (credential.next, models.as_slice()) {
        (true, _) => "next".to_owned(),
        (false, []) => String::new(),
        (false, models) => format!("next for {}", models.join(", ")),
    }
}

/// What one model class adds to the credential above it.
fn model_row(model: &ModelReport) -> Vec<String> {
    let mut cells = vec![String::new(); HEADINGS.len()];
    let filled = [
        (1, format!("  for {}", model.class)),
        (4, state(model.state, model.remaining_ms)),
        (5, why(model.reason, model.hint.as_deref())),
    ];
    for (index, text) in filled {
        if let Some(cell) = cells.get_mut(index) {
            *cell = text;
        }
    }
    cells
}

/// `cooling 42s`.
fn state(state: StateName, remaining_ms: Option<u64>) -> String {
    match remaining_ms {
        Some(ms) => format!("{} {}", state.as_str(), span::short(ms)),
        None => state.as_str().to_owned(),
    }
}

/// `rate_limit (retry-after)`.
fn why(reason: Option<ErrorClass>, hint: Option<&str>) -> String {
    match (reason, hint) {
        (Some(reason), Some(hint)) => format!("{} ({hint})", reason.as_str()),
        (Some(reason), None) => reason.as_str().to_owned(),
        (None, _) => String::new(),
    }
}

fn style(provider: &ProviderReport, credential: &CredentialReport) -> Style {
    match credential.state {
        _ if provider.down => BAD,
        StateName::Available if credential.next => GOOD,
        StateName::Available => Style::new(),
        StateName::Cooling => WAITING,
        StateName::Exhausted | StateName::Disabled => BAD,
    }
}

/// The providers without a credential, in one line, and how to add one.
fn missing(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let providers = report.auth.providers.iter();
    let without = providers.filter(|provider| provider.credentials.is_empty());
    let without: Vec<&str> = without.map(|provider| provider.provider.as_str()).collect();
    let Some(first) = report
        .auth
        .providers
        .iter()
        .find_map(|provider| provider.help.as_deref().map(|help| (&provider.provider, help)))
    else {
        return Ok(());
    };
    printer.line("")?;
    printer.line(format_args!(
        "{STRONG}Without a credential:{STRONG:#} {}",
        without.join(", ")
    ))?;
    let needed = &report.auth.missing_providers_in_use;
    if !needed.is_empty() {
        let needed: Vec<&str> = needed.iter().map(ProviderId::as_str).collect();
        printer.styled(
            WAITING,
            format_args!("Configured models need a credential of: {}", needed.join(", ")),
        )?;
    }
    let in_use = report.auth.providers.iter().find_map(|provider| {
        let help = provider.help.as_deref()?;
        report
            .auth
            .missing_providers_in_use
            .contains(&provider.provider)
            .then_some((&provider.provider, help))
    });
    let (provider, help) = in_use.unwrap_or(first);
    printer.line(format_args!("To add one, for {provider}: {help}"))
}
