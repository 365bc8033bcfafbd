//! Model providers of the config, their keys, and where references get secrets from.

use std::collections::BTreeSet;

use coderclaw_actors::domain::credential::Secret;
use serde_json::{Map, Value, json};

use super::line::{Line, Verdict};
use super::new_profile::NewProfile;
use super::plan::{Facts, Plan, StoreChange};
use super::profiles::source;
use super::stores::{Looks, is_reference};
use crate::config::provider_id::is_valid;
use crate::config::{BaseUrl, normalise_provider_id};
use crate::credentials::environment::clean;
use crate::credentials::store::{NewCredential, StoredSecret};
use crate::wire::Api;

const WHAT: &str = "provider";
const WHAT_KEY: &str = "provider's key";
/// What is taken of a model; the rest steers the older tool's own programs.
const MODEL_FIELDS: [&str; 4] = ["id", "name", "contextWindow", "maxTokens"];
/// Words in the names of headers whose values are secrets.
const SECRET_WORDS: [&str; 5] = ["auth", "key", "token", "secret", "cookie"];

/// Decides upon every provider and its key.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    let theirs = facts.old.at(&["models", "providers"]).and_then(Value::as_object);
    for (written, entry) in theirs.into_iter().flatten() {
        let Some(entry) = entry.as_object() else { continue };
        let id = normalise_provider_id(written).into_owned();
        let is_known = decide_one(facts, &id, entry, plan);
        if is_known && let Some(key) = entry.get("apiKey").filter(|key| !key.is_null()) {
            decide_key(facts, written, &id, key, plan);
        }
    }
}

/// Whether the provider is ours, or becomes so.
fn decide_one(facts: &Facts<'_>, id: &str, entry: &Map<String, Value>, plan: &mut Plan) -> bool {
    let line = |verdict, why: String| Line::new(WHAT, id, verdict, why);
    if !is_valid(id) {
        plan.say(line(
            Verdict::Left,
            "an id has letters, digits, `.`, `_` and `-` alone here".to_owned(),
        ));
        return false;
    }
    let (object, changes) = match converted(facts, id, entry, plan) {
        Ok(converted) => converted,
        Err(why) => {
            plan.say(line(Verdict::Left, why));
            return facts.knows(id, plan);
        }
    };
    let providers = facts.ours.at(&["models", "providers"]).and_then(Value::as_object);
    let ours = providers
        .into_iter()
        .flatten()
        .find(|(other, _)| normalise_provider_id(other) == id);
    if let Some((_, ours)) = ours {
        let same = object.iter().all(|(name, value)| ours.get(name) == Some(value));
        let (verdict, why) = if same {
            (Verdict::Present, "the same stands here")
        } else {
            (Verdict::Left, "ours of this name stays")
        };
        plan.say(line(verdict, why.to_owned()));
        return true;
    }
    if object.is_empty() {
        // A built-in provider of which only the key is written.
        return true;
    }
    let base = object
        .get("baseUrl")
        .and_then(Value::as_str)
        .unwrap_or("its own address");
    if changes.is_empty() {
        plan.say(line(Verdict::Taken, base.to_owned()));
    } else {
        plan.say(line(Verdict::Changed, format!("{base}; {}", changes.join("; "))));
    }
    plan.set(&["models", "providers", id], Value::Object(object));
    true
}

/// The provider in our form, and what is different in it.
fn converted(
    facts: &Facts<'_>,
    id: &str,
    entry: &Map<String, Value>,
    plan: &Plan,
) -> Result<(Map<String, Value>, Vec<String>), String> {
    let mut object = Map::new();
    let mut changes = Vec::new();
    let api = entry.get("api").and_then(Value::as_str).map(str::trim);
    if api.is_some_and(|api| Api::ALL.iter().all(|known| known.as_str() != api)) {
        return Err("it speaks a format that is not served here".to_owned());
    }
    match entry.get("baseUrl").and_then(Value::as_str).map(str::trim) {
        Some(written) => {
            let base = base_url(written, api).map_err(|error| error.to_string())?;
            if base != written {
                changes.push("`/v1` added, which the older tool adds itself".to_owned());
            }
            object.insert("baseUrl".to_owned(), json!(base));
        }
        None if !facts.knows(id, plan) => return Err("it has no `baseUrl`".to_owned()),
        None => {}
    }
    if let Some(api) = api {
        object.insert("api".to_owned(), json!(api));
    }
    if let Some(bearer) = entry.get("authHeader").and_then(Value::as_bool) {
        object.insert("authHeader".to_owned(), json!(bearer));
    }
    if let Some(headers) = entry.get("headers").and_then(Value::as_object) {
        let (kept, left) = headers_of(headers, facts.copy);
        if !left.is_empty() {
            changes.push(format!(
                "without the headers {}, which may hold secrets",
                left.join(", ")
            ));
        }
        if !kept.is_empty() {
            object.insert("headers".to_owned(), Value::Object(kept));
        }
    }
    let models = models_of(entry.get("models"));
    if !models.is_empty() {
        object.insert("models".to_owned(), Value::Array(models));
    }
    Ok((object, changes))
}

/// The base URL as it is written here: the older tool adds `/v1` to any of Anthropic's form, we only to a bare one.
fn base_url(written: &str, api: Option<&str>) -> Result<String, crate::config::BaseUrlError> {
    let base = BaseUrl::parse(written)?;
    let has_path = base.as_str() != base.origin();
    let is_anthropic = api == Some(Api::AnthropicMessages.as_str());
    if is_anthropic && has_path && !base.as_str().ends_with("/v1") {
        return Ok(format!("{}/v1", base.as_str()));
    }
    Ok(written.to_owned())
}

/// The headers that are taken, and the names of those that are not.
fn headers_of(headers: &Map<String, Value>, copy: bool) -> (Map<String, Value>, Vec<String>) {
    let mut kept = Map::new();
    let mut left = Vec::new();
    for (name, value) in headers {
        let lower = name.to_lowercase();
        let is_secret = SECRET_WORDS.iter().any(|word| lower.contains(word));
        // These carry the pool's credential here.
        let is_ours = matches!(lower.as_str(), "authorization" | "x-api-key" | "x-goog-api-key");
        let text = value.as_str().filter(|text| !text.contains("${"));
        match text {
            Some(text) if !is_ours && (copy || !is_secret) => {
                kept.insert(name.clone(), json!(text));
            }
            _ => left.push(name.clone()),
        }
    }
    (kept, left)
}

fn models_of(models: Option<&Value>) -> Vec<Value> {
    let models = models.and_then(Value::as_array).into_iter().flatten();
    let of_one = |model: &Value| {
        if let Some(id) = model.as_str() {
            return Some(json!(id));
        }
        let model = model.as_object()?;
        model.get("id")?.as_str()?;
        let fields = MODEL_FIELDS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), model.get(*name)?.clone())));
        Some(Value::Object(fields.collect()))
    };
    models.filter_map(of_one).collect()
}

/// A key that stands in the config becomes a profile.
fn decide_key(facts: &Facts<'_>, written: &str, id: &str, key: &Value, plan: &mut Plan) {
    let keys = ["models", "providers", id, "apiKey"];
    let text = key.as_str().map(str::trim);
    if text == Some("") {
        return;
    }
    let literal = text.filter(|text| !is_reference(text));
    let secret = literal.map(|text| Secret::new(clean(text)));
    let theirs = secret.as_ref().map(Secret::fingerprint);
    if let Some((verdict, ours)) = secret.as_ref().and_then(|secret| facts.compare(&keys, secret)) {
        let why = if verdict == Verdict::Present {
            "the same stands here"
        } else {
            "our config has one, and it stays"
        };
        return plan.say(
            Line::new(WHAT_KEY, id, verdict, why)
                .with_theirs(theirs)
                .with_ours(ours),
        );
    }
    let (verdict, why) = NewProfile {
        provider: id,
        id: &format!("{id}:imported"),
        is_token: literal.is_some_and(|text| Looks::of(text, &[]) == Looks::Token),
        secret,
        reference: text.is_none_or(is_reference).then(|| key.clone()),
        place: facts.old.place(&["models", "providers", written, "apiKey"]),
    }
    .decide(facts, plan);
    plan.say(Line::new(WHAT_KEY, id, verdict, why).with_theirs(theirs));
}

/// Decides upon what `secrets` of the config says, as far as references that are taken name it.
pub(super) fn decide_secret_sources(facts: &Facts<'_>, plan: &mut Plan) {
    let references: Vec<Value> = plan.stores.iter().filter_map(reference_of).cloned().collect();
    let defaults = facts.old.at(&["secrets", "defaults"]);
    let mut names = BTreeSet::new();
    for reference in &references {
        let Some(source) = source(reference).filter(|_| reference.get("path").is_none()) else {
            continue;
        };
        let own = reference.get("provider").and_then(Value::as_str);
        names.insert(
            own.or_else(|| defaults?.get(source)?.as_str())
                .unwrap_or("default")
                .to_owned(),
        );
    }
    for name in names {
        let keys = ["secrets", "providers", &name];
        let Some(theirs) = facts.old.at(&keys) else {
            continue;
        };
        let (verdict, why) = match facts.ours.at(&keys) {
            Some(ours) if ours == theirs => (Verdict::Present, "the same stands here"),
            Some(_) => (Verdict::Left, "ours of this name stays"),
            None => (Verdict::Taken, "references that are taken name it"),
        };
        plan.say(Line::new("source of secrets", name.as_str(), verdict, why));
        if verdict == Verdict::Taken {
            plan.set(&keys, theirs.clone());
        }
    }
}

fn reference_of(change: &StoreChange) -> Option<&Value> {
    match change {
        StoreChange::Put {
            credential:
                NewCredential::ApiKey(StoredSecret::Elsewhere(reference))
                | NewCredential::Token(StoredSecret::Elsewhere(reference), _),
            ..
        } => Some(reference),
        _ => None,
    }
}
