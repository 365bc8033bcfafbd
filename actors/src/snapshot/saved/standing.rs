//! One state as it is written down.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::credential::Fingerprint;
use crate::domain::credential_state::{CredentialState, Rest, Standing, StateName, Streak};
use crate::domain::outcome::ErrorClass;

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
    /// The fingerprint of the secret that was refused, if it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Fingerprint>,
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

// === impl SavedStanding ===

impl SavedStanding {
    /// A state until an instant in Unix milliseconds, on somebody else's word.
    #[must_use]
    pub fn until(state: StateName, until_ms: u64, reason: ErrorClass) -> Self {
        Self {
            state,
            until_ms: Some(until_ms),
            reason: Some(reason),
            refused: None,
            hint: None,
            stated: false,
            test_at_ms: None,
            throttles: (0, 0),
            exhaustions: (0, 0),
        }
    }

    pub(super) fn of(standing: &Standing, now: Timestamp) -> Self {
        let rest = standing.open_rest(now);
        let disabled = match standing.state {
            CredentialState::Disabled { class, refused } => Some((class, refused)),
            _ => None,
        };
        Self {
            state: standing.name(now),
            until_ms: rest.map(|rest| rest.until.as_unix_ms()),
            reason: rest.map(|rest| rest.class).or(disabled.map(|(class, _)| class)),
            refused: disabled.map(|(_, refused)| refused),
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

    /// The standing that this was saved of, of a credential with that `fingerprint`. Leases of the process before are gone, so every lease is a later one.
    pub(super) fn standing(&self, fingerprint: Fingerprint) -> Standing {
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
            (StateName::Disabled, Some(class)) => Some(CredentialState::Disabled {
                class,
                refused: self.refused.unwrap_or(fingerprint),
            }),
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
