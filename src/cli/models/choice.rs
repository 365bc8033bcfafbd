//! Where a default model and its fallbacks stand in the config: everyone's, or an agent's own.

use serde_json::{Value, json};

use crate::config::edit::{ConfigEditor, EditError};
use crate::config::{Catalogue, ModelChoice};

const DEFAULTS: [&str; 3] = ["agents", "defaults", "model"];
const AGENTS: [&str; 2] = ["agents", "list"];

/// The place of a choice.
pub(super) struct Place {
    agent: Option<String>,
    /// The path of keys; none for an agent that is not in the list yet.
    keys: Option<Vec<String>>,
}

impl Place {
    /// The place of an agent's choice, or of everyone's.
    pub(super) fn of(config: &Value, agent: Option<&str>) -> Self {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let keys = match agent {
            None => Some(owned(&DEFAULTS)),
            Some(agent) => index_of(config, agent).map(|index| {
                let [agents, list] = AGENTS;
                owned(&[agents, list, &index.to_string(), "model"])
            }),
        };
        Self {
            agent: agent.map(str::to_owned),
            keys,
        }
    }

    fn keys(&self) -> Option<Vec<&str>> {
        let keys = self.keys.as_ref()?;
        Some(keys.iter().map(String::as_str).collect())
    }

    /// What stands there itself.
    fn own<'e>(&self, editor: &'e ConfigEditor) -> Option<&'e Value> {
        editor.get(&self.keys()?)
    }

    /// Whether anything stands there.
    pub(super) fn is_own(&self, editor: &ConfigEditor) -> bool {
        self.own(editor).is_some()
    }

    /// What counts there: an agent without a choice of its own has everyone's.
    pub(super) fn chosen(&self, editor: &ConfigEditor, catalogue: &Catalogue) -> ModelChoice {
        match &self.agent {
            Some(agent) => catalogue.chosen(agent).clone(),
            None => written(self.own(editor)),
        }
    }

    /// Sets the model, and leaves its fallbacks.
    pub(super) fn set_primary(&self, editor: &mut ConfigEditor, model: &str) -> Result<(), EditError> {
        match (self.own(editor), self.keys()) {
            (Some(Value::Object(_)), Some(mut keys)) => {
                keys.push("primary");
                editor.set(&keys, json!(model))
            }
            _ => self.put(editor, json!(model)),
        }
    }

    /// Writes the fallbacks out where they are not, and gives their path.
    pub(super) fn fallbacks(
        self,
        editor: &mut ConfigEditor,
        chosen: &ModelChoice,
    ) -> Result<Vec<String>, EditError> {
        if !matches!(self.own(editor), Some(Value::Object(_))) {
            let whole = json!({ "primary": chosen.primary, "fallbacks": chosen.fallbacks });
            self.put(editor, whole)?;
        }
        let place = Self::of(editor.config(), self.agent.as_deref());
        let mut keys = place.keys.unwrap_or_default();
        keys.push("fallbacks".to_owned());
        let path: Vec<&str> = keys.iter().map(String::as_str).collect();
        if !editor.get(&path).is_some_and(Value::is_array) {
            editor.set(&path, json!(chosen.fallbacks))?;
        }
        Ok(keys)
    }

    fn put(&self, editor: &mut ConfigEditor, value: Value) -> Result<(), EditError> {
        match self.keys() {
            Some(keys) => editor.set(&keys, value),
            None => editor.append(&AGENTS, json!({ "id": self.agent, "model": value })),
        }
    }
}

fn index_of(config: &Value, agent: &str) -> Option<usize> {
    let [agents, list] = AGENTS;
    let elements = config.get(agents)?.get(list)?.as_array()?;
    elements.iter().position(|element| {
        let id = element.get("id").and_then(Value::as_str);
        id.is_some_and(|id| id.trim().to_lowercase() == agent)
    })
}

/// Everyone's choice as the config has it.
pub(super) fn defaults(config: &Value) -> ModelChoice {
    let value = DEFAULTS.iter().try_fold(config, |value, key| value.get(key));
    written(value)
}

fn written(value: Option<&Value>) -> ModelChoice {
    let text = |value: &Value| value.as_str().map(|text| text.trim().to_owned());
    let Some(value) = value else {
        return ModelChoice::default();
    };
    if let Some(primary) = text(value) {
        return ModelChoice {
            primary: Some(primary),
            fallbacks: Vec::new(),
        };
    }
    let fallbacks = value.get("fallbacks").and_then(Value::as_array);
    ModelChoice {
        primary: value.get("primary").and_then(text),
        fallbacks: fallbacks.into_iter().flatten().filter_map(text).collect(),
    }
}
