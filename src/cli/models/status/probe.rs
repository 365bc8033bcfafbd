//! `models status --probe`: one tiny real request with each credential, and the table of what came of it.

use std::io;
use std::sync::Arc;

use anstyle::Style;
use clap::Args;
use coderclaw_actors::SystemClock;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use crate::cli::exit::Failure;
use crate::cli::inquiry::find_agent;
use crate::cli::printer::{BAD, GOOD, Printer, STRONG, WAITING};
use crate::cli::table::Rows;
use crate::config::{Settings, normalise_provider_id};
use crate::status::{ProbeOptions, ProbeResult, ProbeStatus, Probes};
use crate::upstream::probe::{Prober, targets};

/// No probe takes longer than ten minutes.
const TIMEOUT_MS_MAX: u64 = 600_000;
/// More at once look like an attack to a provider.
const CONCURRENCY_MAX: u64 = 64;
/// A probe with more tokens is no tiny request.
const TOKENS_MAX: i64 = 4096;

const HEADINGS: [&str; 6] = ["PROVIDER", "CREDENTIAL", "MODEL", "PROBE", "TOOK", "WHY"];
const NUMBERS: [usize; 1] = [4];

/// What is probed, and how.
#[derive(Debug, Args)]
pub(super) struct ProbeFlags {
    /// Make one tiny real request with each credential, and tell what came of it
    #[arg(long)]
    pub(super) probe: bool,
    /// Probe only this provider's credentials
    #[arg(long, requires = "probe", value_name = "PROVIDER")]
    probe_provider: Option<String>,
    /// Probe only these credentials, separated by commas
    #[arg(long, requires = "probe", value_name = "PROFILE", value_delimiter = ',')]
    probe_profile: Vec<String>,
    /// The longest that one probe may take, in milliseconds
    #[arg(long, requires = "probe", value_name = "MS", default_value_t = 8000,
          value_parser = clap::value_parser!(u64).range(1..=TIMEOUT_MS_MAX))]
    probe_timeout: u64,
    /// So many probes at once
    #[arg(long, requires = "probe", value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u64).range(1..=CONCURRENCY_MAX))]
    probe_concurrency: u64,
    /// So many tokens an answer may have
    #[arg(long, requires = "probe", value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u32).range(1..=TOKENS_MAX))]
    probe_max_tokens: u32,
}

impl ProbeFlags {
    fn options(&self) -> ProbeOptions {
        let provider = self.probe_provider.as_deref();
        let profiles = self.probe_profile.iter().map(|id| id.trim());
        ProbeOptions {
            provider: provider.map(|id| ProviderId::new(&normalise_provider_id(id.trim()))),
            profile_ids: profiles.filter(|id| !id.is_empty()).map(ProfileId::new).collect(),
            timeout_ms: self.probe_timeout,
            concurrency: usize::try_from(self.probe_concurrency).unwrap_or(1),
            max_tokens: self.probe_max_tokens,
        }
    }

    /// Probes the credentials as the settings have them, straight at their providers. Changes no state.
    pub(super) fn run(&self, settings: &Settings, agent: Option<&str>) -> Result<Probes, Failure> {
        let options = self.options();
        let agent = agent.map(|typed| find_agent(settings, typed)).transpose()?;
        let targets = targets(settings, agent.as_ref(), &options)
            .map_err(|error| Failure::new(error, "`coderclaw models status` lists what there is"))?;
        let none = |error: io::Error| {
            Failure::new(
                format_args!("nothing can be probed: {error}"),
                "see that the system's certificates can be read",
            )
        };
        let prober = Prober::new(options, Arc::new(SystemClock::start())).map_err(none)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(none)?;
        let made = runtime.block_on(prober.probe(targets));
        // A name that is still being looked up would hold the program past every deadline.
        runtime.shutdown_background();
        Ok(made)
    }
}

/// The table of what came of it.
pub(super) fn tell(probes: &Probes, printer: &mut Printer) -> io::Result<()> {
    printer.line("")?;
    printer.styled(STRONG, "Probes")?;
    if !probes.results.is_empty() {
        let mut rows = Rows::new(&HEADINGS).right(&NUMBERS);
        for result in &probes.results {
            rows.push(style(result.status), row(result));
        }
        rows.print(printer)?;
    }
    printer.line(format_args!(
        "Probed {} targets in {}",
        probes.total_targets,
        seconds(probes.duration_ms)
    ))
}

fn row(result: &ProbeResult) -> Vec<String> {
    let via = result.via.as_deref().map(|via| format!("(asked for: {via})"));
    vec![
        result.provider.to_string(),
        result.profile_id.to_string(),
        result.model.clone().or(via).unwrap_or_default(),
        result.status.as_str().to_owned(),
        result.latency_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
        result.error.clone().unwrap_or_default(),
    ]
}

/// `1.2 s`.
fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

fn style(status: ProbeStatus) -> Style {
    match status {
        ProbeStatus::Ok => GOOD,
        ProbeStatus::RateLimit | ProbeStatus::Timeout | ProbeStatus::Unknown => WAITING,
        ProbeStatus::Auth | ProbeStatus::Billing | ProbeStatus::Format | ProbeStatus::NoModel => BAD,
    }
}
