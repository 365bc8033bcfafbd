//! A store for tests: one JSON file, written as the real one is.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coderclaw::credentials::oauth::{OauthStore, Replaced, StoreError, StoredOauth, Tokens};
use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId, Secret};
use serde_json::{Map, Value, json};

/// Whose logins it holds.
pub(crate) const PROVIDER: &str = "openai";

#[derive(Debug)]
pub(crate) struct FileStore {
    path: PathBuf,
    /// Nothing can be written.
    pub(crate) is_full: AtomicBool,
}

impl FileStore {
    pub(crate) fn at(path: &Path) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            is_full: AtomicBool::new(false),
        })
    }

    /// What the file says; a file that is no JSON fails the test.
    pub(crate) fn all(&self) -> Map<String, Value> {
        let text = fs::read(&self.path).unwrap_or_else(|_| b"{}".to_vec());
        serde_json::from_slice(&text).expect("the store parses")
    }

    fn locked(&self) -> File {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_extension("lock"))
            .expect("a lock file");
        lock.lock().expect("the lock");
        lock
    }

    fn write(&self, all: &Map<String, Value>) {
        let mut file =
            tempfile::NamedTempFile::new_in(self.path.parent().expect("a folder")).expect("a file");
        file.write_all(Value::Object(all.clone()).to_string().as_bytes())
            .expect("written");
        file.as_file().sync_all().expect("synced");
        file.persist(&self.path).expect("renamed");
    }

    /// A login, whatever was there.
    pub(crate) fn put(&self, profile: &ProfileId, tokens: &Tokens) {
        let _lock = self.locked();
        let mut all = self.all();
        all.insert(profile.as_str().to_owned(), written(tokens, None));
        self.write(&all);
    }
}

fn written(tokens: &Tokens, old: Option<&Value>) -> Value {
    let refresh = tokens.refresh.as_ref().map(|token| json!(token.expose()));
    json!({
        "access": tokens.access.expose(),
        "refresh": refresh.or_else(|| old.map(|old| old["refresh"].clone())),
        "expires": tokens.expires_at_ms,
        "accountId": tokens.account_id,
    })
}

impl OauthStore for FileStore {
    fn read(&self, profile: &ProfileId) -> Result<StoredOauth, StoreError> {
        let all = self.all();
        let stored = all
            .get(profile.as_str())
            .ok_or_else(|| StoreError::Missing(profile.clone()))?;
        let text = |field: &str| stored[field].as_str().map(str::to_owned);
        Ok(StoredOauth {
            provider: ProviderId::new(PROVIDER),
            place: self.path.to_string_lossy().into(),
            access: Secret::new(text("access").expect("an access token")),
            refresh: text("refresh").map(Secret::new),
            expires_at_ms: stored["expires"].as_u64().expect("a time"),
            account: text("accountId"),
        })
    }

    fn replace(
        &self,
        profile: &ProfileId,
        old_refresh: Fingerprint,
        tokens: &Tokens,
    ) -> Result<Replaced, StoreError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("the disk is full".to_owned()));
        }
        let _lock = self.locked();
        let stored = self.read(profile)?;
        if stored.refresh.map(|token| token.fingerprint()) != Some(old_refresh) {
            return Ok(Replaced::Changed);
        }
        let mut all = self.all();
        let old = all.get(profile.as_str()).cloned();
        all.insert(profile.as_str().to_owned(), written(tokens, old.as_ref()));
        self.write(&all);
        Ok(Replaced::Done)
    }
}
