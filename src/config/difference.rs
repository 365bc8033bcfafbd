//! What one state of the settings changes of another: what a reload tells, and what it can't do.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use coderclaw_actors::domain::credential::{AgentId, CredentialLimits, ProfileId, ProviderId, Secret};

use super::{GatewaySettings, Settings};

/// At most this many credentials are named in a line; the others are counted.
const NAMED_MAX: usize = 20;

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Credentials that are new in a pool.
    pub added: Vec<Named<ProfileId>>,
    /// Credentials that are not in a pool any more.
    pub removed: Vec<Named<ProfileId>>,
    /// Credentials that have another secret or other limits.
    pub changed: Vec<Named<ProfileId>>,
    /// Providers whose credentials have another order.
    pub reordered: Vec<Named<ProviderId>>,
    /// Parts of the config that say something else, and are in force at once.
    pub parts: Vec<&'static str>,
}

/// Something of the pools of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// What.
    pub name: T,
    /// The agent, where that is not the default one.
    pub agent: Option<AgentId>,
}

impl<T: Clone> Named<T> {
    fn new(name: &T, agent: Option<&AgentId>) -> Self {
        Self {
            name: name.clone(),
            agent: agent.cloned(),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.agent {
            None => self.name.fmt(f),
            Some(agent) => write!(f, "{} of agent {agent}", self.name),
        }
    }
}

/// Adds to `told` what is told of `agent`, but for what is told of the default one: the others read its store.
fn tell(told: &mut Vec<Named<ProfileId>>, ids: BTreeSet<&ProfileId>, agent: Option<&AgentId>) {
    let of_default = told.iter().filter(|named| named.agent.is_none());
    let of_default: HashSet<ProfileId> = of_default.map(|named| named.name.clone()).collect();
    let new = ids.into_iter().filter(|id| !of_default.contains(*id));
    told.extend(new.map(|id| Named::new(id, agent)));
}

/// The secrets and limits of an agent's credentials.
fn members(agent: Option<&AgentId>, settings: &Settings) -> HashMap<ProfileId, (Secret, CredentialLimits)> {
    let pools = settings.pools.iter().map(|pool| pool.provider.as_str());
    let pools = pools.filter_map(|provider| settings.pool_of(agent, provider));
    let members = pools.flat_map(|pool| &pool.members);
    members
        .map(|member| (member.id.clone(), (member.secret.clone(), member.limits)))
        .collect()
}

/// The agents that have pools of their own.
fn with_pools(settings: &Settings) -> BTreeSet<AgentId> {
    let agents = settings.others.iter().flat_map(|others| &others.agents);
    agents.cloned().collect()
}

impl Difference {
    /// What `after` changes of `before`.
    #[must_use]
    pub fn between(before: &Settings, after: &Settings) -> Self {
        let mut difference = Self::default();
        difference.credentials(None, before, after);
        for agent in with_pools(before).union(&with_pools(after)) {
            // What an agent becomes or ceases to be by being the default one is told of that.
            let is_default = |settings: &Settings| settings.default_agent == agent.as_str();
            if !is_default(before) && !is_default(after) {
                difference.credentials(Some(agent), before, after);
            }
        }
        let parts = [
            (
                "agents",
                before.default_agent != after.default_agent || before.agents != after.agents,
            ),
            ("auth.cooldowns", before.cooldowns != after.cooldowns),
            (
                "auth.rotation",
                before.rotation != after.rotation || before.strategy != after.strategy,
            ),
            ("gateway", differs_at_once(&before.gateway, &after.gateway)),
            (
                "models",
                before.providers != after.providers || before.catalogue != after.catalogue,
            ),
        ];
        let changed = parts.iter().filter(|(_, changed)| *changed);
        difference.parts = changed.map(|(name, _)| *name).collect();
        difference
    }

    /// What has changed of the pools of `agent`, or of the default one.
    fn credentials(&mut self, agent: Option<&AgentId>, before: &Settings, after: &Settings) {
        let (old, new) = (members(agent, before), members(agent, after));
        let differs =
            |(id, was): &(&ProfileId, &(Secret, CredentialLimits))| new.get(*id).is_some_and(|is| is != *was);
        let added = new.keys().filter(|id| !old.contains_key(*id)).collect();
        let removed = old.keys().filter(|id| !new.contains_key(*id)).collect();
        let changed = old.iter().filter(differs).map(|(id, _)| id).collect();
        tell(&mut self.added, added, agent);
        tell(&mut self.removed, removed, agent);
        tell(&mut self.changed, changed, agent);
        for provider in &after.providers {
            let provider = &provider.id;
            let pool = |settings: &'_ Settings| -> Vec<ProfileId> {
                let pool = settings.pool_of(agent, provider.as_str());
                let members = pool.into_iter().flat_map(|pool| &pool.members);
                members.map(|member| member.id.clone()).collect()
            };
            let (mut earlier, mut now) = (pool(before), pool(after));
            earlier.retain(|id| new.contains_key(id));
            now.retain(|id| old.contains_key(id));
            if before.provider(provider.as_str()).is_some() && earlier != now {
                self.reordered.push(Named::new(provider, agent));
            }
        }
    }

    /// Whether anything has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each change as people read it: `added openai:work`, `gateway changed`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, ids) in [
            ("added", &self.added),
            ("removed", &self.removed),
            ("changed", &self.changed),
        ] {
            lines.extend(named(what, ids));
        }
        lines.extend(named("reordered", &self.reordered));
        lines.extend(self.parts.iter().map(|part| format!("{part} changed")));
        lines
    }
}

fn named<T: fmt::Display>(what: &str, ids: &[Named<T>]) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let names: Vec<String> = ids.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let names = names.join(", ");
    Some(match ids.len().checked_sub(NAMED_MAX) {
        None | Some(0) => format!("{what} {names}"),
        Some(more) => format!("{what} {names} and {more} more"),
    })
}

/// Copies the value of one key from the second settings to the first.
type CopyKey = fn(&mut GatewaySettings, &GatewaySettings);

/// The keys of the gateway that are read once, when it starts.
const AT_START: [(&str, CopyKey); 9] = [
    ("gateway.port", |to, from| to.port = from.port),
    ("gateway.bind", |to, from| to.bind = from.bind),
    ("gateway.workers", |to, from| to.workers = from.workers),
    ("gateway.log", |to, from| to.log = from.log),
    ("gateway.limits.connections", |to, from| {
        to.limits.connections = from.limits.connections;
    }),
    ("gateway.limits.sessions", |to, from| {
        to.limits.sessions = from.limits.sessions;
    }),
    ("gateway.timeouts.connect", |to, from| {
        to.timeouts.connect = from.timeouts.connect;
    }),
    ("gateway.timeouts.firstByte", |to, from| {
        to.timeouts.first_byte = from.timeouts.first_byte;
    }),
    ("gateway.timeouts.hold", |to, from| {
        to.timeouts.hold = from.timeouts.hold;
    }),
];

/// Whether the gateway's settings differ in anything that is in force at once.
fn differs_at_once(before: &GatewaySettings, after: &GatewaySettings) -> bool {
    let mut same = after.clone();
    for (_, copy) in AT_START {
        copy(&mut same, before);
    }
    same != *before
}

/// The keys that are read once, when the gateway starts, and say something else `now`.
#[must_use]
pub fn after_restart(at_start: &GatewaySettings, now: &GatewaySettings) -> Vec<&'static str> {
    let differs = |copy: CopyKey| {
        let mut same = now.clone();
        copy(&mut same, at_start);
        same != *now
    };
    let keys = AT_START.into_iter().filter(|(_, copy)| differs(*copy));
    keys.map(|(key, _)| key).collect()
}
