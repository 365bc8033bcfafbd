//! What a store holds: the JSON as it was written, and a typed way to what is understood of it.

use std::path::Path;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::StoreError;
use super::profile::{NewCredential, StoredProfile};
use crate::config::normalise_provider_id;

/// The version that is written, and the newest that is understood.
const VERSION: u64 = 1;

/// How the fields begin by which the older tools let a profile rest: `cooldownUntil`, `disabledReason`.
const RESTS: [&str; 3] = ["cooldown", "disabled", "blocked"];
/// The fields by which they make the next rest longer.
const FAILURES: [&str; 3] = ["errorCount", "failureCounts", "lastFailureAt"];

/// The content of `auth-profiles.json`. Fields that are unknown here stay as they are, and in their order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AuthStore(Map<String, Value>);

/// A profile that is kept and not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Its id.
    pub id: ProfileId,
    /// Its type, where it names one.
    pub kind: Option<String>,
}

/// What the older tools noted of a profile's use, in Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The last success.
    pub last_used_ms: Option<u64>,
    /// The end of a short rest.
    pub cooldown_until_ms: Option<u64>,
    /// The end of a long one, for want of money.
    pub disabled_until_ms: Option<u64>,
}

impl Default for AuthStore {
    fn default() -> Self {
        let mut root = Map::new();
        root.insert("version".to_owned(), json!(VERSION));
        root.insert("profiles".to_owned(), json!({}));
        Self(root)
    }
}

impl AuthStore {
    /// Reads the text of the file `path`.
    ///
    /// # Errors
    /// If it is no JSON, or what must be an object is none.
    pub fn parse(text: &str, path: &Path) -> Result<Self, StoreError> {
        let form = |key: String, expected| StoreError::Form {
            path: path.to_owned(),
            key,
            expected,
        };
        let value: Value = serde_json::from_str(text).map_err(|error| StoreError::NotJson {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            reason: without_place(&error),
        })?;
        let Value::Object(root) = value else {
            return Err(form("the file".to_owned(), "an object"));
        };
        match root.get("version") {
            None => {}
            Some(version) if version.as_u64().is_some_and(|version| version <= VERSION) => {}
            Some(_) => return Err(form("version".to_owned(), "1: this file is of a newer program")),
        }
        for name in ["profiles", "order", "usageStats"] {
            let fits = root
                .get(name)
                .is_none_or(|value| value.is_object() || value.is_null());
            if !fits {
                return Err(form(name.to_owned(), "an object"));
            }
        }
        let profiles = root.get("profiles").and_then(Value::as_object);
        for (id, profile) in profiles.into_iter().flatten() {
            if !profile.is_object() {
                return Err(form(format!("profiles[{id:?}]"), "an object"));
            }
        }
        Ok(Self(root))
    }

    /// The profiles of known types, in the order of the file.
    pub fn profiles(&self) -> impl Iterator<Item = StoredProfile> {
        self.entries()
            .filter_map(|(id, fields)| StoredProfile::read(id, fields))
    }

    /// One profile of a known type.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<StoredProfile> {
        StoredProfile::read(id, self.section("profiles")?.get(id)?.as_object()?)
    }

    /// The profiles that are kept and not understood.
    pub fn unknown(&self) -> impl Iterator<Item = Unknown> {
        let unknown = self
            .entries()
            .filter(|(id, fields)| StoredProfile::read(id, fields).is_none());
        unknown.map(|(id, fields)| Unknown {
            id: ProfileId::new(id),
            kind: fields.get("type").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// Whether there is a profile of that id, of whatever type.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        self.section("profiles")
            .is_some_and(|profiles| profiles.contains_key(id))
    }

    /// Puts a credential in, in the place of one of the same id. Fields that are unknown here stay with a profile
    /// whose type stays.
    pub fn put(
        &mut self,
        id: &ProfileId,
        provider: &ProviderId,
        email: Option<&str>,
        credential: NewCredential,
    ) {
        let Some(profiles) = self.section_mut("profiles") else {
            return;
        };
        let profile = profiles.entry(id.as_str()).or_insert_with(|| json!({}));
        if let Value::Object(fields) = profile {
            credential.write(provider, fields);
            if let Some(email) = email {
                fields.insert("email".to_owned(), json!(email));
            }
        }
    }

    /// Takes a profile out, with all that is noted of it; says whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let profiles = self.0.get_mut("profiles").and_then(Value::as_object_mut);
        let removed = profiles.is_some_and(|profiles| profiles.shift_remove(id).is_some());
        if removed {
            if let Some(Value::Object(usage)) = self.0.get_mut("usageStats") {
                usage.shift_remove(id);
            }
            if let Some(Value::Object(last_good)) = self.0.get_mut("lastGood") {
                last_good.retain(|_, good| good.as_str() != Some(id));
            }
            if let Some(Value::Object(orders)) = self.0.get_mut("order") {
                for ids in orders.values_mut().filter_map(Value::as_array_mut) {
                    ids.retain(|other| other.as_str() != Some(id));
                }
                orders.retain(|_, ids| ids.as_array().is_none_or(|ids| !ids.is_empty()));
            }
        }
        removed
    }

    /// The explicit order of a provider's profiles; one without entries counts for nothing.
    #[must_use]
    pub fn order(&self, provider: &ProviderId) -> Option<Vec<ProfileId>> {
        let (_, ids) = self.section("order")?.iter().find(|(id, _)| is(id, provider))?;
        let ids = ids.as_array()?.iter().filter_map(Value::as_str);
        let ids: Vec<ProfileId> = ids
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(ProfileId::new)
            .collect();
        (!ids.is_empty()).then_some(ids)
    }

    /// Sets the explicit order of a provider's profiles, or takes it away.
    pub fn set_order(&mut self, provider: &ProviderId, ids: Option<&[ProfileId]>) {
        if ids.is_none() && self.section("order").is_none() {
            return;
        }
        let Some(orders) = self.section_mut("order") else {
            return;
        };
        orders.retain(|id, _| !is(id, provider));
        if let Some(ids) = ids {
            orders.insert(provider.as_str().to_owned(), json!(ids));
        }
        if orders.is_empty() {
            self.0.shift_remove("order");
        }
    }

    /// What the older tools noted of a profile's use.
    #[must_use]
    pub fn usage(&self, id: &ProfileId) -> Usage {
        let noted = self
            .section("usageStats")
            .and_then(|usage| usage.get(id.as_str()));
        let instant = |name| noted?.get(name)?.as_u64();
        Usage {
            last_used_ms: instant("lastUsed"),
            cooldown_until_ms: instant("cooldownUntil"),
            disabled_until_ms: instant("disabledUntil"),
        }
    }

    /// Takes away what the older tools noted of a profile's rests and failures; says whether it rested by it.
    pub fn end_rest(&mut self, id: &str) -> bool {
        let Some(usage) = self.0.get_mut("usageStats").and_then(Value::as_object_mut) else {
            return false;
        };
        let Some(Value::Object(noted)) = usage.get_mut(id) else {
            return false;
        };
        let mut rested = false;
        noted.retain(|name, _| {
            let ends = RESTS.iter().any(|rest| name.starts_with(rest));
            rested |= ends;
            !ends && !FAILURES.contains(&name.as_str())
        });
        rested
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let profiles = self.section("profiles").into_iter().flatten();
        profiles.filter_map(|(id, profile)| Some((id.as_str(), profile.as_object()?)))
    }

    fn section(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name)?.as_object()
    }

    /// A section, made if it isn't there; always there.
    fn section_mut(&mut self, name: &str) -> Option<&mut Map<String, Value>> {
        let section = self.0.entry(name).or_insert_with(|| json!({}));
        if !section.is_object() {
            *section = json!({});
        }
        section.as_object_mut()
    }
}

/// Whether an id of the file names `provider`.
fn is(written: &str, provider: &ProviderId) -> bool {
    normalise_provider_id(written) == provider.as_str()
}

/// What the parser says, without the place, which is told before it.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
