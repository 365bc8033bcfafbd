//! The models that somebody may choose from, and what a choice means.

use coderclaw_actors::domain::credential::ProviderId;

use super::{Catalogue, ResolveError, Target, error, owned};
use crate::config::provider_id::normalise;
use crate::nearest::nearest;
use crate::wire::Api;

/// A model that the config names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The model.
    pub target: Target,
    /// The aliases that stand for it, in order.
    pub aliases: Vec<String>,
    /// Whether it is the agent's default.
    pub is_default: bool,
}

impl Catalogue {
    /// The models that the config names and an endpoint of `api` serves: the default of `agent` and its fallbacks,
    /// those with an alias, those on the allowlist, those that providers list. The same config gives the same order.
    #[must_use]
    pub fn choices(&self, api: Api, agent: &str) -> Vec<Choice> {
        let default = self.default_of(api, agent);
        let mut aliases: Vec<(&str, Target)> = self
            .aliases
            .iter()
            .filter_map(|(alias, model)| Some((alias.as_str(), self.locate_model(Some(api), model).ok()?)))
            .collect();
        aliases.sort_by(|one, other| one.0.cmp(other.0));
        let mut allowed: Vec<Target> = self.allowed.iter().cloned().collect();
        allowed.sort_by_key(ToString::to_string);
        let fallbacks = self.chosen(agent).fallbacks.iter();
        let fallbacks = fallbacks.filter_map(|name| self.locate(Some(api), name).ok());
        let listed = self.listed(api).map(|(provider, model)| Target {
            provider: provider.clone(),
            model: model.to_owned(),
        });
        let named = aliases.iter().map(|(_, target)| target.clone());
        let mut choices: Vec<Choice> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let all = default.clone().into_iter().chain(fallbacks).chain(named);
        for target in all.chain(allowed).chain(listed) {
            if self.admits(api, &target).is_err() || !seen.insert(target.clone()) {
                continue;
            }
            let of_target = aliases.iter().filter(|(_, other)| *other == target);
            choices.push(Choice {
                aliases: of_target.map(|(alias, _)| (*alias).to_owned()).collect(),
                is_default: default.as_ref() == Some(&target),
                target,
            });
        }
        choices
    }

    /// The default model of `agent` at an endpoint of `api`, whatever its provider speaks; none if none is configured
    /// or its provider is unknown.
    #[must_use]
    pub fn default_of(&self, api: Api, agent: &str) -> Option<Target> {
        self.locate(Some(api), self.chosen(agent).primary.as_deref()?)
            .ok()
    }

    /// Whether a request for `name` leaves the choice of the model to the gateway: `coderclaw`, `coderclaw:<agent>`,
    /// `auto`.
    #[must_use]
    pub fn leaves_the_choice(name: &str) -> bool {
        let name = name.trim();
        let name = name.strip_prefix("models/").unwrap_or(name);
        matches!(name, "coderclaw" | "auto") || name.starts_with("coderclaw:")
    }

    /// Whether an endpoint of `api` may serve `target` now.
    ///
    /// # Errors
    /// If its provider is gone, or it is not on the allowlist, or the provider speaks another format.
    pub fn admits(&self, api: Api, target: &Target) -> Result<(), ResolveError> {
        if !self.providers.contains_key(&target.provider) {
            let known = self.providers.keys().map(ProviderId::as_str);
            return Err(ResolveError::UnknownProvider {
                nearest: owned(nearest(target.provider.as_str(), known)),
                provider: target.provider.to_string(),
            });
        }
        self.check(api, target)
    }

    /// The model that somebody means by `name` who chooses one for a session: an alias, `provider/model` with any
    /// model, or the bare name of a model that the config names.
    ///
    /// # Errors
    /// If it means nothing, more than one thing, or nothing that the endpoint serves.
    pub fn meant(&self, api: Api, agent: &str, name: &str) -> Result<Target, ResolveError> {
        let name = name.trim();
        let target = match self.aliases.get(&name.to_lowercase()) {
            Some(model) => self.locate_model(Some(api), model)?,
            None => self.meant_by_name(api, agent, name)?,
        };
        self.admits(api, &target)?;
        Ok(target)
    }

    fn meant_by_name(&self, api: Api, agent: &str, name: &str) -> Result<Target, ResolveError> {
        let prefix = name.split_once('/').map(|(prefix, _)| prefix);
        if prefix.is_some_and(|prefix| self.providers.contains_key(normalise(prefix).as_ref())) {
            return self.locate_model(Some(api), name);
        }
        let choices = self.choices(api, agent);
        let same: Vec<&Target> = choices
            .iter()
            .map(|choice| &choice.target)
            .filter(|target| target.model == name)
            .collect();
        let own = same
            .iter()
            .find(|target| target.provider.as_str() == Self::own_provider(api));
        match (own, same.as_slice()) {
            (Some(target), _) | (None, [target]) => Ok((*target).clone()),
            (None, []) => self.known_elsewhere(name, &choices),
            (None, several) => Err(ResolveError::UnknownModel {
                model: error::shortened(name),
                nearest: several.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// A bare name that nobody lists who speaks the endpoint's format; what it may have been meant for.
    fn known_elsewhere(&self, name: &str, choices: &[Choice]) -> Result<Target, ResolveError> {
        match self.locate_model(None, name) {
            Err(ResolveError::UnknownModel { model, .. }) => {
                let full: Vec<String> = choices.iter().map(|choice| choice.target.to_string()).collect();
                let bare = choices.iter().map(|choice| choice.target.model.as_str());
                let known = self.known_names().chain(bare);
                Err(ResolveError::UnknownModel {
                    nearest: owned(nearest(name, known.chain(full.iter().map(String::as_str)))),
                    model,
                })
            }
            other => other,
        }
    }
}
