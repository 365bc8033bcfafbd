//! What is known of providers and credentials, as `/status` and the command line tell it.

use serde::Serialize;

use crate::gateway::worker::Shared;

/// The state of a gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    in_flight: usize,
}

impl Report {
    /// The report of a running gateway.
    #[must_use]
    pub fn of_gateway(shared: &Shared) -> Self {
        Self {
            in_flight: shared.in_flight.count(),
        }
    }
}
