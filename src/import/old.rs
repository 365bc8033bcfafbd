//! Everything that is read of the older tool. Nothing of it is changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::Secret;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use super::credential_file;
use super::line::{Line, Verdict};
use super::source::Source;
use super::stores::{Looks, OldStore, Place, Prefixes, escaped, is_reference};
use crate::config::load::{expand_home, read_bounded};
use crate::credentials::environment::clean;
use crate::credentials::store::MAIN_AGENT;

/// No config is larger: 10 MiB.
const CONFIG_BYTES_MAX: u64 = 10 << 20;

/// Why the older tool's things can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The one file that was named can't be read, or is of no form that is known.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        reason: String,
    },
}

/// What an older tool has.
#[derive(Clone, Debug, Default)]
pub struct Old {
    /// The config, `null` if there is none.
    pub(super) config: Value,
    pub(super) config_path: Option<PathBuf>,
    /// Whether the config is plain JSON, so that references lead into it.
    pub(super) is_plain: bool,
    pub(super) stores: Vec<OldStore>,
    pub(super) variables: Vec<OldVariable>,
    /// What could not be read, or is never taken.
    pub(super) notes: Vec<Line>,
}

/// A variable of `env.vars` or of an `.env` file.
#[derive(Clone, Debug)]
pub(super) struct OldVariable {
    pub(super) name: String,
    pub(super) value: Secret,
    /// The value, where it only names another variable.
    pub(super) reference: Option<String>,
    /// Where a reference finds it.
    pub(super) place: Option<Place>,
    pub(super) looks: Looks,
    pub(super) is_of_dotenv: bool,
}

impl Old {
    /// Reads what `source` names. `prefixes` are the beginnings of a provider's keys.
    ///
    /// What can't be read of a folder is noted, and the rest is read.
    ///
    /// # Errors
    /// If a file was named that can't be read.
    pub fn read(
        source: &Source,
        prefixes: &dyn Fn(&str) -> &'static [&'static str],
    ) -> Result<Self, ReadError> {
        if source.path.is_file() {
            return credential_file::read(&source.path, prefixes).map_err(|reason| ReadError::File {
                path: source.path.clone(),
                reason,
            });
        }
        let mut old = Self::default();
        if let Some(path) = &source.config {
            old.read_config(path);
        }
        old.read_stores(&source.path, prefixes);
        old.note_other_files(&source.path);
        for other in &source.others {
            let why = format!(
                "another state folder of this tool: `coderclaw import --from {}`",
                other.display()
            );
            old.note("state folder", other.display().to_string(), why);
        }
        Ok(old)
    }

    /// The version that last wrote the config.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.at(&["meta", "lastTouchedVersion"])?.as_str()
    }

    /// A value of the config; `null` is as good as absent.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.config, |value, key| value.get(key))
            .filter(|value| !value.is_null())
    }

    /// Where a reference finds a value of the config, if one can.
    pub(super) fn place(&self, keys: &[&str]) -> Option<Place> {
        let path = self.config_path.clone().filter(|_| self.is_plain)?;
        let pointer = format!(
            "/{}",
            keys.iter().map(|key| escaped(key)).collect::<Vec<_>>().join("/")
        );
        Some(Place { path, pointer })
    }

    fn read_config(&mut self, path: &Path) {
        let text = read_bounded(path, CONFIG_BYTES_MAX);
        let value = text.and_then(|text| {
            let text = text.ok_or("there is no such file")?;
            self.is_plain = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let parsed = parse_to_ast(&text, &CollectOptions::default(), &ParseOptions::default());
            let parsed = parsed.map_err(|error| {
                format!(
                    "line {}, column {}: not JSON5: {}",
                    error.line_display(),
                    error.column_display(),
                    error.kind()
                )
            })?;
            Ok(parsed.value.map(Value::from).unwrap_or_default())
        });
        match value {
            Ok(value) => {
                self.config = value;
                self.config_path = Some(path.to_owned());
                self.read_variables();
            }
            Err(reason) => self.note("config", path.display().to_string(), reason),
        }
        if self.at(&["$include"]).is_some() {
            let why = "the files that it includes are not read: take over by hand what matters in them";
            self.note("config", "$include", why);
        }
    }

    /// `env.vars`, and variables that stand in `env` itself, which win.
    fn read_variables(&mut self) {
        let mut found = Vec::new();
        for parents in [&["env"][..], &["env", "vars"]] {
            let entries = self.at(parents).and_then(Value::as_object);
            for (name, value) in entries.into_iter().flatten() {
                let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) else {
                    continue;
                };
                if found.iter().any(|other: &OldVariable| other.name == *name) {
                    continue;
                }
                let keys: Vec<&str> = parents.iter().copied().chain([name.as_str()]).collect();
                found.push(OldVariable {
                    name: name.clone(),
                    value: Secret::new(clean(text)),
                    reference: is_reference(text).then(|| text.trim().to_owned()),
                    place: self.place(&keys),
                    looks: Looks::of(text, &[]),
                    is_of_dotenv: false,
                });
            }
        }
        self.variables = found;
    }

    fn read_stores(&mut self, folder: &Path, prefixes: Prefixes<'_>) {
        self.read_database(MAIN_AGENT, &folder.join("state/openclaw.sqlite"), prefixes);
        for (agent, own) in self.agent_folders(folder) {
            self.read_database(&agent, &own.join("openclaw-agent.sqlite"), prefixes);
            let path = own.join("auth-profiles.json");
            match OldStore::read_json(&agent, &path, prefixes) {
                Ok(store) => self.stores.extend(store),
                Err(reason) => self.note("store", path.display().to_string(), reason),
            }
        }
    }

    fn read_database(&mut self, agent: &str, path: &Path, prefixes: Prefixes<'_>) {
        if !path.is_file() {
            return;
        }
        match OldStore::read_database(agent, path, prefixes) {
            Ok(store) => self.stores.extend(store),
            Err(reason) => self.note("store", path.display().to_string(), reason),
        }
    }

    /// The folder of every agent: `main` first, those of the config where it says, all others by name.
    fn agent_folders(&self, folder: &Path) -> Vec<(String, PathBuf)> {
        let usual = |agent: &str| folder.join("agents").join(agent).join("agent");
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(folder.join("agents"))
            .into_iter()
            .flatten()
            .flatten()
        {
            names.extend(
                entry
                    .file_name()
                    .into_string()
                    .ok()
                    .filter(|_| entry.path().is_dir()),
            );
        }
        let configured = self.agents();
        names.extend(configured.iter().map(|(id, _)| id.clone()));
        names.remove(MAIN_AGENT);
        let mut ordered = vec![MAIN_AGENT.to_owned()];
        ordered.extend(names);
        let placed = ordered.into_iter().map(|agent| {
            let entry = configured.iter().find(|(id, _)| *id == agent);
            let set = entry.and_then(|(_, entry)| entry.get("agentDir")?.as_str());
            let own = set.map_or_else(|| usual(&agent), |path| expand_home(path, None));
            (agent, own)
        });
        placed.collect()
    }

    /// The agents of the config, by lower-case id: a list in the older versions, a map in the newest.
    pub(super) fn agents(&self) -> Vec<(String, &Value)> {
        let list = self.at(&["agents", "list"]).and_then(Value::as_array);
        let listed = list
            .into_iter()
            .flatten()
            .filter_map(|entry| Some((entry.get("id")?.as_str()?, entry)));
        let map = self.at(&["agents", "entries"]).and_then(Value::as_object);
        let mapped = map.into_iter().flatten().map(|(id, entry)| (id.as_str(), entry));
        listed
            .chain(mapped)
            .map(|(id, entry)| (id.trim().to_lowercase(), entry))
            .collect()
    }

    /// Files beside the state that may hold credentials and are only read when they are named.
    fn note_other_files(&mut self, folder: &Path) {
        let dotenv = folder.join(".env");
        if dotenv.is_file() {
            let why = format!(
                "only when it is named: `coderclaw import --from {} --copy-secrets`",
                dotenv.display()
            );
            self.note("file", dotenv.display().to_string(), why);
        }
        let logins = folder.join("credentials/oauth.json");
        if logins.is_file() {
            let why = "logins of an older version: log in again with `coderclaw models auth login`";
            self.note("file", logins.display().to_string(), why);
        }
    }

    pub(super) fn note(&mut self, what: &'static str, name: impl Into<String>, why: impl Into<String>) {
        self.notes.push(Line::new(what, name, Verdict::Left, why));
    }
}
