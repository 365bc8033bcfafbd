//! All providers and their credentials, and what they sum up to.

use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::{AgentId, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{PoolSnapshot, StateName, Timestamp};
use serde::{Deserialize, Serialize};

use super::credential::CredentialReport;
use super::expiry::Expiries;
use super::probes::Probes;
use super::provider::ProviderReport;
use crate::config::Settings;

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
    /// What a real request with each credential came to, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
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

// === impl AuthReport ===

impl AuthReport {
    pub(super) fn of(
        settings: &Settings,
        (agent, agent_dir): (Option<&AgentId>, &Path),
        pools: Vec<PoolSnapshot>,
        in_use: &[ProviderId],
        now: Timestamp,
    ) -> Self {
        let mut providers: Vec<ProviderReport> = pools
            .into_iter()
            .map(|pool| ProviderReport::of(pool, settings, agent, now))
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
            oauth: Expiries::of(&providers, now.as_unix_ms()),
            probes: None,
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
