//! What is known of a model: what the config says of it, else what its provider lists.

use serde_json::Value;

use crate::cli::models::scope::ModelScope;
use crate::config::{Target, normalise_provider_id};

/// Facts of one model; what is not known is absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) name: Option<String>,
    /// `text+image`, as the older tools write it.
    pub(super) input: Option<String>,
    pub(super) context_window: Option<u64>,
    /// Whether its provider does not have it.
    pub(super) missing: Option<bool>,
}

impl Facts {
    pub(super) fn of(scope: &ModelScope, config: &Value, target: &Target) -> Self {
        let is_listed = scope.lists.of(&target.provider).is_some();
        let entry = scope.lists.model(&target.provider, &target.model);
        let written = written(config, target);
        let text = |name: &str| written?.get(name)?.as_str().map(str::to_owned);
        let inputs = written.and_then(|facts| facts.get("input")?.as_array());
        let inputs: Vec<&str> = inputs.into_iter().flatten().filter_map(Value::as_str).collect();
        let input = join(&inputs).or_else(|| {
            let inputs: Vec<&str> = entry?.input.iter().map(String::as_str).collect();
            join(&inputs)
        });
        let context = written.and_then(|facts| facts.get("contextWindow")?.as_u64());
        let provider = scope.settings.provider(target.provider.as_str());
        let is_configured = provider.is_some_and(|provider| provider.models.contains(&target.model));
        Self {
            name: text("name").or_else(|| entry?.name.clone()),
            input,
            context_window: context.or_else(|| entry?.context_window),
            // What the config describes is there, whatever the provider lists.
            missing: match (is_configured, is_listed) {
                (true, _) => Some(false),
                (false, true) => Some(entry.is_none()),
                (false, false) => None,
            },
        }
    }
}

fn join(inputs: &[&str]) -> Option<String> {
    (!inputs.is_empty()).then(|| inputs.join("+"))
}

/// What `models.providers.<id>.models` says of a model beyond its id.
fn written<'c>(config: &'c Value, target: &Target) -> Option<&'c Value> {
    let providers = config.get("models")?.get("providers")?.as_object()?;
    let (_, provider) = providers
        .iter()
        .find(|(id, _)| normalise_provider_id(id) == target.provider.as_str())?;
    let models = provider.get("models")?.as_array()?;
    models.iter().find(|model| {
        let id = model.get("id").and_then(Value::as_str);
        id.is_some_and(|id| id.trim() == target.model)
    })
}
