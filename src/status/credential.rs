//! One credential: what it is, how it is, until when and why. Never a piece of its secret.

use coderclaw_actors::domain::credential::{AgentId, CredentialKind, Fingerprint, ModelClass, ProfileId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{CredentialSnapshot, ModelSnapshot, StateName, Timestamp};
use serde::{Deserialize, Serialize};

use super::remaining_ms;

/// One credential of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialReport {
    /// Its profile id.
    pub id: ProfileId,
    /// What people see of its secret.
    pub fingerprint: Fingerprint,
    /// How it authenticates.
    pub kind: CredentialKind,
    /// Where it was found.
    pub source: String,
    /// The agent whose own store holds it, where that is not the store that every agent reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AgentId>,
    /// Its state for all models.
    pub state: StateName,
    /// When the state ends, in Unix milliseconds.
    pub until: Option<u64>,
    /// How long that is from now.
    pub remaining_ms: Option<u64>,
    /// The class of failure that led to the state.
    pub reason: Option<ErrorClass>,
    /// The field of the provider's answer that stated the end.
    pub hint: Option<String>,
    /// When its secret runs out, in Unix milliseconds; for a login, its access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Whether it is renewed without anybody's help.
    #[serde(default)]
    pub refreshable: bool,
    /// The model classes that it rests for, though not for all.
    pub models: Vec<ModelReport>,
    /// Attempts ever begun.
    pub requests: u64,
    /// Attempts that ended in throttling or for want of quota.
    pub throttles: u64,
    /// Attempts under way.
    pub in_flight: u32,
    /// When it was last used, in Unix milliseconds.
    pub last_used: Option<u64>,
    /// The configured requests a minute.
    pub rpm: Option<u32>,
    /// The configured attempts at once.
    pub concurrency: Option<u32>,
    /// Whether it would be used next, for a model that no credential rests for.
    pub next: bool,
    /// The model classes that some credential rests for and that this one would be used for next.
    pub next_for: Vec<ModelClass>,
}

/// The rest of one credential for one model class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelReport {
    /// The model class.
    pub class: ModelClass,
    /// The state there.
    pub state: StateName,
    /// When it ends, in Unix milliseconds.
    pub until: Option<u64>,
    /// How long that is from now.
    pub remaining_ms: Option<u64>,
    /// The class of failure that led to it.
    pub reason: Option<ErrorClass>,
    /// The field of the provider's answer that stated the end.
    pub hint: Option<String>,
}

impl CredentialReport {
    pub(super) fn of(credential: CredentialSnapshot, refreshable: bool, now: Timestamp) -> Self {
        let models = credential.models.into_iter();
        Self {
            id: credential.profile,
            fingerprint: credential.fingerprint,
            kind: credential.kind,
            source: credential.source.as_ref().to_owned(),
            owner: credential.owner,
            state: credential.state,
            until: credential.until_ms,
            remaining_ms: remaining_ms(credential.until_ms, now),
            reason: credential.reason,
            hint: credential.hint,
            // One that never had a token has none that ends.
            expires_at: credential.expires_at_ms.filter(|at| *at > 0),
            refreshable,
            models: models.map(|model| ModelReport::of(model, now)).collect(),
            requests: credential.requests,
            throttles: credential.throttles,
            in_flight: credential.in_flight,
            last_used: credential.last_used_ms,
            rpm: credential.rpm,
            concurrency: credential.concurrency,
            next: credential.next,
            next_for: credential.next_for,
        }
    }
}

impl ModelReport {
    fn of(model: ModelSnapshot, now: Timestamp) -> Self {
        Self {
            class: model.class,
            state: model.state,
            until: model.until_ms,
            remaining_ms: remaining_ms(model.until_ms, now),
            reason: model.reason,
            hint: model.hint,
        }
    }
}
