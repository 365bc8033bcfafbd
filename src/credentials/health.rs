//! Whether a credential runs out, and when: what `models status` and `models auth list` tell of it.

use coderclaw_actors::domain::credential::CredentialKind;
use serde::{Deserialize, Serialize};

/// A credential that ends within this time is worth a warning: a day, in milliseconds.
pub const EXPIRING_WITHIN_MS: u64 = 24 * 60 * 60 * 1000;

/// How a credential stands to its end; the names are those of the older tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryStatus {
    /// Nothing is known of an end.
    Static,
    /// It ends later than in a day, or renews itself.
    Ok,
    /// It ends within a day.
    Expiring,
    /// It has ended.
    Expired,
    /// A login without a known end, or no credential at all.
    Missing,
}

/// When a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// What that means now.
    pub status: ExpiryStatus,
    /// The end, in Unix milliseconds; for a login, that of its access token.
    pub expires_at_ms: Option<u64>,
    /// From now to the end, in milliseconds; negative once it has passed.
    pub remaining_ms: Option<i64>,
    /// Whether it is renewed without anybody's help.
    pub refreshable: bool,
}

impl ExpiryStatus {
    /// The name used in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Ok => "ok",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Missing => "missing",
        }
    }
}

impl Health {
    /// Of one that nothing is known about.
    pub const STATIC: Self = Self {
        status: ExpiryStatus::Static,
        expires_at_ms: None,
        remaining_ms: None,
        refreshable: false,
    };

    /// Of a credential that ends at `expires_at_ms`, if that is known, at `now_ms`.
    #[must_use]
    pub fn of(kind: CredentialKind, expires_at_ms: Option<u64>, refreshable: bool, now_ms: u64) -> Self {
        let is_login = match kind {
            CredentialKind::ApiKey => return Self::STATIC,
            CredentialKind::Token => false,
            CredentialKind::Oauth => true,
        };
        let remaining_ms = expires_at_ms.map(|end| remaining(end, now_ms));
        let status = match remaining_ms {
            None if is_login => ExpiryStatus::Missing,
            None => ExpiryStatus::Static,
            Some(_) if refreshable => ExpiryStatus::Ok,
            Some(..=0) => ExpiryStatus::Expired,
            Some(left) if left.unsigned_abs() <= EXPIRING_WITHIN_MS => ExpiryStatus::Expiring,
            Some(_) => ExpiryStatus::Ok,
        };
        Self {
            status,
            expires_at_ms,
            remaining_ms,
            refreshable,
        }
    }

    /// What a provider's credentials come to together: whether each is an API key, and how it stands. API keys count
    /// only where there is nothing else.
    #[must_use]
    pub fn together(credentials: impl IntoIterator<Item = (bool, ExpiryStatus)>) -> ExpiryStatus {
        let mut worst = ExpiryStatus::Missing;
        for (is_key, status) in credentials {
            let status = match status {
                _ if is_key => ExpiryStatus::Static,
                ExpiryStatus::Expired | ExpiryStatus::Missing => return ExpiryStatus::Expired,
                ExpiryStatus::Expiring => ExpiryStatus::Expiring,
                ExpiryStatus::Static | ExpiryStatus::Ok => ExpiryStatus::Ok,
            };
            worst = match (worst, status) {
                (ExpiryStatus::Expiring, _) | (_, ExpiryStatus::Expiring) => ExpiryStatus::Expiring,
                (ExpiryStatus::Ok, _) | (_, ExpiryStatus::Ok) => ExpiryStatus::Ok,
                _ => ExpiryStatus::Static,
            };
        }
        worst
    }
}

fn remaining(end_ms: u64, now_ms: u64) -> i64 {
    let distance = i64::try_from(end_ms.abs_diff(now_ms)).unwrap_or(i64::MAX);
    if end_ms >= now_ms { distance } else { -distance }
}

/// A time to an end as the older tools write it: `5m`, `3h`, `12d`, rounded; `0m` once it is over.
#[must_use]
pub fn format_remaining(ms: i64) -> String {
    const MINUTE_MS: u64 = 60_000;
    const HOURS_SHOWN_BELOW: u64 = 48;

    let rounded = |amount: u64, unit: u64| (amount + unit / 2) / unit;
    let Some(ms) = u64::try_from(ms).ok().filter(|ms| *ms > 0) else {
        return "0m".to_owned();
    };
    let minutes = rounded(ms, MINUTE_MS).max(1);
    let hours = rounded(minutes, 60);
    match minutes {
        0..60 => format!("{minutes}m"),
        _ if hours < HOURS_SHOWN_BELOW => format!("{hours}h"),
        _ => format!("{}d", rounded(hours, 24)),
    }
}
