//! A login in a store, and a keeper that keeps it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coderclaw::config::OauthProvider;
use coderclaw::credentials::oauth::{Keeper, OauthStore as _, RenewError, Tokens};
use coderclaw::emulator::{IdpConfig, IdpFault, IdpFaultKind};
use coderclaw::upstream::token_endpoint::TokenEndpoint;
use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId};
use coderclaw_actors::{Clock as _, SharedClock, SystemClock, TestClock};
use tempfile::TempDir;

use crate::file_store::{FileStore, PROVIDER};
use crate::scene::Scene;

/// A login that is kept.
pub(crate) struct Kept {
    pub(crate) scene: Scene,
    pub(crate) store: Arc<FileStore>,
    pub(crate) keeper: Keeper,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: TempDir,
    pub(crate) profile: ProfileId,
    pub(crate) first: Tokens,
}

impl Kept {
    pub(crate) async fn new() -> Self {
        Self::with(IdpConfig::default()).await
    }

    pub(crate) async fn with(idp: IdpConfig) -> Self {
        let scene = Scene::with(idp);
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::at(&folder.path().join("store.json"));
        let clock = TestClock::at(SystemClock::start().now());
        let profile = ProfileId::new("openai:work");
        let first = scene.login().await;
        store.put(&profile, &first);
        Self {
            keeper: keeper(&store, folder.path().join("state/oauth"), &scene.provider, &clock),
            scene,
            store,
            clock,
            folder,
            profile,
            first,
        }
    }

    /// Another keeper on the same files, as another process would have it.
    pub(crate) fn another(&self) -> Keeper {
        keeper(
            &self.store,
            self.folder.path().join("state/oauth"),
            &self.scene.provider,
            &self.clock,
        )
    }

    pub(crate) fn seen(&self) -> Fingerprint {
        self.store.read(&self.profile).unwrap().access.fingerprint()
    }

    pub(crate) async fn renew(&self) -> Result<Fingerprint, RenewError> {
        let seen = self.seen();
        let renewed = self.keeper.renew(&self.profile, &seen).await?;
        assert_ne!(renewed.access.fingerprint(), seen);
        Ok(renewed.access.fingerprint())
    }

    pub(crate) fn fault(&self, fault: IdpFaultKind) {
        self.scene
            .emulator
            .add_idp_fault(IdpFault::on_refresh(fault).first(1));
    }

    pub(crate) fn asked(&self) -> u64 {
        self.scene
            .emulator
            .idp()
            .requests
            .get("refresh_token")
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn stored_refresh(&self) -> String {
        self.store
            .read(&self.profile)
            .unwrap()
            .refresh
            .unwrap()
            .fingerprint()
            .to_string()
    }

    /// The files of the folder, but for locks.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path().join("state/oauth"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "journal"))
            .collect()
    }
}

fn keeper(
    store: &Arc<FileStore>,
    folder: PathBuf,
    provider: &OauthProvider,
    clock: &Arc<TestClock>,
) -> Keeper {
    Keeper::new(
        Arc::clone(store) as _,
        BTreeMap::from([(ProviderId::new(PROVIDER), provider.clone())]),
        folder,
        TokenEndpoint::new()
            .expect("certificates")
            .with_timeout(Duration::from_secs(2)),
        Arc::clone(clock) as SharedClock,
    )
}
