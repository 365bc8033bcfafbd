//! `<state>/credential-state.json`: which credentials rest until when and how much each was used, kept across restarts.
//! No secrets: profiles are told apart by id and fingerprint.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coderclaw_actors::{ControlPlane, ProviderHandle, SavedState};
use futures_util::future::select_all;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::files::{self, FileError};

const FILE_NAME: &str = "credential-state.json";
/// A file that can't be read is kept under this name, and the gateway starts with an empty memory.
const SET_ASIDE_NAME: &str = "credential-state.unreadable.json";
/// Changes within this time are written together.
const WRITE_DELAY: Duration = Duration::from_millis(200);
/// Counters are written this often, if any has grown: a request alone is worth no write.
const COUNTERS_EVERY: Duration = Duration::from_secs(30);

/// The memory of one state folder.
#[derive(Clone, Debug)]
pub struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// The memory in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// What is remembered. A file that can't be understood is set aside, said so, and costs nothing but the memory.
    #[must_use]
    pub fn load(&self) -> SavedState {
        let path = self.folder.join(FILE_NAME);
        let error = match self.read() {
            Ok(saved) => return saved,
            Err(error) => error,
        };
        let aside = self.folder.join(SET_ASIDE_NAME);
        let kept = fs::rename(&path, &aside).is_ok();
        tracing::warn!(file = %path.display(), error = %error, kept_as = kept.then(|| aside.display().to_string()),
            "the memory of credentials can't be read: starting without it");
        SavedState::default()
    }

    /// What is remembered; nothing if there is no file. Touches nothing.
    ///
    /// # Errors
    /// If there is a file that can't be read or understood.
    pub fn read(&self) -> io::Result<SavedState> {
        match fs::read(self.folder.join(FILE_NAME)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SavedState::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes `state`, whole or not at all.
    ///
    /// # Errors
    /// If the file can't be written; the old one is untouched.
    pub fn save(&self, state: &SavedState) -> Result<(), FileError> {
        files::replace_json(&self.folder.join(FILE_NAME), state)
    }

    /// Writes what changes, until it is dropped: states at once, counters now and then. A disk that is full costs the
    /// memory, not the service.
    pub async fn keep(&self, control: &ControlPlane) {
        self.keep_counting(control, COUNTERS_EVERY).await;
    }

    async fn keep_counting(&self, control: &ControlPlane, counters_every: Duration) {
        let mut reloads = control.reloads();
        let mut changes = changes_of(control);
        let mut written = 0;
        let mut ticks = interval(counters_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = any_of(&mut changes) => {}
                _ = reloads.changed() => changes = changes_of(control),
                _ = ticks.tick() => if leases_of(control) == written {
                    continue;
                }
            }
            sleep(WRITE_DELAY).await;
            for change in &mut changes {
                change.borrow_and_update();
            }
            written = leases_of(control);
            self.save_or_say(control);
        }
    }

    /// Writes what is remembered now; says so if that fails.
    pub fn save_or_say(&self, control: &ControlPlane) {
        if let Err(error) = self.save(&control.export()) {
            tracing::warn!(folder = %self.folder.display(), error = %error, "the memory of credentials was not written");
        }
    }
}

/// Where each provider tells that something changed.
fn changes_of(control: &ControlPlane) -> Vec<watch::Receiver<u64>> {
    control.providers().iter().map(ProviderHandle::changes).collect()
}

/// Leases ever given out: counters have grown if it has.
fn leases_of(control: &ControlPlane) -> u64 {
    control.providers().iter().map(ProviderHandle::leases).sum()
}

/// Returns once any provider has changed.
async fn any_of(changes: &mut [watch::Receiver<u64>]) {
    let waits: Vec<_> = changes
        .iter_mut()
        .map(|change| Box::pin(change.changed()))
        .collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    let (first, ..) = select_all(waits).await;
    // A provider that is gone changes no more; a reload has told of that.
    drop(first);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coderclaw_actors::domain::credential::{
        AuthProfile, CredentialKind, CredentialLimits, ModelClass, ProfileId, ProviderId, Secret,
    };
    use coderclaw_actors::domain::outcome::Outcome;
    use coderclaw_actors::domain::selection::Selection;
    use coderclaw_actors::{
        CooldownPolicy, LeaseRequest, ProviderSpec, RestartPolicy, SettleTerms, Strategy, SystemClock, Tried,
    };

    use super::*;

    fn plane(providers: &[&str]) -> ControlPlane {
        let specs = providers.iter().map(|id| spec(id)).collect();
        let clock = Arc::new(SystemClock::start());
        ControlPlane::start(specs, clock, &SavedState::default(), RestartPolicy::default()).unwrap()
    }

    fn spec(provider: &str) -> ProviderSpec {
        ProviderSpec {
            id: ProviderId::new(provider),
            members: vec![AuthProfile {
                id: ProfileId::new(&format!("{provider}:work")),
                kind: CredentialKind::ApiKey,
                secret: Secret::new(format!("sk-proj-Lr8wXn3KdTz6QmVy1GhJ5bPc-{provider}")),
                expires_at: None,
                source: Arc::from("env: OPENAI_API_KEY"),
                owner: None,
                limits: CredentialLimits::default(),
            }]
            .into(),
            strategy: Strategy::Priority,
            cooldowns: CooldownPolicy::default(),
        }
    }

    fn use_once(control: &ControlPlane, provider: &str) {
        let lease = control.provider(provider).unwrap().lease(&LeaseRequest {
            class: &ModelClass::new("gpt-5"),
            tried: &Tried::default(),
            selection: Selection::Any,
            agent: None,
            terms: SettleTerms::default(),
        });
        lease.unwrap().settle(Outcome::Success);
    }

    #[tokio::test]
    async fn counters_are_written_now_and_then_and_only_if_something_was_used() {
        const OFTEN: Duration = Duration::from_millis(1);
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::of(folder.path());
        let control = plane(&["openai"]);
        let unused = async {
            let mut ticks = interval(OFTEN);
            for _ in 0..20 {
                ticks.tick().await;
            }
        };
        tokio::select! {
            () = memory.keep_counting(&control, OFTEN) => {}
            () = unused => {}
        }
        assert!(
            !folder.path().join(FILE_NAME).exists(),
            "there was nothing to write"
        );
        let used = async {
            use_once(&control, "openai");
            while !memory.read().unwrap().0.contains_key("openai") {
                sleep(OFTEN).await;
            }
        };
        tokio::select! {
            () = memory.keep_counting(&control, OFTEN) => {}
            () = used => {}
        }
        let credential = &memory.read().unwrap().0["openai"].0[0];
        assert_eq!((credential.requests, credential.throttles), (1, 0));
        assert!(credential.last_used_ms.is_some());
        control.shutdown().await;
    }

    #[tokio::test]
    async fn a_provider_that_a_reload_brings_is_remembered_and_one_that_it_ends_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::of(folder.path());
        let control = plane(&["openai"]);
        use_once(&control, "openai");
        let reload = async {
            control.reload(vec![spec("anthropic")]).await.unwrap();
            use_once(&control, "anthropic");
            while !memory.read().unwrap().0.contains_key("anthropic") {
                sleep(WRITE_DELAY).await;
            }
        };
        tokio::select! {
            () = memory.keep(&control) => {}
            () = reload => {}
        }
        let saved = memory.read().unwrap();
        assert_eq!(
            saved.0.keys().map(ProviderId::as_str).collect::<Vec<_>>(),
            ["anthropic"]
        );
        control.shutdown().await;
    }

    #[test]
    fn an_unreadable_file_is_set_aside_and_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "{ not json").unwrap();
        let memory = Memory::of(folder.path());
        assert_eq!(memory.load(), SavedState::default());
        assert_eq!(
            fs::read_to_string(folder.path().join(SET_ASIDE_NAME)).unwrap(),
            "{ not json"
        );
        memory.save(&SavedState::default()).unwrap();
        assert_eq!(memory.load(), SavedState::default());
    }
}
