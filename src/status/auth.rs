//! All providers and their credentials, and what they sum up to.

use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{PoolSnapshot, StateName, Timestamp};
use serde::{Deserialize, Serialize};

use super::credential::CredentialReport;
use super::provider::ProviderReport;
use crate::config::Settings;

/// A credential that ends within this time is worth a warning: a day.
const WARN_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// Providers and credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthReport {
    /// The default agent's auth store.
    pub store_path: PathBuf,
    /// What the login shell gives.
    pub shell_env_fallback: ShellEnvironment,
    /// Providers with tokens or OAuth logins: `provider (count)`.
    #[serde(rename = "providersWithOAuth")]
    pub providers_with_oauth: Vec<String>,
    /// Providers of the configured models that have no credential.
    pub missing_providers_in_use: Vec<ProviderId>,
    /// Every provider, by id.
    pub providers: Vec<ProviderReport>,
    /// The credentials that can't be used now for any model; the soonest back first.
    pub unusable_profiles: Vec<Unusable>,
    /// Which credentials run out.
    pub oauth: Expiries,
}

/// What the login shell gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShellEnvironment {
    /// Whether it is asked.
    pub enabled: bool,
    /// The variables that came from it.
    pub applied_keys: Vec<String>,
}

/// A credential that can't be used now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unusable {
    /// Its profile id.
    pub profile_id: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// How it is kept away, in the words of the older tools.
    pub kind: UnusableKind,
    /// Its state.
    pub state: StateName,
    /// The class of failure that led to it.
    pub reason: Option<ErrorClass>,
    /// When it ends, in Unix milliseconds; `None` if time alone brings it not back.
    pub until: Option<u64>,
    /// How long that is from now.
    pub remaining_ms: Option<u64>,
}

/// How a credential is kept away, in the words of the older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusableKind {
    /// It rests.
    Cooldown,
    /// It is out of money or out of use.
    Disabled,
}

/// Which credentials run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiries {
    /// One that runs out within this time is worth a warning.
    pub warn_after_ms: u64,
    /// Every credential.
    pub profiles: Vec<Expiry>,
    /// Every provider that has one.
    pub providers: Vec<ProviderExpiry>,
}

/// Whether one credential runs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiry {
    /// Its profile id.
    pub profile_id: ProfileId,
    /// Its provider.
    pub provider: ProviderId,
    /// How it authenticates.
    #[serde(rename = "type")]
    pub kind: CredentialKind,
    /// `static`: nothing is known of an end.
    pub status: String,
    /// Where it was found.
    pub source: String,
    /// `id=fingerprint`.
    pub label: String,
}

/// Whether a provider's credentials run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderExpiry {
    /// The provider.
    pub provider: ProviderId,
    /// `static`: nothing is known of an end.
    pub status: String,
    /// Its credentials.
    pub profiles: Vec<Expiry>,
}

// === impl AuthReport ===

impl AuthReport {
    pub(super) fn of(
        settings: &Settings,
        agent_dir: &Path,
        pools: Vec<PoolSnapshot>,
        in_use: &[ProviderId],
        now: Timestamp,
    ) -> Self {
        let mut providers: Vec<ProviderReport> = pools
            .into_iter()
            .map(|pool| {
                let help = settings.places_looked(pool.provider.as_str()).hint;
                ProviderReport::of(pool, help, now)
            })
            .collect();
        providers.sort_by(|one, other| one.provider.cmp(&other.provider));
        let mut missing: Vec<ProviderId> = providers
            .iter()
            .filter(|report| report.credentials.is_empty() && in_use.contains(&report.provider))
            .map(|report| report.provider.clone())
            .collect();
        missing.dedup();
        Self {
            store_path: agent_dir.join("auth-profiles.json"),
            shell_env_fallback: ShellEnvironment {
                enabled: settings.shell_env.enabled,
                applied_keys: settings.shell_env.applied.clone(),
            },
            providers_with_oauth: providers.iter().filter_map(with_tokens).collect(),
            missing_providers_in_use: missing,
            unusable_profiles: unusable(&providers),
            oauth: Expiries::of(&providers),
            providers,
        }
    }
}

/// `provider (count)` of its tokens and OAuth logins, if it has any.
fn with_tokens(report: &ProviderReport) -> Option<String> {
    let count = report.profiles.oauth + report.profiles.token;
    (count > 0).then(|| format!("{} ({count})", report.provider))
}

fn unusable(providers: &[ProviderReport]) -> Vec<Unusable> {
    let mut unusable: Vec<Unusable> = providers
        .iter()
        .flat_map(|report| {
            let credentials = report.credentials.iter();
            credentials.filter_map(|credential| Unusable::of(&report.provider, credential))
        })
        .collect();
    unusable.sort_by_key(|entry| entry.until.unwrap_or(u64::MAX));
    unusable
}

impl Unusable {
    fn of(provider: &ProviderId, credential: &CredentialReport) -> Option<Self> {
        let kind = match credential.state {
            StateName::Available => return None,
            StateName::Cooling => UnusableKind::Cooldown,
            StateName::Exhausted | StateName::Disabled => UnusableKind::Disabled,
        };
        Some(Self {
            profile_id: credential.id.clone(),
            provider: provider.clone(),
            kind,
            state: credential.state,
            reason: credential.reason,
            until: credential.until,
            remaining_ms: credential.remaining_ms,
        })
    }
}

impl Expiries {
    fn of(providers: &[ProviderReport]) -> Self {
        let providers: Vec<ProviderExpiry> = providers
            .iter()
            .filter(|report| !report.credentials.is_empty())
            .map(|report| ProviderExpiry {
                provider: report.provider.clone(),
                status: "static".to_owned(),
                profiles: report
                    .credentials
                    .iter()
                    .map(|credential| Expiry::of(&report.provider, credential))
                    .collect(),
            })
            .collect();
        let profiles = providers
            .iter()
            .flat_map(|report| report.profiles.iter().cloned());
        Self {
            warn_after_ms: WARN_AFTER_MS,
            profiles: profiles.collect(),
            providers,
        }
    }
}

impl Expiry {
    fn of(provider: &ProviderId, credential: &CredentialReport) -> Self {
        Self {
            profile_id: credential.id.clone(),
            provider: provider.clone(),
            kind: credential.kind,
            status: "static".to_owned(),
            source: credential.source.clone(),
            label: format!("{}={}", credential.id, credential.fingerprint),
        }
    }
}
