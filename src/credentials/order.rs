//! In which order a provider's stored profiles are used.

use std::collections::HashMap;

use coderclaw_actors::domain::credential::{CredentialKind, ProfileId};

/// What the order goes by.
pub trait Orderable {
    /// The profile's id.
    fn id(&self) -> &ProfileId;
    /// How it authenticates.
    fn kind(&self) -> CredentialKind;
}

/// The profiles in the order of use: exactly those of `explicit`, each once, if there is an order; else logins before
/// tokens before keys, and within a kind the least recently used first. `last_used` is an instant of any unit.
#[must_use]
pub fn ranked<P: Orderable>(
    profiles: Vec<P>,
    explicit: Option<&[ProfileId]>,
    last_used: impl Fn(&P) -> Option<u64>,
) -> Vec<P> {
    let Some(explicit) = explicit else {
        let mut ranked = profiles;
        // Stable: what was never used keeps the order of the store.
        ranked.sort_by_key(|profile| (rank(profile.kind()), last_used(profile).unwrap_or(0)));
        return ranked;
    };
    let mut by_id: HashMap<ProfileId, P> = profiles
        .into_iter()
        .map(|profile| (profile.id().clone(), profile))
        .collect();
    explicit.iter().filter_map(|id| by_id.remove(id)).collect()
}

/// The same profiles as they would be tried now: those that rest last, the soonest back first. `rests_until` is an
/// instant after now, for a profile that rests.
#[must_use]
pub fn resting_last<P: Orderable>(
    mut ranked: Vec<P>,
    rests_until: impl Fn(&ProfileId) -> Option<u64>,
) -> Vec<P> {
    ranked.sort_by_key(|profile| rests_until(profile.id()));
    ranked
}

/// The same profiles with the one before all others that a session prefers, if it is among them, even if it rests.
#[must_use]
pub fn preferred_first<P: Orderable>(mut ranked: Vec<P>, preferred: &ProfileId) -> Vec<P> {
    ranked.sort_by_key(|profile| profile.id() != preferred);
    ranked
}

const fn rank(kind: CredentialKind) -> u8 {
    match kind {
        CredentialKind::Oauth => 0,
        CredentialKind::Token => 1,
        CredentialKind::ApiKey => 2,
    }
}
