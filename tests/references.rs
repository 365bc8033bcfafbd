//! References to secrets, the programs and files they name, and the login shell.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "references/commands.rs"]
mod commands;
#[path = "support/eventually.rs"]
mod eventually;
#[path = "references/forms.rs"]
mod forms;
#[path = "references/in_config.rs"]
mod in_config;
#[path = "references/keyrings.rs"]
mod keyrings;
#[path = "references/providers.rs"]
mod providers;
#[path = "references/resolving.rs"]
mod resolving;
#[path = "references/shell.rs"]
mod shell;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use coderclaw::config::{ConfigError, SecretProviders, Settings};
use coderclaw::credentials::environment::Variables;
use coderclaw::credentials::reference::{CommandCache, Resolver, SecretRef};
use coderclaw_actors::TestClock;
use serde_json::Value;
use tempfile::TempDir;

/// A key that looks real.
const KEY: &str = "sk-proj-9vTq2LxW8bNcR4yHsJ6kPzM1aGdF3eUo7iBnXtCw5QrVhKmZ";

/// A home of its own, with a state folder in it.
struct Home {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let environment = [
            ("HOME", path.to_owned()),
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("CODERCLAW_STATE_DIR", format!("{path}/state")),
        ];
        fs::create_dir(folder.path().join("state")).unwrap();
        Self {
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            folder,
        }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Writes a file for its owner alone; gives its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn with_config(self, config: &str) -> Self {
        self.file("state/coderclaw.json", config);
        self
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        Settings::load(&self.environment)
    }

    /// The warnings of the loaded config, without the folder's path.
    fn warnings(&self) -> Vec<String> {
        let settings = self.load().unwrap();
        settings
            .warnings
            .iter()
            .map(|warning| self.shown(warning))
            .collect()
    }

    /// A text without the folder's path.
    fn shown(&self, what: &impl ToString) -> String {
        what.to_string()
            .replace(self.folder.path().to_str().unwrap(), "[home]")
    }

    /// A resolver over the environment, with a cache of its own that keeps time by `clock`.
    fn resolver_at(&self, clock: Arc<TestClock>) -> Resolver {
        let cache = Arc::new(CommandCache::new(clock));
        Resolver::new(Variables::of(&self.environment), SecretProviders::default()).with_cache(cache)
    }

    fn resolver(&self) -> Resolver {
        self.resolver_at(Arc::default())
    }

    /// What a reference comes to: the secret or the error.
    fn resolve(&self, reference: &Value) -> Result<String, String> {
        resolve(&self.resolver(), reference).map_err(|error| self.shown(&error))
    }
}

fn resolve(resolver: &Resolver, reference: &Value) -> Result<String, String> {
    let reference = SecretRef::parse(reference).map_err(|error| error.to_string())?;
    let found = resolver.resolve(&reference);
    found
        .map(|secret| secret.expose().to_owned())
        .map_err(|error| error.to_string())
}
