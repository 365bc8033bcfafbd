//! The orders in which a provider's profiles are used: an agent's own, and those of the config.

use std::collections::BTreeSet;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde_json::{Value, json};

use super::line::{Line, Verdict};
use super::plan::{Facts, Plan, StoreChange};
use super::stores::read_orders;
use crate::config::normalise_provider_id;
use crate::credentials::store::MAIN_AGENT;

const WHAT: &str = "order";

/// Decides upon every order.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    let mut seen = BTreeSet::new();
    for store in facts
        .old
        .stores
        .iter()
        .filter(|store| facts.is_agent(&store.agent))
    {
        for (provider, ids) in &store.orders {
            if seen.insert((store.agent.as_str(), provider.clone())) {
                of_store(facts, &store.agent, provider, ids, plan);
            }
        }
    }
    let configured = facts.old.at(&["auth", "order"]).and_then(Value::as_object);
    for (provider, ids) in configured.map(read_orders).unwrap_or_default() {
        of_config(facts, &provider, &ids, plan);
    }
}

fn of_store(facts: &Facts<'_>, agent: &str, provider: &ProviderId, ids: &[ProfileId], plan: &mut Plan) {
    let ours = facts
        .ours
        .stores
        .get(agent)
        .and_then(|store| store.order(provider));
    let (line, ids) = judge(facts, agent, provider, ids, ours.as_deref(), plan);
    plan.say(line.of_agent(agent));
    if let Some(ids) = ids {
        plan.stores.push(StoreChange::Order {
            agent: agent.to_owned(),
            provider: provider.clone(),
            ids,
        });
    }
}

fn of_config(facts: &Facts<'_>, provider: &ProviderId, ids: &[ProfileId], plan: &mut Plan) {
    let orders = facts.ours.at(&["auth", "order"]).and_then(Value::as_object);
    let ours = orders
        .into_iter()
        .flatten()
        .find(|(id, _)| normalise_provider_id(id) == provider.as_str());
    let ours: Option<Vec<ProfileId>> = ours.map(|(_, ids)| {
        let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.map(ProfileId::new).collect()
    });
    let (line, ids) = judge(facts, MAIN_AGENT, provider, ids, ours.as_deref(), plan);
    plan.say(line);
    if let Some(ids) = ids {
        plan.set(&["auth", "order", provider.as_str()], json!(ids));
    }
}

/// What becomes of an order, and what is left of it if it is taken.
fn judge(
    facts: &Facts<'_>,
    agent: &str,
    provider: &ProviderId,
    ids: &[ProfileId],
    ours: Option<&[ProfileId]>,
    plan: &Plan,
) -> (Line, Option<Vec<ProfileId>>) {
    let (there, gone): (Vec<_>, Vec<_>) = ids
        .iter()
        .cloned()
        .partition(|id| facts.has_profile(agent, id.as_str(), plan));
    let line = |verdict, why: String| Line::new(WHAT, provider.as_str(), verdict, why);
    if let Some(ours) = ours {
        let (verdict, why) = if ours == there || ours == ids {
            (Verdict::Present, "the same stands here".to_owned())
        } else {
            (Verdict::Left, format!("ours stays: {}", list(ours)))
        };
        return (line(verdict, why), None);
    }
    if there.is_empty() {
        let why = format!("none of its profiles is here: {}", list(&gone));
        return (line(Verdict::Left, why), None);
    }
    let line = if gone.is_empty() {
        line(
            Verdict::Taken,
            format!("exactly these are used: {}", list(&there)),
        )
    } else {
        let why = format!(
            "exactly these are used: {}; not here: {}",
            list(&there),
            list(&gone)
        );
        line(Verdict::Changed, why)
    };
    (line, Some(there))
}

fn list(ids: &[ProfileId]) -> String {
    let ids: Vec<&str> = ids.iter().map(ProfileId::as_str).collect();
    ids.join(", ")
}
