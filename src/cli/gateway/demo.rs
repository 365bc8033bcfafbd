//! `coderclaw gateway --demo`: the emulator behind the gateway, and real requests through both. No file of the
//! user's, no key and no network beyond the loopback is touched.

mod keys;
mod requests;

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;

use self::keys::DemoKey;
use self::requests::DemoRequest;
use super::run::{RunOptions, explain};
use crate::cli::exit::Failure;
use crate::cli::models::status::credentials;
use crate::cli::printer::{FAINT, GOOD, Printer, STRONG};
use crate::config::Settings;
use crate::credentials::environment::program;
use crate::emulator::{Behaviour, Emulator, EmulatorConfig, RunningEmulator};
use crate::gateway::listen::ListenError;
use crate::gateway::run::{Ready, RunError, run};
use crate::gateway::server::StartError;
use crate::gateway::worker::Shared;
use crate::telemetry::{logs, panics};
use crate::upstream::control::GatewayClient;

/// Time to the first byte of the emulator's answers, in milliseconds: fast for a provider, slow enough to be seen.
const LATENCY_MS: u64 = 20;
/// Words a second of its streams.
const TOKENS_PER_SECOND: u64 = 100;
/// Words of its replies.
const REPLY_TOKENS: u64 = 24;

/// Runs the demo until a signal stops it.
pub(super) fn run_demo(options: &RunOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let keys = keys::made_up();
    let emulator = start_emulator(&keys)?;
    let folder = tempfile::Builder::new()
        .prefix("coderclaw-demo-")
        .tempdir()
        .map_err(|error| {
            Failure::new(
                format_args!("no temporary folder: {error}"),
                "make TMPDIR name a folder that can be written to",
            )
        })?;
    let mut settings = settings(&keys, &emulator, folder.path())?;
    settings.gateway.log.level = LevelFilter::ERROR;
    options.apply(&mut settings);
    let _logs = logs::install(settings.gateway.log)
        .map_err(|error| Failure::new(error, "this is a defect: please report it"))?;
    panics::install_hook();
    printer.line(format_args!(
        "{STRONG}coderclaw demo{STRONG:#}: an emulator plays OpenAI, Anthropic and Google, each with three made-up keys:"
    ))?;
    printer.line("one is throttled after two requests, one is out of quota, one is healthy.")?;
    printer.line("")?;
    let system = actix_rt::System::new();
    let served = match system.block_on(serve(settings.clone(), printer)) {
        // Without `--port` any port will do.
        Err(RunError::Start(StartError::Listen(ListenError::InUse { .. }))) if !options.names_port() => {
            settings.gateway.port = Some(0);
            system.block_on(serve(settings, printer))
        }
        served => served,
    };
    let shown = served.map_err(|error| explain(&error))?;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the gateway, and shows what it does as soon as it listens. The inner error is of what was shown.
async fn serve(settings: Settings, printer: &mut Printer) -> Result<Result<(), Failure>, RunError> {
    let (listens, ready) = oneshot::channel();
    // The demo's settings stand in no file: a reload finds them as they are.
    let same = settings.clone();
    let serving = run(
        settings,
        Arc::new(move || Ok(same.clone())),
        |Ready {
             addresses, shared, ..
         }| {
            // Nobody waits for it any more only if the demo itself has ended.
            let _sent = listens.send((addresses.first().copied(), Arc::clone(shared)));
        },
    );
    let showing = async {
        match ready.await {
            Ok((Some(address), shared)) => show(address, &shared, printer).await,
            // It did not start, which is told elsewhere.
            _ => Ok(()),
        }
    };
    let (served, shown) = tokio::join!(serving, showing);
    served.map(|()| shown)
}

async fn show(address: std::net::SocketAddr, shared: &Shared, printer: &mut Printer) -> Result<(), Failure> {
    let gone = |error: &dyn std::fmt::Display| {
        Failure::new(error, "run it again with `--log-level debug` to see more")
    };
    let client = GatewayClient::new(address, None).map_err(|error| gone(&error))?;
    let requests = requests::script();
    requests::show(&requests, &client, shared, printer)
        .await
        .map_err(|error| match error {
            requests::ShowError::Output(error) => Failure::Output(error),
            error @ requests::ShowError::Gateway(_) => gone(&error),
        })?;
    printer.line("")?;
    printer.line(format_args!(
        "{STRONG}The keys now{STRONG:#}, as `coderclaw models status` tells it:"
    ))?;
    printer.line("")?;
    let report = client.status(None).await.map_err(|error| gone(&error))?;
    credentials(&report.auth, printer)?;
    Ok(invite(address, shared, &requests, printer)?)
}

/// How to go on by hand.
fn invite(
    address: std::net::SocketAddr,
    shared: &Shared,
    requests: &[DemoRequest],
    printer: &mut Printer,
) -> io::Result<()> {
    printer.line("")?;
    printer.line(format_args!(
        "{GOOD}The gateway stays up at http://{address}{GOOD:#}. Paste any of these into another terminal:"
    ))?;
    for request in requests::to_paste(requests) {
        printer.line("")?;
        printer.styled(FAINT, format_args!("# {}", request.title()))?;
        printer.line(request.curl(address))?;
    }
    printer.line("")?;
    printer.styled(FAINT, "# every key: its state, until when and why")?;
    printer.line(format_args!("curl -s http://{address}/status"))?;
    let program = program().map_or_else(|| "coderclaw".to_owned(), |path| path.display().to_string());
    printer.line(format_args!(
        "{program} --state-dir {} models status",
        shared.live().settings.state_dir.display()
    ))?;
    printer.line("")?;
    printer.line("Ctrl-C ends it.")
}

fn start_emulator(keys: &[DemoKey]) -> Result<RunningEmulator, Failure> {
    let config = EmulatorConfig {
        allow_unknown_keys: false,
        behaviour: Behaviour {
            latency_ms: Some(LATENCY_MS),
            tokens_per_second: Some(TOKENS_PER_SECOND),
            reply_tokens: Some(REPLY_TOKENS),
            ..Behaviour::default()
        },
        keys: keys.iter().map(DemoKey::at_provider).collect(),
        ..EmulatorConfig::default()
    };
    Emulator::start(config)
        .map_err(|error| Failure::new(error, "the demo needs a free port on the loopback: try again"))
}

/// Settings as they would be read from an environment with the keys and a config that names the emulator.
fn settings(
    keys: &[DemoKey],
    emulator: &RunningEmulator,
    folder: &std::path::Path,
) -> Result<Settings, Failure> {
    let config = folder.join("coderclaw.json");
    let base = emulator.base_url();
    let text = json!({ "models": { "providers": {
        "openai": { "baseUrl": format!("{base}/v1"), "models": [requests::OPENAI_MODEL] },
        "anthropic": { "baseUrl": base, "models": [requests::ANTHROPIC_MODEL] },
        "google": { "baseUrl": base, "models": [requests::GOOGLE_MODEL] },
    } } });
    std::fs::write(&config, text.to_string()).map_err(|error| {
        Failure::new(
            format_args!("cannot write {}: {error}", config.display()),
            "make TMPDIR name a folder that can be written to",
        )
    })?;
    let mut environment: BTreeMap<String, String> = keys.iter().map(DemoKey::variable).collect();
    environment.insert("CODERCLAW_STATE_DIR".to_owned(), folder.display().to_string());
    Ok(Settings::load(&environment)?)
}
