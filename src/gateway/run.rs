//! A gateway's life, from its state folder to its last request.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use coderclaw_actors::{SharedClock, SystemClock};

use super::drain::{StopSignals, drain};
use super::logins::KeptLogins;
use super::memory::Memory;
use super::reload::{Load, Reloader};
use super::running::{RunningError, RunningGateway, StateFolder};
use super::server::{self, Gateway, StartError};
use super::worker::Shared;
use crate::config::{ConfigError, Settings, create_state_dir};
use crate::open_files;

/// A gateway that is about to serve.
#[derive(Debug)]
pub struct Ready {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// Its process.
    pub pid: u32,
    /// What it serves with.
    pub shared: Arc<Shared>,
}

/// Why a gateway did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state folder can't be made.
    #[error(transparent)]
    StateFolder(#[from] ConfigError),
    /// The state folder can't be taken.
    #[error(transparent)]
    Running(#[from] RunningError),
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The signal handlers can't be installed.
    #[error("the signal handlers can't be installed: {0}")]
    Signals(io::Error),
    /// There is no client to renew logins with.
    #[error("the HTTP client for logins can't be made: {0}")]
    Client(io::Error),
    /// The HTTP server failed.
    #[error("the HTTP server failed: {0}")]
    Server(io::Error),
}

/// Runs a gateway with the settings that `load` gives, now and whenever they change, until it is asked to stop.
/// `on_ready` is called when it listens.
///
/// Must be called inside an actix system.
///
/// # Errors
/// If it can't start, or its server fails.
pub async fn run(settings: Settings, load: Load, on_ready: impl FnOnce(&Ready)) -> Result<(), RunError> {
    open_files::raise_limit();
    let folder: PathBuf = settings.state_dir.clone();
    create_state_dir(&folder)?;
    let state = StateFolder::take(&folder)?;
    let memory = Memory::of(&folder);
    let clock: SharedClock = Arc::new(SystemClock::start());
    let started = clock.now();
    let mut signals = StopSignals::listen().map_err(RunError::Signals)?;
    let logins = KeptLogins::of(&settings, Arc::clone(&clock)).map_err(RunError::Client)?;
    let settings = if logins.recover(&settings).await {
        load()?
    } else {
        settings
    };
    let mut saved = memory.load();
    saved.complete(&settings.remembered);
    let Gateway {
        server,
        shared,
        reload_asks,
        addresses,
    } = server::start(settings, &saved, logins, clock)?;
    let reloader = Reloader::new(Arc::clone(&shared), reload_asks, load).map_err(RunError::Signals)?;
    let pid = std::process::id();
    state.announce(&RunningGateway {
        pid,
        started_at_ms: started.as_unix_ms(),
        addresses: addresses.clone(),
    })?;
    on_ready(&Ready {
        addresses,
        pid,
        shared: Arc::clone(&shared),
    });
    let handle = server.handle();
    let deadline = shared.live().settings.gateway.timeouts.drain;
    let stopping = async {
        signals.next().await;
        drain(handle, Arc::clone(&shared.in_flight), deadline, signals.next()).await;
    };
    let serving = async {
        // The server ends when the drain stops it, or when it fails by itself.
        let (mut server, mut stopping) = (pin!(server), pin!(stopping));
        tokio::select! {
            ended = &mut server => ended,
            () = &mut stopping => server.await,
        }
    };
    let ended = tokio::select! {
        ended = serving => ended,
        never = keep(&memory, &shared) => match never {},
        never = reloader.run() => match never {},
        never = shared.logins.clone().keep_ahead(&shared) => match never {},
    };
    memory.save_or_say(&shared.control);
    shared.sessions.save_or_say();
    shared.logins.rest().await;
    shared.control.shutdown().await;
    ended.map_err(RunError::Server)
}

/// Keeps the memory up to date for as long as the gateway lives.
async fn keep(memory: &Memory, shared: &Shared) -> std::convert::Infallible {
    memory.keep(&shared.control).await;
    std::future::pending().await
}
