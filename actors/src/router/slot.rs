//! `RouterSlot`: where a worker thread keeps its router, and replaces it when it has died.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix::{Addr, AsyncContext, Context};
use tokio::task::JoinSet;
use tracing::error;

use super::actor::{Route, RouterActor};
use super::dispatch::{Dispatch, Dispatched, dispatch};
use crate::renewal::Renewal;
use crate::supervisor::ControlState;
use crate::upstream::Upstream;

/// A request that this many routers in a row died of is served without one.
const SENDS_MAX: usize = 3;

/// What everyone may know of one worker's router.
#[derive(Debug, Default)]
pub(crate) struct RouterRecord {
    /// How many have died.
    pub(crate) deaths: AtomicU64,
    /// Whether they died too often.
    pub(crate) escalated: AtomicBool,
    /// Whether the next request is to find its router dying.
    #[cfg(any(test, feature = "chaos"))]
    pub(crate) doomed: AtomicBool,
}

/// A worker thread's router. Lives on that thread: an actor's context can't leave it.
#[derive(Debug)]
pub struct RouterSlot<U: Upstream, R: Renewal> {
    upstream: U,
    renewal: R,
    control: Arc<ControlState>,
    record: Arc<RouterRecord>,
    running: RefCell<Running<U, R>>,
}

#[derive(Debug)]
struct Running<U: Upstream, R: Renewal> {
    address: Option<Addr<RouterActor<U, R>>>,
    tasks: JoinSet<()>,
}

// === impl RouterSlot ===

impl<U: Upstream, R: Renewal> RouterSlot<U, R> {
    pub(crate) fn new(upstream: U, renewal: R, control: Arc<ControlState>) -> Self {
        let record = Arc::new(RouterRecord::default());
        control.add_router(Arc::clone(&record));
        Self {
            upstream,
            renewal,
            control,
            record,
            running: RefCell::new(Running {
                address: None,
                tasks: JoinSet::new(),
            }),
        }
    }

    /// Has the router dispatch a request and awaits its attempts here, in the caller's task. If the router dies
    /// first, no attempt has begun: a fresh one gets the request.
    ///
    /// Must be called within the thread's `LocalSet`, as every actix handler is.
    pub async fn dispatch(&self, request: Dispatch<U::Request>) -> Dispatched<U::Answer> {
        #[cfg(any(test, feature = "chaos"))]
        if self.record.doomed.swap(false, Ordering::Relaxed) {
            self.kill();
        }
        for _ in 0..SENDS_MAX {
            let attempts = self.address().send(Route::<U>(request.clone())).await;
            if let Ok(attempts) = attempts {
                return attempts.await;
            }
        }
        dispatch(self.upstream.clone(), self.renewal.clone(), request).await
    }

    /// The living router's address; a dead one is replaced.
    fn address(&self) -> Addr<RouterActor<U, R>> {
        let mut running = self.running.borrow_mut();
        match &running.address {
            Some(address) if address.connected() => return address.clone(),
            Some(_) => self.report_death(),
            None => {}
        }
        while running.tasks.try_join_next().is_some() {}
        let context = Context::new();
        let address = context.address();
        let router = RouterActor::new(self.upstream.clone(), self.renewal.clone());
        running.tasks.spawn_local(context.into_future(router));
        running.address = Some(address.clone());
        address
    }

    fn report_death(&self) {
        let deaths = self.record.deaths.fetch_add(1, Ordering::Relaxed) + 1;
        error!(target: "coderclaw", deaths, "router crashed, replaced in place");
        self.control.poke();
    }

    /// Makes the router panic in a handler.
    #[cfg(any(test, feature = "chaos"))]
    pub fn kill(&self) {
        self.address().do_send(super::actor::Crash);
    }
}
