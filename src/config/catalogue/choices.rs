//! What the config has chosen: default models, fallbacks and the allowlist, as commands show and change them.

use coderclaw_actors::domain::credential::ProviderId;

use super::{Catalogue, ModelChoice, ResolveError, Target};
use crate::config::providers::ApiSet;

impl Catalogue {
    /// The model behind an alias, a `provider/model`, or a bare name that one provider lists.
    ///
    /// # Errors
    /// If the name means nothing, or not one thing.
    pub fn find(&self, name: &str) -> Result<Target, ResolveError> {
        self.locate(None, name)
    }

    /// What an agent's requests go to: its own choice, else everyone's.
    #[must_use]
    pub fn chosen(&self, agent: &str) -> &ModelChoice {
        self.agents.get(agent).unwrap_or(&self.default)
    }

    /// The wire formats that a provider speaks; none if it is not known.
    #[must_use]
    pub fn speaks(&self, provider: &ProviderId) -> ApiSet {
        let entry = self.providers.get(provider);
        entry.map(|entry| entry.apis).unwrap_or_default()
    }

    /// Whether requests for a model are let through.
    #[must_use]
    pub fn allows(&self, target: &Target) -> bool {
        !self.restricted || self.allowed.contains(target) || self.allowed_providers.contains(&target.provider)
    }

    /// Whether only some models are let through.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// The ids of the providers.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.providers.keys()
    }
}
