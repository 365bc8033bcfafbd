//! What a pool looks like from outside, and what of it outlives the process. No secrets in either.

mod outlook;
mod saved;

use std::sync::Arc;

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::credential::{
    AgentId, AuthProfile, CredentialKind, Fingerprint, ModelClass, ProfileId, ProviderId,
};
use crate::domain::credential_state::{CredentialState, Standing, StateName};
use crate::domain::key_pool::{KeyPool, Member, Whose};
use crate::domain::lease::Tried;
use crate::domain::outcome::ErrorClass;
use crate::domain::plan::Strategy;
use crate::domain::selection::Selection;

pub use outlook::PoolOutlook;
pub(crate) use saved::Kept;
pub use saved::{SavedCredential, SavedPool, SavedStanding, SavedState};

/// The hint of a credential whose secret has run out.
const EXPIRED: &str = "expired";

/// One provider's pool at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolSnapshot {
    /// The provider.
    pub provider: ProviderId,
    /// How the next credential is chosen.
    pub strategy: Strategy,
    /// Whether the provider serves; false once its actor crashed too often.
    pub available: bool,
    /// How often its actor was restarted.
    pub restarts: u64,
    /// Its credentials, in order.
    pub credentials: Vec<CredentialSnapshot>,
}

/// One credential of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialSnapshot {
    /// Its profile id.
    pub profile: ProfileId,
    /// What people see of its secret.
    pub fingerprint: Fingerprint,
    /// How it authenticates.
    pub kind: CredentialKind,
    /// When its secret runs out, in Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// Where it was found.
    pub source: Arc<str>,
    /// The agent whose own store holds it; `None` if that is the store that every agent reads, or no store does.
    pub owner: Option<AgentId>,
    /// Its state for all models.
    pub state: StateName,
    /// The end of its window, in Unix milliseconds.
    pub until_ms: Option<u64>,
    /// The class of failure that led to the state.
    pub reason: Option<ErrorClass>,
    /// The field of the provider's answer that stated the end; `expired` where the secret has run out.
    pub hint: Option<String>,
    /// The model classes that it rests for, though not for all.
    pub models: Vec<ModelSnapshot>,
    /// Attempts ever begun.
    pub requests: u64,
    /// Attempts that ended in throttling or for want of quota.
    pub throttles: u64,
    /// When it was last leased, in Unix milliseconds.
    pub last_used_ms: Option<u64>,
    /// Attempts under way.
    pub in_flight: u32,
    /// The configured requests a minute.
    pub rpm: Option<u32>,
    /// The configured attempts at once.
    pub concurrency: Option<u32>,
    /// Whether it would be leased next, for a model class that no credential rests for.
    pub next: bool,
    /// The model classes that some credential rests for and that this one would be leased for next.
    pub next_for: Vec<ModelClass>,
}

/// The rest of one credential for one model class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelSnapshot {
    /// The model class.
    pub class: ModelClass,
    /// The state there.
    pub state: StateName,
    /// The end of the window, in Unix milliseconds.
    pub until_ms: Option<u64>,
    /// The class of failure that led to it.
    pub reason: Option<ErrorClass>,
    /// The field of the provider's answer that stated the end.
    pub hint: Option<String>,
}

// === impl PoolSnapshot ===

impl PoolSnapshot {
    /// What is `whose` of the pool of `provider`, as it is at `now`.
    pub(crate) fn of(provider: &ProviderId, pool: &KeyPool, whose: Whose, now: Timestamp) -> Self {
        let next = pool.choose(None, &Tried::default(), Selection::Any, whose);
        let mut places = vec![None; pool.members().len()];
        let mut credentials: Vec<CredentialSnapshot> = Vec::with_capacity(pool.count_of(whose));
        for index in pool.indices_of(whose) {
            let (Some(member), Some(profile)) = (pool.members().get(index), pool.profile_of(whose, index))
            else {
                continue;
            };
            if let Some(place) = places.get_mut(index) {
                *place = Some(credentials.len());
            }
            credentials.push(CredentialSnapshot::of(member, profile, next == Some(index), now));
        }
        let place_of = |index: usize| places.get(index).copied().flatten();
        for (class, cells) in pool.classes() {
            let mut rests = false;
            for index in cells.indices() {
                let standing = cells
                    .get(index)
                    .filter(|standing| standing.open_rest(now).is_some());
                let credential = place_of(index).and_then(|place| credentials.get_mut(place));
                if let (Some(standing), Some(credential)) = (standing, credential) {
                    credential.models.push(ModelSnapshot::of(class, standing, now));
                    rests = true;
                }
            }
            let next = pool
                .choose(Some(class), &Tried::default(), Selection::Any, whose)
                .filter(|_| rests)
                .and_then(place_of);
            if let Some(credential) = next.and_then(|place| credentials.get_mut(place)) {
                credential.next_for.push(class.clone());
            }
        }
        for credential in &mut credentials {
            credential
                .models
                .sort_by(|one, other| one.class.cmp(&other.class));
            credential.next_for.sort();
        }
        Self {
            provider: provider.clone(),
            strategy: pool.strategy(),
            available: true,
            restarts: 0,
            credentials,
        }
    }
}

// === impl CredentialSnapshot ===

impl CredentialSnapshot {
    fn of(member: &Member, profile: &AuthProfile, next: bool, now: Timestamp) -> Self {
        let (mut state, mut why) = (member.standing.name(now), why(&member.standing, now));
        if state != StateName::Disabled && member.has_ended(now) {
            state = StateName::Disabled;
            why = (None, Some(ErrorClass::AuthRefresh), Some(EXPIRED.to_owned()));
        }
        let (until_ms, reason, hint) = why;
        Self {
            profile: profile.id.clone(),
            fingerprint: profile.secret.fingerprint(),
            kind: profile.kind,
            expires_at_ms: profile.expires_at.map(Timestamp::as_unix_ms),
            source: Arc::clone(&profile.source),
            owner: profile.owner.clone(),
            state,
            until_ms,
            reason,
            hint,
            models: Vec::new(),
            requests: member.requests,
            throttles: member.throttles,
            last_used_ms: member.last_used.map(Timestamp::as_unix_ms),
            in_flight: member.in_flight,
            rpm: profile.limits.rpm.map(std::num::NonZeroU32::get),
            concurrency: profile.limits.concurrency.map(std::num::NonZeroU32::get),
            next,
            next_for: Vec::new(),
        }
    }
}

// === impl ModelSnapshot ===

impl ModelSnapshot {
    fn of(class: &ModelClass, standing: &Standing, now: Timestamp) -> Self {
        let (until_ms, reason, hint) = why(standing, now);
        Self {
            class: class.clone(),
            state: standing.name(now),
            until_ms,
            reason,
            hint,
        }
    }
}

/// Until when, why, and on whose word a standing keeps a credential from being leased.
fn why(standing: &Standing, now: Timestamp) -> (Option<u64>, Option<ErrorClass>, Option<String>) {
    match standing.open_rest(now) {
        Some(rest) => (
            Some(rest.until.as_unix_ms()),
            Some(rest.class),
            rest.hint.as_deref().map(str::to_owned),
        ),
        None => match standing.state {
            CredentialState::Disabled { class, .. } => (None, Some(class), None),
            _ => (None, None, None),
        },
    }
}
