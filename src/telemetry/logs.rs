//! Logs to stderr, as text or as JSON. Fields carry ids and fingerprints, never a secret and never a prompt.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::lines::{LineWriter, Lines};
use super::log_time::UtcMicros;
use super::pairs::Pairs;
use crate::config::{LogFormat, LogSettings};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// It can be set up once in a process.
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
    /// The thread that writes can't be started.
    #[error("the thread that writes logs can't be started: {0}")]
    Thread(#[from] io::Error),
}

/// Everything from `level` on, but of the server's own housekeeping only what matters.
fn filter(level: LevelFilter) -> Targets {
    let housekeeping = if level == LevelFilter::INFO {
        LevelFilter::WARN
    } else {
        level
    };
    Targets::new()
        .with_default(level)
        .with_target("actix_server", housekeeping)
}

/// Writes lines of `settings`' level and above to stderr. The writer writes what is left when it is dropped.
///
/// # Errors
/// If logging is set up already, or no thread can be started.
pub fn install(settings: LogSettings) -> Result<LineWriter, LogsError> {
    let (lines, writer) = Lines::to(io::stderr())?;
    let registry = tracing_subscriber::registry().with(filter(settings.level));
    let layer = tracing_subscriber::fmt::layer()
        .with_timer(UtcMicros)
        .with_writer(lines);
    match settings.format {
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal();
            registry
                .with(layer.with_ansi(colour).fmt_fields(Pairs))
                .try_init()?;
        }
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init()?,
    }
    Ok(writer)
}
