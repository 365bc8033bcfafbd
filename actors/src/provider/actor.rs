//! `ProviderActor`: alone in changing members, order and rules, and the one who tells the world what changed.

use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler};
use tracing::{debug, info, warn};

use super::handle::ProviderState;
use super::message::{Clear, Drain, Reload, Retire};
use crate::domain::clock::Timestamp;
use crate::domain::credential_state::StateName;
use crate::domain::lease::Transition;

/// One provider's actor. What it must not lose when it crashes lies in [`ProviderState`], so a fresh one goes on
/// where this one stood; meanwhile the book goes on leasing.
#[derive(Debug)]
pub(crate) struct ProviderActor {
    state: Arc<ProviderState>,
}

// === impl ProviderActor ===

impl ProviderActor {
    /// The factory: an actor over what the last one left.
    pub(crate) fn new(state: Arc<ProviderState>) -> Self {
        #[cfg(any(test, feature = "chaos"))]
        Chaos::strike(&state.chaos.in_factory, "factory");
        Self { state }
    }

    /// Tells of every state change that is waiting.
    fn drain(&self) {
        let mut any = false;
        while let Some(transition) = self.state.notices.pop() {
            self.log(&transition);
            any = true;
        }
        let dropped = self.state.notices.take_dropped();
        if dropped > 0 {
            warn!(target: "coderclaw", provider = %self.state.book.provider(), dropped, "state changes came faster than they could be told");
        }
        if any {
            self.changed();
        }
    }

    fn changed(&self) {
        self.state.changes.send_modify(|count| *count += 1);
    }

    fn log(&self, transition: &Transition) {
        let message = match transition.state {
            StateName::Available => "credential available",
            StateName::Cooling => "credential cooling",
            StateName::Exhausted => "credential exhausted",
            StateName::Disabled => "credential disabled",
        };
        info!(
            target: "coderclaw",
            provider = %self.state.book.provider(),
            profile = %transition.profile,
            fingerprint = %transition.fingerprint,
            model = transition.model_class.as_ref().map(tracing::field::display),
            class = transition.class.map(tracing::field::display),
            until_ms = transition.until.map(Timestamp::as_unix_ms),
            hint = transition.hint.as_deref(),
            "{message}"
        );
    }
}

impl Actor for ProviderActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        #[cfg(any(test, feature = "chaos"))]
        Chaos::strike(&self.state.chaos.in_started, "started");
        self.drain();
    }
}

impl Handler<Drain> for ProviderActor {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.drain();
    }
}

impl Handler<Reload> for ProviderActor {
    type Result = ();

    fn handle(&mut self, Reload(spec): Reload, _: &mut Self::Context) {
        self.state
            .book
            .replace(spec.members.clone(), spec.strategy, spec.cooldowns.clone());
        let (credentials, views) = (spec.members.profiles.len(), spec.members.views.len());
        debug!(target: "coderclaw", provider = %self.state.book.provider(), credentials, views, "pool reloaded");
        self.changed();
    }
}

impl Handler<Clear> for ProviderActor {
    type Result = bool;

    fn handle(&mut self, Clear(profile): Clear, _: &mut Self::Context) -> bool {
        let transitions = self.state.book.clear(&profile);
        for transition in &transitions {
            self.log(transition);
        }
        let any = !transitions.is_empty();
        if any {
            self.changed();
        }
        any
    }
}

impl Handler<Retire> for ProviderActor {
    type Result = ();

    fn handle(&mut self, _: Retire, context: &mut Self::Context) {
        self.drain();
        context.stop();
    }
}

#[cfg(any(test, feature = "chaos"))]
impl Handler<super::message::Crash> for ProviderActor {
    type Result = ();

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn handle(&mut self, _: super::message::Crash, _: &mut Self::Context) {
        panic!("chaos: the provider's actor was told to crash");
    }
}

/// How many of the next actors are to crash, and where.
#[cfg(any(test, feature = "chaos"))]
#[derive(Debug, Default)]
pub(super) struct Chaos {
    pub(super) in_factory: std::sync::atomic::AtomicU32,
    pub(super) in_started: std::sync::atomic::AtomicU32,
}

#[cfg(any(test, feature = "chaos"))]
impl Chaos {
    #[expect(clippy::panic, reason = "this is what it is for")]
    fn strike(left: &std::sync::atomic::AtomicU32, place: &str) {
        use std::sync::atomic::Ordering::SeqCst;
        if left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            panic!("chaos: the provider's actor was told to crash in {place}");
        }
    }
}
