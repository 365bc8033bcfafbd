//! Pools from the stores, the environment and the config: those of any agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{ProviderId, Secret};

use super::super::auth::Auth;
use super::super::key::KeyInConfig;
use super::super::place::Warning;
use super::super::providers::Configured;
use super::build::config_key;
use crate::credentials::environment::{Discovered, Variables, discover};
use crate::credentials::pool::{self, Order, Pool, PoolSources};
use crate::credentials::reference::Resolver;
use crate::credentials::stored::{StoredCredentials, StoredMembers};

/// What the environment and the config hold for a provider, whoever asks.
#[derive(Clone)]
struct Ambient {
    environment: Discovered,
    config_key: Option<Secret>,
    warning: Option<Warning>,
}

/// Makes the pools of agents.
pub(super) struct PoolBuilder<'a> {
    configured: BTreeMap<&'a ProviderId, &'a Configured>,
    ambient: BTreeMap<&'a ProviderId, Ambient>,
    auth: &'a Auth,
    stored: &'a StoredCredentials,
    members: &'a StoredMembers,
}

// === impl PoolBuilder ===

impl<'a> PoolBuilder<'a> {
    pub(super) fn new(
        configured: &'a [Configured],
        auth: &'a Auth,
        (variables, resolver): (&Variables, &Resolver),
        (stored, members): (&'a StoredCredentials, &'a StoredMembers),
    ) -> Self {
        let ambient = |entry: &'a Configured| {
            let environment = discover(entry.provider.id.as_str(), variables);
            // A live key is the whole pool: no program need run for another.
            let key = entry.api_key.as_ref().filter(|_| !environment.live);
            let (config_key, warning) = key.map_or((None, None), |key| config_key(key, resolver));
            let ambient = Ambient {
                environment,
                config_key,
                warning,
            };
            (&entry.provider.id, ambient)
        };
        Self {
            ambient: configured.iter().map(ambient).collect(),
            configured: configured
                .iter()
                .map(|entry| (&entry.provider.id, entry))
                .collect(),
            auth,
            stored,
            members,
        }
    }

    /// The providers of which an agent has anything of its own.
    pub(super) fn providers_of_its_own(&self, agent: &str) -> BTreeSet<ProviderId> {
        let providers = self.configured.keys().copied();
        self.stored.providers_of_its_own(agent, providers)
    }

    /// The pool of one provider, if it is configured.
    pub(super) fn pool(&self, agent: &str, provider: &ProviderId) -> Option<Pool> {
        let (configured, ambient) = (self.configured.get(provider)?, self.ambient.get(provider)?);
        Some(self.build(agent, configured, ambient.clone()))
    }

    /// The pools of every provider.
    pub(super) fn pools(mut self, agent: &str) -> Vec<Pool> {
        let ambient = std::mem::take(&mut self.ambient);
        let pools = self.configured.values().zip(ambient.into_values());
        pools
            .map(|(configured, ambient)| self.build(agent, configured, ambient))
            .collect()
    }

    fn build(&self, agent: &str, configured: &Configured, ambient: Ambient) -> Pool {
        let Configured {
            provider, api_key, ..
        } = configured;
        let (usable, excluded) = self.stored.of(self.members, agent, &provider.id);
        let of_config = || {
            Some(Order {
                ids: self.auth.order.get(&provider.id)?.clone(),
                place: format!("auth.order.{}", provider.id),
            })
        };
        let is_live = ambient.environment.live;
        let mut pool = pool::build(PoolSources {
            provider: &provider.id,
            stored: usable,
            excluded,
            environment: ambient.environment,
            config_key: ambient.config_key,
            order: self.stored.order(agent, &provider.id).or_else(of_config),
            limits: provider.limits,
            facts: &self.auth.profiles,
        });
        pool.warnings.extend(ambient.warning);
        tell_reference(&mut pool, api_key.as_ref().filter(|_| !is_live));
        pool
    }
}

/// Adds to the source of the config's credential where the config found it.
fn tell_reference(pool: &mut Pool, key: Option<&KeyInConfig>) {
    let Some(KeyInConfig::Reference(placed)) = key else {
        return;
    };
    let id = pool::config_id(&pool.provider);
    for member in pool.members.iter_mut().filter(|member| member.id == id) {
        member.source = Arc::from(format!("{} ({})", member.source, placed.reference.describe()));
    }
}
