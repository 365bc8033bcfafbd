//! What providers say that they have: their own lists of models, as they were when they were last asked.

mod kept;

use coderclaw_actors::domain::credential::ProviderId;
use serde::{Deserialize, Serialize};

pub use kept::{KeptError, KeptLists};

/// A list older than this is asked for anew when it is wanted; it is still of use if that fails. A day, in
/// milliseconds.
pub const FRESH_FOR_MS: u64 = 24 * 60 * 60 * 1000;
/// No provider has nearly so many models.
pub const MODELS_MAX: usize = 10_000;
/// No model has a longer id or name, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// A provider's list of its models. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelList {
    /// The provider.
    pub provider: ProviderId,
    /// Where it was asked: a list from another address says nothing of this one.
    pub base_url: String,
    /// When it was asked, in Unix milliseconds.
    pub fetched_at: u64,
    /// Its models, in its own order.
    pub models: Vec<ListedModel>,
}

/// One model, as its provider lists it. What the provider does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedModel {
    /// Its id, as requests name it.
    pub id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it reads: `text`, `image`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<String>,
    /// How much it reads at once, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
}

impl ModelList {
    /// How long ago it was asked for, in milliseconds; one from the future is new.
    #[must_use]
    pub const fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.fetched_at)
    }

    /// Whether it need not be asked for anew.
    #[must_use]
    pub const fn is_fresh(&self, now_ms: u64) -> bool {
        self.age_ms(now_ms) <= FRESH_FOR_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_fresh_for_a_day() {
        let list = ModelList {
            provider: ProviderId::new("openai"),
            base_url: String::new(),
            fetched_at: 1_000,
            models: Vec::new(),
        };
        assert!(list.is_fresh(1_000 + FRESH_FOR_MS));
        assert!(!list.is_fresh(1_001 + FRESH_FOR_MS));
        assert!(list.is_fresh(0), "the clock was set back");
        assert_eq!(list.age_ms(4_000), 3_000);
    }
}
