//! What a reload replaces: the settings, and what is made of them for every request. A request keeps what it began
//! with.

use std::net::SocketAddr;
use std::sync::Arc;

use coderclaw_actors::RotationPolicy;

use super::access::{Access, AccessRules};
use super::body::BodyLimits;
use super::relay::StreamTimeouts;
use crate::config::Settings;

/// The settings in force.
#[derive(Debug)]
pub struct Live {
    /// The settings themselves.
    pub settings: Settings,
    /// Which failures rotate, and how often.
    pub rotation: Arc<RotationPolicy>,
    /// Who may call.
    pub access: Access,
    /// What bounds the reading of bodies.
    pub bodies: Arc<BodyLimits>,
    /// How long streams may take.
    pub streams: StreamTimeouts,
}

impl Live {
    /// What `settings` mean for a gateway that listens on `addresses`.
    #[must_use]
    pub fn of(settings: Settings, addresses: &[SocketAddr]) -> Self {
        let bodies = Arc::new(bodies(&settings));
        Self::with_bodies(settings, addresses, bodies)
    }

    /// What `settings` mean in the place of `self`: bodies that are being read go on counting.
    #[must_use]
    pub fn followed_by(&self, settings: Settings, addresses: &[SocketAddr]) -> Self {
        let (before, after) = (&self.settings.gateway, &settings.gateway);
        let bodies = if before.limits == after.limits && before.timeouts == after.timeouts {
            Arc::clone(&self.bodies)
        } else {
            Arc::new(bodies(&settings))
        };
        Self::with_bodies(settings, addresses, bodies)
    }

    fn with_bodies(settings: Settings, addresses: &[SocketAddr], bodies: Arc<BodyLimits>) -> Self {
        let gateway = &settings.gateway;
        let rules = AccessRules {
            token: gateway.token.clone(),
            allowed_hosts: gateway.allowed_hosts.clone(),
            allowed_origins: gateway.allowed_origins.clone(),
        };
        Self {
            rotation: Arc::new(settings.rotation.clone()),
            access: Access::new(rules, addresses),
            bodies,
            streams: StreamTimeouts {
                idle: gateway.timeouts.idle,
                total: gateway.timeouts.total,
            },
            settings,
        }
    }
}

fn bodies(settings: &Settings) -> BodyLimits {
    let (limits, timeouts) = (&settings.gateway.limits, &settings.gateway.timeouts);
    BodyLimits::new(
        limits.body as u64,
        limits.buffered_bodies as u64,
        timeouts.idle,
        timeouts.total,
    )
}
