//! What outlives the process: cooldowns, exhaustions, disabled keys, failures in a row, and counters.

mod standing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::credential::{AuthProfile, Fingerprint, ModelClass, ProfileId, ProviderId};
use crate::domain::credential_state::{Standing, StateName};
use crate::domain::key_pool::KeyPool;
pub use standing::SavedStanding;

/// The saved pools of all providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedState(pub BTreeMap<ProviderId, SavedPool>);

/// The credentials of one provider of which there is anything to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedPool(pub Vec<SavedCredential>);

/// What is remembered of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCredential {
    /// Its profile id.
    pub profile: ProfileId,
    /// What told it from others: the fingerprint of its secret, or of its login where the secret changes.
    pub fingerprint: Fingerprint,
    /// When it was last leased, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<u64>,
    /// Attempts ever begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Attempts that ended in throttling or for want of quota.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub throttles: u64,
    /// Its standing for all models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<SavedStanding>,
    /// Its standings for single model classes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<ModelClass, SavedStanding>,
}

/// What a pool knows that must outlive the process, not yet in the words of a file.
pub(crate) struct Kept {
    members: Vec<KeptMember>,
    classes: Vec<(ModelClass, Vec<(usize, Standing)>)>,
}

struct KeptMember {
    profile: Arc<AuthProfile>,
    fingerprint: Fingerprint,
    standing: Standing,
    requests: u64,
    throttles: u64,
    last_used: Option<Timestamp>,
}

// === impl SavedState ===

impl SavedState {
    /// Adds what `other` knows of credentials that nothing is known of here.
    pub fn complete(&mut self, other: &Self) {
        for (provider, SavedPool(credentials)) in &other.0 {
            let known = &mut self.0.entry(provider.clone()).or_default().0;
            let before: HashSet<ProfileId> = known.iter().map(|one| one.profile.clone()).collect();
            // Two stores may have a profile of the same id.
            let new = credentials.iter().filter(|one| !before.contains(&one.profile));
            known.extend(new.cloned());
        }
    }

    /// Forgets what keeps `profile` from being used, for all models, as a running gateway does when it is told to
    /// clear it; its counters stay. Says if there was anything to forget.
    pub fn clear(&mut self, profile: &ProfileId) -> bool {
        let mut any = false;
        for SavedPool(credentials) in self.0.values_mut() {
            for credential in credentials.iter_mut().filter(|one| one.profile == *profile) {
                any |= credential.standing.take().is_some() || !credential.models.is_empty();
                credential.models.clear();
            }
            credentials.retain(|credential| !credential.is_blank());
        }
        any
    }
}

// === impl SavedPool ===

impl SavedPool {
    /// What there is to remember of `kept` at `now`.
    pub(crate) fn of(kept: Kept, now: Timestamp) -> Self {
        let mut models: HashMap<usize, BTreeMap<ModelClass, SavedStanding>> = HashMap::new();
        for (class, cells) in kept.classes {
            for (index, standing) in cells {
                let standing = SavedStanding::of(&standing, now);
                models.entry(index).or_default().insert(class.clone(), standing);
            }
        }
        let credentials = kept.members.into_iter().enumerate().map(|(index, member)| {
            let models = models.remove(&index).unwrap_or_default();
            SavedCredential::of(&member, models, now)
        });
        Self(credentials.filter(|credential| !credential.is_blank()).collect())
    }

    /// Puts back what was saved of the credentials that are in `pool`. Disabled is only put back for the secret that
    /// was refused, under the same id.
    pub(crate) fn restore(&self, pool: &mut KeyPool, now: Timestamp) {
        let members: HashMap<Fingerprint, (usize, ProfileId, Fingerprint)> = pool
            .members()
            .iter()
            .enumerate()
            .map(|(index, member)| {
                let profile = &member.profile;
                let held = (index, profile.id.clone(), profile.secret.fingerprint());
                (member.identity.fingerprint(), held)
            })
            .collect();
        for credential in &self.0 {
            let Some((index, id, secret)) = members.get(&credential.fingerprint) else {
                continue;
            };
            let may_stand = |saved: &SavedStanding| {
                let refused = saved.refused.unwrap_or(credential.fingerprint);
                saved.state != StateName::Disabled || (*id == credential.profile && *secret == refused)
            };
            let standing = |saved: &SavedStanding| saved.standing(credential.fingerprint);
            if let Some(saved) = credential.standing.as_ref().filter(|saved| may_stand(saved)) {
                pool.restore(*index, None, standing(saved), now);
            }
            for (class, saved) in credential.models.iter().filter(|(_, saved)| may_stand(saved)) {
                pool.restore(*index, Some(class), standing(saved), now);
            }
            let last_used = credential.last_used_ms.map(Timestamp::from_unix_ms);
            pool.restore_use(*index, credential.requests, credential.throttles, last_used);
        }
    }
}

// === impl Kept ===

impl Kept {
    /// A copy of what `pool` knows, made in as little time as can be: requests wait for the lock meanwhile.
    pub(crate) fn of(pool: &KeyPool) -> Self {
        let cells = pool.classes().iter().map(|(class, cells)| {
            let standings = cells
                .indices()
                .filter_map(|index| Some((index, cells.get(index)?.clone())));
            (class.clone(), standings.collect())
        });
        let classes: Vec<(ModelClass, Vec<(usize, Standing)>)> = cells.collect();
        let members = pool.members().iter().map(|member| KeptMember {
            profile: Arc::clone(&member.profile),
            fingerprint: member.identity.fingerprint(),
            standing: member.standing.clone(),
            requests: member.requests,
            throttles: member.throttles,
            last_used: member.last_used,
        });
        Self {
            members: members.collect(),
            classes,
        }
    }
}

// === impl SavedCredential ===

impl SavedCredential {
    /// One that rests, and of which nothing else is known.
    #[must_use]
    pub fn resting(profile: &AuthProfile, standing: SavedStanding) -> Self {
        Self {
            profile: profile.id.clone(),
            fingerprint: profile.identity().fingerprint(),
            last_used_ms: None,
            requests: 0,
            throttles: 0,
            standing: Some(standing),
            models: BTreeMap::new(),
        }
    }

    fn of(member: &KeptMember, models: BTreeMap<ModelClass, SavedStanding>, now: Timestamp) -> Self {
        let standing = Some(&member.standing).filter(|standing| **standing != Standing::default());
        Self {
            profile: member.profile.id.clone(),
            fingerprint: member.fingerprint,
            last_used_ms: member.last_used.map(Timestamp::as_unix_ms),
            requests: member.requests,
            throttles: member.throttles,
            standing: standing.map(|standing| SavedStanding::of(standing, now)),
            models,
        }
    }

    /// Whether it says nothing that a credential of which nothing was saved would not say too.
    fn is_blank(&self) -> bool {
        let unused = self.last_used_ms.is_none() && self.requests == 0 && self.throttles == 0;
        unused && self.standing.is_none() && self.models.is_empty()
    }
}

/// Whether a counter can be left out.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
