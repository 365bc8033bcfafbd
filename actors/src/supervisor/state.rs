//! What the supervisor, the routers' slots and the control plane's owner share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix::Addr;
use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Reconcile, Stop, SupervisorActor};
use crate::domain::clock::SharedClock;
use crate::domain::credential::ProviderId;
use crate::domain::restart::RestartPolicy;
use crate::provider::ProviderHandle;
use crate::router::RouterRecord;

/// The configured providers by id.
pub(crate) type Providers = BTreeMap<ProviderId, ProviderHandle>;

/// The state of the control plane that outlives each supervisor.
#[derive(Debug)]
pub(crate) struct ControlState {
    clock: SharedClock,
    restart: RestartPolicy,
    providers: ArcSwap<Providers>,
    routers: Mutex<Vec<Arc<RouterRecord>>>,
    supervisor: ArcSwapOption<Addr<SupervisorActor>>,
    pub(crate) supervisor_restarts: AtomicU64,
    reloads: watch::Sender<u64>,
    stopping: AtomicBool,
}

// === impl ControlState ===

impl ControlState {
    pub(crate) fn new(clock: SharedClock, restart: RestartPolicy, providers: Providers) -> Self {
        Self {
            clock,
            restart,
            providers: ArcSwap::from_pointee(providers),
            routers: Mutex::default(),
            supervisor: ArcSwapOption::empty(),
            supervisor_restarts: AtomicU64::new(0),
            reloads: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn restart_policy(&self) -> RestartPolicy {
        self.restart
    }

    /// The providers as they are configured now.
    pub(crate) fn providers(&self) -> Arc<Providers> {
        self.providers.load_full()
    }

    /// One provider.
    pub(crate) fn provider(&self, id: &str) -> Option<ProviderHandle> {
        self.providers.load().get(id).cloned()
    }

    /// Replaces the providers and has the supervisor look.
    pub(crate) fn set_providers(&self, providers: Providers) {
        self.providers.store(Arc::new(providers));
        self.reloads.send_modify(|count| *count += 1);
        self.poke();
    }

    /// Counts up whenever the providers were replaced.
    pub(crate) fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    pub(crate) fn routers(&self) -> Vec<Arc<RouterRecord>> {
        self.routers.lock().clone()
    }

    /// Takes in the router of one more worker.
    pub(crate) fn add_router(&self, record: Arc<RouterRecord>) {
        self.routers.lock().push(record);
    }

    /// Says where the supervisor is.
    pub(crate) fn publish(&self, address: Option<Addr<SupervisorActor>>) {
        self.supervisor.store(address.map(Arc::new));
        if self.is_stopping() {
            self.stop();
        }
    }

    /// Whether a supervisor runs at this instant.
    pub(crate) fn is_supervised(&self) -> bool {
        self.supervisor
            .load()
            .as_ref()
            .is_some_and(|address| address.connected())
    }

    /// Has the supervisor look at what changed; one that is just starting looks anyway.
    pub(crate) fn poke(&self) {
        if let Some(address) = &*self.supervisor.load() {
            address.do_send(Reconcile);
        }
    }

    /// Ends the supervisor, and with it the control thread.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(address) = &*self.supervisor.load() {
            address.do_send(Stop);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Makes the supervisor panic in a handler.
    #[cfg(any(test, feature = "chaos"))]
    pub(crate) fn kill_supervisor(&self) {
        if let Some(address) = &*self.supervisor.load() {
            address.do_send(super::Crash);
        }
    }
}
