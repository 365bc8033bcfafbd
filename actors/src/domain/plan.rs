//! What one request may spend: which failures pass it on to the next credential, and how often.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use super::outcome::ErrorClass;

/// Which classes of failure rotate, and the most attempts of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// The classes that pass a request on to the next credential.
    pub on: BTreeSet<ErrorClass>,
    /// No request makes more attempts than this, however many credentials there are.
    pub attempts_max: NonZeroUsize,
}

impl RotationPolicy {
    /// The classes that rotate unless the config widens the set: throttling and quota, nothing else.
    pub const DEFAULT_ON: [ErrorClass; 3] = [
        ErrorClass::RateLimit,
        ErrorClass::QuotaWindow,
        ErrorClass::QuotaHard,
    ];
    /// Attempts of one request unless the config says otherwise: 1,000.
    pub const DEFAULT_ATTEMPTS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);

    /// Whether a failure of `class` passes the request on to the next credential.
    #[must_use]
    pub fn rotates(&self, class: ErrorClass) -> bool {
        self.on.contains(&class)
    }
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self {
            on: BTreeSet::from(Self::DEFAULT_ON),
            attempts_max: Self::DEFAULT_ATTEMPTS_MAX,
        }
    }
}

/// How the next credential is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The first that is available, in pool order.
    #[default]
    Priority,
    /// The least recently used of those that are available.
    Balanced,
}

impl Strategy {
    /// The name used in the config and in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Balanced => "balanced",
        }
    }
}
