//! `ControlPlane`: the thread that the supervisor and the providers' actors run on, and everyone's way to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use futures_util::future::join_all;
use parking_lot::Mutex;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::watch;

use crate::domain::clock::SharedClock;
use crate::domain::credential::ProviderId;
use crate::domain::restart::RestartPolicy;
use crate::provider::{HandleError, ProviderHandle, ProviderSpec, Published};
use crate::renewal::Renewal;
use crate::router::RouterSlot;
use crate::snapshot::SavedState;
use crate::supervisor::{ControlState, run};
use crate::upstream::Upstream;

/// Why the control plane did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Two providers have the same id.
    #[error("provider {0} is configured twice; remove one")]
    DuplicateProvider(ProviderId),
    /// The operating system gave no thread.
    #[error("cannot start the control thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The control plane; share it in an `Arc`.
#[derive(Debug)]
pub struct ControlPlane {
    state: Arc<ControlState>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held by the reload that is under way.
    reloading: tokio::sync::Mutex<()>,
    /// Closed when the control thread has ended.
    ended: watch::Receiver<()>,
}

/// How the actors are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ControlStatus {
    /// The supervisor.
    pub supervisor: ActorStatus,
    /// The providers' actors by provider.
    pub providers: BTreeMap<ProviderId, ActorStatus>,
    /// The workers' routers.
    pub routers: Vec<ActorStatus>,
}

/// How one actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ActorStatus {
    /// Whether it runs at this instant.
    pub alive: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// Whether it crashed too often.
    pub escalated: bool,
}

// === impl ControlPlane ===

impl ControlPlane {
    /// Starts the control thread and on it the supervisor and an actor for each of `specs`. The handles serve at
    /// once. What `saved` knows of credentials from before a restart goes on.
    pub fn start(
        specs: Vec<ProviderSpec>,
        clock: SharedClock,
        saved: &SavedState,
        restart: RestartPolicy,
    ) -> Result<Self, StartError> {
        let mut providers = BTreeMap::new();
        for spec in specs {
            let id = spec.id.clone();
            let handle = ProviderHandle::new(spec, Arc::clone(&clock), saved.0.get(&id));
            if providers.insert(id.clone(), handle).is_some() {
                return Err(StartError::DuplicateProvider(id));
            }
        }
        let state = Arc::new(ControlState::new(clock, restart, providers));
        let (alive, ended) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("coderclaw-control".to_owned())
            .spawn({
                let state = Arc::clone(&state);
                move || {
                    let _last_words = LastWords(Arc::clone(&state));
                    actix_rt::System::new().block_on(run(state));
                    drop(alive);
                }
            })?;
        Ok(Self {
            state,
            thread: Mutex::new(Some(thread)),
            reloading: tokio::sync::Mutex::default(),
            ended,
        })
    }

    /// One provider.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<ProviderHandle> {
        self.state.provider(id)
    }

    /// Every provider, by id.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderHandle> {
        self.state.providers().values().cloned().collect()
    }

    /// A router for the calling worker thread, which attempts through `upstream` and renews through `renewal`.
    #[must_use]
    pub fn router_slot<U: Upstream, R: Renewal>(&self, upstream: U, renewal: R) -> RouterSlot<U, R> {
        RouterSlot::new(upstream, renewal, Arc::clone(&self.state))
    }

    /// What must outlive the process, without secrets.
    #[must_use]
    pub fn export(&self) -> SavedState {
        let providers = self.state.providers();
        SavedState(
            providers
                .iter()
                .map(|(id, handle)| (id.clone(), handle.export()))
                .collect(),
        )
    }

    /// How the actors are.
    #[must_use]
    pub fn status(&self) -> ControlStatus {
        ControlStatus {
            supervisor: ActorStatus {
                alive: self.state.is_supervised(),
                restarts: self.state.supervisor_restarts.load(Ordering::Relaxed),
                escalated: false,
            },
            providers: self
                .state
                .providers()
                .iter()
                .map(|(id, handle)| {
                    let status = ActorStatus {
                        alive: handle.is_running(),
                        restarts: handle.restarts(),
                        escalated: !handle.is_available(),
                    };
                    (id.clone(), status)
                })
                .collect(),
            routers: self
                .state
                .routers()
                .iter()
                .map(|record| ActorStatus {
                    alive: true,
                    restarts: record.deaths.load(Ordering::Relaxed),
                    escalated: record.escalated.load(Ordering::Relaxed),
                })
                .collect(),
        }
    }

    /// Brings the providers in line with `specs`: those that stay keep their credentials' states and their live
    /// leases, new ones start, the others end. Once this returns, nothing is leased that `specs` does not name, nor
    /// in another order; leases from before end as they would have. The first provider that could not follow is the
    /// error; the rest have followed all the same. One reload waits for the one before it.
    pub async fn reload(&self, specs: Vec<ProviderSpec>) -> Result<(), HandleError> {
        let _alone = self.reloading.lock().await;
        let before = self.state.providers();
        let mut next = BTreeMap::new();
        let mut stay = Vec::new();
        for spec in specs {
            let id = spec.id.clone();
            let handle = match before.get(&id) {
                Some(handle) => {
                    stay.push((handle.clone(), spec));
                    handle.clone()
                }
                None => ProviderHandle::new(spec, Arc::clone(self.state.clock()), None),
            };
            next.insert(id, handle);
        }
        let gone: Vec<ProviderHandle> = before
            .iter()
            .filter(|(id, _)| !next.contains_key(*id))
            .map(|(_, handle)| handle.clone())
            .collect();
        self.state.set_providers(next);
        for handle in gone {
            handle.empty();
        }
        let follow = stay
            .into_iter()
            .map(|(handle, spec)| async move { handle.reload(spec).await });
        join_all(follow).await.into_iter().collect()
    }

    /// Counts up whenever providers may have come or gone.
    #[must_use]
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.state.reloads()
    }

    /// Ends every actor and the control thread, and awaits that. Leases that are still held stay valid.
    pub async fn shutdown(&self) {
        self.state.stop();
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            drop(thread.join());
        }
    }

    /// Makes the supervisor panic in a handler.
    #[cfg(any(test, feature = "chaos"))]
    pub fn kill_supervisor(&self) {
        self.state.kill_supervisor();
    }

    /// Makes every worker's router panic at its next request.
    #[cfg(any(test, feature = "chaos"))]
    pub fn kill_routers(&self) {
        for record in self.state.routers() {
            record.doomed.store(true, Ordering::Relaxed);
        }
    }
}

/// Tells everyone who waits for an actor that none will come, however the control thread ended.
struct LastWords(Arc<ControlState>);

impl Drop for LastWords {
    fn drop(&mut self) {
        for handle in self.0.providers().values() {
            handle.publish(Published::Stopped);
        }
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.state.stop();
    }
}

#[cfg(test)]
mod tests;
