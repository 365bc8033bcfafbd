//! The agents: which models are theirs, and which pools they have of their own.

use coderclaw_actors::PoolOutlook;
use coderclaw_actors::domain::credential::{AgentId, ProfileId, ProviderId};
use serde::{Deserialize, Serialize};

use crate::config::Settings;

/// So many agents are told of; the others are counted.
const AGENTS_MAX: usize = 100;
/// So many credentials of a pool are named; the others are counted.
const NAMED_MAX: usize = 20;

/// The agents, the default one first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentReports {
    /// Those that are told of.
    pub list: Vec<AgentReport>,
    /// How many there are.
    pub count: usize,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentReport {
    /// Its id.
    pub id: AgentId,
    /// Whether it is the default one.
    pub default: bool,
    /// Its default model, as it is configured.
    pub default_model: Option<String>,
    /// The fallbacks of that model.
    pub fallbacks: Vec<String>,
    /// Its pools, as far as they are not the default agent's.
    pub pools: Vec<AgentPoolReport>,
}

/// A pool that an agent has instead of the default agent's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentPoolReport {
    /// The provider.
    pub provider: ProviderId,
    /// How many credentials it has.
    pub credentials: usize,
    /// How many of them may be used now, models aside.
    pub available: usize,
    /// The one that would be used next.
    pub next: Option<ProfileId>,
    /// The first of its credentials, in order.
    pub order: Vec<ProfileId>,
}

// === impl AgentReports ===

impl AgentReports {
    /// The agents of `settings`; `outlook` sees their pools.
    pub(super) fn of(
        settings: &Settings,
        outlook: impl Fn(&AgentId, &ProviderId) -> Option<PoolOutlook>,
    ) -> Self {
        let is_default = |id: &&String| **id == settings.default_agent;
        let default = settings.agents.iter().filter(is_default);
        let others = settings.agents.iter().filter(|id| !is_default(id));
        let agents = default.chain(others).take(AGENTS_MAX);
        Self {
            list: agents
                .map(|id| AgentReport::of(&AgentId::new(id), settings, &outlook))
                .collect(),
            count: settings.agents.len(),
        }
    }
}

impl AgentReport {
    fn of(
        id: &AgentId,
        settings: &Settings,
        outlook: &impl Fn(&AgentId, &ProviderId) -> Option<PoolOutlook>,
    ) -> Self {
        let catalogue = &settings.catalogue;
        let others = settings.others.iter().find(|others| others.agents.contains(id));
        let pools = others.into_iter().flat_map(|others| &others.pools);
        let pools = pools.filter_map(|pool| {
            let outlook = outlook(id, &pool.provider)?;
            let ids = pool.members.iter().map(|member| member.id.clone());
            Some(AgentPoolReport {
                provider: pool.provider.clone(),
                credentials: outlook.credentials,
                available: outlook.available,
                next: outlook.next,
                order: ids.take(NAMED_MAX).collect(),
            })
        });
        let fallbacks = catalogue.default_fallbacks(Some(id));
        Self {
            default: id.as_str() == settings.default_agent,
            default_model: catalogue.default_name(Some(id)).map(str::to_owned),
            fallbacks: fallbacks.iter().map(ToString::to_string).collect(),
            pools: pools.collect(),
            id: id.clone(),
        }
    }
}
