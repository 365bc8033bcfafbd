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

#[cfg(test)]
mod tests {
    use coderclaw_actors::domain::credential::AgentId;
    use serde_json::{Value, json};

    use crate::config::{Difference, Settings};
    use crate::status::testing::Scene;

    fn store(profiles: &[(&str, &str, &str)], order: &Value) -> Value {
        let profiles = profiles.iter().map(|(id, provider, key)| {
            let key = format!("sk-proj-Qw7ErTyUi-{key}");
            (
                (*id).to_owned(),
                json!({ "type": "api_key", "provider": provider, "key": key }),
            )
        });
        let profiles: serde_json::Map<String, Value> = profiles.collect();
        json!({ "version": 1, "profiles": profiles, "order": order })
    }

    /// `main` has `openai:a`, `openai:b` and `groq:a`; `work` and `play` are agents beside it.
    fn scene(default: &str) -> Scene {
        let list = ["main", "work", "play"].map(|id| json!({ "id": id, "default": id == default }));
        let stored = [
            ("openai:a", "openai", "1"),
            ("openai:b", "openai", "2"),
            ("groq:a", "groq", "3"),
        ];
        Scene::new()
            .config(&json!({ "agents": { "list": list } }))
            .store(&store(&stored, &json!({})))
    }

    /// `work play: openai=a,b groq=` for each group of agents.
    fn others(settings: &Settings) -> Vec<String> {
        let told = settings.others.iter().map(|others| {
            let agents: Vec<&str> = others.agents.iter().map(AgentId::as_str).collect();
            let pools = others.pools.iter().map(|pool| {
                let ids = pool.members.iter().map(|member| member.id.as_str());
                format!("{}={}", pool.provider, ids.collect::<Vec<_>>().join(","))
            });
            format!("{}: {}", agents.join(" "), pools.collect::<Vec<_>>().join(" "))
        });
        told.collect()
    }

    #[test]
    fn agents_without_anything_of_their_own_cost_nothing() {
        assert_eq!(others(&scene("main").settings()), [""; 0]);
        let empty = scene("main").store_of("work", &store(&[], &json!({})));
        assert_eq!(others(&empty.settings()), [""; 0]);
    }

    #[test]
    fn only_the_pools_that_differ_are_an_agent_s_own() {
        let ordered = scene("main").store_of("work", &store(&[], &json!({ "openai": ["openai:b"] })));
        assert_eq!(others(&ordered.settings()), ["work: openai=openai:b"]);
        let own = scene("main").store_of("play", &store(&[("openai:a", "openai", "9")], &json!({})));
        assert_eq!(others(&own.settings()), ["play: openai=openai:a,openai:b"]);
        let member = &own.settings().others[0].pools[0].members[0];
        assert_eq!(
            member.owner.as_ref().map(ToString::to_string).as_deref(),
            Some("play")
        );
    }

    #[test]
    fn a_profile_hides_one_of_main_s_that_has_its_id_and_another_provider() {
        let hiding = scene("main").store_of("work", &store(&[("openai:b", "groq", "9")], &json!({})));
        assert_eq!(
            others(&hiding.settings()),
            ["work: groq=openai:b,groq:a openai=openai:a"]
        );
    }

    #[test]
    fn what_the_default_agent_has_is_not_for_the_others() {
        let scene = scene("work").store_of("work", &store(&[("openai:w", "openai", "9")], &json!({})));
        let settings = scene.settings();
        assert_eq!(others(&settings), ["main play: openai=openai:a,openai:b"]);
        assert_eq!(settings.pool("openai").unwrap().members.len(), 3);
        let report = scene.report_on(Some("play"));
        assert_eq!(
            (report.agent_id.as_str(), report.default_agent_id.as_str()),
            ("play", "work")
        );
        let openai = report
            .auth
            .providers
            .iter()
            .find(|one| one.provider.as_str() == "openai");
        assert_eq!(openai.unwrap().credentials.len(), 2);
    }

    #[test]
    fn a_live_key_is_everyone_s_pool() {
        let scene = scene("main")
            .store_of("work", &store(&[("openai:w", "openai", "9")], &json!({})))
            .variable("CODERCLAW_LIVE_OPENAI_KEY", "sk-proj-Qw7ErTyUi-live");
        assert_eq!(others(&scene.settings()), [""; 0]);
    }

    #[test]
    fn a_reload_tells_whose_pool_has_changed() {
        let lines = |before: &Value, after: &Value| {
            let settings = |work: &Value| scene("main").store_of("work", work).settings();
            Difference::between(&settings(before), &settings(after)).lines()
        };
        let none = store(&[], &json!({}));
        let own = store(&[("openai:w", "openai", "9")], &json!({}));
        let ordered = |ids: &Value| store(&[], &json!({ "openai": ids }));
        let (all, turned) = (
            ordered(&json!(["openai:a", "openai:b"])),
            ordered(&json!(["openai:b", "openai:a"])),
        );
        assert_eq!(lines(&none, &none), [""; 0]);
        assert_eq!(lines(&none, &own), ["added openai:w of agent work"]);
        assert_eq!(lines(&own, &none), ["removed openai:w of agent work"]);
        assert_eq!(lines(&all, &turned), ["reordered openai of agent work"]);
    }
}
