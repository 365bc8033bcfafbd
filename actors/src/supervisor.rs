//! `SupervisorActor`: starts the providers' actors, sees them die, starts fresh ones, and knows when to stop that.
//!
//! actix's own supervisor shares a task with its actor and dies with it. This one builds each actor's context
//! itself, spawns it as a task of its own and awaits its `JoinHandle`. Whatever panics, be it a handler, `started` or
//! the factory, ends that task only. The children's handles lie in the roster of the control thread, not in the
//! supervisor, so that a supervisor that dies itself leaves them to the one that follows it.

mod roster;
mod state;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use tokio::task::JoinError;
use tracing::{error, warn};

use crate::domain::restart::RestartDecision;
use crate::provider::{ProviderActor, Published, Retire};
pub(crate) use roster::{Child, Roster};
pub(crate) use state::ControlState;

/// Providers or routers have come, gone or died: look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconcile;

impl Message for Reconcile {
    type Result = ();
}

/// The process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop;

impl Message for Stop {
    type Result = ();
}

/// Panic in the handler.
#[cfg(any(test, feature = "chaos"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash;

#[cfg(any(test, feature = "chaos"))]
impl Message for Crash {
    type Result = ();
}

/// Watches over the providers' actors and counts the routers' deaths.
#[derive(Debug)]
pub(crate) struct SupervisorActor {
    control: Arc<ControlState>,
    roster: Rc<RefCell<Roster>>,
}

// === impl SupervisorActor ===

impl SupervisorActor {
    pub(crate) fn new(control: Arc<ControlState>, roster: Rc<RefCell<Roster>>) -> Self {
        Self { control, roster }
    }

    /// Brings the children in line with the providers that are configured, and counts routers that died.
    fn reconcile(&self, context: &mut Context<Self>) {
        let providers = self.control.providers();
        let (missing, surplus) = self.roster.borrow().compare(&providers);
        for handle in missing {
            let key = self.roster.borrow_mut().adopt(handle);
            self.launch(key, context);
        }
        for key in surplus {
            self.retire(key);
        }
        let policy = self.control.restart_policy();
        let now = self.control.clock().now();
        self.roster
            .borrow_mut()
            .count_router_deaths(&self.control.routers(), now, &policy);
    }

    /// Starts a child's actor in a task of its own and watches that.
    fn launch(&self, key: u64, context: &mut Context<Self>) {
        if let Some(child) = self.roster.borrow_mut().child_mut(key) {
            let handle = child.handle.clone();
            child.task = Some(tokio::task::spawn_local(async move {
                let context = Context::<ProviderActor>::new();
                let actor = ProviderActor::new(handle.state());
                handle.publish(Published::Running(context.address()));
                context.into_future(actor).await;
            }));
        }
        self.watch(key, context);
    }

    /// Awaits the end of a child's task.
    fn watch(&self, key: u64, context: &mut Context<Self>) {
        let roster = Rc::clone(&self.roster);
        let ended = poll_fn(move |waker| {
            let mut roster = roster.borrow_mut();
            let Some(child) = roster.child_mut(key) else {
                return Poll::Ready(None);
            };
            let Some(task) = child.task.as_mut() else {
                return Poll::Ready(None);
            };
            let end = std::task::ready!(Pin::new(task).poll(waker));
            child.task = None;
            Poll::Ready(Some(end))
        });
        context.spawn(ended.into_actor(self).map(move |end, supervisor, context| {
            if let Some(end) = end {
                supervisor.ended(key, end, context);
            }
        }));
    }

    /// A child's task is over: forgets it if that was asked for, else starts it again or gives it up.
    fn ended(&self, key: u64, end: Result<(), JoinError>, context: &mut Context<Self>) {
        let now = self.control.clock().now();
        let policy = self.control.restart_policy();
        let mut roster = self.roster.borrow_mut();
        let Some(child) = roster.child_mut(key) else {
            return;
        };
        if child.retired {
            roster.forget(key);
            return;
        }
        child.handle.publish(Published::Starting);
        let provider = child.handle.id().clone();
        let panicked = end.is_err_and(|end| end.is_panic());
        match child.history.crashed(now, &policy) {
            RestartDecision::RestartAfter(delay) => {
                child.handle.restarted();
                warn!(target: "coderclaw", %provider, panicked, restarts = child.handle.restarts(), "provider actor ended, starting a fresh one");
                context.run_later(delay, move |supervisor, context| supervisor.launch(key, context));
            }
            RestartDecision::Escalate => {
                child.escalated = true;
                child.handle.publish(Published::Unavailable);
                error!(target: "coderclaw", %provider, "provider actor crashed too often; the provider is unavailable until the gateway is restarted");
            }
        }
    }

    /// Asks a child to end; it is forgotten when it has.
    fn retire(&self, key: u64) {
        let mut roster = self.roster.borrow_mut();
        let Some(child) = roster.child_mut(key) else {
            return;
        };
        child.retired = true;
        if let Published::Running(address) = child.handle.published() {
            address.do_send(Retire);
        }
        child.handle.publish(Published::Stopped);
        if child.task.is_none() {
            roster.forget(key);
        }
    }
}

impl Actor for SupervisorActor {
    type Context = Context<Self>;

    /// Takes over the children that a supervisor before this one left, running or not.
    fn started(&mut self, context: &mut Self::Context) {
        let left = self.roster.borrow().left_behind();
        for (key, running) in left {
            if running {
                self.watch(key, context);
            } else {
                self.launch(key, context);
            }
        }
        self.reconcile(context);
    }
}

impl Handler<Reconcile> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: Reconcile, context: &mut Self::Context) {
        self.reconcile(context);
    }
}

impl Handler<Stop> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Self::Context) {
        context.stop();
    }
}

#[cfg(any(test, feature = "chaos"))]
impl Handler<Crash> for SupervisorActor {
    type Result = ();

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn handle(&mut self, _: Crash, _: &mut Self::Context) {
        panic!("chaos: the supervisor was told to crash");
    }
}

/// Runs supervisors on this thread, one after the other if they crash, until the control plane stops; then ends
/// their children and awaits them.
pub(crate) async fn run(control: Arc<ControlState>) {
    let roster = Rc::new(RefCell::new(Roster::default()));
    let mut delay = control.restart_policy().delay_first;
    while !control.is_stopping() {
        let context = Context::new();
        let address = context.address();
        let supervisor = SupervisorActor::new(Arc::clone(&control), Rc::clone(&roster));
        let task = tokio::task::spawn_local(context.into_future(supervisor));
        control.publish(Some(address));
        let end = task.await;
        control.publish(None);
        if end.is_err() {
            control.supervisor_restarts.fetch_add(1, Ordering::Relaxed);
            error!(target: "coderclaw", "supervisor crashed, starting a fresh one");
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(control.restart_policy().delay_longest);
        }
    }
    let children: Vec<Child> = roster.borrow_mut().take_all();
    for child in children {
        if let Published::Running(address) = child.handle.published() {
            address.do_send(Retire);
        }
        child.handle.publish(Published::Stopped);
        if let Some(task) = child.task {
            drop(task.await);
        }
    }
}
