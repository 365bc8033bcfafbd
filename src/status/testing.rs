//! A state folder for tests of what is told of it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use coderclaw_actors::domain::credential::AgentId;
use coderclaw_actors::{SavedState, SharedClock, SystemClock};
use serde_json::{Value, json};

use super::Report;
use crate::config::Settings;

/// A state folder, an environment, and what the last gateway remembered.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    saved: SavedState,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().display().to_string();
        Self {
            environment: BTreeMap::from([("CODERCLAW_STATE_DIR".to_owned(), state)]),
            folder,
            saved: SavedState::default(),
        }
    }

    /// So many milliseconds from now, in Unix milliseconds.
    pub(crate) fn at(ms: i64) -> u64 {
        Self::clock().now().as_unix_ms().saturating_add_signed(ms)
    }

    pub(crate) fn config(self, config: &Value) -> Self {
        fs::write(self.folder.path().join("coderclaw.json"), config.to_string()).unwrap();
        self
    }

    pub(crate) fn store(self, store: &Value) -> Self {
        self.store_of("main", store)
    }

    pub(crate) fn store_of(self, agent: &str, store: &Value) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = self.folder.path().join(format!("agents/{agent}/agent"));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("auth-profiles.json");
        fs::write(&file, store.to_string()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The last gateway left `profile`, which the scene has by now, in `standing`.
    pub(crate) fn standing(mut self, provider: &str, profile: &str, standing: &Value) -> Self {
        let settings = self.settings();
        let members = &settings.pool(provider).unwrap().members;
        let member = members.iter().find(|one| one.id.as_str() == profile).unwrap();
        let mut standing = standing.clone();
        standing["refused"] = json!(member.secret.fingerprint());
        let fingerprint = member.identity().fingerprint();
        let one = json!({ "profile": profile, "fingerprint": fingerprint, "standing": standing });
        let mut saved = serde_json::to_value(&self.saved).unwrap();
        match saved.get_mut(provider).and_then(Value::as_array_mut) {
            Some(pool) => pool.push(one),
            None => saved[provider] = json!([one]),
        }
        self.saved = serde_json::from_value(saved).unwrap();
        self
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::load(&self.environment).unwrap()
    }

    pub(crate) fn report(&self) -> Report {
        self.report_on(None)
    }

    pub(crate) fn report_on(&self, agent: Option<&str>) -> Report {
        let agent = agent.map(AgentId::new);
        Report::of_settings(&self.settings(), agent.as_ref(), &self.saved, &Self::clock())
    }

    fn clock() -> SharedClock {
        Arc::new(SystemClock::start())
    }
}
