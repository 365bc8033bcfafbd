//! What one tiny real request with each credential came to.

use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use serde::{Deserialize, Serialize};

use super::provider::EffectiveKind;

/// One round of probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// When the first began, in Unix milliseconds.
    pub started_at: u64,
    /// When the last ended, in Unix milliseconds.
    pub finished_at: u64,
    /// How long all took.
    pub duration_ms: u64,
    /// How many credentials were looked at.
    pub total_targets: usize,
    /// What was asked for.
    pub options: ProbeOptions,
    /// What each came to, in the order of the pools.
    pub results: Vec<ProbeResult>,
}

/// What is probed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeOptions {
    /// Only this provider's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// Only these credentials; all if empty.
    pub profile_ids: Vec<ProfileId>,
    /// The longest that one probe may take.
    pub timeout_ms: u64,
    /// So many probes at once.
    pub concurrency: usize,
    /// So many tokens may an answer have.
    pub max_tokens: u32,
}

/// What the probe of one credential came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeResult {
    /// Its provider.
    pub provider: ProviderId,
    /// The model that was asked, as `provider/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was asked in place of a model, where none is known: `models` for the provider's list of models, `key` for
    /// what it says of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The credential.
    pub profile_id: ProfileId,
    /// `id=fingerprint`.
    pub label: String,
    /// Where the credential was found.
    pub source: ProbeSource,
    /// How it authenticates.
    pub mode: CredentialKind,
    /// What the probe came to.
    pub status: ProbeStatus,
    /// What stands in the way, without a piece of the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long the provider took; absent where nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
}

/// Sorts of places of a credential, by the names of the older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeSource {
    /// A store.
    #[serde(rename = "profile")]
    Profile,
    /// The environment.
    #[serde(rename = "env")]
    Environment,
    /// The config.
    #[serde(rename = "models.json")]
    Config,
}

/// What a probe came to, by the names of the older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStatus {
    /// The provider served it: a 2xx whose body is an answer.
    Ok,
    /// The provider refuses the credential, or it has run out.
    Auth,
    /// It works and is throttled.
    RateLimit,
    /// It is out of money.
    Billing,
    /// No whole answer in time.
    Timeout,
    /// The provider refuses the request.
    Format,
    /// Nothing is known of the credential: the provider is overloaded, failing or out of reach, or no provider answers.
    Unknown,
    /// The model is not there for this credential.
    NoModel,
}

impl ProbeStatus {
    /// What a failure of `class` says of the credential. The names have none for a provider that fails: that says
    /// nothing of the credential.
    #[must_use]
    pub const fn of(class: ErrorClass) -> Self {
        match class {
            ErrorClass::RateLimit | ErrorClass::QuotaWindow => Self::RateLimit,
            ErrorClass::QuotaHard => Self::Billing,
            ErrorClass::AuthDead
            | ErrorClass::AuthRefresh
            | ErrorClass::CredentialUseForbidden
            | ErrorClass::Permission => Self::Auth,
            ErrorClass::ModelAccess => Self::NoModel,
            ErrorClass::CallerFault => Self::Format,
            ErrorClass::Timeout => Self::Timeout,
            ErrorClass::Overloaded
            | ErrorClass::TransientServer
            | ErrorClass::RegionBlocked
            | ErrorClass::Unreachable => Self::Unknown,
        }
    }

    /// The name in JSON and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::Billing => "billing",
            Self::Timeout => "timeout",
            Self::Format => "format",
            Self::Unknown => "unknown",
            Self::NoModel => "no_model",
        }
    }
}

impl ProbeSource {
    /// The sort of place that `source` names.
    #[must_use]
    pub fn of(source: &str) -> Self {
        match EffectiveKind::of_source(source) {
            EffectiveKind::Profiles => Self::Profile,
            EffectiveKind::Config => Self::Config,
            EffectiveKind::Environment | EffectiveKind::Missing => Self::Environment,
        }
    }
}
