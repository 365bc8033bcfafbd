//! Agents by name.

use serde_json::{Value, json};

use super::line::{Line, Verdict};
use super::models;
use super::plan::{Facts, Plan};
use crate::config::is_agent_id;
use crate::credentials::store::MAIN_AGENT;

const WHAT: &str = "agent";
/// Why an agent and what it has are left whose id would lead out of its folder.
pub(super) const NO_ID: &str = "an agent's id has letters, digits, `_` and `-` alone here";
/// Where ours are.
const LIST: [&str; 2] = ["agents", "list"];

/// Decides upon every agent. `main` is always there: only what is said of it is taken.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    let theirs = facts.old.agents();
    let ours = ours(facts);
    let has_default = ours
        .iter()
        .any(|agent| agent.get("default").and_then(Value::as_bool) == Some(true));
    let mut marked = theirs
        .iter()
        .filter(|(_, agent)| agent.get("default").and_then(Value::as_bool) == Some(true));
    let is_list = facts.old.at(&LIST).is_some();
    // Where none is marked, the first of the older tools' list is the default.
    let default = marked
        .next()
        .or_else(|| theirs.first().filter(|_| is_list))
        .map(|(id, _)| id.clone());
    for (id, agent) in theirs {
        let is_default = !has_default && default.as_deref() == Some(id.as_str()) && id != MAIN_AGENT;
        decide_one(facts, &id, agent, is_default, plan);
    }
}

fn ours<'f>(facts: &Facts<'f>) -> Vec<&'f Value> {
    let list = facts.ours.at(&LIST).and_then(Value::as_array);
    list.into_iter().flatten().collect()
}

fn decide_one(facts: &Facts<'_>, id: &str, agent: &Value, is_default: bool, plan: &mut Plan) {
    if !is_agent_id(id) {
        return plan.say(Line::new(WHAT, id, Verdict::Left, NO_ID));
    }
    let (model, dropped) = match agent.get("model").filter(|model| !model.is_null()) {
        Some(model) => models::choice(facts, model, plan),
        None => (None, Vec::new()),
    };
    let is_ours = |ours: &&Value| {
        ours.get("id")
            .and_then(Value::as_str)
            .is_some_and(|ours| ours.trim().eq_ignore_ascii_case(id))
    };
    if let Some(ours) = ours(facts).into_iter().find(is_ours) {
        let same = model.is_none() || ours.get("model") == model.as_ref();
        let (verdict, why) = if same {
            (Verdict::Present, "the same stands here")
        } else {
            (Verdict::Left, "ours of this name stays, with its model")
        };
        return plan.say(Line::new(WHAT, id, verdict, why));
    }
    if id == MAIN_AGENT && model.is_none() && dropped.is_empty() {
        return;
    }
    let mut entry = json!({ "id": id });
    if let (Some(entry), Some(model)) = (entry.as_object_mut(), &model) {
        entry.insert("model".to_owned(), model.clone());
    }
    if let (Some(entry), true) = (entry.as_object_mut(), is_default) {
        entry.insert("default".to_owned(), json!(true));
    }
    let mut why = model.as_ref().map_or_else(
        || "with the default model".to_owned(),
        |model| format!("with {}", models::shown(model)),
    );
    if is_default {
        why.push_str(", as the default agent");
    }
    let verdict = if dropped.is_empty() {
        Verdict::Taken
    } else {
        why = format!("{why}; not served here: {}", dropped.join(", "));
        Verdict::Changed
    };
    plan.say(Line::new(WHAT, id, verdict, why));
    plan.append(&LIST, entry);
}
