//! What one HTTP worker thread serves with: its own router and its own connections, and what all workers share.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coderclaw_actors::{ControlPlane, RouterSlot, SharedClock, Timestamp};

use super::in_flight::InFlight;
use super::live::Live;
use super::logins::KeptLogins;
use super::reload::Reloads;
use super::session::Sessions;
use super::stand_ins::StandIns;
use crate::telemetry::metrics::Metrics;
use crate::upstream::adapter::{AttemptTimeouts, HttpUpstream};
use crate::upstream::{Client, client};

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    /// The settings in force; [`Shared::live`] reads them.
    pub(super) live: ArcSwap<Live>,
    /// The way to have them read anew.
    pub reloads: Reloads,
    /// What keeps OAuth logins alive.
    pub logins: KeptLogins,
    /// Providers and their supervisor.
    pub control: ControlPlane,
    /// The sessions of callers.
    pub sessions: Sessions,
    /// The requests under way.
    pub in_flight: Arc<InFlight>,
    /// Which models stand in for which.
    pub stand_ins: StandIns,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Where the gateway listens.
    pub addresses: Vec<SocketAddr>,
    /// When it started.
    pub started: Timestamp,
    /// The clock.
    pub clock: SharedClock,
}

impl Shared {
    /// The settings in force now. A request reads them once and keeps them.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }
}

/// One worker thread. Its router's context can't leave the thread, nor can its connections.
#[derive(Debug)]
pub struct Worker {
    /// What all workers share.
    pub shared: Arc<Shared>,
    /// This worker's router.
    pub router: RouterSlot<HttpUpstream, KeptLogins>,
}

impl Worker {
    /// The worker of the thread that calls, with connections of its own; where no client can be made for it, it
    /// shares those of `client`.
    #[must_use]
    pub fn new(shared: Arc<Shared>, client: &Client) -> Self {
        let live = shared.live();
        let timeouts = &live.settings.gateway.timeouts;
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
            router: shared.control.router_slot(upstream, shared.logins.clone()),
            shared,
        }
    }
}
