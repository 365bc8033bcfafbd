//! The models that the config chooses, checked where they are written.

use super::super::agents::{Agents, Named, WrittenChoice};
use super::super::place::{Problem, Problems, Warning};
use super::super::providers::{ApiSet, Configured};
use super::{Catalogue, ResolveError, Target};
use crate::wire::Api;

impl Catalogue {
    /// Allows what is configured to be used; warns of fallbacks that can never stand in.
    ///
    /// # Errors
    /// If a name leads nowhere.
    pub(super) fn allow_choices(
        &mut self,
        configured: &[Configured],
        agents: &Agents,
    ) -> Result<Vec<Warning>, Problems> {
        let of_agents = agents.list.iter().filter_map(|agent| agent.model.as_ref());
        let choices: Vec<&WrittenChoice> = std::iter::once(&agents.model).chain(of_agents).collect();
        let mut problems = Vec::new();
        for name in choices.iter().flat_map(|choice| choice.names()) {
            match self.locate(None, &name.text) {
                Ok(target) => {
                    self.allowed.insert(target);
                }
                Err(error) => problems.push(Problem {
                    place: Some(name.place.clone()),
                    key: name.key.clone(),
                    message: self.nowhere(configured, &name.text, &error),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(Problems::of(problems));
        }
        let defaults = agents.model.primary.as_ref();
        let warnings = choices.iter().flat_map(|choice| self.idle(choice, defaults));
        Ok(warnings.collect())
    }

    /// Why a name leads nowhere, in words; one that begins like a provider's keys is not repeated.
    fn nowhere(&self, configured: &[Configured], name: &str, error: &ResolveError) -> String {
        let mut prefixes = configured.iter().flat_map(|entry| entry.provider.key_prefixes);
        if prefixes.any(|prefix| name.starts_with(prefix)) {
            return "expected a model such as \"openai/gpt-5\" or an alias, got what looks like a key"
                .to_owned();
        }
        match self.aliases.get(&name.to_lowercase()) {
            Some(model) => format!("`{name}` stands for `{model}`: {error}"),
            None => error.to_string(),
        }
    }

    /// The fallbacks of one choice that speak no format of its primary: no request of the one can go to the other.
    fn idle(&self, choice: &WrittenChoice, defaults: Option<&Named>) -> Vec<Warning> {
        let primary = choice.primary.as_ref().or(defaults);
        let Some(primary) = primary.and_then(|name| self.locate(None, &name.text).ok()) else {
            return Vec::new();
        };
        let spoken = self.speaks(&primary.provider);
        let mut warnings = Vec::new();
        for name in choice.fallbacks.iter().flatten() {
            let Ok(target) = self.locate(None, &name.text) else {
                continue;
            };
            let formats = self.speaks(&target.provider);
            if !formats.meets(spoken) {
                let (formats, spoken) = (listed(formats), listed(spoken));
                warnings.push(Warning {
                    place: Some(name.place.clone()),
                    subject: name.key.clone(),
                    message: format!(
                        "`{target}` speaks {formats} and can never stand in for `{primary}`, which speaks {spoken}; \
                         choose a model of the same format"
                    ),
                });
            }
        }
        warnings
    }

    /// Whether the config names `primary` as a model that others stand in for.
    #[must_use]
    pub fn has_stand_ins(&self, primary: &Target) -> bool {
        let is_primary = |name: &String| self.locate(None, name).as_ref() == Ok(primary);
        let mut choices = std::iter::once(&self.default).chain(self.agents.values());
        choices.any(|choice| !choice.fallbacks.is_empty() && choice.primary.as_ref().is_some_and(is_primary))
    }
}

fn listed(formats: ApiSet) -> String {
    let formats: Vec<&str> = formats.iter().map(Api::as_str).collect();
    formats.join(" and ")
}
