//! What a request does about access tokens that have run out.

use std::time::Duration;

use tracing::{debug, warn};

use crate::domain::clock::Timestamp;
use crate::domain::credential::{AuthProfile, CredentialKind};
use crate::domain::outcome::{ErrorClass, Outcome, Verdict};
use crate::provider::Lease;
use crate::renewal::{Renewal, Renewed};

/// A token refused as dead this shortly before its end, or after it, has rather run out: a provider's clock need not
/// be ours, and not every provider has a word of its own for that.
pub(super) const NEAR_END: Duration = Duration::from_mins(1);

/// No request waits for more renewals than this; logins beyond are passed over as if they could not be renewed now.
pub(super) const RENEWALS_MAX: usize = 8;

/// The renewals of one request. The caller asks for at most one a credential.
#[derive(Debug)]
pub(super) struct Renewals<R> {
    renewal: R,
    waited: usize,
}

// === impl Renewals ===

impl<R: Renewal> Renewals<R> {
    pub(super) fn new(renewal: R) -> Self {
        Self { renewal, waited: 0 }
    }

    /// Whether nothing should be sent with `profile` before it is renewed.
    pub(super) fn is_due(profile: &AuthProfile, now: Timestamp) -> bool {
        profile.kind == CredentialKind::Oauth && profile.is_expired(now)
    }

    /// Whether a failure of `class` may only mean that the token of `profile` has run out.
    pub(super) fn may_mend(profile: &AuthProfile, class: ErrorClass, now: Timestamp) -> bool {
        let near_end = || profile.is_expired(now.after(NEAR_END));
        profile.kind == CredentialKind::Oauth
            && match class {
                ErrorClass::AuthRefresh => true,
                ErrorClass::AuthDead => near_end(),
                _ => false,
            }
    }

    /// Renews before anything was sent. The lease with a token that may be sent; else it is settled, and the next
    /// credential's turn.
    pub(super) async fn before_attempt(&mut self, mut lease: Lease) -> Option<Lease> {
        match self.renew(&lease).await {
            Renewed::Fresh(fresh) => {
                lease.renew(&fresh);
                return Some(lease);
            }
            Renewed::NotNow(_) => lease.settle(Outcome::Abandoned),
            Renewed::LoginNeeded(_) | Renewed::Never => lease.settle(Outcome::LoginNeeded),
        }
        None
    }

    /// Renews because the provider refused the token. The lease with another one that was not tried yet, if there
    /// is one and the request `may_go_again`; else it is settled, and the refusal comes back. It waits in here, where
    /// it costs requests without renewals nothing.
    pub(super) async fn after_refusal<A>(
        &mut self,
        mut lease: Lease,
        refused: (Verdict, A),
        may_go_again: bool,
    ) -> Result<Lease, (Verdict, A)> {
        let outcome = match self.renew(&lease).await {
            Renewed::Fresh(fresh) if fresh.secret != lease.profile().secret => {
                lease.renew(&fresh);
                if may_go_again {
                    return Ok(lease);
                }
                // The refused token is gone, the new one untried.
                Outcome::Abandoned
            }
            Renewed::Fresh(_) | Renewed::Never => Outcome::Failed(refused.0),
            Renewed::NotNow(_) => Outcome::Abandoned,
            Renewed::LoginNeeded(_) => Outcome::LoginNeeded,
        };
        lease.settle(outcome);
        Err(refused)
    }

    async fn renew(&mut self, lease: &Lease) -> Renewed {
        if self.waited >= RENEWALS_MAX {
            return Renewed::NotNow("the request has waited for enough renewals".into());
        }
        self.waited += 1;
        let profile = lease.profile();
        let renewed = self.renewal.renew(profile).await;
        match &renewed {
            Renewed::Fresh(_) => debug!(target: "coderclaw", profile = %profile.id, "login renewed"),
            Renewed::NotNow(reason) => {
                debug!(target: "coderclaw", profile = %profile.id, %reason, "login not renewed now");
            }
            Renewed::LoginNeeded(reason) => {
                warn!(target: "coderclaw", profile = %profile.id, %reason, "login is over: log in again");
            }
            Renewed::Never => debug!(target: "coderclaw", profile = %profile.id, "nothing renews this login"),
        }
        renewed
    }
}
