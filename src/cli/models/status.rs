//! `coderclaw models status`: every provider, every credential, its state, until when and why, and what is next.

mod credentials;
mod probe;

use std::io;
use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::ProviderId;

use super::advice::{Advice, advice};
use super::exclusive;
use crate::cli::exit::Failure;
use crate::cli::inquiry::Inquiry;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::{BAD, Printer, STRONG, WAITING};
use crate::status::{Check, Report};

pub(in crate::cli) use credentials::credentials;
use probe::ProbeFlags;

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  coderclaw models status            a table of every credential
  coderclaw models status --json     everything, for programs
  coderclaw models status --plain    the default model, as provider/model
  coderclaw models status --agent A  the pools, the order and the models of an agent
  coderclaw models status --check    exit code 1 or 2 if a credential needs care
  coderclaw models status --probe    one tiny real request with each credential

It asks the running gateway if there is one; else it works from the stores, the environment and the config.
A probe goes straight to the provider, with the credentials as this program finds them, and changes no state.
No secret is shown: a credential is known by its id and the first 8 hex digits of its SHA-256.

Exit codes with --check: 0 the credentials in use hold, 1 one has expired or is missing, 2 one expires within 24 h.
In use is every credential but those that an explicit order leaves out, and the providers of the configured models.";

/// So many problems are told with what to do; more of them have one cause.
const ADVICE_MAX: usize = 10;
/// So many lines of what kept settings from being read are told.
const RELOAD_ERRORS_MAX: usize = 5;

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
    /// Exit with 1 if a credential in use has expired or is missing, with 2 if one expires within 24 h
    #[arg(long)]
    check: bool,
    /// Whose pools and models [default: the config's default agent, else main]
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    #[command(flatten)]
    probe: ProbeFlags,
}

impl StatusOptions {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        exclusive(self.json, self.plain)?;
        if self.probe.probe && self.plain {
            return Err(Failure::new(
                "`--probe` and `--plain` exclude each other",
                "leave one of them out",
            ));
        }
        let Inquiry {
            mut report,
            told_by,
            settings,
        } = Inquiry::make(options, self.agent.as_deref(), printer)?;
        if self.probe.probe {
            report.auth.probes = Some(self.probe.run(&settings?, self.agent.as_deref())?);
        }
        if self.json {
            printer.json(&report)?;
        } else if self.plain {
            plain(&report, printer)?;
        } else {
            tell(&report, &told_by, printer)?;
        }
        Ok(if self.check {
            Check::of(&report).exit_code().into()
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn tell(report: &Report, told_by: &str, printer: &mut Printer) -> io::Result<()> {
    printer.line(told_by)?;
    printer.line("")?;
    reload_failure(report, printer)?;
    settings(report, printer)?;
    printer.line("")?;
    credentials(&report.auth, printer)?;
    what_to_do(report, printer)?;
    missing(report, printer)?;
    match &report.auth.probes {
        Some(probes) => probe::tell(probes, printer),
        None => Ok(()),
    }
}

/// An empty line, and the way to a model on stderr, where there is no default model.
fn plain(report: &Report, printer: &mut Printer) -> io::Result<()> {
    if report.resolved_default.is_none() {
        printer.warning("no default model: `coderclaw models set PROVIDER/MODEL` sets one")?;
    }
    printer.line(report.resolved_default.as_deref().unwrap_or_default())
}

fn settings(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let mut line =
        |name: &str, value: &str| printer.line(format_args!("{STRONG}{name:<14}{STRONG:#}{value}"));
    line("Config", &report.config())?;
    line("State folder", &report.state_dir.display().to_string())?;
    if report.agents.count > 1 {
        line("Agent", &agent(report))?;
    }
    line("Default", report.resolved_default.as_deref().unwrap_or("-"))?;
    if !report.fallbacks.is_empty() {
        line("Fallbacks", &report.fallbacks.join(", "))?;
    }
    for now in &report.falling_back {
        let (primary, stand_in) = (&now.primary, &now.stand_in);
        let (requests, reason) = (now.requests, &now.reason);
        line(
            "Falling back",
            &format!("{primary} -> {stand_in} (requests so far: {requests}): {reason}"),
        )?;
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

/// `work`, `main (the default one)`.
fn agent(report: &Report) -> String {
    if report.agent_id == report.default_agent_id {
        format!("{} (the default one)", report.agent_id)
    } else {
        report.agent_id.clone()
    }
}

/// That the gateway goes on with older settings than the files hold, and why.
fn reload_failure(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let Some(failed) = report.gateway.reloaded.as_ref().filter(|last| !last.applied) else {
        return Ok(());
    };
    printer.styled(
        BAD,
        "The settings can't be read; the last good ones are in force:",
    )?;
    for error in failed.errors.iter().take(RELOAD_ERRORS_MAX) {
        printer.line(format_args!("  {error}"))?;
    }
    printer.line("")
}

/// What doesn't serve, and what to do about it.
fn what_to_do(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let advice = advice(report);
    if advice.is_empty() {
        return Ok(());
    }
    printer.line("")?;
    printer.styled(STRONG, "What to do")?;
    for Advice { what, how } in advice.iter().take(ADVICE_MAX) {
        printer.line(format_args!("  {what}"))?;
        if let Some(how) = how {
            printer.line(format_args!("    {how}"))?;
        }
    }
    match advice.len().saturating_sub(ADVICE_MAX) {
        0 => Ok(()),
        more => printer.line(format_args!("  and {more} more: see the table above")),
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
