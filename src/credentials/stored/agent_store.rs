//! The store of one agent as it was read, its profiles by provider.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use coderclaw_actors::domain::credential::{AgentId, ProviderId};

use crate::config::Warning;
use crate::credentials::reference::SecretRef;
use crate::credentials::store::{AuthStore, MAIN_AGENT, StoreError, StoreFile, StoredProfile};

use super::usable::reference;

/// One store.
#[derive(Debug)]
pub(super) struct AgentStore {
    pub(super) agent: AgentId,
    pub(super) file: StoreFile,
    pub(super) content: AuthStore,
    pub(super) by_provider: BTreeMap<ProviderId, Vec<StoredProfile>>,
    /// That others may read it.
    pub(super) warning: Option<Warning>,
}

impl AgentStore {
    /// Reads the store of `agent`.
    pub(super) fn read(state_dir: &Path, agent: &str) -> Result<Self, StoreError> {
        let file = StoreFile::of_agent(state_dir, agent);
        let content = file.read()?;
        let mut by_provider: BTreeMap<ProviderId, Vec<StoredProfile>> = BTreeMap::new();
        for profile in content.profiles() {
            by_provider
                .entry(profile.provider.clone())
                .or_default()
                .push(profile);
        }
        let exposure = file.exposure();
        Ok(Self {
            agent: AgentId::new(agent),
            warning: exposure.map(|what| Warning::about(file.path().display().to_string(), what)),
            file,
            content,
            by_provider,
        })
    }

    /// The agent, unless this is the store that every agent reads.
    pub(super) fn owner(&self) -> Option<&AgentId> {
        (self.agent.as_str() != MAIN_AGENT).then_some(&self.agent)
    }

    pub(super) fn profiles(&self) -> impl Iterator<Item = &StoredProfile> {
        self.by_provider.values().flatten()
    }

    pub(super) fn references(&self) -> impl Iterator<Item = SecretRef> {
        self.profiles().filter_map(|profile| reference(profile)?.ok())
    }

    /// The providers of its profiles, and of those of `main` that it hides behind profiles of the same ids.
    pub(super) fn providers(&self, main: &AuthStore) -> BTreeSet<ProviderId> {
        let known = self.profiles().map(|profile| profile.id.clone());
        let unknown = self.content.unknown().map(|unknown| unknown.id);
        let hidden = known.chain(unknown).filter_map(|id| main.profile(id.as_str()));
        let hidden = hidden.map(|profile| profile.provider);
        self.by_provider.keys().cloned().chain(hidden).collect()
    }
}
