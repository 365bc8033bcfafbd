//! Who is in a pool: the default agent's credentials, and those of agents that have others or another order.

use super::credential::{AgentId, AuthProfile};

/// What a pool is made of.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The default agent's credentials, in order. Every agent without a view has these.
    pub profiles: Vec<AuthProfile>,
    /// What other agents have in their place.
    pub views: Vec<View>,
}

/// The credentials of some agents, where those are not the default agent's in its order.
#[derive(Clone, Debug)]
pub struct View {
    /// The agents.
    pub agents: Vec<AgentId>,
    /// Their credentials, in order; duplicates are dropped.
    pub profiles: Vec<AuthProfile>,
}

impl From<Vec<AuthProfile>> for Members {
    fn from(profiles: Vec<AuthProfile>) -> Self {
        Self {
            profiles,
            views: Vec::new(),
        }
    }
}
