//! The credentials of one agent of the older tool.

use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde_json::{Map, Value, json};

use super::sqlite::{self, Cell};
use crate::config::load::read_bounded;
use crate::config::normalise_provider_id;
use crate::credentials::store::{AuthStore, StoredCredential, Unknown};

/// No store is larger: 64 MiB.
pub(super) const STORE_BYTES_MAX: u64 = 64 << 20;
/// How the secrets of Anthropic's own programs begin.
const ANTHROPIC_TOKEN: &str = "sk-ant-oat";
const ANTHROPIC_KEY: &str = "sk-ant-api";

/// Where the older tool's agents have their databases' texts.
const AGENT_CELLS: [Cell; 2] = [
    Cell {
        table: "auth_profile_store",
        key_column: "store_key",
        text_column: "store_json",
        key: "primary",
    },
    Cell {
        table: "auth_profile_state",
        key_column: "state_key",
        text_column: "state_json",
        key: "primary",
    },
];

/// Where what all its agents share is.
const SHARED_CELLS: [Cell; 2] = [shared("authProfiles.store"), shared("authProfiles.state")];

const fn shared(key: &'static str) -> Cell {
    Cell {
        table: "config_machine_state",
        key_column: "state_key",
        text_column: "value_json",
        key,
    }
}

/// A place in a JSON file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// A JSON pointer.
    pub(super) pointer: String,
}

impl Place {
    /// The reference that leads there.
    pub(super) fn reference(&self) -> Value {
        json!({ "source": "file", "path": self.path, "id": self.pointer })
    }
}

/// What a secret is by its looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    Key,
    Token,
    Unknown,
}

impl Looks {
    /// Judges a secret; `key_prefixes` are those of its provider.
    pub(super) fn of(text: &str, key_prefixes: &[&str]) -> Self {
        let text = text.trim();
        if text.starts_with(ANTHROPIC_TOKEN) {
            Self::Token
        } else if text.starts_with(ANTHROPIC_KEY)
            || key_prefixes.iter().any(|prefix| text.starts_with(prefix))
        {
            Self::Key
        } else {
            Self::Unknown
        }
    }
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OldProfile {
    pub(super) id: ProfileId,
    pub(super) provider: ProviderId,
    pub(super) email: Option<String>,
    pub(super) credential: StoredCredential,
    pub(super) looks: Looks,
    /// Where a reference finds its secret; `None` in a database.
    pub(super) place: Option<Place>,
}

/// The credentials and orders of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OldStore {
    pub(super) agent: String,
    pub(super) path: PathBuf,
    pub(super) profiles: Vec<OldProfile>,
    pub(super) unknown: Vec<Unknown>,
    pub(super) orders: Vec<(ProviderId, Vec<ProfileId>)>,
}

/// One profile as it was written.
pub(super) struct Written {
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
    /// The pointer to the secret, where its file is JSON.
    pub(super) pointer: Option<String>,
}

/// Key prefixes by provider.
pub(super) type Prefixes<'p> = &'p dyn Fn(&str) -> &'static [&'static str];

impl OldStore {
    /// Reads `auth-profiles.json`; `None` if it isn't there.
    ///
    /// # Errors
    /// Why it can't be read, with the place.
    pub(super) fn read_json(
        agent: &str,
        path: &Path,
        prefixes: Prefixes<'_>,
    ) -> Result<Option<Self>, String> {
        let Some(text) = read_bounded(path, STORE_BYTES_MAX)? else {
            return Ok(None);
        };
        Self::of_text(agent, path, &text, None, true, prefixes).map(Some)
    }

    /// Reads the store in an agent's database or, if it has none, the one that all agents share.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(super) fn read_database(
        agent: &str,
        path: &Path,
        prefixes: Prefixes<'_>,
    ) -> Result<Option<Self>, String> {
        let [own, own_state] = AGENT_CELLS;
        let [shared, shared_state] = SHARED_CELLS;
        let texts = sqlite::read(path, [own, own_state, shared, shared_state])?;
        let [own, own_state, shared, shared_state] = texts;
        let state = own_state.or(shared_state);
        let Some(text) = own.or(shared).or_else(|| state.as_ref().map(|_| "{}".to_owned())) else {
            return Ok(None);
        };
        Self::of_text(agent, path, &text, state.as_deref(), false, prefixes).map(Some)
    }

    /// Makes a store of profiles that are written in some other form.
    ///
    /// # Errors
    /// If they make no store.
    pub(super) fn of_profiles(
        agent: &str,
        path: &Path,
        written: Vec<Written>,
        prefixes: Prefixes<'_>,
    ) -> Result<Self, String> {
        let mut profiles = Map::new();
        let mut facts: Vec<(String, Looks, Option<Place>)> = Vec::new();
        for mut profile in written {
            let provider = profile
                .fields
                .get("provider")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let provider = normalise_provider_id(provider).into_owned();
            let looks = move_reference(&mut profile.fields, prefixes(&provider));
            let place = profile.pointer.map(|pointer| Place {
                path: path.to_owned(),
                pointer,
            });
            facts.push((profile.id.clone(), looks, place));
            profiles.insert(profile.id, Value::Object(profile.fields));
        }
        let text = json!({ "profiles": profiles }).to_string();
        let content = AuthStore::parse(&text, path).map_err(|error| error.to_string())?;
        let profiles = content.profiles().filter_map(|stored| {
            let (_, looks, place) = facts.iter().find(|(id, _, _)| id == stored.id.as_str())?;
            Some(OldProfile {
                id: stored.id,
                provider: stored.provider,
                email: stored.email,
                credential: stored.credential,
                looks: *looks,
                place: place.clone(),
            })
        });
        Ok(Self {
            agent: agent.to_owned(),
            path: path.to_owned(),
            profiles: profiles.collect(),
            unknown: content.unknown().collect(),
            orders: Vec::new(),
        })
    }

    fn of_text(
        agent: &str,
        path: &Path,
        text: &str,
        state: Option<&str>,
        is_file: bool,
        prefixes: Prefixes<'_>,
    ) -> Result<Self, String> {
        // What would be wrong with it is told with its place.
        AuthStore::parse(text, path).map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let profiles = value.get("profiles").and_then(Value::as_object);
        let written = profiles.into_iter().flatten().filter_map(|(id, fields)| {
            let fields = fields.as_object()?.clone();
            let name = if fields.contains_key("token") {
                "token"
            } else {
                "key"
            };
            Some(Written {
                pointer: is_file.then(|| format!("/profiles/{}/{name}", escaped(id))),
                id: id.clone(),
                fields,
            })
        });
        let mut store = Self::of_profiles(agent, path, written.collect(), prefixes)?;
        let state: Value = state
            .and_then(|state| serde_json::from_str(state).ok())
            .unwrap_or_default();
        let orders = state
            .get("order")
            .or_else(|| value.get("order"))
            .and_then(Value::as_object);
        store.orders = orders.map(read_orders).unwrap_or_default();
        Ok(store)
    }
}

/// Orders by provider, as a store or the config has them; what is no text, and orders without entries, are nothing.
pub(super) fn read_orders(orders: &Map<String, Value>) -> Vec<(ProviderId, Vec<ProfileId>)> {
    let read = orders.iter().filter_map(|(provider, ids)| {
        let ids = ids.as_array()?.iter().filter_map(Value::as_str).map(str::trim);
        let ids: Vec<ProfileId> = ids.filter(|id| !id.is_empty()).map(ProfileId::new).collect();
        let provider = ProviderId::new(&normalise_provider_id(provider));
        (!ids.is_empty()).then_some((provider, ids))
    });
    read.collect()
}

/// Moves a secret that is written as `${NAME}` to where references stand, and judges one that isn't.
fn move_reference(fields: &mut Map<String, Value>, key_prefixes: &[&str]) -> Looks {
    for (name, reference) in [("key", "keyRef"), ("token", "tokenRef")] {
        let Some(text) = fields.get(name).and_then(Value::as_str) else {
            continue;
        };
        if !is_reference(text) {
            return Looks::of(text, key_prefixes);
        }
        if let Some(text) = fields.shift_remove(name) {
            fields.insert(reference.to_owned(), text);
        }
    }
    Looks::Unknown
}

/// Whether a text is `${NAME}`.
pub(super) fn is_reference(text: &str) -> bool {
    let name = text
        .trim()
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// A key as a token of a JSON pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
