//! `coderclaw emulator`: the provider emulator on its own.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Failure;
use super::printer::{Printer, STRONG};
use crate::emulator::{
    ConfigError, Emulator, EmulatorConfig, EmulatorError, KeyConfig, KeySecret, RunningEmulator,
};
use crate::open_files;

/// Port where neither flag nor file names one.
const PORT: u16 = 18790;

/// Run the provider emulator: OpenAI, Anthropic and Google formats on one port, with limits and faults on demand
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "\
Statistics, log and faults: GET /__emulator/stats, GET /__emulator/log?limit=N, POST /__emulator/reset,
GET|PUT /__emulator/config, GET|POST|DELETE /__emulator/faults, DELETE /__emulator/faults/ID

An identity provider to log in at is below /__idp/: authorize, token, device. Its control: GET /__emulator/idp,
PUT /__emulator/idp/config, POST /__emulator/idp/approve, .../faults, .../expire, .../sign-out, .../reset

  coderclaw emulator --keys first=sk-test-1,second=sk-test-2 --rpm 60
  curl -d '{fault: \"rate_limit\", key: \"first\", first: 3}' http://127.0.0.1:18790/__emulator/faults")]
pub(super) struct EmulatorArgs {
    /// File with keys, limits, behaviours and faults (JSON5); flags beat it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Port to listen on; 0 takes any that is free [default: 18790]
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<IpAddr>,
    /// HTTP threads [default: 1]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Milliseconds until the first byte of an answer
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// Pace of streams
    #[arg(long, value_name = "N")]
    tokens_per_second: Option<u64>,
    /// Pieces of a stream [default: one a token]
    #[arg(long, value_name = "N")]
    chunks: Option<u64>,
    /// Milliseconds between two pieces of a stream
    #[arg(long, value_name = "MS")]
    chunk_delay: Option<u64>,
    /// Tokens of a reply [default: 32]
    #[arg(long, value_name = "N")]
    reply_tokens: Option<u64>,
    /// Known keys, separated by commas, each with or without a name for the statistics
    #[arg(long, value_name = "[NAME=]KEY", value_delimiter = ',')]
    keys: Vec<String>,
    /// Refuse keys that are not configured
    #[arg(long)]
    known_keys_only: bool,
    /// Requests a minute of every key that the file gives no limits
    #[arg(long, value_name = "N")]
    rpm: Option<u64>,
    /// Tokens a minute, likewise
    #[arg(long, value_name = "N")]
    tpm: Option<u64>,
    /// Requests a day, likewise
    #[arg(long, value_name = "N")]
    rpd: Option<u64>,
    /// Requests at once, likewise
    #[arg(long, value_name = "N")]
    concurrency: Option<u64>,
    /// How many times faster than real time limits refill [default: 1]
    #[arg(long, value_name = "FACTOR")]
    time_scale: Option<f64>,
    /// Repeat the whole key in every error, as a careless provider would
    #[arg(long)]
    echo_key: bool,
    /// Requests that the log remembers; 0 turns it off [default: 2048]
    #[arg(long, value_name = "N")]
    log_entries: Option<usize>,
    /// Token that the control paths need; without one they answer loopback only
    #[arg(long, value_name = "TOKEN")]
    control_token: Option<String>,
}

/// Why the command fails.
#[derive(Debug, thiserror::Error)]
enum EmulatorCommandError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: ConfigError,
    },
    /// The emulator does not start.
    #[error(transparent)]
    Start(#[from] EmulatorError),
    /// The signals that end it can't be caught.
    #[error("signals can't be caught: {0}")]
    Signals(io::Error),
}

impl EmulatorArgs {
    /// The config: the file's, with every flag over it.
    fn resolve(&self) -> Result<EmulatorConfig, EmulatorCommandError> {
        let mut config = self.file()?;
        config.port = self.port.unwrap_or(config.port);
        config.bind = self.bind.unwrap_or(config.bind);
        config.workers = self.workers.unwrap_or(config.workers);
        config.time_scale = self.time_scale.unwrap_or(config.time_scale);
        config.log_entries = self.log_entries.unwrap_or(config.log_entries);
        config.echo_key |= self.echo_key;
        config.allow_unknown_keys &= !self.known_keys_only;
        let behaviour = &mut config.behaviour;
        behaviour.latency_ms = self.latency.or(behaviour.latency_ms);
        behaviour.tokens_per_second = self.tokens_per_second.or(behaviour.tokens_per_second);
        behaviour.chunks = self.chunks.or(behaviour.chunks);
        behaviour.chunk_delay_ms = self.chunk_delay.or(behaviour.chunk_delay_ms);
        behaviour.reply_tokens = self.reply_tokens.or(behaviour.reply_tokens);
        let limits = &mut config.limits;
        limits.rpm = self.rpm.or(limits.rpm);
        limits.tpm = self.tpm.or(limits.tpm);
        limits.rpd = self.rpd.or(limits.rpd);
        limits.concurrency = self.concurrency.or(limits.concurrency);
        config.keys.extend(
            self.keys
                .iter()
                .filter(|key| !key.trim().is_empty())
                .map(|key| named(key.trim())),
        );
        if let Some(token) = self.control_token.as_deref().filter(|token| !token.is_empty()) {
            config.control_token = Some(KeySecret::new(token));
        }
        Ok(config)
    }

    fn file(&self) -> Result<EmulatorConfig, EmulatorCommandError> {
        let Some(path) = &self.config else {
            return Ok(EmulatorConfig {
                port: PORT,
                ..EmulatorConfig::default()
            });
        };
        let text = std::fs::read_to_string(path).map_err(|source| EmulatorCommandError::Read {
            path: path.clone(),
            source,
        })?;
        let mut config = EmulatorConfig::parse(&text).map_err(|source| EmulatorCommandError::File {
            path: path.clone(),
            source,
        })?;
        // A file that is silent about the port means the usual one; any free port is asked for with `--port 0`.
        if config.port == 0 {
            config.port = PORT;
        }
        Ok(config)
    }
}

fn named(text: &str) -> KeyConfig {
    text.split_once('=').map_or_else(
        || KeyConfig {
            key: KeySecret::new(text),
            ..KeyConfig::default()
        },
        |(name, key)| KeyConfig::new(name, key),
    )
}

/// Runs the emulator until SIGINT or SIGTERM.
pub(super) fn run(arguments: &EmulatorArgs, printer: &mut Printer) -> Result<ExitCode, Failure> {
    open_files::raise_limit();
    let serving = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EmulatorCommandError::Signals)
        .and_then(|runtime| runtime.block_on(serve(arguments, printer)));
    serving.map_err(|error| explain(&error))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &EmulatorArgs, printer: &mut Printer) -> Result<(), EmulatorCommandError> {
    let config = arguments.resolve()?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(EmulatorCommandError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(EmulatorCommandError::Signals)?;
    let emulator = Emulator::start(config)?;
    // It serves on even if nobody reads where.
    drop(announce(&emulator, printer));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    emulator.stop();
    Ok(())
}

fn announce(emulator: &RunningEmulator, printer: &mut Printer) -> io::Result<()> {
    let base = emulator.base_url();
    printer.line(format_args!(
        "coderclaw emulator listening on {STRONG}{base}{STRONG:#}"
    ))?;
    printer.line(format_args!("  OpenAI     {base}/v1"))?;
    printer.line(format_args!("  Anthropic  {base}"))?;
    printer.line(format_args!("  Google     {base}"))?;
    printer.line(format_args!(
        "  others     {base}/PROVIDER/..., such as {base}/groq/openai/v1"
    ))?;
    printer.line(format_args!("  login      {base}/__idp/authorize, token, device"))?;
    printer.line(format_args!("  control    {base}/__emulator/stats"))
}

/// What went wrong, and what to do.
fn explain(error: &EmulatorCommandError) -> Failure {
    let help = match error {
        EmulatorCommandError::Read { .. } => "make the file readable, or name another with `--config`",
        EmulatorCommandError::File { .. } | EmulatorCommandError::Start(EmulatorError::Config(_)) => {
            "correct the value and run the command again"
        }
        EmulatorCommandError::Start(EmulatorError::Bind { address, source }) => {
            return Failure::new(
                format_args!("can't listen on {address}: {source}"),
                "choose another port with `--port`, or another address with `--bind`",
            );
        }
        EmulatorCommandError::Start(_) | EmulatorCommandError::Signals(_) => {
            "run it again; if it fails again, the machine is out of threads or files"
        }
    };
    Failure::new(error, help)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn flags_beat_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emulator.json5");
        fs::write(
            &path,
            "{ port: 1, limits: { rpm: 5, tpm: 7 }, keys: [{ name: 'a', key: 'sk-a' }] }",
        )
        .unwrap();
        let args = EmulatorArgs {
            config: Some(path),
            port: Some(0),
            rpm: Some(9),
            keys: vec!["b=sk-b".into(), "sk-c".into()],
            ..EmulatorArgs::default()
        };
        let config = args.resolve().unwrap();
        assert_eq!(
            (config.port, config.limits.rpm, config.limits.tpm),
            (0, Some(9), Some(7))
        );
        let names: Vec<Option<&str>> = config.keys.iter().map(|key| key.name.as_deref()).collect();
        assert_eq!(names, [Some("a"), Some("b"), None]);
    }

    #[test]
    fn a_bad_file_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emulator.json5");
        fs::write(&path, "{\n  rpm: 5 }").unwrap();
        let args = EmulatorArgs {
            config: Some(path),
            ..EmulatorArgs::default()
        };
        let message = args.resolve().unwrap_err().to_string();
        assert!(
            message.contains("emulator.json5") && message.contains("line 2"),
            "{message}"
        );
    }
}
