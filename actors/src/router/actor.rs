//! `RouterActor`: one on each HTTP worker thread.
//!
//! It answers a request with a future, as data. The caller awaits that in its own task, so the attempts run on the
//! worker's own thread, end when the caller goes away, and outlive the actor.

use std::future::Future;
use std::pin::Pin;

use actix::{Actor, Context, Handler, Message, MessageResult};

use super::dispatch::{Dispatch, Dispatched, dispatch};
use crate::renewal::Renewal;
use crate::upstream::Upstream;

/// The attempts of one request, not begun yet.
pub(super) type Attempts<A> = Pin<Box<dyn Future<Output = Dispatched<A>> + Send>>;

/// A request to be routed.
pub(super) struct Route<U: Upstream>(pub(super) Dispatch<U::Request>);

impl<U: Upstream> Message for Route<U> {
    type Result = Attempts<U::Answer>;
}

/// Turns requests into attempts.
#[derive(Debug)]
pub(super) struct RouterActor<U, R> {
    upstream: U,
    renewal: R,
}

// === impl RouterActor ===

impl<U: Upstream, R: Renewal> RouterActor<U, R> {
    pub(super) fn new(upstream: U, renewal: R) -> Self {
        Self { upstream, renewal }
    }
}

/// Nothing is ever pinned within a router.
impl<U, R> Unpin for RouterActor<U, R> {}

impl<U: Upstream, R: Renewal> Actor for RouterActor<U, R> {
    type Context = Context<Self>;
}

impl<U: Upstream, R: Renewal> Handler<Route<U>> for RouterActor<U, R> {
    type Result = MessageResult<Route<U>>;

    fn handle(&mut self, Route(request): Route<U>, _: &mut Self::Context) -> Self::Result {
        let attempts: Attempts<U::Answer> =
            Box::pin(dispatch(self.upstream.clone(), self.renewal.clone(), request));
        MessageResult(attempts)
    }
}

/// Panic in the handler.
#[cfg(any(test, feature = "chaos"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash;

#[cfg(any(test, feature = "chaos"))]
impl Message for Crash {
    type Result = ();
}

#[cfg(any(test, feature = "chaos"))]
impl<U: Upstream, R: Renewal> Handler<Crash> for RouterActor<U, R> {
    type Result = ();

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn handle(&mut self, _: Crash, _: &mut Self::Context) {
        panic!("chaos: the router was told to crash");
    }
}
