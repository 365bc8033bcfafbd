//! What is to be done, and what the report says of it. Pure: decided from what was read alone.

use std::collections::BTreeSet;

use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId, Secret};
use serde_json::Value;

use super::line::{Line, Verdict};
use super::old::Old;
use super::ours::Ours;
use super::{agents, gateway, models, orders, profiles, providers, variables};
use crate::config::is_agent_id;
use crate::credentials::environment::clean;
use crate::credentials::store::{MAIN_AGENT, NewCredential};

/// What is decided upon.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One line for every single thing, in the order of the report.
    pub lines: Vec<Line>,
    pub(super) stores: Vec<StoreChange>,
    pub(super) config: Vec<ConfigChange>,
    /// Lines for our `.env` file.
    pub(super) dotenv: Vec<(String, Secret)>,
}

/// A change of an agent's store.
#[derive(Clone, Debug)]
pub(super) enum StoreChange {
    Put {
        agent: String,
        id: ProfileId,
        provider: ProviderId,
        email: Option<String>,
        credential: NewCredential,
        /// Whether it takes the place of one of ours, which is the reference that an earlier import made.
        over: bool,
    },
    Order {
        agent: String,
        provider: ProviderId,
        ids: Vec<ProfileId>,
    },
}

/// A change of our config.
#[derive(Clone, Debug)]
pub(super) enum ConfigChange {
    Set(Vec<String>, Value),
    SetSecret(Vec<String>, Secret),
    Append(Vec<String>, Value),
}

/// What decisions are made from.
pub(super) struct Facts<'f> {
    pub(super) old: &'f Old,
    pub(super) ours: &'f Ours,
    /// Whether secrets are copied.
    pub(super) copy: bool,
}

impl Plan {
    /// Decides what becomes of each thing that `old` has.
    ///
    /// Secrets are referred to where they are, or copied if `copy_secrets`.
    #[must_use]
    pub fn make(old: &Old, ours: &Ours, copy_secrets: bool) -> Self {
        let facts = Facts {
            old,
            ours,
            copy: copy_secrets,
        };
        let mut plan = Self::default();
        // Each step counts on what those before it take.
        providers::decide(&facts, &mut plan);
        agents::decide(&facts, &mut plan);
        profiles::decide(&facts, &mut plan);
        variables::decide(&facts, &mut plan);
        providers::decide_secret_sources(&facts, &mut plan);
        orders::decide(&facts, &mut plan);
        models::decide(&facts, &mut plan);
        gateway::decide(&facts, &mut plan);
        plan.lines.extend(old.notes.iter().cloned());
        plan
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.config.is_empty() && self.dotenv.is_empty()
    }

    /// How many lines have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.verdict == verdict).count()
    }

    pub(super) fn say(&mut self, line: Line) {
        self.lines.push(line);
    }

    pub(super) fn set(&mut self, keys: &[&str], value: Value) {
        self.config.push(ConfigChange::Set(owned(keys), value));
    }

    pub(super) fn set_secret(&mut self, keys: &[&str], secret: Secret) {
        self.config.push(ConfigChange::SetSecret(owned(keys), secret));
    }

    pub(super) fn append(&mut self, keys: &[&str], value: Value) {
        self.config.push(ConfigChange::Append(owned(keys), value));
    }

    /// Whether a profile is to be put into the store of `agent`.
    pub(super) fn puts(&self, agent: &str, profile: &str) -> bool {
        self.stores.iter().any(|change| {
            matches!(change, StoreChange::Put { agent: of, id, .. } if of == agent && id.as_str() == profile)
        })
    }

    /// The providers that are to be added to the config.
    pub(super) fn added_providers(&self) -> impl Iterator<Item = &Value> {
        self.config.iter().filter_map(|change| match change {
            ConfigChange::Set(keys, value) => match keys.as_slice() {
                [models, providers, _] if models == "models" && providers == "providers" => Some(value),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether a provider is to be added to the config.
    pub(super) fn adds_provider(&self, provider: &str) -> bool {
        self.config.iter().any(|change| {
            matches!(change, ConfigChange::Set(keys, _) if matches!(keys.as_slice(), [models, providers, id]
                if models == "models" && providers == "providers" && id == provider))
        })
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

impl Facts<'_> {
    /// Whether a provider is one of ours, or becomes one.
    pub(super) fn knows(&self, provider: &str, plan: &Plan) -> bool {
        self.ours.providers.iter().any(|(id, _)| id == provider) || plan.adds_provider(provider)
    }

    /// Every provider that we have or will have, by id.
    pub(super) fn providers(&self, plan: &Plan) -> BTreeSet<String> {
        let ours = self.ours.providers.iter().map(|(id, _)| id.clone());
        let added = plan.config.iter().filter_map(|change| match change {
            ConfigChange::Set(keys, _) => match keys.as_slice() {
                [models, providers, id] if models == "models" && providers == "providers" => Some(id.clone()),
                _ => None,
            },
            _ => None,
        });
        ours.chain(added).collect()
    }

    /// Whether `agent` has a profile of that id, or will have: its own, or that of `main`.
    pub(super) fn has_profile(&self, agent: &str, id: &str, plan: &Plan) -> bool {
        [agent, MAIN_AGENT].into_iter().any(|agent| {
            self.ours.stores.get(agent).is_some_and(|store| store.holds(id)) || plan.puts(agent, id)
        })
    }

    /// Whether a secret of our config is the same as theirs, and what may be shown of ours; `None` if we have none.
    pub(super) fn compare(&self, keys: &[&str], theirs: &Secret) -> Option<(Verdict, Option<Fingerprint>)> {
        let ours = self.ours.at(keys)?;
        let ours = ours.as_str().map(|text| Secret::new(clean(text)));
        let verdict = if ours.as_ref() == Some(theirs) {
            Verdict::Present
        } else {
            Verdict::Left
        };
        Some((verdict, ours.as_ref().map(Secret::fingerprint)))
    }

    /// Whether an agent can be ours, and the older tool's config knows it; `main` is always there.
    pub(super) fn is_agent(&self, agent: &str) -> bool {
        let is_known = || {
            agent == MAIN_AGENT
                || self.old.config_path.is_none()
                || self.old.agents().iter().any(|(id, _)| id == agent)
        };
        is_agent_id(agent) && is_known()
    }
}
