//! The pools of agents other than the default one.

use std::collections::BTreeSet;

use coderclaw_actors::domain::credential::{AgentId, ProviderId};

use super::pool_builder::PoolBuilder;
use crate::credentials::pool::Pool;
use crate::credentials::store::MAIN_AGENT;

/// Agents that have the same pools, where those are not the default agent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPools {
    /// The agents.
    pub agents: Vec<AgentId>,
    /// The pools that differ from the default agent's, by provider.
    pub pools: Vec<Pool>,
}

impl AgentPools {
    /// The pool of a provider, if it differs from the default agent's.
    #[must_use]
    pub fn pool(&self, provider: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.provider.as_str() == provider)
    }

    /// The pools of all `agents` but the default one, of the providers of which they or the default one have anything
    /// of their own. Agents that have nothing have what `main` has: they share one.
    pub(super) fn build(builder: &PoolBuilder<'_>, default: &str, agents: &[String]) -> Vec<Self> {
        let of_default = builder.providers_of_its_own(default);
        let mut shared = Self::new(builder, MAIN_AGENT, &of_default);
        let mut all = Vec::new();
        for agent in agents.iter().filter(|agent| *agent != default) {
            let own = builder.providers_of_its_own(agent);
            if own.is_empty() {
                shared.agents.push(AgentId::new(agent));
                continue;
            }
            let mut pools = Self::new(builder, agent, &own.union(&of_default).cloned().collect());
            pools.agents.push(AgentId::new(agent));
            all.push(pools);
        }
        if !shared.agents.is_empty() {
            all.push(shared);
        }
        all
    }

    fn new(builder: &PoolBuilder<'_>, agent: &str, providers: &BTreeSet<ProviderId>) -> Self {
        let pools = providers.iter();
        Self {
            agents: Vec::new(),
            pools: pools
                .filter_map(|provider| builder.pool(agent, provider))
                .collect(),
        }
    }

    /// Only what differs from the default agent's `pools`.
    pub(super) fn beside(mut all: Vec<Self>, pools: &[Pool]) -> Vec<Self> {
        for one in &mut all {
            one.pools.retain(|pool| !pools.contains(pool));
        }
        all.retain(|one| !one.pools.is_empty());
        all
    }
}
