//! States that outlive the process: cooldowns, exhaustions, disabled keys and failures in a row.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::credential::{Fingerprint, ModelClass, ProfileId, ProviderId};
use crate::domain::credential_state::{CredentialState, Rest, Standing, StateName, Streak};
use crate::domain::key_pool::KeyPool;
use crate::domain::outcome::ErrorClass;

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
    /// What told its secret from others.
    pub fingerprint: Fingerprint,
    /// Its standing for all models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<SavedStanding>,
    /// Its standings for single model classes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<ModelClass, SavedStanding>,
}

/// A state with its window and the failures in a row behind it; instants in Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStanding {
    /// The state.
    pub state: StateName,
    /// The end of its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// The class of failure that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ErrorClass>,
    /// The field of the provider's answer that stated the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the provider stated the end.
    #[serde(default)]
    pub stated: bool,
    /// When a real request may next test the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_at_ms: Option<u64>,
    /// Throttles in a row, and the end of the last one's rest.
    #[serde(default)]
    pub throttles: (u32, u64),
    /// Failures for want of money in a row, and the end of the last one's rest.
    #[serde(default)]
    pub exhaustions: (u32, u64),
}

// === impl SavedPool ===

impl SavedPool {
    /// What `pool` has to remember at `now`.
    pub(crate) fn of(pool: &KeyPool, now: Timestamp) -> Self {
        let mut saved: BTreeMap<usize, SavedCredential> = BTreeMap::new();
        let mut entry = |index: usize, class: Option<&ModelClass>, standing: &Standing| {
            if *standing == Standing::default() {
                return;
            }
            let Some(member) = pool.members().get(index) else {
                return;
            };
            let credential = saved.entry(index).or_insert_with(|| SavedCredential {
                profile: member.profile.id.clone(),
                fingerprint: member.profile.secret.fingerprint(),
                standing: None,
                models: BTreeMap::new(),
            });
            let standing = SavedStanding::of(standing, now);
            match class {
                None => credential.standing = Some(standing),
                Some(class) => {
                    credential.models.insert(class.clone(), standing);
                }
            }
        };
        for (index, member) in pool.members().iter().enumerate() {
            entry(index, None, &member.standing);
        }
        for (class, cells) in pool.classes() {
            for index in cells.indices() {
                if let Some(standing) = cells.get(index) {
                    entry(index, Some(class), standing);
                }
            }
        }
        Self(saved.into_values().collect())
    }

    /// Puts back what was saved of the credentials that are in `pool`: of the same secret, and if it was
    /// disabled, under the same id too.
    pub(crate) fn restore(&self, pool: &mut KeyPool, now: Timestamp) {
        let members: HashMap<Fingerprint, (usize, ProfileId)> = pool
            .members()
            .iter()
            .enumerate()
            .map(|(index, member)| {
                let profile = &member.profile;
                (profile.secret.fingerprint(), (index, profile.id.clone()))
            })
            .collect();
        for credential in &self.0 {
            let Some((index, id)) = members.get(&credential.fingerprint) else {
                continue;
            };
            let may_stand =
                |saved: &SavedStanding| saved.state != StateName::Disabled || *id == credential.profile;
            if let Some(saved) = credential.standing.as_ref().filter(|saved| may_stand(saved)) {
                pool.restore(*index, None, saved.standing(), now);
            }
            for (class, saved) in credential.models.iter().filter(|(_, saved)| may_stand(saved)) {
                pool.restore(*index, Some(class), saved.standing(), now);
            }
        }
    }
}

// === impl SavedStanding ===

impl SavedStanding {
    fn of(standing: &Standing, now: Timestamp) -> Self {
        let rest = standing.open_rest(now);
        let disabled = match standing.state {
            CredentialState::Disabled { class } => Some(class),
            _ => None,
        };
        Self {
            state: standing.name(now),
            until_ms: rest.map(|rest| rest.until.as_unix_ms()),
            reason: rest.map(|rest| rest.class).or(disabled),
            hint: rest.and_then(|rest| rest.hint.as_deref().map(str::to_owned)),
            stated: rest.is_some_and(|rest| rest.stated),
            test_at_ms: rest.and_then(|rest| rest.test_at).map(Timestamp::as_unix_ms),
            throttles: (
                standing.throttles.count,
                standing.throttles.rested_until.as_unix_ms(),
            ),
            exhaustions: (
                standing.exhaustions.count,
                standing.exhaustions.rested_until.as_unix_ms(),
            ),
        }
    }

    /// The standing that this was saved of. Leases of the process before are gone, so every lease is a later one.
    fn standing(&self) -> Standing {
        let rest = |class: ErrorClass| {
            self.until_ms.map(|until| Rest {
                until: Timestamp::from_unix_ms(until),
                class,
                hint: self.hint.clone().map(Cow::Owned),
                stated: self.stated,
                test_at: self.test_at_ms.map(Timestamp::from_unix_ms),
                opened_at_lease: 0,
            })
        };
        let state = match (self.state, self.reason) {
            (StateName::Cooling, Some(class)) => rest(class).map(CredentialState::Cooling),
            (StateName::Exhausted, Some(class)) => rest(class).map(CredentialState::Exhausted),
            (StateName::Disabled, Some(class)) => Some(CredentialState::Disabled { class }),
            _ => None,
        };
        let streak = |(count, rested_until): (u32, u64)| Streak {
            count,
            rested_until: Timestamp::from_unix_ms(rested_until),
            at_lease: 0,
        };
        Standing {
            state: state.unwrap_or_default(),
            throttles: streak(self.throttles),
            exhaustions: streak(self.exhaustions),
        }
    }
}
