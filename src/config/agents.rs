//! `agents.*`: default models, aliases, the allowlist, and agents by name.

use std::collections::HashMap;

use super::document::{Field, Reader, Section};
use super::place::Place;

/// The agent that is always there.
const MAIN: &str = "main";
/// At most so many models may stand in for one.
const FALLBACKS_MAX: usize = 32;

/// The name of a model, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) text: String,
    /// The path of its key: `agents.defaults.model.fallbacks[1]`.
    pub(super) key: String,
    pub(super) place: Place,
}

/// A choice of models as it was written; what it leaves unsaid is another's to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WrittenChoice {
    pub(super) primary: Option<Named>,
    /// An empty list says that nothing stands in; none at all says nothing.
    pub(super) fallbacks: Option<Vec<Named>>,
}

/// An agent's id has no more characters than this.
pub(crate) const AGENT_ID_CHARS_MAX: usize = 64;

/// A default model and what follows when no credential can serve it; names as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelChoice {
    /// The model that is asked first.
    pub primary: Option<String>,
    /// Those that stand in for it, in order.
    pub fallbacks: Vec<String>,
}

/// One of `agents.list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) model: Option<WrittenChoice>,
    pub(super) default: bool,
}

/// `agents`, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Agents {
    pub(super) model: WrittenChoice,
    /// Lower-case alias → model as written.
    pub(super) aliases: HashMap<String, String>,
    /// Models as written; empty allows all.
    pub(super) allowed: Vec<String>,
    pub(super) list: Vec<Agent>,
}

impl Agents {
    /// The agent marked as the default, else `main`, which is there even if the config names no agent.
    pub(super) fn default_agent(&self) -> &str {
        let marked = self.list.iter().find(|agent| agent.default);
        marked.map_or(MAIN, |agent| agent.id.as_str())
    }

    /// The ids of all agents, `main` first.
    pub(super) fn ids(&self) -> Vec<String> {
        let others = self.list.iter().filter(|agent| agent.id != MAIN);
        let others = others.map(|agent| agent.id.clone());
        std::iter::once(MAIN.to_owned()).chain(others).collect()
    }
}

impl WrittenChoice {
    /// The choice where `defaults` say what this leaves unsaid.
    ///
    /// An agent that names a primary alone keeps the fallbacks of the defaults, and the model before them is the last of
    /// them, as in the older tools: who wrote a list wants it to hold for all. Where there is none, nothing stands in.
    pub(super) fn over(&self, defaults: &ModelChoice) -> ModelChoice {
        let text = |named: &Named| named.text.clone();
        let inherited = || {
            let last = defaults.primary.iter().filter(|_| !defaults.fallbacks.is_empty());
            defaults.fallbacks.iter().chain(last).cloned().collect()
        };
        ModelChoice {
            primary: self
                .primary
                .as_ref()
                .map(text)
                .or_else(|| defaults.primary.clone()),
            fallbacks: match &self.fallbacks {
                Some(written) => written.iter().map(text).collect(),
                None => inherited(),
            },
        }
    }

    /// Every name in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &Named> {
        self.primary.iter().chain(self.fallbacks.iter().flatten())
    }
}

/// Reads `agents`.
pub(super) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> Agents {
    let mut read = Agents::default();
    let Some(mut agents) = root.section("agents", reader) else {
        return read;
    };
    if let Some(mut defaults) = agents.section("defaults", reader) {
        if let Some(field) = defaults.take("model") {
            read.model = model_choice(&field, reader);
        }
        if let Some(models) = defaults.section("models", reader) {
            read_models(&mut read, &models, reader);
        }
        defaults.finish(reader);
    }
    if let Some(field) = agents.take("list") {
        read.list = read_list(&field, reader);
    }
    agents.finish(reader);
    read
}

fn model_choice(field: &Field<'_>, reader: &mut Reader<'_>) -> WrittenChoice {
    let expected = "a model such as \"openai/gpt-5\" or an alias";
    if field.value.as_object().is_none() {
        return WrittenChoice {
            primary: named(field, &format!("{expected}, or {{ primary, fallbacks }}"), reader),
            fallbacks: None,
        };
    }
    let Some(mut section) = reader.section(field) else {
        return WrittenChoice::default();
    };
    let primary = section.take("primary");
    let fallbacks = section.take("fallbacks");
    let choice = WrittenChoice {
        primary: primary.and_then(|field| named(&field, expected, reader)),
        fallbacks: fallbacks.map(|field| fallback_names(&field, expected, reader)),
    };
    section.finish(reader);
    choice
}

fn fallback_names(field: &Field<'_>, expected: &str, reader: &mut Reader<'_>) -> Vec<Named> {
    let list = reader.list(field, &format!("a list, each {expected}"));
    let list = list.unwrap_or_default();
    if list.len() > FALLBACKS_MAX {
        reader.refuse(
            field,
            format!("expected at most {FALLBACKS_MAX} models, got {}", list.len()),
        );
    }
    list.iter()
        .filter_map(|element| named(element, expected, reader))
        .collect()
}

fn named(field: &Field<'_>, expected: &str, reader: &mut Reader<'_>) -> Option<Named> {
    Some(Named {
        text: reader.text(field, expected)?,
        key: field.path.clone(),
        place: reader.place(field),
    })
}

fn read_models(read: &mut Agents, models: &Section<'_>, reader: &mut Reader<'_>) {
    for (model, field) in models.entries() {
        if model.trim().is_empty() {
            reader.refuse(field, "expected a model such as \"openai/gpt-5\" as the key");
            continue;
        }
        read.allowed.push(model.trim().to_owned());
        let Some(mut facts) = reader.section(field) else {
            continue;
        };
        if let Some(alias_field) = facts.take("alias")
            && let Some(alias) = reader.text(&alias_field, "an alias as text")
        {
            let other = read.aliases.insert(alias.to_lowercase(), model.trim().to_owned());
            if let Some(other) = other {
                reader.refuse(
                    &alias_field,
                    format!("duplicate alias: `{alias}` already stands for `{other}`; remove one"),
                );
            }
        }
        facts.not_in_effect(&["params"], reader);
        facts.finish(reader);
    }
}

fn read_list(field: &Field<'_>, reader: &mut Reader<'_>) -> Vec<Agent> {
    let mut agents: Vec<Agent> = Vec::new();
    for element in reader.list(field, "a list of agents").unwrap_or_default() {
        let Some(mut section) = reader.section(&element) else {
            continue;
        };
        let id_field = section.take("id");
        if id_field.is_none() {
            reader.refuse(&element, "expected an `id`");
        }
        let id = id_field.and_then(|field| agent_id(&field, &agents, reader));
        let model = section.take("model").map(|field| model_choice(&field, reader));
        let default_field = section.take("default");
        let default = default_field
            .as_ref()
            .and_then(|field| reader.boolean(field))
            .unwrap_or(false);
        if let Some(field) = default_field.filter(|_| default)
            && let Some(other) = agents.iter().find(|agent| agent.default)
        {
            reader.refuse(
                &field,
                format!("only one agent can be the default, and `{}` is", other.id),
            );
        }
        section.finish(reader);
        if let Some(id) = id {
            agents.push(Agent { id, model, default });
        }
    }
    agents
}

/// Whether a text can be an agent's id: it names a folder of the state folder, so it can be no path.
pub(crate) fn is_agent_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= AGENT_ID_CHARS_MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn agent_id(field: &Field<'_>, others: &[Agent], reader: &mut Reader<'_>) -> Option<String> {
    let expected = format!("an agent id of at most {AGENT_ID_CHARS_MAX} letters, digits, `_` and `-`");
    let id = reader.text(field, &expected)?.to_lowercase();
    if !is_agent_id(&id) {
        reader.expected(field, &expected);
        return None;
    }
    if others.iter().any(|agent| agent.id == id) {
        reader.refuse(
            field,
            format!("duplicate agent: `{id}` is already in the list; remove one"),
        );
        return None;
    }
    Some(id)
}
