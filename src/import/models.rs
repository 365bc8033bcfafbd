//! The default model, its fallbacks, aliases, and the allowlist.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::line::{Line, Verdict};
use super::plan::{Facts, Plan};
use crate::config::normalise_provider_id;

const DEFAULT: [&str; 3] = ["agents", "defaults", "model"];
const MODELS: [&str; 3] = ["agents", "defaults", "models"];

/// Decides upon the default model, the fallbacks, and the models with a name of their own.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    if let Some(theirs) = facts.old.at(&DEFAULT) {
        decide_default(facts, theirs, plan);
    }
    decide_models(facts, plan);
}

/// `model` in either of its forms: primary, and fallbacks.
fn parts(model: &Value) -> (Option<&str>, Vec<&str>) {
    let primary = model.as_str().or_else(|| model.get("primary")?.as_str());
    let fallbacks = model.get("fallbacks").and_then(Value::as_array);
    let fallbacks = fallbacks
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::trim);
    (
        primary.map(str::trim).filter(|name| !name.is_empty()),
        fallbacks.filter(|name| !name.is_empty()).collect(),
    )
}

/// A model choice in our form, of what is served here; and the names that are not.
pub(super) fn choice(facts: &Facts<'_>, model: &Value, plan: &Plan) -> (Option<Value>, Vec<String>) {
    let (primary, fallbacks) = parts(model);
    let (fallbacks, gone): (Vec<_>, Vec<_>) = fallbacks
        .into_iter()
        .partition(|name| leads_somewhere(facts, name, plan));
    let mut dropped: Vec<String> = gone.into_iter().map(str::to_owned).collect();
    let primary = primary.filter(|name| {
        let served = leads_somewhere(facts, name, plan);
        if !served {
            dropped.push((*name).to_owned());
        }
        served
    });
    // Said to be none, they are not those of the defaults.
    let has_none = model
        .get("fallbacks")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    let choice = match (primary, fallbacks.is_empty() && !has_none) {
        (None, true) => None,
        (Some(primary), true) => Some(json!(primary)),
        (None, false) => Some(json!({ "fallbacks": fallbacks })),
        (Some(primary), false) => Some(json!({ "primary": primary, "fallbacks": fallbacks })),
    };
    (choice, dropped)
}

/// A model choice as people read it.
pub(super) fn shown(model: &Value) -> String {
    let (primary, fallbacks) = parts(model);
    let primary = primary.unwrap_or("no model of its own");
    if fallbacks.is_empty() {
        primary.to_owned()
    } else {
        format!("{primary}, then {}", fallbacks.join(", "))
    }
}

/// Whether a name is of a provider that we have; names without one are aliases or models that someone lists.
fn is_served(facts: &Facts<'_>, name: &str, plan: &Plan) -> bool {
    name.split_once('/')
        .is_none_or(|(provider, _)| facts.knows(&normalise_provider_id(provider), plan))
}

/// Whether a choice may name it: a word that is neither an alias nor a model of one provider is refused when the config
/// is read.
fn leads_somewhere(facts: &Facts<'_>, name: &str, plan: &Plan) -> bool {
    if name.contains('/') {
        return !name.ends_with('/') && is_served(facts, name, plan);
    }
    let is_alias = |(model, entry): (&String, &Value)| {
        let alias = entry.get("alias").and_then(Value::as_str);
        alias.is_some_and(|alias| alias.trim().eq_ignore_ascii_case(name))
            && leads_by_itself(facts, model.trim(), plan)
    };
    let aliases = [facts.ours.at(&MODELS), facts.old.at(&MODELS)];
    let mut aliases = aliases.into_iter().flatten().filter_map(Value::as_object);
    aliases.any(|models| models.iter().any(is_alias)) || is_listed_once(facts, name, plan)
}

fn leads_by_itself(facts: &Facts<'_>, model: &str, plan: &Plan) -> bool {
    model.contains('/') && is_served(facts, model, plan)
}

/// Whether exactly one provider of ours, or of those that are taken, lists the model.
fn is_listed_once(facts: &Facts<'_>, name: &str, plan: &Plan) -> bool {
    let lists = |provider: &Value| {
        let models = provider.get("models").and_then(Value::as_array);
        let id = |model: &Value| {
            model
                .as_str()
                .or_else(|| model.get("id")?.as_str())
                .map(str::to_owned)
        };
        models.into_iter().flatten().filter_map(id).any(|id| id == name)
    };
    let ours = facts.ours.at(&["models", "providers"]).and_then(Value::as_object);
    let ours = ours.into_iter().flat_map(Map::values);
    ours.chain(plan.added_providers())
        .filter(|one| lists(one))
        .count()
        == 1
}

fn decide_default(facts: &Facts<'_>, theirs: &Value, plan: &mut Plan) {
    let (primary, fallbacks) = parts(theirs);
    let ours = facts.ours.at(&DEFAULT);
    let (our_primary, our_fallbacks) = ours.map(parts).unwrap_or_default();
    let (taken, dropped) = choice(facts, theirs, plan);
    let (new_primary, new_fallbacks) = taken.as_ref().map(parts).unwrap_or_default();
    if let Some(primary) = primary {
        let (verdict, why) = match (our_primary, new_primary) {
            (Some(ours), _) if ours == primary => (Verdict::Present, "the same stands here".to_owned()),
            (Some(ours), _) => (Verdict::Left, format!("ours stays: {ours}")),
            (None, Some(_)) => (Verdict::Taken, "what `auto` and `coderclaw` stand for".to_owned()),
            (None, None) => (Verdict::Left, "no provider here serves it".to_owned()),
        };
        plan.say(Line::new("default model", primary, verdict, why));
    }
    let is_text = ours.is_some_and(Value::is_string);
    if !fallbacks.is_empty() {
        let gone: Vec<&str> = dropped
            .iter()
            .map(String::as_str)
            .filter(|name| fallbacks.contains(name))
            .collect();
        let (verdict, why) = if is_text || !our_fallbacks.is_empty() {
            if our_fallbacks == new_fallbacks {
                (Verdict::Present, "the same stand here".to_owned())
            } else if is_text {
                (Verdict::Left, "our default model has none, and stays".to_owned())
            } else {
                (Verdict::Left, format!("ours stay: {}", our_fallbacks.join(", ")))
            }
        } else if new_fallbacks.is_empty() {
            (Verdict::Left, "no provider here serves them".to_owned())
        } else if gone.is_empty() {
            (Verdict::Taken, "tried in this order".to_owned())
        } else {
            (Verdict::Changed, format!("not served here: {}", gone.join(", ")))
        };
        plan.say(Line::new("fallbacks", fallbacks.join(", "), verdict, why));
    }
    match (ours, taken) {
        (None, Some(taken)) => plan.set(&DEFAULT, taken),
        (Some(Value::Object(_)), Some(taken)) => {
            for (name, is_set) in [
                ("primary", our_primary.is_some()),
                ("fallbacks", !our_fallbacks.is_empty()),
            ] {
                let value = match (&taken, name) {
                    (Value::String(_), "primary") => Some(&taken),
                    (taken, name) => taken.get(name),
                };
                if let Some(value) = value.filter(|_| !is_set) {
                    plan.set(&["agents", "defaults", "model", name], value.clone());
                }
            }
        }
        _ => {}
    }
}

/// Decides upon aliases. Here the models that have one are also the only ones that are served, as with the older
/// versions; where the older tool's list was none, every provider is allowed beside them.
fn decide_models(facts: &Facts<'_>, plan: &mut Plan) {
    let theirs = facts.old.at(&MODELS).and_then(Value::as_object);
    let ours = facts.ours.at(&MODELS).and_then(Value::as_object);
    let mut taken: BTreeMap<String, Option<String>> = BTreeMap::new();
    let policy = facts
        .old
        .at(&["agents", "defaults", "modelPolicy", "allow"])
        .and_then(Value::as_array);
    let is_newest = facts
        .old
        .at(&["meta", "migrations", "modelPolicyAllowlist"])
        .is_some()
        || policy.is_some();
    for (model, entry) in theirs.into_iter().flatten() {
        let alias = entry
            .get("alias")
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|alias| !alias.is_empty());
        match alias {
            Some(alias) => decide_alias(facts, model.trim(), alias, ours, &mut taken, plan),
            None if is_newest || !is_served(facts, model, plan) => {}
            None => drop(taken.entry(model.trim().to_owned()).or_default()),
        }
    }
    for model in policy.into_iter().flatten().filter_map(Value::as_str) {
        if is_served(facts, model, plan) {
            taken.entry(model.trim().to_owned()).or_default();
        }
    }
    let is_allowlist = policy.map_or(!is_newest, |policy| !policy.is_empty());
    let is_new = ours.is_none_or(Map::is_empty);
    if taken.is_empty() {
        return;
    }
    if is_new && is_allowlist {
        let why = "these models alone are served, as with the older tool: remove agents.defaults.models to serve all";
        plan.say(Line::new(
            "allowlist",
            format!("{} models", taken.len()),
            Verdict::Taken,
            why,
        ));
    } else if is_new {
        let providers = facts.providers(plan);
        let why = "models with an alias are also an allowlist here, so every model of every provider is added to it";
        plan.say(Line::new("allowlist", "none", Verdict::Changed, why));
        taken.extend(
            providers
                .into_iter()
                .map(|provider| (format!("{provider}/*"), None)),
        );
    }
    for (model, alias) in taken {
        let is_there = ours.is_some_and(|ours| ours.contains_key(&model));
        match alias {
            Some(alias) if is_there => {
                plan.set(&["agents", "defaults", "models", &model, "alias"], json!(alias));
            }
            Some(alias) => plan.set(
                &["agents", "defaults", "models", &model],
                json!({ "alias": alias }),
            ),
            None if is_there => {}
            None => plan.set(&["agents", "defaults", "models", &model], json!({})),
        }
    }
}

fn decide_alias(
    facts: &Facts<'_>,
    model: &str,
    alias: &str,
    ours: Option<&Map<String, Value>>,
    taken: &mut BTreeMap<String, Option<String>>,
    plan: &mut Plan,
) {
    let is_alias = |entry: &Value| {
        entry
            .get("alias")
            .and_then(Value::as_str)
            .is_some_and(|other| other.trim().eq_ignore_ascii_case(alias))
    };
    let holder = ours
        .into_iter()
        .flatten()
        .find(|(_, entry)| is_alias(entry))
        .map(|(model, _)| model.trim());
    let ours_of_model = ours.and_then(|ours| ours.get(model)?.get("alias")?.as_str());
    let is_taken = taken
        .values()
        .flatten()
        .any(|other| other.eq_ignore_ascii_case(alias));
    let (verdict, why) = match (holder, ours_of_model) {
        (Some(holder), _) if holder == model => (Verdict::Present, "the same stands here".to_owned()),
        (Some(holder), _) => (Verdict::Left, format!("here it stands for {holder}")),
        (None, Some(other)) => (Verdict::Left, format!("the model is called `{other}` here")),
        (None, None) if !is_served(facts, model, plan) => {
            (Verdict::Left, format!("no provider here serves {model}"))
        }
        (None, None) if is_taken => (
            Verdict::Left,
            format!("the older tool has it twice; {model} is without"),
        ),
        (None, None) => {
            taken.insert(model.to_owned(), Some(alias.to_owned()));
            (Verdict::Taken, format!("stands for {model}"))
        }
    };
    plan.say(Line::new("alias", alias, verdict, why));
}
