//! Which provider and model a name means. Pure: decided from the config alone.

mod agents;
mod choices;
mod error;
mod offers;
mod written;

use std::collections::{BTreeMap, HashMap, HashSet};

use coderclaw_actors::domain::credential::{AgentId, ModelClass, ProviderId};

use super::agents::{Agents, ModelChoice};
use super::place::{Problems, Warning};
use super::provider_id::normalise;
use super::providers::{ApiSet, Configured};
use crate::nearest::nearest;
use crate::wire::Api;

pub use error::{ResolveError, endpoints_of};
pub use offers::Choice;

/// The entry of `agents.defaults.models` that allows every model: the others only name aliases then.
pub const EVERY_MODEL: &str = "*";

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The provider.
    pub provider: ProviderId,
    /// The model as the provider knows it.
    pub model: String,
}

impl Target {
    /// The group of models that shares a limit with this one: the model alone.
    #[must_use]
    pub fn class(&self) -> ModelClass {
        ModelClass::new(&self.model)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    id: ProviderId,
    apis: ApiSet,
    models: Vec<String>,
}

/// Every name that means something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    providers: BTreeMap<ProviderId, Entry>,
    /// Model id → the providers that list it.
    listed: HashMap<String, Vec<ProviderId>>,
    aliases: HashMap<String, String>,
    /// The default agent's.
    default: ModelChoice,
    /// Every agent's.
    agents: HashMap<AgentId, ModelChoice>,
    /// Whether only `allowed` models are served.
    restricted: bool,
    allowed: HashSet<Target>,
    /// Providers all of whose models are allowed: `openai/*`.
    allowed_providers: HashSet<ProviderId>,
}

impl Catalogue {
    /// Builds the catalogue. Names of the allowlist that lead nowhere are warned of, since a provider may still be
    /// added.
    ///
    /// # Errors
    /// If a primary or a fallback leads nowhere: found out when it is needed, it is found out too late.
    pub(super) fn build(
        configured: &[Configured],
        agents: &Agents,
    ) -> Result<(Self, Vec<Warning>), Problems> {
        let mut catalogue = Self::default();
        for Configured { provider, .. } in configured {
            for model in &provider.models {
                let providers = catalogue.listed.entry(model.clone()).or_default();
                providers.push(provider.id.clone());
            }
            let entry = Entry {
                id: provider.id.clone(),
                apis: provider.apis,
                models: provider.models.clone(),
            };
            catalogue.providers.insert(provider.id.clone(), entry);
        }
        catalogue.aliases.clone_from(&agents.aliases);
        let defaults = agents.model.over(&ModelChoice::default());
        catalogue.default = defaults.clone();
        let default_agent = agents.default_agent();
        for id in agents.ids() {
            let listed = agents.list.iter().find(|agent| agent.id == id);
            let written = listed.and_then(|agent| agent.model.as_ref());
            let choice = written.map_or_else(|| defaults.clone(), |written| written.over(&defaults));
            if id == default_agent {
                catalogue.default = choice.clone();
            }
            catalogue.agents.insert(AgentId::new(&id), choice);
        }
        let mut warnings = catalogue.build_allowlist(agents);
        warnings.extend(catalogue.allow_choices(configured, agents)?);
        Ok((catalogue, warnings))
    }

    fn build_allowlist(&mut self, agents: &Agents) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let allows_all = agents.allowed.iter().any(|name| name == EVERY_MODEL);
        self.restricted = !agents.allowed.is_empty() && !allows_all;
        for name in agents.allowed.iter().filter(|name| *name != EVERY_MODEL) {
            if let Some(provider) = name.strip_suffix("/*")
                && let Some(entry) = self.providers.get(normalise(provider).as_ref())
            {
                self.allowed_providers.insert(entry.id.clone());
                continue;
            }
            match self.locate(None, name) {
                Ok(target) => {
                    self.allowed.insert(target);
                }
                Err(error) => warnings.push(Warning::about(
                    format!("agents.defaults.models[{name:?}]"),
                    error.to_string(),
                )),
            }
        }
        warnings
    }

    /// Where a request of `agent`, or the default one, for `name` goes that came in at an endpoint of `api`.
    ///
    /// # Errors
    /// If the name means nothing, means a provider of another format, or is not on the allowlist.
    pub fn resolve(&self, api: Api, agent: Option<&AgentId>, name: &str) -> Result<Target, ResolveError> {
        let name = plain(api, name);
        let target = match self.choice_of(api, agent, name)? {
            Some(choice) => {
                let Some(primary) = &choice.primary else {
                    return Err(ResolveError::NoDefaultModel {
                        name: error::shortened(name),
                    });
                };
                self.locate(Some(api), primary)?
            }
            None => self.locate(Some(api), name)?,
        };
        self.check(api, &target)?;
        Ok(target)
    }

    /// The models that stand in for `target`, asked for as `name` by `agent` or the default one, when no credential can
    /// serve it; in order.
    #[must_use]
    pub fn fallbacks(&self, api: Api, agent: Option<&AgentId>, name: &str, target: &Target) -> Vec<Target> {
        let choice = match self.choice_of(api, agent, name) {
            Ok(Some(choice)) => choice,
            _ => self.choice(agent),
        };
        if choice.fallbacks.is_empty() {
            return Vec::new();
        }
        let is_primary = choice
            .primary
            .as_deref()
            .is_some_and(|primary| self.locate(Some(api), primary).as_ref() == Ok(target));
        if !is_primary {
            return Vec::new();
        }
        let mut fallbacks: Vec<Target> = Vec::new();
        for name in &choice.fallbacks {
            if let Ok(fallback) = self.locate(Some(api), name)
                && self.check(api, &fallback).is_ok()
                && fallback != *target
                && !fallbacks.contains(&fallback)
            {
                fallbacks.push(fallback);
            }
        }
        fallbacks
    }

    /// The default model of `agent`, or of the default one, if one is configured and its provider is known.
    #[must_use]
    pub fn default_model(&self, agent: Option<&AgentId>) -> Option<Target> {
        self.locate(None, self.default_name(agent)?).ok()
    }

    /// The fallbacks of that model whose providers are known, whatever they speak.
    #[must_use]
    pub fn default_fallbacks(&self, agent: Option<&AgentId>) -> Vec<Target> {
        let names = self.choice(agent).fallbacks.iter();
        names.filter_map(|name| self.locate(None, name).ok()).collect()
    }

    /// That model as it was written, if one is configured.
    #[must_use]
    pub fn default_name(&self, agent: Option<&AgentId>) -> Option<&str> {
        self.choice(agent).primary.as_deref()
    }

    /// The only models that are served, `provider/*` for all of one; empty if there is no such list.
    #[must_use]
    pub fn allowed(&self) -> Vec<String> {
        if !self.restricted {
            return Vec::new();
        }
        let whole = self
            .allowed_providers
            .iter()
            .map(|provider| format!("{provider}/*"));
        let mut allowed: Vec<String> = whole
            .chain(self.allowed.iter().map(ToString::to_string))
            .collect();
        allowed.sort();
        allowed
    }

    /// The models that the config lists and an endpoint of `api` serves, by provider.
    pub fn listed(&self, api: Api) -> impl Iterator<Item = (&ProviderId, &str)> {
        self.providers
            .values()
            .filter(move |entry| entry.apis.contains(api))
            .flat_map(|entry| entry.models.iter().map(|model| (&entry.id, model.as_str())))
    }

    /// The aliases and what they stand for, as written in the config.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases
            .iter()
            .map(|(alias, model)| (alias.as_str(), model.as_str()))
    }

    /// The provider that an endpoint of `api` belongs to.
    #[must_use]
    pub const fn own_provider(api: Api) -> &'static str {
        match api {
            Api::OpenaiCompletions | Api::OpenaiResponses => "openai",
            Api::AnthropicMessages => "anthropic",
            Api::GoogleGenerativeAi => "google",
        }
    }

    /// Finds the model behind an alias, a `provider/model` or a bare name. Without an endpoint a bare name must be
    /// listed by one provider.
    fn locate(&self, api: Option<Api>, name: &str) -> Result<Target, ResolveError> {
        let name = name.trim();
        if self.aliases.is_empty() {
            return self.locate_model(api, name);
        }
        let model = self.aliases.get(&name.to_lowercase());
        self.locate_model(api, model.map_or(name, String::as_str))
    }

    fn locate_model(&self, api: Option<Api>, name: &str) -> Result<Target, ResolveError> {
        let split = name.split_once('/');
        if let Some((prefix, model)) = split
            && let Some(entry) = self.providers.get(normalise(prefix).as_ref())
            && !model.trim().is_empty()
        {
            return Ok(Target {
                provider: entry.id.clone(),
                model: model.trim().to_owned(),
            });
        }
        if name.is_empty() || name.ends_with('/') {
            return Err(ResolveError::Empty);
        }
        if let Some(provider) = self.sole_lister(api, name) {
            return Ok(Target {
                provider: provider.clone(),
                model: name.to_owned(),
            });
        }
        if let Some((prefix, _)) = split {
            let known = self.providers.keys().map(ProviderId::as_str);
            return Err(ResolveError::UnknownProvider {
                nearest: owned(nearest(prefix, known)),
                provider: error::shortened(prefix),
            });
        }
        match api {
            Some(api) => Ok(Target {
                provider: ProviderId::new(Self::own_provider(api)),
                model: name.to_owned(),
            }),
            None => Err(ResolveError::UnknownModel {
                nearest: owned(nearest(name, self.known_names())),
                model: error::shortened(name),
            }),
        }
    }

    /// The one provider that lists a model: among those that fit the endpoint, or else among all; none if the
    /// endpoint's own provider lists it too.
    fn sole_lister(&self, api: Option<Api>, model: &str) -> Option<&ProviderId> {
        let listers = self.listed.get(model)?;
        let fits = |id: &&ProviderId| {
            let entry = self.providers.get(*id);
            api.is_none_or(|api| entry.is_some_and(|entry| entry.apis.contains(api)))
        };
        let own = api.map(Self::own_provider);
        if let Some(lister) = listers.iter().find(|id| own == Some(id.as_str())) {
            return Some(lister);
        }
        match (listers.iter().filter(fits).count(), listers.as_slice()) {
            (1, _) => listers.iter().find(fits),
            (0, [lister]) => Some(lister),
            _ => None,
        }
    }

    fn known_names(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().chain(self.listed.keys()).map(String::as_str)
    }

    fn check(&self, api: Api, target: &Target) -> Result<(), ResolveError> {
        if !self.allows(target) {
            let allowed: Vec<String> = self.allowed.iter().map(ToString::to_string).collect();
            let model = target.to_string();
            return Err(ResolveError::NotAllowed {
                nearest: owned(nearest(&model, allowed.iter().map(String::as_str))),
                model: error::shortened(&model),
            });
        }
        let entry = self.providers.get(&target.provider);
        let apis = entry.map(|entry| entry.apis).unwrap_or_default();
        if apis.contains(api) {
            return Ok(());
        }
        Err(ResolveError::WrongFormat {
            provider: target.provider.clone(),
            asked: api,
            apis,
        })
    }
}

/// A name without what it may have around it: Google's clients say `models/gemini-pro` where others say `gemini-pro`.
fn plain(api: Api, name: &str) -> &str {
    let name = name.trim();
    match api {
        Api::GoogleGenerativeAi => name.strip_prefix("models/").unwrap_or(name),
        _ => name,
    }
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}
