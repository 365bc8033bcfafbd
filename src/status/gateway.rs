//! The gateway's process.

use std::net::SocketAddr;

use coderclaw_actors::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gateway::reload::Reloaded;
use crate::gateway::session::SessionCounts;
use crate::gateway::worker::Shared;

/// The gateway's process, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayReport {
    /// Whether it runs.
    pub running: bool,
    /// Its process.
    pub pid: Option<u32>,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// When it started, in Unix milliseconds.
    pub started_at_ms: Option<u64>,
    /// How long it has run.
    pub uptime_ms: Option<u64>,
    /// Its version; that of the program that tells this, where none runs.
    pub version: String,
    /// Requests under way.
    pub in_flight: usize,
    /// Whether it is stopping.
    pub draining: bool,
    /// The sessions of callers; only where one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionCounts>,
    /// What the last reading of changed settings came to; where it failed, the last good ones are in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloaded: Option<Reloaded>,
}

impl GatewayReport {
    pub(super) fn of(shared: &Shared, now: Timestamp) -> Self {
        let uptime = now.since(shared.started);
        Self {
            running: true,
            pid: Some(std::process::id()),
            addresses: shared.addresses.clone(),
            started_at_ms: Some(shared.started.as_unix_ms()),
            uptime_ms: Some(u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)),
            in_flight: shared.in_flight.count(),
            draining: shared.in_flight.is_draining(),
            sessions: Some(shared.sessions.counts()),
            reloaded: shared.reloads.last(),
            ..Self::none()
        }
    }

    /// That none runs.
    #[must_use]
    pub fn none() -> Self {
        Self {
            running: false,
            pid: None,
            addresses: Vec::new(),
            started_at_ms: None,
            uptime_ms: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            in_flight: 0,
            draining: false,
            sessions: None,
            reloaded: None,
        }
    }
}
