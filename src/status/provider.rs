//! One provider: where its credentials come from, and each of them.

use coderclaw_actors::domain::credential::{CredentialKind, Fingerprint, ProviderId};
use coderclaw_actors::{PoolSnapshot, StateName, Strategy, Timestamp};
use serde::{Deserialize, Serialize};

use super::credential::CredentialReport;

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
    pub(super) fn of(pool: PoolSnapshot, help: String, now: Timestamp) -> Self {
        let credentials: Vec<CredentialReport> = pool
            .credentials
            .into_iter()
            .map(|credential| CredentialReport::of(credential, now))
            .collect();
        let found = |config: bool| {
            credentials
                .iter()
                .find(|credential| is_of_config(credential) == config)
                .map(FoundKey::of)
        };
        Self {
            provider: pool.provider,
            effective: Effective::of(credentials.first()),
            profiles: ProfileCounts::of(&credentials),
            env: found(false),
            models_json: found(true),
            strategy: pool.strategy,
            restarts: pool.restarts,
            down: !pool.available,
            help: credentials.is_empty().then_some(help),
            credentials,
        }
    }
}

fn is_of_config(credential: &CredentialReport) -> bool {
    credential.source.starts_with(CONFIG_SOURCE)
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
            kind: if is_of_config(first) {
                EffectiveKind::Config
            } else {
                EffectiveKind::Environment
            },
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
