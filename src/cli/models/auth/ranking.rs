//! In which order an agent's credentials are used, and whose word that is.

use std::collections::HashMap;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use super::scope::Scope;
use crate::cli::exit::Failure;
use crate::credentials::environment::{Variables, discover};
use crate::credentials::order::ranked;
use crate::credentials::store::{AgentProfiles, MAIN_AGENT, StoreFile, StoredProfile};
use crate::gateway::memory::Memory;

/// Whose word an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The agent's own store.
    Agent,
    /// The store of `main`, which the agent reads through.
    Main,
    /// `auth.order` of the config.
    Config,
    /// Nobody: logins before tokens before keys, the least recently used first.
    Nobody,
}

/// The order of a provider's credentials.
pub(super) struct Ranking {
    pub(super) ids: Vec<ProfileId>,
    pub(super) says: Says,
}

impl Says {
    /// The name in JSON.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Main => "main",
            Self::Config => "config",
            Self::Nobody => "automatic",
        }
    }

    /// As people read it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Agent => "the agent's order",
            Self::Main => "the order of agent main",
            Self::Config => "auth.order of the config",
            Self::Nobody => "no explicit order",
        }
    }
}

/// What tells orders: the stores, the config, and what is remembered of use.
pub(super) struct Rankings<'s> {
    scope: &'s Scope,
    profiles: AgentProfiles,
    used: HashMap<ProfileId, u64>,
}

impl<'s> Rankings<'s> {
    pub(super) fn read(scope: &'s Scope) -> Result<Self, Failure> {
        // A memory that can't be read costs an order that nobody has set.
        let saved = Memory::of(&scope.settings.state_dir).read().unwrap_or_default();
        let credentials = saved.0.into_values().flat_map(|pool| pool.0);
        Ok(Self {
            profiles: scope.profiles()?,
            used: credentials
                .filter_map(|credential| Some((credential.profile, credential.last_used_ms?)))
                .collect(),
            scope,
        })
    }

    /// The agent's own order, if it has one.
    pub(super) fn own(&self, provider: &ProviderId) -> Result<Option<Vec<ProfileId>>, Failure> {
        Ok(self.scope.store.read()?.order(provider))
    }

    /// The order that counts.
    pub(super) fn of(&self, provider: &ProviderId) -> Result<Ranking, Failure> {
        let ranking = |ids, says| Ok(Ranking { ids, says });
        if let Some(ids) = self.own(provider)? {
            return ranking(ids, Says::Agent);
        }
        if self.scope.agent != MAIN_AGENT
            && let Some(ids) = StoreFile::of_agent(&self.scope.settings.state_dir, MAIN_AGENT)
                .read()?
                .order(provider)
        {
            return ranking(ids, Says::Main);
        }
        if let Some(ids) = self.scope.settings.orders.get(provider) {
            return ranking(ids.clone(), Says::Config);
        }
        ranking(self.automatic(provider), Says::Nobody)
    }

    /// Every credential of a provider that could be named in an order.
    pub(super) fn candidates(&self, provider: &ProviderId) -> Vec<ProfileId> {
        let mut ids = self.automatic(provider);
        let mut variables = Variables::of(&*self.scope.environment);
        // What can't be read there is told by the commands that show it.
        let _warnings = variables.fill_from_dotenv(&self.scope.settings.state_dir);
        let discovered = discover(provider.as_str(), &variables).profiles;
        for profile in discovered {
            if !ids.contains(&profile.id) {
                ids.push(profile.id);
            }
        }
        ids
    }

    fn automatic(&self, provider: &ProviderId) -> Vec<ProfileId> {
        let profiles = self.profiles.profiles().into_iter();
        let profiles = profiles.filter(|profile| profile.provider == *provider).collect();
        let last_used = |profile: &StoredProfile| {
            let remembered = self.used.get(&profile.id).copied();
            remembered.or_else(|| self.profiles.usage(&profile.id).last_used_ms)
        };
        let ranked = ranked(profiles, None, last_used).into_iter();
        let ambient = self.scope.ambient(provider).cloned();
        ranked.map(|profile| profile.id).chain(ambient).collect()
    }
}
