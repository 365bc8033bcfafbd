//! The states of a credential and every way between them.
//!
//! ```text
//!              throttled / window                     out of money
//!  Available ───────────────────▶ Cooling ─────────────────────────▶ Exhausted
//!      ▲  ▲                          │ end reached, success,            │ the same
//!      │  └──────────────────────────┘ or cleared ◀─────────────────────┘
//!      └───── cleared, or another value ───── Disabled ◀── dead, revoked, forbidden (from any state)
//! ```
//!
//! A standing is such a state together with the failures in a row that led to it. A credential has one for
//! itself and one for each model class that it was throttled for. Evidence counts by *when its lease was taken*:
//! a hundred requests that were under way when the first 429 came say nothing that the first did not say, neither
//! by failing (they do not double the rest) nor by succeeding (they do not end it).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::cooldown::{CooldownPolicy, rank};
use super::credential::Fingerprint;
use super::outcome::ErrorClass;

/// The name of a state, as status, metrics and logs show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// May be leased.
    Available,
    /// Rests until an instant.
    Cooling,
    /// Out of money or allowance; rests until an instant.
    Exhausted,
    /// Out of use until its value changes or someone clears it.
    Disabled,
}

impl StateName {
    /// The name used in logs, metrics and status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Cooling => "cooling",
            Self::Exhausted => "exhausted",
            Self::Disabled => "disabled",
        }
    }
}

/// An open window: until when, why, and on whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) until: Timestamp,
    pub(crate) class: ErrorClass,
    /// The field of the answer that stated the end.
    pub(crate) hint: Option<Cow<'static, str>>,
    /// Whether the provider stated the end; otherwise it is the schedule's.
    pub(crate) stated: bool,
    /// When one real request may test whether the window has ended early.
    pub(crate) test_at: Option<Timestamp>,
    /// The first lease id that was not yet given out when the window opened.
    pub(crate) opened_at_lease: u64,
}

/// A state with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum CredentialState {
    #[default]
    Available,
    Cooling(Rest),
    Exhausted(Rest),
    Disabled {
        class: ErrorClass,
        /// The secret that was refused: what may be said of a login ends with the token that it was said of.
        refused: Fingerprint,
    },
}

/// Failures in a row whose rest the provider did not state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) count: u32,
    /// When the rest after the last failure ended. The age of a failure counts from here: a rest of a day would
    /// otherwise outlast the memory of what it is for.
    pub(crate) rested_until: Timestamp,
    /// The first lease id that was not yet given out at the last failure.
    pub(crate) at_lease: u64,
}

impl Streak {
    /// The streak after one more failure, met under `lease`.
    fn grown(self, lease: LeaseOrder, now: Timestamp, policy: &CooldownPolicy) -> Self {
        let count = if self.is_forgotten(now, policy) || self.count == 0 {
            1
        } else if lease.id < self.at_lease {
            self.count
        } else {
            self.count.saturating_add(1)
        };
        Self {
            count,
            rested_until: now,
            at_lease: lease.next_id,
        }
    }

    fn is_forgotten(self, now: Timestamp, policy: &CooldownPolicy) -> bool {
        now.since(self.rested_until) > policy.failure_window
    }
}

/// Where a lease stands in the order of leases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseOrder {
    /// Its own id; ids only grow.
    pub(crate) id: u64,
    /// The id that the next lease will get.
    pub(crate) next_id: u64,
}

/// A failure that may rest a credential.
#[derive(Clone, Debug)]
pub(crate) struct RestEvidence {
    pub(crate) class: ErrorClass,
    pub(crate) stated: Option<Timestamp>,
    pub(crate) hint: Option<&'static str>,
    pub(crate) lease: LeaseOrder,
    /// From 0..1; picks the jitter.
    pub(crate) random: f64,
}

/// Whether a lease may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Yes,
    /// Only to test a window that is still open.
    Test,
    No,
}

/// A state and the failures in a row behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: CredentialState,
    pub(crate) throttles: Streak,
    pub(crate) exhaustions: Streak,
}

// === impl Standing ===

impl Standing {
    /// The window that is open at `now`.
    pub(crate) fn open_rest(&self, now: Timestamp) -> Option<&Rest> {
        match &self.state {
            CredentialState::Cooling(rest) | CredentialState::Exhausted(rest) if now < rest.until => {
                Some(rest)
            }
            _ => None,
        }
    }

    /// The state as it is at `now`: a window that has passed is none.
    pub(crate) fn name(&self, now: Timestamp) -> StateName {
        match &self.state {
            CredentialState::Disabled { .. } => StateName::Disabled,
            CredentialState::Cooling(rest) if now < rest.until => StateName::Cooling,
            CredentialState::Exhausted(rest) if now < rest.until => StateName::Exhausted,
            _ => StateName::Available,
        }
    }

    /// Whether a lease may be taken at `now`.
    pub(crate) fn admission(&self, now: Timestamp) -> Admission {
        if self.is_disabled() {
            return Admission::No;
        }
        match self.open_rest(now) {
            None => Admission::Yes,
            Some(rest) if rest.test_at.is_some_and(|at| at <= now) => Admission::Test,
            Some(_) => Admission::No,
        }
    }

    /// The soonest instant from `now` on when a lease may be taken; `None` if only help from outside brings one.
    pub(crate) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_disabled() {
            return None;
        }
        Some(self.open_rest(now).map_or(now, |rest| {
            rest.test_at.map_or(rest.until, |at| at.min(rest.until)).max(now)
        }))
    }

    /// The next instant after `now` at which time alone changes the answer of [`Self::admission`], or lets the
    /// failures in a row be forgotten.
    pub(crate) fn next_change(&self, now: Timestamp, policy: &CooldownPolicy) -> Option<Timestamp> {
        if let Some(rest) = self.open_rest(now) {
            let test = rest.test_at.filter(|at| *at > now);
            return Some(test.map_or(rest.until, |at| at.min(rest.until)));
        }
        let last = self.throttles.rested_until.max(self.exhaustions.rested_until);
        (self.throttles.count > 0 || self.exhaustions.count > 0).then(|| {
            let forgotten = last
                .after(policy.failure_window)
                .after(std::time::Duration::from_nanos(1));
            forgotten.max(now)
        })
    }

    /// Drops what time has made untrue at `now`; true if nothing is left to remember.
    pub(crate) fn forget(&mut self, now: Timestamp, policy: &CooldownPolicy) -> bool {
        if self.name(now) == StateName::Available {
            self.state = CredentialState::Available;
        }
        for streak in [&mut self.throttles, &mut self.exhaustions] {
            if streak.is_forgotten(now, policy) {
                *streak = Streak::default();
            }
        }
        *self == Self::default()
    }

    /// The standing after a failure that rests the credential; `None` if the evidence changes nothing.
    pub(crate) fn rested(
        &self,
        evidence: &RestEvidence,
        now: Timestamp,
        policy: &CooldownPolicy,
    ) -> Option<Self> {
        if self.is_disabled() {
            return None;
        }
        let open = self.open_rest(now);
        if open.is_some_and(|rest| !outweighs(evidence, rest)) {
            return None;
        }
        let mut next = self.clone();
        let end = evidence
            .stated
            .unwrap_or_else(|| next.unstated_end(evidence, now, policy));
        let until = open.map_or(end, |rest| rest.until.max(end));
        let taken_over = open.filter(|rest| rest.until > end);
        let tested = evidence.class != ErrorClass::QuotaHard
            && evidence.stated.is_some()
            && until > now.after(policy.window_test_every);
        let rest = Rest {
            until,
            class: evidence.class,
            hint: taken_over.map_or_else(|| evidence.hint.map(Cow::Borrowed), |rest| rest.hint.clone()),
            stated: evidence.stated.is_some(),
            test_at: open
                .filter(|_| tested)
                .and_then(|rest| rest.test_at)
                .or_else(|| tested.then(|| now.after(policy.window_test_every))),
            opened_at_lease: evidence.lease.next_id,
        };
        next.state = if evidence.class == ErrorClass::QuotaHard {
            CredentialState::Exhausted(rest)
        } else {
            CredentialState::Cooling(rest)
        };
        (next != *self).then_some(next)
    }

    /// Counts one more failure in a row and says when the schedule lets the credential come back.
    fn unstated_end(
        &mut self,
        evidence: &RestEvidence,
        now: Timestamp,
        policy: &CooldownPolicy,
    ) -> Timestamp {
        let streak = if evidence.class == ErrorClass::QuotaHard {
            &mut self.exhaustions
        } else {
            &mut self.throttles
        };
        *streak = streak.grown(evidence.lease, now, policy);
        let rest = policy.unstated(evidence.class, streak.count);
        streak.rested_until = now.after(policy.jittered(rest, evidence.random));
        streak.rested_until
    }

    /// Whether it is out of use.
    pub(crate) const fn is_disabled(&self) -> bool {
        matches!(self.state, CredentialState::Disabled { .. })
    }

    /// The standing of a credential that is disabled by `class`, met with the secret `refused`; `None` if it is
    /// already.
    pub(crate) fn disabled(&self, class: ErrorClass, refused: Fingerprint) -> Option<Self> {
        if self.is_disabled() {
            return None;
        }
        Some(Self {
            state: CredentialState::Disabled { class, refused },
            ..Self::default()
        })
    }

    /// The standing after a success under lease `id`; `None` if that changes nothing.
    ///
    /// A lease from before the window opened proves nothing about it.
    pub(crate) fn succeeded(&self, id: u64) -> Option<Self> {
        let mut next = self.clone();
        match &self.state {
            CredentialState::Disabled { .. } => return None,
            CredentialState::Cooling(rest) | CredentialState::Exhausted(rest)
                if id < rest.opened_at_lease =>
            {
                return None;
            }
            _ => next.state = CredentialState::Available,
        }
        for streak in [&mut next.throttles, &mut next.exhaustions] {
            if id >= streak.at_lease {
                *streak = Streak::default();
            }
        }
        (next != *self).then_some(next)
    }

    /// The standing with a test soon enough, where its rest lasts longer from `now` than any that begins now could:
    /// what outlived its process may come from a machine whose clock ran years ahead.
    pub(crate) fn bounded(mut self, now: Timestamp, policy: &CooldownPolicy) -> Self {
        if let CredentialState::Cooling(rest) | CredentialState::Exhausted(rest) = &mut self.state {
            let test = now.after(policy.longest(rest.class));
            if rest.until > test {
                rest.test_at = Some(rest.test_at.map_or(test, |at| at.min(test)));
            }
        }
        for (streak, class) in [
            (&mut self.throttles, ErrorClass::RateLimit),
            (&mut self.exhaustions, ErrorClass::QuotaHard),
        ] {
            streak.rested_until = streak.rested_until.min(now.after(policy.longest(class)));
        }
        self
    }

    /// Notes that the test that was due at `now` is being made: the next one is due a whole span later.
    pub(crate) fn test_taken(&mut self, now: Timestamp, policy: &CooldownPolicy) {
        if let CredentialState::Cooling(rest) | CredentialState::Exhausted(rest) = &mut self.state
            && rest.test_at.is_some_and(|at| at <= now)
        {
            rest.test_at = Some(now.after(policy.window_test_every));
        }
    }
}

/// Whether `evidence` may change the open window `rest`: a higher class may, and so may a later end that the
/// provider stated for the same class. Nothing makes a window shorter.
fn outweighs(evidence: &RestEvidence, rest: &Rest) -> bool {
    let (new, old) = (rank(evidence.class), rank(rest.class));
    new > old || (new == old && evidence.stated.is_some_and(|end| end > rest.until))
}

#[cfg(test)]
mod tests;
