//! Logs to stderr, as text or as JSON. Fields carry ids and fingerprints, never a secret and never a prompt.

use std::io::IsTerminal;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogFormat, LogSettings};

/// Lines that may wait to be written; a stderr that nobody reads loses lines instead of stopping requests.
const LINES_WAITING_MAX: usize = 16_384;

/// Logging can be set up once in a process.
#[derive(Debug, thiserror::Error)]
#[error("logging is set up already")]
pub struct AlreadyInstalled(#[from] TryInitError);

/// Writes lines of `settings`' level and above to stderr. The guard writes what is left when it is dropped.
///
/// # Errors
/// If logging is set up already.
pub fn install(settings: LogSettings) -> Result<WorkerGuard, AlreadyInstalled> {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .finish(std::io::stderr());
    let registry = tracing_subscriber::registry().with(settings.level);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match settings.format {
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal();
            registry.with(layer.with_ansi(colour)).try_init()?;
        }
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init()?,
    }
    Ok(guard)
}
