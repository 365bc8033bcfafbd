//! One credential of a pool with everything that is known of it.

use std::sync::Arc;
use std::time::Duration;

use super::super::clock::Timestamp;
use super::super::cooldown::CooldownPolicy;
use super::super::credential::{AuthProfile, Identity};
use super::super::credential_state::{Admission, CredentialState, Standing};
use super::super::quota::RequestRate;

/// A credential, its state, its limits and its counters.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) profile: Arc<AuthProfile>,
    /// That of `profile`.
    pub(crate) identity: Identity,
    pub(crate) standing: Standing,
    rate: Option<RequestRate>,
    /// Attempts under way.
    pub(crate) in_flight: u32,
    /// Attempts ever begun.
    pub(crate) requests: u64,
    /// Attempts that ended in throttling or for want of quota.
    pub(crate) throttles: u64,
    pub(crate) last_used: Option<Timestamp>,
}

// === impl Member ===

impl Member {
    pub(super) fn new(profile: Arc<AuthProfile>, identity: Identity) -> Self {
        Self {
            standing: Standing::default(),
            rate: profile.limits.rpm.map(RequestRate::new),
            profile,
            identity,
            in_flight: 0,
            requests: 0,
            throttles: 0,
            last_used: None,
        }
    }

    /// Goes on where `before`, which is the same credential, stood.
    pub(super) fn take_over(&mut self, before: &Self) {
        if before.profile.id == self.profile.id || !before.standing.is_disabled() {
            self.standing = before.standing.clone();
        }
        self.forgive_other_secrets();
        if let (Some(rate), Some(rpm)) = (&before.rate, self.profile.limits.rpm) {
            self.rate = Some(rate.with_rpm(rpm));
        }
        self.in_flight = before.in_flight;
        self.requests = before.requests;
        self.throttles = before.throttles;
        self.last_used = before.last_used;
    }

    /// Puts a renewed secret in the place of the one that `from` holds; a member that holds another by now keeps
    /// that. True if the new one makes up for a refusal of an old one.
    pub(super) fn renew(&mut self, from: &AuthProfile, fresh: &AuthProfile) -> bool {
        if self.profile.secret != from.secret {
            return false;
        }
        self.profile = Arc::new(self.profile.renewed(fresh));
        self.forgive_other_secrets()
    }

    /// Forgets that the provider refused a secret which is not the one that is held now; true if it did refuse one.
    fn forgive_other_secrets(&mut self) -> bool {
        let CredentialState::Disabled { refused, .. } = self.standing.state else {
            return false;
        };
        let forgiven = refused != self.profile.secret.fingerprint();
        if forgiven {
            self.standing = Standing::default();
        }
        forgiven
    }

    /// Whether a lease may be taken at `now`, leaving model classes aside.
    pub(super) fn is_ready(&self, now: Timestamp) -> bool {
        self.standing.admission(now) != Admission::No && !self.has_ended(now) && self.within_limits(now)
    }

    /// Whether its secret has run out at `now` for good.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.profile.ends_at().is_some_and(|end| end <= now)
    }

    /// Whether the configured limits allow another attempt at `now`.
    pub(super) fn within_limits(&self, now: Timestamp) -> bool {
        !self.is_busy() && self.rate.as_ref().is_none_or(|rate| rate.opens_at(now) <= now)
    }

    fn is_busy(&self) -> bool {
        let most = self.profile.limits.concurrency;
        most.is_some_and(|most| self.in_flight >= most.get())
    }

    /// The soonest instant from `now` on when it may be leased, leaving model classes aside; a busy one is
    /// expected back after `busy`.
    pub(super) fn opens_at(&self, now: Timestamp, busy: Duration) -> Option<Timestamp> {
        let standing = self.standing.opens_at(now)?;
        let rate = self.rate.as_ref().map_or(now, |rate| rate.opens_at(now));
        let busy = if self.is_busy() { now.after(busy) } else { now };
        let opens = standing.max(rate).max(busy);
        (!self.has_ended(opens)).then_some(opens)
    }

    /// The next instant at which time alone changes what may be leased.
    pub(super) fn next_change(&self, now: Timestamp, policy: &CooldownPolicy) -> Option<Timestamp> {
        let standing = self.standing.next_change(now, policy);
        let rate = self
            .rate
            .as_ref()
            .map(|rate| rate.opens_at(now))
            .filter(|at| *at > now);
        let end = self.profile.ends_at().filter(|at| *at > now);
        [standing, rate, end].into_iter().flatten().min()
    }

    /// Begins an attempt; true if that may have changed whether the next one can begin.
    pub(super) fn take(&mut self, now: Timestamp, policy: &CooldownPolicy) -> bool {
        self.in_flight += 1;
        self.requests += 1;
        self.last_used = Some(now);
        let test = self.standing.admission(now) == Admission::Test;
        if test {
            self.standing.test_taken(now, policy);
        }
        let used_up = self
            .rate
            .as_ref()
            .is_some_and(|rate| !rate.take(now) || rate.opens_at(now) > now);
        test || used_up || self.is_busy()
    }

    /// Ends an attempt; true if that may have made room for another one.
    pub(super) fn release(&mut self) -> bool {
        let was_busy = self.is_busy();
        self.in_flight = self.in_flight.saturating_sub(1);
        was_busy
    }
}
