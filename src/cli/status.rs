//! `coderclaw status`: the gateway and its providers at a glance.

use std::io;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use coderclaw_actors::StateName;

use super::exit::Failure;
use super::inquiry::Inquiry;
use super::options::GlobalOptions;
use super::printer::{BAD, GOOD, Printer, STRONG, WAITING};
use super::table::Rows;
use crate::span;
use crate::status::{AgentReport, AgentReports, GatewayReport, ProviderReport, Report};

const EXAMPLES: &str = "\
Examples:
  coderclaw status           the gateway, and one line a provider
  coderclaw status --json    everything, as `models status --json` and GET /status tell it";

const HEADINGS: [&str; 9] = [
    "PROVIDER",
    "CREDENTIALS",
    "AVAILABLE",
    "COOLING",
    "EXHAUSTED",
    "DISABLED",
    "REQUESTS",
    "THROTTLES",
    "NEXT",
];
const NUMBERS: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];
const AGENT_HEADINGS: [&str; 6] = ["AGENT", "MODEL", "PROVIDER", "CREDENTIALS", "AVAILABLE", "NEXT"];
const AGENT_NUMBERS: [usize; 2] = [3, 4];

/// The gateway and its providers at a glance
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusCommand {
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let inquiry = Inquiry::make(options, None, printer)?;
        if self.json {
            printer.json(&inquiry.report)?;
        } else {
            printer.line(&inquiry.told_by)?;
            printer.line("")?;
            glance(&inquiry.report, printer)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn glance(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let mut line =
        |name: &str, value: &str| printer.line(format_args!("{STRONG}{name:<14}{STRONG:#}{value}"));
    line("Gateway", &gateway(&report.gateway))?;
    line("Config", &report.config())?;
    line("Default", report.resolved_default.as_deref().unwrap_or("-"))?;
    printer.line("")?;
    providers(report, printer)?;
    agents(&report.agents, printer)
}

fn providers(report: &Report, printer: &mut Printer) -> io::Result<()> {
    let with_keys = |provider: &&ProviderReport| !provider.credentials.is_empty();
    let providers: Vec<&ProviderReport> = report.auth.providers.iter().filter(with_keys).collect();
    if providers.is_empty() {
        return printer.line("There are no credentials: `coderclaw models status` says how to add one.");
    }
    let mut rows = Rows::new(&HEADINGS).right(&NUMBERS);
    for provider in providers {
        rows.push(style(provider), row(provider));
    }
    rows.print(printer)
}

/// The agents that have a model or a pool of their own, a line for each.
fn agents(agents: &AgentReports, printer: &mut Printer) -> io::Result<()> {
    let default = agents.list.iter().find(|agent| agent.default);
    let default_model = default.and_then(|agent| agent.default_model.as_deref());
    let has_own = |agent: &&AgentReport| {
        !agent.default && (!agent.pools.is_empty() || agent.default_model.as_deref() != default_model)
    };
    let mut rows = Rows::new(&AGENT_HEADINGS).right(&AGENT_NUMBERS);
    let mut any = false;
    for agent in agents.list.iter().filter(has_own) {
        any = true;
        agent_rows(agent, &mut rows);
    }
    if !any {
        return Ok(());
    }
    printer.line("")?;
    rows.print(printer)?;
    match agents.count.saturating_sub(agents.list.len()) {
        0 => Ok(()),
        more => printer.line(format_args!("and {more} more agents")),
    }
}

/// One line for each pool of its own, or one for its model.
fn agent_rows(agent: &AgentReport, rows: &mut Rows) {
    let model = agent.default_model.clone().unwrap_or_else(|| "-".to_owned());
    if agent.pools.is_empty() {
        let cells = [agent.id.as_str(), &model, "as the default one", "", "", ""];
        rows.push(Style::new(), cells.map(str::to_owned).to_vec());
    }
    for pool in &agent.pools {
        let style = if pool.available == 0 { BAD } else { GOOD };
        let cells = vec![
            agent.id.to_string(),
            model.clone(),
            pool.provider.to_string(),
            pool.credentials.to_string(),
            pool.available.to_string(),
            pool.next
                .as_ref()
                .map_or_else(|| "none".to_owned(), ToString::to_string),
        ];
        rows.push(style, cells);
    }
}

/// The gateway's process in one line.
pub(super) fn gateway(gateway: &GatewayReport) -> String {
    if !gateway.running {
        return "not running".to_owned();
    }
    let addresses: Vec<String> = gateway
        .addresses
        .iter()
        .map(|at| format!("http://{at}"))
        .collect();
    let state = if gateway.draining { "stopping" } else { "running" };
    format!(
        "{state} at {} (pid {}, version {}, up {}, {} requests under way)",
        addresses.join(" and "),
        gateway.pid.unwrap_or_default(),
        gateway.version,
        span::short(gateway.uptime_ms.unwrap_or_default()),
        gateway.in_flight
    )
}

fn in_state(provider: &ProviderReport, state: StateName) -> usize {
    let credentials = provider.credentials.iter();
    credentials.filter(|credential| credential.state == state).count()
}

fn row(provider: &ProviderReport) -> Vec<String> {
    let credentials = &provider.credentials;
    let next = credentials.iter().find(|credential| credential.next);
    let count = |state| in_state(provider, state).to_string();
    vec![
        provider.provider.to_string(),
        credentials.len().to_string(),
        count(StateName::Available),
        count(StateName::Cooling),
        count(StateName::Exhausted),
        count(StateName::Disabled),
        credentials
            .iter()
            .map(|credential| credential.requests)
            .sum::<u64>()
            .to_string(),
        credentials
            .iter()
            .map(|credential| credential.throttles)
            .sum::<u64>()
            .to_string(),
        next.map_or_else(|| "none".to_owned(), |credential| credential.id.to_string()),
    ]
}

fn style(provider: &ProviderReport) -> Style {
    match in_state(provider, StateName::Available) {
        _ if provider.down => BAD,
        0 => BAD,
        available if available == provider.credentials.len() => GOOD,
        _ => WAITING,
    }
}
