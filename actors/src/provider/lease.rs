//! `Lease`: a ticket that settles itself.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::handle::ProviderState;
use crate::domain::credential::AuthProfile;
use crate::domain::lease::Ticket;
use crate::domain::outcome::Outcome;

/// The right to use one credential for one attempt. It travels with the answer's stream and is settled when that
/// ends; dropped unsettled, it settles itself as abandoned. No crash of an actor touches it.
#[must_use = "a lease that is dropped at once was taken for nothing"]
pub struct Lease {
    provider: Arc<ProviderState>,
    ticket: Ticket,
    settled: bool,
}

// === impl Lease ===

impl Lease {
    pub(super) fn new(provider: Arc<ProviderState>, ticket: Ticket) -> Self {
        Self {
            provider,
            ticket,
            settled: false,
        }
    }

    /// The credential.
    #[must_use]
    pub fn profile(&self) -> &Arc<AuthProfile> {
        self.ticket.profile()
    }

    /// The lease as plain data.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Goes on with the secret of `fresh`, which is its credential renewed; so does every later lease.
    pub fn renew(&mut self, fresh: &AuthProfile) {
        self.provider.renew(&mut self.ticket, fresh);
    }

    /// Ends the lease with what the attempt came to.
    pub fn settle(mut self, outcome: Outcome) {
        self.end(&outcome);
    }

    fn end(&mut self, outcome: &Outcome) {
        if !self.settled {
            self.provider.settle(&self.ticket, outcome);
            // Only now: a settling that panics is made up for when the lease is dropped.
            self.settled = true;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A second panic during an unwinding would abort the process; a permit that is lost costs less.
        drop(catch_unwind(AssertUnwindSafe(|| self.end(&Outcome::Abandoned))));
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.ticket.profile().id)
    }
}
