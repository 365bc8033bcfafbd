//! One file that was named: a store, a database, an `.env` file, or what another program keeps its credentials in.
//!
//! Only plain API keys are taken from other programs. Their logins are theirs: they are good for that program alone,
//! and two programs that renew one login lock each other out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use coderclaw_actors::domain::credential::Secret;
use serde_json::{Map, Value, json};

use super::old::{Old, OldVariable};
use super::stores::{Looks, OldStore, Prefixes, STORE_BYTES_MAX, Written, escaped};
use crate::config::load::read_bounded;
use crate::config::normalise_provider_id;
use crate::credentials::environment::{clean, dotenv_pairs};
use crate::credentials::store::MAIN_AGENT;

/// How a database of SQLite begins.
const DATABASE_MARK: &[u8] = b"SQLite format 3\0";

/// Reads the file at `path`, by what it holds and not by its name.
///
/// # Errors
/// What is the matter with it.
pub(super) fn read(path: &Path, prefixes: Prefixes<'_>) -> Result<Old, String> {
    let agent = agent_of(path);
    let mut old = Old::default();
    if is_database(path) {
        let store = OldStore::read_database(&agent, path, prefixes)?;
        old.stores
            .push(store.ok_or("it holds no credentials of an older tool")?);
        return Ok(old);
    }
    let text = read_bounded(path, STORE_BYTES_MAX)?.ok_or("there is no such file")?;
    let is_dotenv = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains(".env"));
    if is_dotenv {
        old.variables = variables(&text, path)?;
        return Ok(old);
    }
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| format!("line {}, column {}: it is no JSON", error.line(), error.column()))?;
    let fields = value
        .as_object()
        .ok_or("it holds no credentials in a form that is known")?;
    if fields.get("profiles").is_some_and(Value::is_object) {
        old.stores.extend(OldStore::read_json(&agent, path, prefixes)?);
        return Ok(old);
    }
    note_logins(&mut old, fields);
    let written = keys_of(fields);
    if written.is_empty() && old.notes.is_empty() {
        return Err("it holds no credentials in a form that is known".to_owned());
    }
    old.stores
        .push(OldStore::of_profiles(&agent, path, written, prefixes)?);
    Ok(old)
}

/// `agents/<agent>/agent/<file>`, else `main`.
fn agent_of(path: &Path) -> String {
    let own = path
        .parent()
        .filter(|folder| folder.ends_with("agent"))
        .and_then(Path::parent);
    let is_agent = |folder: &&Path| folder.parent().is_some_and(|above| above.ends_with("agents"));
    let name = own
        .filter(is_agent)
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    name.unwrap_or(MAIN_AGENT).to_lowercase()
}

fn is_database(path: &Path) -> bool {
    let mut start = Vec::new();
    let file =
        File::open(path).and_then(|file| file.take(DATABASE_MARK.len() as u64).read_to_end(&mut start));
    file.is_ok() && start == DATABASE_MARK
}

fn variables(text: &str, path: &Path) -> Result<Vec<OldVariable>, String> {
    let (pairs, warnings) = dotenv_pairs(text, path);
    if pairs.is_empty() {
        let why = warnings.into_iter().next().map(|warning| warning.message);
        return Err(why.unwrap_or_else(|| "it sets no variable".to_owned()));
    }
    let variable = |(name, value): (String, String)| OldVariable {
        name,
        value: Secret::new(clean(&value)),
        reference: None,
        place: None,
        looks: Looks::Unknown,
        is_of_dotenv: true,
    };
    Ok(pairs.into_iter().map(variable).collect())
}

/// Says of logins that belong to other programs why they are left.
fn note_logins(old: &mut Old, fields: &Map<String, Value>) {
    if fields.contains_key("claudeAiOauth") {
        old.note(
            "login",
            "Claude Code",
            "it is good for Claude Code alone and is never taken: create an API key in Anthropic's console, then \
             `coderclaw models auth paste-api-key --provider anthropic`",
        );
    }
    if fields.get("tokens").is_some_and(Value::is_object) {
        old.note(
            "login",
            "Codex",
            "it is good for Codex alone and is never taken: create an API key in OpenAI's console, then \
             `coderclaw models auth paste-api-key --provider openai`",
        );
    }
    if fields.contains_key("access_token") || fields.contains_key("refresh_token") {
        old.note(
            "login",
            "of another program",
            "it is good for that program alone and is never taken: create an API key with the provider",
        );
    }
}

/// The API keys of the forms that are known.
fn keys_of(fields: &Map<String, Value>) -> Vec<Written> {
    let mut written = Vec::new();
    for (name, provider, id) in [
        ("OPENAI_API_KEY", "openai", "openai:codex"),
        ("primaryApiKey", "anthropic", "anthropic:claude-code"),
    ] {
        let key = fields.get(name).filter(|key| key.is_string());
        written.extend(key.map(|key| profile(id, provider, &format!("/{name}"), "api_key", key)));
    }
    for (provider, entry) in fields {
        let Some(entry) = entry.as_object() else { continue };
        let kind = entry.get("type").and_then(Value::as_str).unwrap_or("api_key");
        let id = format!("{}:default", normalise_provider_id(provider));
        let at = |name: &str| format!("/{}/{name}", escaped(provider));
        let secret = ["key", "apiKey", "token"]
            .into_iter()
            .find(|name| entry.get(*name).is_some_and(Value::is_string));
        match (kind, secret) {
            ("api" | "api_key" | "apiKey", Some(name)) => {
                written.extend(
                    entry
                        .get(name)
                        .map(|key| profile(&id, provider, &at(name), "api_key", key)),
                );
            }
            ("token", Some(name)) => {
                written.extend(
                    entry
                        .get(name)
                        .map(|token| profile(&id, provider, &at(name), "token", token)),
                );
            }
            ("oauth", _) => {
                let mut fields = entry.clone();
                fields.insert("provider".to_owned(), json!(provider));
                written.push(Written {
                    id,
                    fields,
                    pointer: None,
                });
            }
            _ => {}
        }
    }
    written
}

fn profile(id: &str, provider: &str, pointer: &str, kind: &str, secret: &Value) -> Written {
    let name = if kind == "token" { "token" } else { "key" };
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!(kind));
    fields.insert("provider".to_owned(), json!(provider));
    fields.insert(name.to_owned(), secret.clone());
    Written {
        id: id.to_owned(),
        fields,
        pointer: Some(pointer.to_owned()),
    }
}
