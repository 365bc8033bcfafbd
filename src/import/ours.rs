//! What we have already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::old::Old;
use crate::config::Settings;
use crate::config::edit::{self, EditError};
use crate::config::load::read_bounded;
use crate::credentials::environment::{dotenv_pairs, dotenv_path};
use crate::credentials::store::{AuthStore, MAIN_AGENT, StoreError, StoreFile};

/// No `.env` file is larger: 10 MiB.
const DOTENV_BYTES_MAX: u64 = 10 << 20;

/// Our config and stores, as far as the older tool's things meet them.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    pub(super) state_dir: PathBuf,
    pub(super) config_path: PathBuf,
    pub(super) config: Value,
    pub(super) stores: BTreeMap<String, AuthStore>,
    /// Provider ids, and how their keys begin.
    pub(super) providers: Vec<(String, &'static [&'static str])>,
    /// The variables of our `.env` file.
    pub(super) dotenv: BTreeSet<String>,
}

/// Why what we have can't be read.
#[derive(Debug, thiserror::Error)]
pub enum OursError {
    /// The config.
    #[error(transparent)]
    Config(#[from] EditError),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ours {
    /// Reads our things, and the stores of the agents that `old` has too.
    ///
    /// # Errors
    /// If one is there and can't be read.
    pub fn read(settings: &Settings, old: &Old) -> Result<Self, OursError> {
        let mut stores = BTreeMap::new();
        let agents = old.stores.iter().map(|store| store.agent.as_str());
        for agent in agents.chain([MAIN_AGENT]) {
            if !stores.contains_key(agent) {
                let store = StoreFile::of_agent(&settings.state_dir, agent).read()?;
                stores.insert(agent.to_owned(), store);
            }
        }
        let providers = settings.providers.iter();
        let path = dotenv_path(&settings.state_dir);
        let text = read_bounded(&path, DOTENV_BYTES_MAX)
            .ok()
            .flatten()
            .unwrap_or_default();
        let (pairs, _) = dotenv_pairs(&text, &path);
        Ok(Self {
            state_dir: settings.state_dir.clone(),
            config_path: settings.config_path.clone(),
            config: edit::read(&settings.config_path)?,
            stores,
            providers: providers
                .map(|provider| (provider.id.to_string(), provider.key_prefixes))
                .collect(),
            dotenv: pairs.into_iter().map(|(name, _)| name).collect(),
        })
    }

    /// A value of our config; `null` is as good as absent.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.config, |value, key| value.get(key))
            .filter(|value| !value.is_null())
    }
}
