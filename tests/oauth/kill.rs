//! Keepers killed at any point of a refresh: the store is whole, and no token is lost that had arrived.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coderclaw::credentials::oauth::{OauthStore as _, RenewError, Standing};
use coderclaw::emulator::{IdpFault, IdpFaultKind, IdpStats, IdpTokenState};
use coderclaw_actors::domain::credential::ProfileId;

use crate::file_store::FileStore;
use crate::processes::{KeeperProcess, PROFILE, Role, keeper_in, store_in};
use crate::scene::Scene;

/// Kills.
const KILLS: u32 = 100;

/// The latest kill after a process is ready, in microseconds: some refreshes.
const LATEST_KILL_US: u64 = 40_000;

/// The refresh token in the store, as the provider knows it. The store must parse.
fn stored(store: &FileStore, stats: &IdpStats) -> (String, IdpTokenState) {
    let refresh = store
        .read(&ProfileId::new(PROFILE))
        .expect("a login")
        .refresh
        .expect("a refresh token");
    let fingerprint = refresh.fingerprint().to_string();
    let standing = stats.refresh_token(&fingerprint).expect("the provider's").state;
    (fingerprint, standing)
}

/// Whether the answer to a spent token is on disk.
fn has_arrived(folder: &Path, asked_with: &str) -> bool {
    let entries = std::fs::read_dir(folder.join("oauth")).expect("the folder");
    let journals = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "journal"));
    journals
        .map(|path| std::fs::read_to_string(path).expect("text"))
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
        .any(|line| line["askedWith"] == asked_with && line["state"] == "received")
}

/// What the kills met.
#[derive(Debug, Default)]
struct Tally {
    /// The store held the live token, and nobody was asked.
    between: u64,
    /// The provider was being asked, and had done nothing yet.
    asked: u64,
    /// The live token was on disk, and not yet in the store.
    arrived: u64,
    /// The live token was on its way.
    lost: u64,
    /// Nothing: the keeper had said that a login is needed, and ended.
    told: u64,
    /// New logins.
    logins: u64,
}

struct Run {
    scene: Scene,
    folder: tempfile::TempDir,
    store: Arc<FileStore>,
    profile: ProfileId,
    tally: Tally,
}

impl Run {
    async fn new() -> Self {
        let scene = Scene::new();
        let folder = tempfile::tempdir().unwrap();
        let (store, profile) = (store_in(folder.path()), ProfileId::new(PROFILE));
        store.put(&profile, &scene.login().await);
        // An answer takes a moment, so that kills fall between the rotation and its arrival too.
        scene
            .emulator
            .add_idp_fault(IdpFault::on_refresh(IdpFaultKind::DelayAfter).delay_ms(1));
        Self {
            scene,
            folder,
            store,
            profile,
            tally: Tally::default(),
        }
    }

    fn asked(&self) -> u64 {
        self.scene.emulator.idp().requests["refresh_token"]
    }

    /// Lets a keeper refresh on and on, and kills it after `after`.
    async fn kill(&mut self, life: u32, after: Duration) {
        let base = self.scene.emulator.base_url();
        let mut process = KeeperProcess::start(Role::Always, self.folder.path(), &base, life);
        assert!(process.says("READY").is_some(), "life {life}");
        tokio::time::sleep(after).await;
        drop(process);
        let standing = keeper_in(self.folder.path(), &base, life).standing(&self.profile);
        match stored(&self.store, &self.scene.emulator.idp()) {
            (_, IdpTokenState::Live) if standing == Ok(Standing::Good) => self.tally.between += 1,
            (_, IdpTokenState::Live) => self.tally.asked += 1,
            (asked_with, _) if has_arrived(self.folder.path(), &asked_with) => self.tally.arrived += 1,
            _ if matches!(standing, Ok(Standing::NeedsLogin(_))) => self.tally.told += 1,
            _ => self.tally.lost += 1,
        }
    }

    /// What a restart does: finishes what is there, and asks once more where nothing is. Logs in if told so.
    async fn restart(&mut self, life: u32) {
        let keeper = keeper_in(self.folder.path(), &self.scene.emulator.base_url(), life);
        let standing = keeper.recover(&self.profile).await.expect("a standing");
        let seen = self
            .store
            .read(&self.profile)
            .expect("a login")
            .access
            .fingerprint();
        if standing != Standing::Good
            && let Err(error) = keeper.renew(&self.profile, &seen).await
        {
            assert!(
                matches!(&error, RenewError::NeedsLogin(why) if why.code == "invalid_grant"),
                "{error:?}"
            );
            let asked = self.asked();
            assert_eq!(keeper.renew(&self.profile, &seen).await, Err(error));
            assert_eq!(self.asked(), asked, "it asks for ever");
            self.store.put(&self.profile, &self.scene.login().await);
            self.tally.logins += 1;
        }
        assert_eq!(
            stored(&self.store, &self.scene.emulator.idp()).1,
            IdpTokenState::Live,
            "life {life}"
        );
    }
}

#[tokio::test]
async fn a_hundred_kills_lose_no_token_that_had_arrived() {
    let mut run = Run::new().await;
    let mut random = fastrand::Rng::with_seed(7);
    for life in 0..KILLS {
        run.kill(2 * life, Duration::from_micros(random.u64(0..LATEST_KILL_US)))
            .await;
        // Otherwise the next to be killed is in the middle of finding out what happened.
        if random.bool() {
            run.restart(2 * life + 1).await;
        }
    }
    run.restart(2 * KILLS).await;
    let (tally, stats) = (run.tally, run.scene.emulator.idp());
    let told = format!(
        "{tally:?}, {} refreshes, {} reuses",
        stats.refreshes, stats.reuses
    );
    println!("{told}");
    let unheard = tally.lost + tally.asked;
    assert!(
        tally.logins <= unheard,
        "a login is needed for an answer that a kill took away alone: {told}"
    );
    assert!(
        stats.reuses <= unheard,
        "a spent token is tried once for each lost answer: {told}"
    );
    assert!(
        stats.refreshes > u64::from(KILLS) / 2 && tally.arrived > 0 && tally.lost > 0,
        "{told}"
    );
}
