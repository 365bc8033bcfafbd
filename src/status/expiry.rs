//! Which credentials run out, and when.

use coderclaw_actors::StateName;
use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use serde::{Deserialize, Serialize};

use super::credential::CredentialReport;
use super::provider::{ProviderReport, UnusableReport};
use crate::credentials::health::{EXPIRING_WITHIN_MS, ExpiryStatus, Health};

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
    /// What its end means now.
    pub status: ExpiryStatus,
    /// The end, in Unix milliseconds; for a login, that of its access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// From now to the end, in milliseconds; negative once it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<i64>,
    /// Whether it is renewed without anybody's help.
    pub refreshable: bool,
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
    /// What the ends of its tokens and logins come to; API keys count only where there is nothing else.
    pub status: ExpiryStatus,
    /// The soonest end of one that nothing renews, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// From now to that end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<i64>,
    /// Its credentials.
    pub profiles: Vec<Expiry>,
}

impl Expiries {
    pub(super) fn of(providers: &[ProviderReport], now_ms: u64) -> Self {
        let providers: Vec<ProviderExpiry> = providers
            .iter()
            .map(|report| ProviderExpiry::of(report, now_ms))
            .filter(|report| !report.profiles.is_empty())
            .collect();
        let profiles = providers
            .iter()
            .flat_map(|report| report.profiles.iter().cloned());
        Self {
            warn_after_ms: EXPIRING_WITHIN_MS,
            profiles: profiles.collect(),
            providers,
        }
    }
}

impl ProviderExpiry {
    fn of(report: &ProviderReport, now_ms: u64) -> Self {
        let used = report.credentials.iter();
        let used = used.map(|credential| Expiry::of(&report.provider, credential, now_ms));
        let unused = report.unusable.iter();
        let unused = unused.map(|unusable| Expiry::of_unusable(&report.provider, unusable));
        let profiles: Vec<Expiry> = used.chain(unused).collect();
        let ending = profiles.iter().filter(|profile| !profile.refreshable);
        let soonest = ending.min_by_key(|profile| profile.expires_at.unwrap_or(u64::MAX));
        let statuses = profiles
            .iter()
            .map(|profile| (profile.kind == CredentialKind::ApiKey, profile.status));
        Self {
            provider: report.provider.clone(),
            status: Health::together(statuses),
            expires_at: soonest.and_then(|profile| profile.expires_at),
            remaining_ms: soonest.and_then(|profile| profile.remaining_ms),
            profiles,
        }
    }
}

impl Expiry {
    fn of(provider: &ProviderId, credential: &CredentialReport, now_ms: u64) -> Self {
        let refreshable = credential.refreshable;
        let mut health = Health::of(credential.kind, credential.expires_at, refreshable, now_ms);
        // The provider takes the token no more, whatever was said of its end.
        if credential.state == StateName::Disabled && credential.reason == Some(ErrorClass::AuthRefresh) {
            health.status = ExpiryStatus::Expired;
        }
        Self {
            profile_id: credential.id.clone(),
            provider: provider.clone(),
            kind: credential.kind,
            status: health.status,
            expires_at: health.expires_at_ms,
            remaining_ms: health.remaining_ms,
            refreshable,
            source: credential.source.clone(),
            label: format!("{}={}", credential.id, credential.fingerprint),
        }
    }

    fn of_unusable(provider: &ProviderId, unusable: &UnusableReport) -> Self {
        Self {
            profile_id: unusable.id.clone(),
            provider: provider.clone(),
            kind: unusable.kind,
            status: ExpiryStatus::Missing,
            expires_at: None,
            remaining_ms: None,
            refreshable: false,
            source: unusable.source.clone(),
            label: unusable.id.to_string(),
        }
    }
}
