//! One provider: where its credentials come from, and each of them.

use coderclaw_actors::domain::credential::{AgentId, CredentialKind, Fingerprint, ProfileId, ProviderId};
use coderclaw_actors::{PoolSnapshot, StateName, Strategy, Timestamp};
use serde::{Deserialize, Serialize};

use super::credential::CredentialReport;
use crate::config::Settings;
use crate::credentials::stored::{Excluded, STORE_SOURCE};

/// How the source of a credential begins that the config holds.
const CONFIG_SOURCE: &str = "config: ";

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderReport {
    /// Its id.
    pub provider: ProviderId,
    /// Where the credential comes from that stands first in the pool.
    pub effective: Effective,
    /// How many credentials of which kind there are.
    pub profiles: ProfileCounts,
    /// The first credential that the environment holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<FoundKey>,
    /// The credential that the config holds. The older tools kept it in a file of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models_json: Option<FoundKey>,
    /// How the next credential is chosen.
    pub strategy: Strategy,
    /// How often its actor was restarted.
    pub restarts: u64,
    /// Whether its actor crashed too often: it serves nobody until the gateway is restarted.
    pub down: bool,
    /// How to add a credential; only where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Its credentials, in the order of the pool.
    pub credentials: Vec<CredentialReport>,
    /// Stored profiles that would be credentials if they could be used.
    #[serde(default)]
    pub unusable: Vec<UnusableReport>,
}

/// A stored profile that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusableReport {
    /// Its id.
    pub id: ProfileId,
    /// How it would authenticate.
    pub kind: CredentialKind,
    /// Where it is.
    pub source: String,
    /// The agent whose own store holds it, where that is not the store that every agent reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AgentId>,
    /// Why it can't be used, and what to do.
    pub why: String,
}

/// Where the credential comes from that stands first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// The sort of place.
    pub kind: EffectiveKind,
    /// Its fingerprint and source; `missing` if there is none.
    pub detail: String,
}

/// Sorts of places, by the names of the older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectiveKind {
    /// A store.
    #[serde(rename = "profiles")]
    Profiles,
    /// The environment.
    #[serde(rename = "env")]
    Environment,
    /// The config.
    #[serde(rename = "models.json")]
    Config,
    /// Nowhere: there is no credential.
    #[serde(rename = "missing")]
    Missing,
}

/// How many credentials of which kind there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileCounts {
    /// All.
    pub count: usize,
    /// OAuth logins.
    pub oauth: usize,
    /// Pasted tokens.
    pub token: usize,
    /// API keys.
    pub api_key: usize,
    /// `id=fingerprint`, with the state of those that are not available.
    pub labels: Vec<String>,
}

/// A credential and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundKey {
    /// Its fingerprint. The older tools showed pieces of the secret here.
    pub value: Fingerprint,
    /// Where it was found.
    pub source: String,
}

impl ProviderReport {
    pub(super) fn of(
        pool: PoolSnapshot,
        settings: &Settings,
        agent: Option<&AgentId>,
        now: Timestamp,
    ) -> Self {
        let credentials: Vec<CredentialReport> = pool
            .credentials
            .into_iter()
            .map(|credential| {
                let refreshable = settings.renews(credential.owner.as_ref(), &credential.profile);
                CredentialReport::of(credential, refreshable, now)
            })
            .collect();
        let found = |kind| {
            let found = credentials
                .iter()
                .find(|credential| EffectiveKind::of_source(&credential.source) == kind);
            found.map(FoundKey::of)
        };
        let excluded = settings
            .pool_of(agent, pool.provider.as_str())
            .map(|pool| pool.excluded.as_slice());
        let help = || settings.places_looked(agent, pool.provider.as_str()).hint;
        Self {
            effective: Effective::of(credentials.first()),
            profiles: ProfileCounts::of(&credentials),
            env: found(EffectiveKind::Environment),
            models_json: found(EffectiveKind::Config),
            strategy: pool.strategy,
            restarts: pool.restarts,
            down: !pool.available,
            help: credentials.is_empty().then(help),
            unusable: excluded
                .unwrap_or_default()
                .iter()
                .map(UnusableReport::of)
                .collect(),
            credentials,
            provider: pool.provider,
        }
    }
}

impl UnusableReport {
    fn of(excluded: &Excluded) -> Self {
        Self {
            id: excluded.id.clone(),
            kind: excluded.kind,
            source: excluded.source.as_ref().to_owned(),
            owner: excluded.owner.clone(),
            why: excluded.why.to_string(),
        }
    }
}

impl EffectiveKind {
    /// The sort of place that the source of a credential names.
    pub(crate) fn of_source(source: &str) -> Self {
        match source {
            source if source.starts_with(STORE_SOURCE) => Self::Profiles,
            source if source.starts_with(CONFIG_SOURCE) => Self::Config,
            _ => Self::Environment,
        }
    }
}

impl Effective {
    fn of(first: Option<&CredentialReport>) -> Self {
        let Some(first) = first else {
            return Self {
                kind: EffectiveKind::Missing,
                detail: "missing".to_owned(),
            };
        };
        Self {
            kind: EffectiveKind::of_source(&first.source),
            detail: format!("{} ({})", first.fingerprint, first.source),
        }
    }
}

impl ProfileCounts {
    fn of(credentials: &[CredentialReport]) -> Self {
        let of_kind = |kind: CredentialKind| {
            let kinds = credentials.iter().map(|credential| credential.kind);
            kinds.filter(|other| *other == kind).count()
        };
        Self {
            count: credentials.len(),
            oauth: of_kind(CredentialKind::Oauth),
            token: of_kind(CredentialKind::Token),
            api_key: of_kind(CredentialKind::ApiKey),
            labels: credentials.iter().map(label).collect(),
        }
    }
}

fn label(credential: &CredentialReport) -> String {
    let (id, fingerprint) = (&credential.id, credential.fingerprint);
    match credential.state {
        StateName::Available => format!("{id}={fingerprint}"),
        state => format!("{id}={fingerprint} [{}]", state.as_str()),
    }
}

impl FoundKey {
    fn of(credential: &CredentialReport) -> Self {
        Self {
            value: credential.fingerprint,
            source: credential.source.clone(),
        }
    }
}
