//! What one HTTP worker thread serves with: its own router and its own connections, and what all workers share.

use std::net::SocketAddr;
use std::sync::Arc;

use coderclaw_actors::{ControlPlane, NoRenewal, RotationPolicy, RouterSlot, SharedClock, Timestamp};

use super::access::Access;
use super::body::BodyLimits;
use super::in_flight::InFlight;
use super::relay::StreamTimeouts;
use crate::config::Settings;
use crate::telemetry::metrics::Metrics;
use crate::upstream::adapter::{AttemptTimeouts, HttpUpstream};
use crate::upstream::{Client, client};

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    /// The settings that the gateway runs with.
    pub settings: Arc<Settings>,
    /// Providers and their supervisor.
    pub control: ControlPlane,
    /// Which failures rotate, and how often.
    pub rotation: Arc<RotationPolicy>,
    /// Who may call.
    pub access: Access,
    /// The requests under way.
    pub in_flight: Arc<InFlight>,
    /// What bounds the reading of bodies.
    pub bodies: BodyLimits,
    /// How long streams may take.
    pub streams: StreamTimeouts,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Where the gateway listens.
    pub addresses: Vec<SocketAddr>,
    /// When it started.
    pub started: Timestamp,
    /// The clock.
    pub clock: SharedClock,
}

/// One worker thread. Its router's context can't leave the thread, nor can its connections.
#[derive(Debug)]
pub struct Worker {
    /// What all workers share.
    pub shared: Arc<Shared>,
    /// This worker's router.
    pub router: RouterSlot<HttpUpstream, NoRenewal>,
}

impl Worker {
    /// The worker of the thread that calls, with connections of its own; where no client can be made for it, it
    /// shares those of `client`.
    #[must_use]
    pub fn new(shared: Arc<Shared>, client: &Client) -> Self {
        let timeouts = &shared.settings.gateway.timeouts;
        let client = client::build(timeouts.connect).unwrap_or_else(|error| {
            tracing::warn!(error = %error, "no client of its own for this worker");
            client.clone()
        });
        let bounds = AttemptTimeouts {
            first_byte: timeouts.first_byte,
            hold: timeouts.hold,
        };
        let upstream = HttpUpstream::new(client, bounds, Arc::clone(&shared.clock));
        Self {
            router: shared.control.router_slot(upstream, NoRenewal),
            shared,
        }
    }
}
