//! Settings that change while requests are served: each change valid as a whole or not applied, by one task, for
//! whoever asks: a file that changed, a command, SIGHUP.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::{HandleError, ProviderSpec};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot};

use super::server::specs;
use super::watch::FileWatch;
use super::worker::Shared;
use crate::config::{ConfigError, Difference, GatewaySettings, Settings, after_restart};
use crate::credentials::reference::CommandCache;

/// Reads the settings anew, with the flags that the gateway was started with.
pub type Load = Arc<dyn Fn() -> Result<Settings, ConfigError> + Send + Sync>;

/// So many may wait for a reload at once.
const ASKERS_MAX: usize = 64;
/// A change is waited out until files have been still for this long.
const STILL: Duration = Duration::from_millis(50);

/// What a reload came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reloaded {
    /// Whether what the files say is in force.
    pub applied: bool,
    /// What changed by it; one line each.
    pub changes: Vec<String>,
    /// The keys of the config that say something else than when the gateway started, and want a restart.
    pub after_restart: Vec<String>,
    /// Why nothing was applied; one line each.
    pub errors: Vec<String>,
    /// When it was, in Unix milliseconds.
    pub at_ms: u64,
}

/// How everyone else asks for a reload, and learns of the last one.
#[derive(Debug)]
pub struct Reloads {
    asks: mpsc::Sender<oneshot::Sender<Reloaded>>,
    last: Mutex<Option<Reloaded>>,
    applied: Notify,
}

/// Who asked for a reload.
enum Cause {
    Commands(Vec<oneshot::Sender<Reloaded>>),
    Files,
    Signal,
}

/// The task that reloads.
#[derive(Debug)]
pub struct Reloader {
    shared: Arc<Shared>,
    asks: mpsc::Receiver<oneshot::Sender<Reloaded>>,
    files: FileWatch,
    hangup: Signal,
    load: LoadSettings,
    /// What the gateway started with.
    at_start: GatewaySettings,
}

/// [`Load`], which has no `Debug`.
struct LoadSettings(Load);

impl std::fmt::Debug for LoadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoadSettings")
    }
}

// === impl Reloads ===

impl Reloads {
    /// The handle, and what a [`Reloader`] listens to.
    #[must_use]
    pub fn new() -> (Self, ReloadAsks) {
        let (asks, receiver) = mpsc::channel(ASKERS_MAX);
        let last = Mutex::new(None);
        let applied = Notify::new();
        (Self { asks, last, applied }, ReloadAsks(receiver))
    }

    /// Has the settings read anew, and awaits that they are in force; `None` where nobody reloads.
    pub async fn ask(&self) -> Option<Reloaded> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(answer).await.ok()?;
        answered.await.ok()
    }

    /// The next time that settings come into force; one that nobody awaited counts.
    pub async fn applied(&self) {
        self.applied.notified().await;
    }

    /// The last reload that changed something or failed.
    #[must_use]
    pub fn last(&self) -> Option<Reloaded> {
        self.last.lock().clone()
    }
}

/// What a [`Reloader`] listens to.
#[derive(Debug)]
pub struct ReloadAsks(mpsc::Receiver<oneshot::Sender<Reloaded>>);

// === impl Reloader ===

impl Reloader {
    /// Reloads what `shared` serves with, by `load`.
    ///
    /// # Errors
    /// If the handler of SIGHUP can't be installed.
    pub fn new(shared: Arc<Shared>, asks: ReloadAsks, load: Load) -> std::io::Result<Self> {
        let live = shared.live();
        Ok(Self {
            files: FileWatch::of(&live.settings.files),
            at_start: live.settings.gateway.clone(),
            shared,
            asks: asks.0,
            hangup: signal(SignalKind::hangup())?,
            load: LoadSettings(load),
        })
    }

    /// Reloads whenever somebody asks, until it is dropped.
    pub async fn run(mut self) -> Infallible {
        loop {
            let mut cause = self.next().await;
            if matches!(cause, Cause::Files) {
                tokio::select! {
                    () = self.files.still_for(STILL) => {}
                    // A command has written what it wants read.
                    Some(answer) = self.asks.recv() => cause = self.with_others(answer),
                }
            }
            let told = matches!(cause, Cause::Signal);
            if told {
                // Whoever sends a signal wants everything read anew, what programs print too.
                CommandCache::of_process().clear();
            }
            let reloaded = self.reload(told).await;
            self.files.follow(&self.shared.live().settings.files);
            if let Cause::Commands(answers) = cause {
                for answer in answers {
                    // Whoever asked may have gone.
                    let _gone = answer.send(reloaded.clone());
                }
            }
        }
    }

    async fn next(&mut self) -> Cause {
        tokio::select! {
            Some(answer) = self.asks.recv() => self.with_others(answer),
            () = self.files.changed() => Cause::Files,
            Some(()) = self.hangup.recv() => Cause::Signal,
        }
    }

    /// Everybody who asks by now: what all of them have written is read at once.
    fn with_others(&mut self, first: oneshot::Sender<Reloaded>) -> Cause {
        let mut answers = vec![first];
        while answers.len() < ASKERS_MAX
            && let Ok(answer) = self.asks.try_recv()
        {
            answers.push(answer);
        }
        Cause::Commands(answers)
    }

    /// Reads, compares, applies, tells.
    async fn reload(&self, told: bool) -> Reloaded {
        let load = Arc::clone(&self.load.0);
        // Files, and commands that hold secrets, may take their time.
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let at_ms = self.shared.clock.now().as_unix_ms();
        let reloaded = match loaded {
            Ok(Ok(settings)) => self.apply(settings, told, at_ms).await,
            Ok(Err(error)) => failed(error.to_string().lines().map(str::to_owned).collect(), at_ms),
            Err(_) => failed(vec!["reading the settings crashed".to_owned()], at_ms),
        };
        if !reloaded.applied {
            let errors = reloaded.errors.join("; ");
            tracing::error!(target: "coderclaw", errors, "settings not reloaded; the last good ones stay in force");
        }
        let mut last = self.shared.reloads.last.lock();
        let mends = reloaded.applied && last.as_ref().is_some_and(|last| !last.applied);
        if mends || !reloaded.applied || !reloaded.changes.is_empty() {
            *last = Some(reloaded.clone());
        }
        reloaded
    }

    async fn apply(&self, mut settings: Settings, told: bool, at_ms: u64) -> Reloaded {
        let before = self.shared.live();
        settings.keep_ranks(&before.settings);
        let difference = Difference::between(&before.settings, &settings);
        let after_restart = after_restart(&self.at_start, &settings.gateway);
        if let Err(error) = self.switch(settings).await {
            return failed(vec![error.to_string()], at_ms);
        }
        let changes = difference.lines();
        if told || !difference.is_empty() {
            let changes = if changes.is_empty() {
                "nothing".to_owned()
            } else {
                changes.join("; ")
            };
            let after_restart = after_restart.join(", ");
            tracing::info!(target: "coderclaw", changes, after_restart, "settings reloaded");
        }
        Reloaded {
            applied: true,
            changes,
            after_restart: after_restart.into_iter().map(str::to_owned).collect(),
            errors: Vec::new(),
            at_ms,
        }
    }

    /// Providers that go serve until nothing names them any more, and new ones serve before something does: no
    /// request falls between.
    async fn switch(&self, settings: Settings) -> Result<(), HandleError> {
        let before = self.shared.live();
        let next = specs(&settings);
        let goes = |spec: &ProviderSpec| settings.provider(spec.id.as_str()).is_none();
        let going: Vec<ProviderSpec> = specs(&before.settings).into_iter().filter(goes).collect();
        let both = next.iter().cloned().chain(going.iter().cloned()).collect();
        self.shared.control.reload(both).await?;
        let live = before.followed_by(settings, &self.shared.addresses);
        self.shared.logins.follow(&live.settings);
        self.shared.stand_ins.follow(&live.settings.catalogue);
        self.shared.live.store(Arc::new(live));
        self.shared.reloads.applied.notify_one();
        if going.is_empty() {
            return Ok(());
        }
        self.shared.control.reload(next).await
    }
}

fn failed(errors: Vec<String>, at_ms: u64) -> Reloaded {
    Reloaded {
        applied: false,
        changes: Vec::new(),
        after_restart: Vec::new(),
        errors,
        at_ms,
    }
}
