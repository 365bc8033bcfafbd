//! Keepers in processes of their own: this test program runs itself again, as one of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use coderclaw::credentials::oauth::{FOLDER, Keeper, OauthStore as _, RenewError};
use coderclaw::emulator::{IdpFault, IdpFaultKind};
use coderclaw::upstream::token_endpoint::TokenEndpoint;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use coderclaw_actors::{Clock as _, SharedClock, SystemClock, TestClock};

use crate::file_store::{FileStore, PROVIDER};
use crate::scene::{Scene, provider_at};

/// Tells the program that it is a keeper: what it does, the folder, and where the provider is, with blanks between.
const ROLE: &str = "CODERCLAW_TEST_KEEPER";

/// The login that is kept.
pub(crate) const PROFILE: &str = "openai:work";

/// Each process lives so much later than the one before, so that no pause is waited for.
const LATER: Duration = Duration::from_mins(10);

/// The store in a folder.
pub(crate) fn store_in(folder: &Path) -> Arc<FileStore> {
    FileStore::at(&folder.join("store.json"))
}

/// A keeper of the login in `folder`, in its `life`th life.
pub(crate) fn keeper_in(folder: &Path, base: &str, life: u32) -> Keeper {
    let clock = TestClock::at(SystemClock::start().now().after(LATER * life));
    Keeper::new(
        store_in(folder) as _,
        BTreeMap::from([(ProviderId::new(PROVIDER), provider_at(base))]),
        folder.join(FOLDER),
        TokenEndpoint::new().expect("certificates"),
        clock as SharedClock,
    )
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// One renewal.
    Once,
    /// One after another, without end.
    Always,
}

/// A keeper in a process of its own. Dropping it kills it.
pub(crate) struct KeeperProcess {
    pub(crate) child: Child,
    lines: BufReader<ChildStdout>,
}

impl KeeperProcess {
    pub(crate) fn start(role: Role, folder: &Path, base: &str, life: u32) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["processes::is_a_keeper_if_told_so", "--exact", "--nocapture"])
            .env(ROLE, format!("{role:?} {life} {base} {}", folder.display()))
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, lines }
    }

    /// What it says after `word`; none if it ends without.
    pub(crate) fn says(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some((_, said)) = line.split_once(word) {
                return Some(said.trim().to_owned());
            }
        }
    }
}

impl Drop for KeeperProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .expect("somebody listens");
}

#[tokio::test]
async fn is_a_keeper_if_told_so() {
    let Some(told) = std::env::var_os(ROLE) else {
        return;
    };
    let told = told.into_string().expect("text");
    let [role, life, base, folder] = told.splitn(4, ' ').collect::<Vec<_>>()[..] else {
        panic!("not four words: {told}");
    };
    let folder = Path::new(folder);
    let keeper = keeper_in(folder, base, life.parse().expect("a number"));
    let profile = ProfileId::new(PROFILE);
    let mut seen = store_in(folder)
        .read(&profile)
        .expect("a login")
        .access
        .fingerprint();
    say("READY .");
    loop {
        match keeper.renew(&profile, &seen).await {
            Ok(renewed) => seen = renewed.access.fingerprint(),
            Err(RenewError::NeedsLogin(rejection)) => return say(&format!("LOGIN {}", rejection.code)),
            Err(error) => return say(&format!("ERROR {error}")),
        }
        if role == "Once" {
            return say(&format!("RENEWED {seen}"));
        }
    }
}

#[tokio::test]
async fn processes_share_one_refresh() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    store_in(folder.path()).put(&ProfileId::new(PROFILE), &scene.login().await);
    // Long enough that all of them ask before one has its answer.
    scene
        .emulator
        .add_idp_fault(IdpFault::on_refresh(IdpFaultKind::DelayAfter).delay_ms(500));
    let mut processes: Vec<KeeperProcess> = (0..3)
        .map(|_| KeeperProcess::start(Role::Once, folder.path(), &scene.emulator.base_url(), 0))
        .collect();
    let renewed: Vec<Option<String>> = processes.iter_mut().map(|one| one.says("RENEWED")).collect();
    assert!(
        renewed[0].is_some() && renewed.windows(2).all(|pair| pair[0] == pair[1]),
        "{renewed:?}"
    );
    let stats = scene.emulator.idp();
    assert_eq!((stats.refreshes, stats.reuses), (1, 0));
}
