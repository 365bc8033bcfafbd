//! What an agent has: its own store over that of `main`, which every other agent reads through. Nothing is copied.

use std::path::Path;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use super::{AuthStore, StoreError, StoreFile, StoredProfile, Usage};

/// The agent whose store everyone reads through.
pub const MAIN_AGENT: &str = "main";

/// The stores that an agent's credentials come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentProfiles {
    own: AuthStore,
    /// The store of `main`, for an agent that is another.
    main: Option<AuthStore>,
}

impl AgentProfiles {
    /// Reads the stores of `agent`.
    ///
    /// # Errors
    /// If one is there and can't be read or understood.
    pub fn read(state_dir: &Path, agent: &str) -> Result<Self, StoreError> {
        let own = StoreFile::of_agent(state_dir, agent).read()?;
        let main = (agent != MAIN_AGENT).then(|| StoreFile::of_agent(state_dir, MAIN_AGENT).read());
        Ok(Self {
            own,
            main: main.transpose()?,
        })
    }

    /// Every profile of a known type: the agent's own, then those of `main` whose ids it does not have.
    #[must_use]
    pub fn profiles(&self) -> Vec<StoredProfile> {
        let mut profiles: Vec<StoredProfile> = self.own.profiles().collect();
        let inherited = self.main.iter().flat_map(AuthStore::profiles);
        profiles.extend(inherited.filter(|profile| !self.own.holds(profile.id.as_str())));
        profiles
    }

    /// The explicit order of a provider's profiles: the agent's own, else that of `main`.
    #[must_use]
    pub fn order(&self, provider: &ProviderId) -> Option<Vec<ProfileId>> {
        self.stores().find_map(|store| store.order(provider))
    }

    /// Whether the agent's own store holds a profile; else it is `main`'s.
    #[must_use]
    pub fn owns(&self, id: &ProfileId) -> bool {
        self.own.holds(id.as_str())
    }

    /// What the older tools noted of a profile's use, in the store that holds it.
    #[must_use]
    pub fn usage(&self, id: &ProfileId) -> Usage {
        let mut holders = self.stores().filter(|store| store.holds(id.as_str()));
        holders.next().map(|store| store.usage(id)).unwrap_or_default()
    }

    fn stores(&self) -> impl Iterator<Item = &AuthStore> {
        std::iter::once(&self.own).chain(&self.main)
    }
}
