//! The models that are shown, each once, with what it is for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use coderclaw_actors::domain::credential::ProviderId;
use serde::Serialize;
use serde_json::Value;

use super::facts::Facts;
use crate::cli::models::scope::{MODELS, ModelScope};
use crate::config::{EVERY_MODEL, Provider, Target};

/// One model. The names are those of the older tools; what is not known is null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    /// `provider/model`; as it is written, for a name that leads nowhere.
    pub(super) key: String,
    pub(super) name: Option<String>,
    pub(super) input: Option<String>,
    pub(super) context_window: Option<u64>,
    /// Whether its provider is on this machine or network.
    pub(super) local: Option<bool>,
    /// Whether its provider has a credential that can be used.
    pub(super) available: Option<bool>,
    pub(super) tags: Vec<String>,
    /// Whether its provider does not have it, or there is no such provider.
    pub(super) missing: Option<bool>,
    /// Whether `agents.defaults.models` lets it be used.
    pub(super) allowed: Option<bool>,
    #[serde(skip)]
    provider: Option<ProviderId>,
}

/// Rows in the making: names in the order in which they were found.
#[derive(Default)]
pub(super) struct Rows {
    order: Vec<(String, Option<Target>)>,
    tags: HashMap<String, Vec<String>>,
}

impl Row {
    pub(super) fn is_of(&self, provider: &ProviderId) -> bool {
        self.provider.as_ref() == Some(provider)
    }
}

impl Rows {
    /// The default model, its fallbacks, what the config names, and with `shows_all` what the providers list.
    pub(super) fn of(
        scope: &ModelScope,
        config: &Value,
        available: &BTreeSet<ProviderId>,
        shows_all: bool,
    ) -> Vec<Row> {
        let mut rows = Self::default();
        let catalogue = &scope.settings.catalogue;
        let agent = scope.agent.as_ref().unwrap_or(&scope.settings.default_agent);
        let chosen = catalogue.chosen(agent);
        if let Some(primary) = &chosen.primary {
            rows.name(scope, primary, Some("default".to_owned()));
        }
        for (index, fallback) in chosen.fallbacks.iter().enumerate() {
            rows.name(scope, fallback, Some(format!("fallback#{}", index + 1)));
        }
        for model in named(config) {
            rows.name(scope, model, Some("configured".to_owned()));
        }
        for provider in &scope.settings.providers {
            for model in &provider.models {
                rows.target(&target(provider, model), Some("configured".to_owned()));
            }
        }
        rows.aliases(scope);
        if shows_all {
            let mut keys: Vec<Target> = scope.lists.all().flat_map(listed).collect();
            keys.sort_by(|a, b| (&a.provider, &a.model).cmp(&(&b.provider, &b.model)));
            for target in keys {
                rows.target(&target, None);
            }
        }
        rows.finish(scope, config, available)
    }

    /// A model by a name of the config.
    fn name(&mut self, scope: &ModelScope, name: &str, tag: Option<String>) {
        match scope.settings.catalogue.find(name) {
            Ok(target) => self.target(&target, tag),
            Err(_) => self.push(name.to_owned(), None, tag),
        }
    }

    fn target(&mut self, target: &Target, tag: Option<String>) {
        self.push(target.to_string(), Some(target.clone()), tag);
    }

    fn push(&mut self, key: String, target: Option<Target>, tag: Option<String>) {
        if !self.tags.contains_key(&key) {
            self.order.push((key.clone(), target));
        }
        let tags = self.tags.entry(key).or_default();
        tags.extend(tag.filter(|tag| !tags.contains(tag)));
    }

    fn aliases(&mut self, scope: &ModelScope) {
        let catalogue = &scope.settings.catalogue;
        let mut by_key: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (alias, model) in catalogue.aliases() {
            let key = catalogue
                .find(model)
                .map_or_else(|_| model.to_owned(), |target| target.to_string());
            by_key.entry(key).or_default().push(alias);
        }
        for (key, mut aliases) in by_key {
            aliases.sort_unstable();
            if let Some(tags) = self.tags.get_mut(&key) {
                tags.push(format!("alias:{}", aliases.join(",")));
            }
        }
    }

    fn finish(mut self, scope: &ModelScope, config: &Value, available: &BTreeSet<ProviderId>) -> Vec<Row> {
        let order = std::mem::take(&mut self.order);
        let row = |(key, target): (String, Option<Target>)| {
            let facts = match &target {
                Some(target) => Facts::of(scope, config, target),
                None => Facts {
                    missing: Some(true),
                    ..Facts::default()
                },
            };
            let mut tags = self.tags.remove(&key).unwrap_or_default();
            if facts.missing == Some(true) {
                tags.push("missing".to_owned());
            }
            let provider = target.as_ref().map(|target| target.provider.clone());
            let known = provider
                .as_ref()
                .and_then(|id| scope.settings.provider(id.as_str()));
            Row {
                name: facts.name,
                input: facts.input,
                context_window: facts.context_window,
                local: known.map(|provider| provider.base.is_local()),
                available: provider.as_ref().map(|id| available.contains(id)),
                tags,
                missing: facts.missing,
                allowed: target.map(|target| scope.settings.catalogue.allows(&target)),
                key,
                provider,
            }
        };
        order.into_iter().map(row).collect()
    }
}

/// The models of `agents.defaults.models`, without the entries that stand for many.
fn named(config: &Value) -> impl Iterator<Item = &str> {
    let entries = MODELS.iter().try_fold(config, |value, key| value.get(key));
    let entries = entries.and_then(Value::as_object).into_iter().flatten();
    let entries = entries.filter(|(_, facts)| !facts.is_null());
    let names = entries.map(|(name, _)| name.trim());
    names.filter(|name| *name != EVERY_MODEL && !name.ends_with("/*"))
}

fn target(provider: &Provider, model: &str) -> Target {
    Target {
        provider: provider.id.clone(),
        model: model.to_owned(),
    }
}

fn listed(list: &crate::model_list::ModelList) -> impl Iterator<Item = Target> {
    list.models.iter().map(|model| Target {
        provider: list.provider.clone(),
        model: model.id.clone(),
    })
}
