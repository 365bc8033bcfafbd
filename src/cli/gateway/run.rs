//! `coderclaw gateway run`: the gateway in the foreground, until a signal stops it.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use coderclaw_actors::domain::credential::{Identity, ProviderId};
use tracing::level_filters::LevelFilter;

use super::demo::run_demo;
use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::{Printer, STRONG};
use crate::config::{Bind, LogFormat, Settings};
use crate::gateway::listen::ListenError;
use crate::gateway::reload::Load;
use crate::gateway::run::{Ready, RunError, run};
use crate::gateway::running::RunningError;
use crate::gateway::server::StartError;
use crate::telemetry::{logs, panics};

const EXAMPLES: &str = "\
Examples:
  OPENAI_API_KEYS=k1,k2 ANTHROPIC_API_KEY=k3 coderclaw gateway run
  CODERCLAW_GATEWAY_TOKEN=t coderclaw gateway run --bind lan    every IPv4 address
  coderclaw gateway run --log-format json 2>gateway.log

Credentials come from the stores, the environment, .env in the state folder and the config.
The files are watched: a change is in force at once, and no request is dropped. SIGHUP reads them anew too.";

/// Run the gateway in the foreground
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunOptions {
    /// The port; 0 takes any that is free [default: `CODERCLAW_GATEWAY_PORT`, gateway.port, 18789]
    #[arg(long)]
    port: Option<u16>,
    /// Where to listen: loopback, lan or an IP address [default: gateway.bind, loopback]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<Bind>,
    /// Show it at work: an emulator with made-up keys plays the providers, and a few requests are sent through
    #[arg(long)]
    demo: bool,
    /// How log lines on stderr look [default: gateway.log.format, text]
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"])]
    log_format: Option<String>,
    /// The least important level that is logged: off, error, warn, info, debug or trace
    /// [default: gateway.log.level, info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<LevelFilter>,
}

impl RunOptions {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        if self.demo {
            options.refuse_for_demo()?;
            return run_demo(self, printer);
        }
        let environment = options.environment()?;
        let flags = self.clone();
        let load: Load = Arc::new(move || {
            let mut settings = Settings::load(&environment)?;
            flags.apply(&mut settings);
            Ok(settings)
        });
        let settings = load()?;
        for warning in &settings.warnings {
            printer.warning(warning)?;
        }
        let _logs = logs::install(settings.gateway.log)
            .map_err(|error| Failure::new(error, "this is a defect: please report it"))?;
        panics::install_hook();
        let mut announced = Ok(());
        let served = actix_rt::System::new().block_on(run(settings, load, |ready| {
            announced = announce(ready, printer);
        }));
        served.map_err(|error| explain(&error))?;
        // A gateway serves on even if nobody reads where.
        drop(announced);
        Ok(ExitCode::SUCCESS)
    }

    /// Whether a port was asked for on the command line.
    pub(super) fn names_port(&self) -> bool {
        self.port.is_some()
    }

    /// Flags come before the environment and the config.
    pub(super) fn apply(&self, settings: &mut Settings) {
        let gateway = &mut settings.gateway;
        gateway.port = self.port.or(gateway.port);
        gateway.bind = self.bind.unwrap_or(gateway.bind);
        gateway.log.level = self.log_level.unwrap_or(gateway.log.level);
        gateway.log.format = match self.log_format.as_deref() {
            Some("json") => LogFormat::Json,
            Some(_) => LogFormat::Text,
            None => gateway.log.format,
        };
    }
}

fn announce(ready: &Ready, printer: &mut Printer) -> std::io::Result<()> {
    for address in &ready.addresses {
        printer.line(format_args!(
            "coderclaw gateway listening on {STRONG}http://{address}{STRONG:#}"
        ))?;
    }
    let live = ready.shared.live();
    // What several agents have is one.
    let mut held: BTreeMap<&ProviderId, HashSet<Identity>> = BTreeMap::new();
    for (provider, member) in live.settings.members() {
        held.entry(provider).or_default().insert(member.identity());
    }
    let counts = held
        .iter()
        .map(|(provider, held)| format!("{provider} {}", held.len()));
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() {
        printer.warning(
            "there are no credentials, so every request will get a 401: `coderclaw models status` says how to add one",
        )
    } else {
        printer.line(format_args!("credentials: {}", counts.join(", ")))
    }
}

/// What went wrong, and what to do.
pub(super) fn explain(error: &RunError) -> Failure {
    match error {
        RunError::StateFolder(error) => Failure::new(
            error,
            "make the folder writable, or name another with `--state-dir` or CODERCLAW_STATE_DIR",
        ),
        RunError::Running(RunningError::Taken { folder, pid }) => Failure::new(
            format_args!(
                "another gateway{} runs on the state folder {}",
                pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
                folder.display()
            ),
            "stop it, or give this one another folder with `--state-dir`",
        ),
        RunError::Running(error) => Failure::new(error, "make the state folder writable"),
        RunError::Start(StartError::NoToken { address }) => Failure::new(
            format_args!("listening on {address} would let other machines call without a token"),
            "set CODERCLAW_GATEWAY_TOKEN or `gateway.auth.token`, or give `--bind loopback`",
        ),
        RunError::Start(StartError::Listen(ListenError::InUse { address })) => Failure::new(
            format_args!("{address} is in use by another program"),
            "stop that program, or choose another port with `--port`",
        ),
        RunError::Start(StartError::Listen(ListenError::Refused { address, source })) => Failure::new(
            format_args!("can't listen on {address}: {source}"),
            "choose another address with `--bind` or another port with `--port`",
        ),
        RunError::Start(error) => Failure::new(error, "run it again with `--log-level debug` to see more"),
        error => Failure::new(error, "run it again with `--log-level debug` to see more"),
    }
}
