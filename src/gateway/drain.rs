//! Stopping in two phases, because the server's own graceful stop would stop accepting first: callers would see a
//! refused connection where they should see a 503 and try again.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::in_flight::InFlight;

/// The signals that ask the process to stop.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// From now on SIGTERM and SIGINT are ours.
    ///
    /// # Errors
    /// If the handlers can't be installed.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Stops `server`: new requests get a 503 while those under way finish, for at most `deadline`; `at_once` cuts that
/// short.
pub async fn drain(
    server: ServerHandle,
    in_flight: Arc<InFlight>,
    deadline: Duration,
    at_once: impl Future<Output = ()>,
) {
    in_flight.drain();
    tracing::info!(
        in_flight = in_flight.count(),
        deadline_s = deadline.as_secs(),
        "draining"
    );
    let graceful = tokio::select! {
        () = in_flight.idle() => true,
        () = tokio::time::sleep(deadline) => false,
        () = at_once => false,
    };
    match in_flight.count() {
        _ if graceful => tracing::info!("drained"),
        0 => tracing::info!("stopped at once"),
        left => tracing::warn!(cut = left, "stopped before every request was finished"),
    }
    server.stop(graceful).await;
}
