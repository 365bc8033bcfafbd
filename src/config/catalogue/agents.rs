//! Which agent a name means, and which models are that agent's.

use coderclaw_actors::domain::credential::AgentId;

use super::error::{self, ResolveError};
use super::{Catalogue, owned, plain};
use crate::config::agents::ModelChoice;
use crate::nearest::nearest;
use crate::wire::Api;

impl Catalogue {
    /// The agent of that id.
    ///
    /// # Errors
    /// If there is none.
    pub fn agent(&self, id: &str) -> Result<&AgentId, ResolveError> {
        let id = id.trim().to_lowercase();
        if let Some((known, _)) = self.agents.get_key_value(id.as_str()) {
            return Ok(known);
        }
        Err(ResolveError::UnknownAgent {
            nearest: owned(nearest(&id, self.agents.keys().map(AgentId::as_str))),
            agent: error::shortened(&id),
        })
    }

    /// The agent whose default model `name` means, if it names one: `coderclaw:<agent>`, and as the older tools have
    /// it `coderclaw/<agent>` and `agent:<agent>`, where no provider, no alias and no model has such a name.
    ///
    /// # Errors
    /// If there is no such agent.
    pub fn agent_named(&self, api: Api, name: &str) -> Result<Option<&AgentId>, ResolveError> {
        let name = plain(api, name);
        if let Some(agent) = name.strip_prefix("coderclaw:") {
            return self.agent(agent).map(Some);
        }
        let is_free = || !self.aliases.contains_key(&name.to_lowercase()) && !self.listed.contains_key(name);
        let agent = match name.split_once(['/', ':']) {
            Some(("coderclaw", agent)) if !self.providers.contains_key("coderclaw") => agent,
            Some(("agent", agent)) if name.starts_with("agent:") => agent,
            _ => return Ok(None),
        };
        if is_free() {
            self.agent(agent).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The models of `agent`, or of the default one.
    pub(super) fn choice(&self, agent: Option<&AgentId>) -> &ModelChoice {
        agent.map_or(&self.default, |agent| self.chosen(agent.as_str()))
    }

    /// The choice that `coderclaw`, `auto` or `coderclaw:<agent>` means; `None` for the name of a model.
    pub(super) fn choice_of(
        &self,
        api: Api,
        agent: Option<&AgentId>,
        name: &str,
    ) -> Result<Option<&ModelChoice>, ResolveError> {
        if matches!(plain(api, name), "coderclaw" | "auto") {
            return Ok(Some(self.choice(agent)));
        }
        let named = self.agent_named(api, name)?;
        Ok(named.map(|agent| self.choice(Some(agent))))
    }
}
