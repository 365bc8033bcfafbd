//! What one state of the settings changes of another: what a reload tells, and what it can't do.

use std::collections::{BTreeSet, HashMap};

use coderclaw_actors::domain::credential::{CredentialLimits, ProfileId, ProviderId, Secret};

use super::{GatewaySettings, Settings};

/// At most this many credentials are named in a line; the others are counted.
const NAMED_MAX: usize = 20;

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Credentials that are new in a pool.
    pub added: Vec<ProfileId>,
    /// Credentials that are in no pool any more.
    pub removed: Vec<ProfileId>,
    /// Credentials that have another secret or other limits.
    pub changed: Vec<ProfileId>,
    /// Providers whose credentials have another order.
    pub reordered: Vec<ProviderId>,
    /// Parts of the config that say something else, and are in force at once.
    pub parts: Vec<&'static str>,
}

impl Difference {
    /// What `after` changes of `before`.
    #[must_use]
    pub fn between(before: &Settings, after: &Settings) -> Self {
        let mut difference = Self::default();
        difference.credentials(before, after);
        let parts = [
            ("agents", before.default_agent != after.default_agent),
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

    fn credentials(&mut self, before: &Settings, after: &Settings) {
        let members = |settings: &Settings| -> HashMap<ProfileId, (Secret, CredentialLimits)> {
            let members = settings.pools.iter().flat_map(|pool| &pool.members);
            members
                .map(|member| (member.id.clone(), (member.secret.clone(), member.limits)))
                .collect()
        };
        let (old, new) = (members(before), members(after));
        let sorted = |ids: BTreeSet<&ProfileId>| ids.into_iter().cloned().collect();
        self.added = sorted(new.keys().filter(|id| !old.contains_key(*id)).collect());
        self.removed = sorted(old.keys().filter(|id| !new.contains_key(*id)).collect());
        let differs =
            |(id, was): &(&ProfileId, &(Secret, CredentialLimits))| new.get(*id).is_some_and(|is| is != *was);
        self.changed = sorted(old.iter().filter(differs).map(|(id, _)| id).collect());
        for pool in &after.pools {
            let Some(earlier) = before.pool(pool.provider.as_str()) else {
                continue;
            };
            let stayed = earlier
                .members
                .iter()
                .filter(|member| new.contains_key(&member.id));
            let now = pool.members.iter().filter(|member| old.contains_key(&member.id));
            if !stayed.map(|member| &member.id).eq(now.map(|member| &member.id)) {
                self.reordered.push(pool.provider.clone());
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
        lines.extend(
            self.reordered
                .iter()
                .map(|provider| format!("reordered {provider}")),
        );
        lines.extend(self.parts.iter().map(|part| format!("{part} changed")));
        lines
    }
}

fn named(what: &str, ids: &[ProfileId]) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let names: Vec<&str> = ids.iter().take(NAMED_MAX).map(ProfileId::as_str).collect();
    let names = names.join(", ");
    Some(match ids.len().checked_sub(NAMED_MAX) {
        None | Some(0) => format!("{what} {names}"),
        Some(more) => format!("{what} {names} and {more} more"),
    })
}

/// Copies the value of one key from the second settings to the first.
type CopyKey = fn(&mut GatewaySettings, &GatewaySettings);

/// The keys of the gateway that are read once, when it starts.
const AT_START: [(&str, CopyKey); 8] = [
    ("gateway.port", |to, from| to.port = from.port),
    ("gateway.bind", |to, from| to.bind = from.bind),
    ("gateway.workers", |to, from| to.workers = from.workers),
    ("gateway.log", |to, from| to.log = from.log),
    ("gateway.limits.connections", |to, from| {
        to.limits.connections = from.limits.connections;
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
