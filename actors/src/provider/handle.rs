//! `ProviderHandle`: what the rest of the program holds of a provider.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix::Addr;
use actix::Handler;
use actix::Message;
use actix::dev::ToEnvelope;
use thiserror::Error;
use tokio::sync::watch;

use super::actor::ProviderActor;
use super::lease::Lease;
use super::message::{Clear, Drain, Reload};
use super::notice::NoticeQueue;
use crate::domain::clock::{SharedClock, Timestamp};
use crate::domain::cooldown::CooldownPolicy;
use crate::domain::credential::{AgentId, AuthProfile, ProfileId, ProviderId};
use crate::domain::lease::{LeaseError, LeaseRequest, Ticket, Transition};
use crate::domain::lease_book::LeaseBook;
use crate::domain::members::Members;
use crate::domain::outcome::Outcome;
use crate::domain::plan::Strategy;
use crate::snapshot::{PoolOutlook, PoolSnapshot, SavedPool};

/// A message that this many actors in a row died of is given up.
const ASKS_MAX: usize = 3;

/// What a provider is made of.
#[derive(Clone, Debug)]
pub struct ProviderSpec {
    /// Its id.
    pub id: ProviderId,
    /// Its credentials, in order; duplicates are dropped.
    pub members: Members,
    /// How the next credential is chosen.
    pub strategy: Strategy,
    /// How long failures rest a credential.
    pub cooldowns: CooldownPolicy,
}

/// Why a provider's actor could not do what it was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HandleError {
    /// It crashed too often and is no longer restarted.
    #[error("provider {0} is unavailable: its actor crashed too often; restart the gateway")]
    Unavailable(ProviderId),
    /// It crashed over this very request.
    #[error("the actor of provider {0} crashed over this request; see its status before trying again")]
    Crashed(ProviderId),
    /// The control plane has been shut down.
    #[error("provider {0} is shut down")]
    Stopped(ProviderId),
}

/// Where a provider's actor can be reached.
#[derive(Clone, Debug)]
pub(crate) enum Published {
    /// Not yet, or not just now.
    Starting,
    /// Here.
    Running(Addr<ProviderActor>),
    /// Nowhere any more: it crashed too often.
    Unavailable,
    /// Nowhere any more: the control plane is shut down.
    Stopped,
}

/// What outlives every actor of one provider.
#[derive(Debug)]
pub(crate) struct ProviderState {
    pub(super) book: LeaseBook,
    pub(super) notices: NoticeQueue,
    published: watch::Sender<Published>,
    pub(super) changes: watch::Sender<u64>,
    unavailable: AtomicBool,
    restarts: AtomicU64,
    #[cfg(any(test, feature = "chaos"))]
    pub(super) chaos: super::actor::Chaos,
}

/// A provider, as everyone else holds it; cheap to clone.
#[derive(Clone, Debug)]
pub struct ProviderHandle(Arc<ProviderState>);

// === impl ProviderState ===

impl ProviderState {
    /// Ends a lease and tells the actor if a state has changed by it.
    pub(super) fn settle(&self, ticket: &Ticket, outcome: &Outcome) {
        if let Some(transition) = self.book.settle(ticket, outcome) {
            self.tell(transition);
        }
    }

    /// Puts a renewed secret into a lease and the pool, and tells the actor if a state has changed by it.
    pub(super) fn renew(&self, ticket: &mut Ticket, fresh: &AuthProfile) {
        if let Some(transition) = self.book.renew(ticket, fresh) {
            self.tell(transition);
        }
    }

    fn tell(&self, transition: Transition) {
        if self.notices.push(transition)
            && let Published::Running(address) = &*self.published.borrow()
        {
            address.do_send(Drain);
        }
    }
}

// === impl ProviderHandle ===

impl ProviderHandle {
    /// The provider of `spec`; its actor is started by the supervisor.
    pub(crate) fn new(spec: ProviderSpec, clock: SharedClock, saved: Option<&SavedPool>) -> Self {
        Self(Arc::new(ProviderState {
            book: LeaseBook::new(spec.id, spec.members, spec.strategy, spec.cooldowns, clock, saved),
            notices: NoticeQueue::default(),
            published: watch::Sender::new(Published::Starting),
            changes: watch::Sender::new(0),
            unavailable: AtomicBool::new(false),
            restarts: AtomicU64::new(0),
            #[cfg(any(test, feature = "chaos"))]
            chaos: super::actor::Chaos::default(),
        }))
    }

    /// The provider's id.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        self.0.book.provider()
    }

    /// The clock that its book goes by.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        self.0.book.clock()
    }

    /// Leases a credential: a function call, never a message.
    pub fn lease(&self, request: &LeaseRequest<'_>) -> Result<Lease, LeaseError> {
        if !self.is_available() {
            return Err(LeaseError::ProviderUnavailable {
                provider: self.id().clone(),
            });
        }
        let ticket = self.0.book.lease(request)?;
        Ok(Lease::new(Arc::clone(&self.0), ticket))
    }

    /// Why a request that passed every credential over gets none.
    pub(crate) fn refusal(&self, request: &LeaseRequest<'_>) -> LeaseError {
        self.0.book.refusal(request)
    }

    /// The soonest instant when any credential that may serve `request` can, tried or not: now if one is available,
    /// `None` if nobody will without help.
    #[must_use]
    pub fn soonest(&self, request: &LeaseRequest<'_>) -> Option<Timestamp> {
        self.is_available()
            .then(|| self.0.book.soonest(request))
            .flatten()
    }

    /// Whether the provider serves; false once its actor crashed too often.
    #[must_use]
    pub fn is_available(&self) -> bool {
        !self.0.unavailable.load(Ordering::Relaxed)
    }

    /// Whether `agent`, or the default one, has any credential of it.
    #[must_use]
    pub fn has_credentials(&self, agent: Option<&AgentId>) -> bool {
        !self.0.book.is_empty(agent)
    }

    /// Attempts under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.book.in_flight()
    }

    /// The default agent's pool as people and programs see it.
    #[must_use]
    pub fn snapshot(&self) -> PoolSnapshot {
        self.snapshot_of(None)
    }

    /// The pool of `agent`, or of the default one, as people and programs see it.
    #[must_use]
    pub fn snapshot_of(&self, agent: Option<&AgentId>) -> PoolSnapshot {
        self.with_actor(self.0.book.snapshot_of(agent))
    }

    /// Every agent's credentials, each once.
    #[must_use]
    pub fn snapshot_of_all(&self) -> PoolSnapshot {
        self.with_actor(self.0.book.snapshot_of_all())
    }

    /// The pool of `agent`, or of the default one, at a glance.
    #[must_use]
    pub fn outlook(&self, agent: Option<&AgentId>) -> PoolOutlook {
        self.0.book.outlook(agent)
    }

    /// A snapshot with what is known of the provider's actor.
    fn with_actor(&self, snapshot: PoolSnapshot) -> PoolSnapshot {
        PoolSnapshot {
            available: self.is_available(),
            restarts: self.restarts(),
            ..snapshot
        }
    }

    /// What must outlive the process, without secrets.
    #[must_use]
    pub fn export(&self) -> SavedPool {
        self.0.book.export()
    }

    /// Leases ever given out by this process.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.0.book.leases()
    }

    /// Counts up whenever something changed that [`Self::export`] tells, counters aside: [`Self::leases`] says if
    /// those have.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Replaces members, order and rules; done when this returns. Attempts under way go on.
    pub async fn reload(&self, spec: ProviderSpec) -> Result<(), HandleError> {
        self.ask(Reload(Arc::new(spec))).await
    }

    /// Takes every credential away from a provider that is no longer configured, for the requests that still hold it.
    pub(crate) fn empty(&self) {
        self.0.book.empty();
    }

    /// Makes every credential of that name available again and forgets its failures in a row, for all models; true if
    /// there was anything to clear.
    pub async fn clear(&self, profile: &ProfileId) -> Result<bool, HandleError> {
        self.ask(Clear(profile.clone())).await
    }

    /// How often its actor was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.0.restarts.load(Ordering::Relaxed)
    }

    /// Whether its actor runs at this instant.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(&*self.0.published.borrow(), Published::Running(address) if address.connected())
    }

    /// Asks the actor that lives, or the one that follows it.
    pub(super) async fn ask<M>(&self, message: M) -> Result<M::Result, HandleError>
    where
        M: Message + Clone + Send + 'static,
        M::Result: Send,
        ProviderActor: Handler<M>,
        actix::Context<ProviderActor>: ToEnvelope<ProviderActor, M>,
    {
        for _ in 0..ASKS_MAX {
            let address = self.address().await?;
            if let Ok(answer) = address.send(message.clone()).await {
                return Ok(answer);
            }
        }
        Err(HandleError::Crashed(self.id().clone()))
    }

    /// The address of a living actor, once there is one.
    async fn address(&self) -> Result<Addr<ProviderActor>, HandleError> {
        let mut published = self.0.published.subscribe();
        let settled = |published: &Published| match published {
            Published::Starting => false,
            Published::Running(address) => address.connected(),
            Published::Unavailable | Published::Stopped => true,
        };
        match published.wait_for(settled).await.as_deref() {
            Ok(Published::Running(address)) => Ok(address.clone()),
            Ok(Published::Unavailable) => Err(HandleError::Unavailable(self.id().clone())),
            _ => Err(HandleError::Stopped(self.id().clone())),
        }
    }

    /// What outlives the actors, for a fresh one.
    pub(crate) fn state(&self) -> Arc<ProviderState> {
        Arc::clone(&self.0)
    }

    /// Tells everyone where the actor is.
    pub(crate) fn publish(&self, published: Published) {
        if matches!(published, Published::Unavailable) {
            self.0.unavailable.store(true, Ordering::Relaxed);
        }
        self.0.published.send_replace(published);
    }

    /// Where the actor is.
    pub(crate) fn published(&self) -> Published {
        self.0.published.borrow().clone()
    }

    /// Counts a restart.
    pub(crate) fn restarted(&self) {
        self.0.restarts.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ways to crash a provider on purpose.
#[cfg(any(test, feature = "chaos"))]
impl ProviderHandle {
    /// Makes the actor panic in a handler.
    pub fn kill(&self) {
        if let Published::Running(address) = self.published() {
            address.do_send(super::message::Crash);
        }
    }

    /// Makes the next `times` actors panic when they are built.
    pub fn crash_in_factory(&self, times: u32) {
        self.0.chaos.in_factory.store(times, Ordering::SeqCst);
    }

    /// Makes the next `times` actors panic when they start.
    pub fn crash_in_started(&self, times: u32) {
        self.0.chaos.in_started.store(times, Ordering::SeqCst);
    }

    /// Panics while the book's lock is held.
    pub fn crash_book(&self) {
        self.0.book.crash();
    }
}
