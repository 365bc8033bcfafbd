//! The attempt loop: lease, attempt, settle, and on throttling the next credential.

mod renewals;

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tracing::{Instrument, Span, debug, debug_span};

use crate::domain::clock::Timestamp;
use crate::domain::cooldown::SettleTerms;
use crate::domain::credential::{AgentId, ModelClass, ProfileId};
use crate::domain::lease::{LeaseError, LeaseRequest, Tried};
use crate::domain::outcome::{ErrorClass, Outcome, Verdict};
use crate::domain::plan::RotationPolicy;
use crate::domain::selection::Selection;
use crate::provider::{Lease, ProviderHandle};
use crate::renewal::Renewal;
use crate::upstream::{Attempted, Upstream};
use renewals::Renewals;

/// A request on its way to a provider; cheap to clone.
#[derive(Clone, Debug)]
pub struct Dispatch<R> {
    /// The provider that is to serve it.
    pub provider: ProviderHandle,
    /// The model class that throttling is remembered for.
    pub class: ModelClass,
    /// Which credentials may serve it, and which is preferred.
    pub selection: Selection,
    /// Whose credentials may serve it: those of this agent, or of the default one.
    pub agent: Option<AgentId>,
    /// What is sent.
    pub request: R,
    /// Whether it can be sent again; if not, there is one attempt.
    pub replayable: bool,
    /// Whether a failure may disable a credential; not where the caller could provoke it.
    pub may_disable: bool,
    /// Which failures rotate, and how often.
    pub rotation: Arc<RotationPolicy>,
}

/// What a request came to, and how it got there.
#[derive(Debug)]
pub struct Dispatched<A> {
    /// The end.
    pub end: End<A>,
    /// Every attempt, in order.
    pub attempts: SmallVec<[AttemptRecord; 2]>,
}

/// How a request ended.
#[derive(Debug)]
pub enum End<A> {
    /// The answer goes to the caller; the lease goes with it and is settled when the answer has ended.
    Committed {
        /// The answer.
        answer: A,
        /// The credential in use.
        lease: Lease,
    },
    /// The last attempt's failure goes to the caller.
    Rejected {
        /// The failure as the adapter brought it.
        answer: A,
        /// What it means.
        verdict: Verdict,
        /// When trying again may help.
        recovery: Recovery,
    },
    /// No attempt could be made.
    Unavailable {
        /// Why not.
        error: LeaseError,
    },
}

/// When trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The soonest instant when any credential of the pool may serve the class; `None` if nobody will without help.
    pub soonest: Option<Timestamp>,
}

/// One attempt as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The credential.
    pub profile: ProfileId,
    /// The class of its failure; `None` if it was committed.
    pub class: Option<ErrorClass>,
    /// When it began.
    pub started: Timestamp,
    /// How long it took to the commit or to the failure.
    pub took: Duration,
}

/// Makes attempts until one is committed, a failure does not rotate, or credentials or attempts run out. Each
/// credential is tried at most once, and once more if its token was renewed in between. Dropping the future ends the
/// attempt under way.
pub async fn dispatch<U: Upstream, R: Renewal>(
    upstream: U,
    renewal: R,
    dispatch: Dispatch<U::Request>,
) -> Dispatched<U::Answer> {
    let mut renewals = Renewals::new(renewal);
    let mut tried = Tried::default();
    let mut attempts = SmallVec::new();
    let mut last = None;
    let attempts_max = dispatch.attempts_max();
    loop {
        let mut lease = match dispatch.provider.lease(&dispatch.wanted(&tried)) {
            Ok(lease) => lease,
            Err(error) => return ended(&dispatch, last, error, attempts),
        };
        tried.push(lease.ticket());
        let mut may_renew = true;
        if Renewals::<R>::is_due(lease.profile(), dispatch.now()) {
            may_renew = false;
            lease = match Box::pin(renewals.before_attempt(lease)).await {
                Some(lease) => lease,
                None if tried.len() < dispatch.rotation.attempts_max.get() => continue,
                None => {
                    let error = dispatch.provider.refusal(&dispatch.wanted(&tried));
                    return ended(&dispatch, last, error, attempts);
                }
            };
        }
        let (verdict, answer) = loop {
            // What was borrowed must end here, or it makes the future larger by an answer.
            let refused = {
                let begun = Begun::now(&dispatch, &lease, attempts.len() + 1);
                let attempted = upstream
                    .attempt(&dispatch.request, lease.profile())
                    .instrument(begun.span.clone())
                    .await;
                attempts.push(begun.ended(&dispatch, &lease, &attempted));
                match attempted {
                    Attempted::Committed(answer) => return committed(answer, lease, attempts),
                    Attempted::Rejected { verdict, answer } => (verdict, answer),
                }
            };
            let class = refused.0.class;
            if !may_renew || !Renewals::<R>::may_mend(lease.profile(), class, dispatch.now()) {
                lease.settle(Outcome::Failed(refused.0));
                break refused;
            }
            may_renew = false;
            let may_go_again = attempts.len() < attempts_max;
            match Box::pin(renewals.after_refusal(lease, refused, may_go_again)).await {
                Ok(renewed) => lease = renewed,
                Err(refused) => break refused,
            }
        };
        if attempts.len() >= attempts_max || !dispatch.rotation.rotates(verdict.class) {
            return rejected(&dispatch, answer, verdict, attempts);
        }
        last = Some((answer, verdict));
    }
}

// === impl Dispatch ===

impl<R> Dispatch<R> {
    /// The most that may be sent.
    fn attempts_max(&self) -> usize {
        if self.replayable {
            self.rotation.attempts_max.get()
        } else {
            1
        }
    }

    fn now(&self) -> Timestamp {
        self.provider.clock().now()
    }

    /// What it needs, of the credentials that it has not tried.
    fn wanted<'a>(&'a self, tried: &'a Tried) -> LeaseRequest<'a> {
        LeaseRequest {
            class: &self.class,
            tried,
            selection: self.selection,
            agent: self.agent.as_ref(),
            terms: SettleTerms {
                may_disable: self.may_disable,
                may_exclude: self.rotation.rotates(ErrorClass::Permission),
            },
        }
    }
}

/// An attempt under way.
struct Begun {
    span: Span,
    at: Timestamp,
}

// === impl Begun ===

impl Begun {
    fn now<R>(dispatch: &Dispatch<R>, lease: &Lease, number: usize) -> Self {
        Self {
            span: debug_span!(target: "coderclaw", "attempt", n = number, provider = %dispatch.provider.id(), profile = %lease.profile().id),
            at: dispatch.now(),
        }
    }

    /// What is reported of it.
    fn ended<R, A>(self, dispatch: &Dispatch<R>, lease: &Lease, attempted: &Attempted<A>) -> AttemptRecord {
        let class = match attempted {
            Attempted::Committed(_) => None,
            Attempted::Rejected { verdict, .. } => Some(verdict.class),
        };
        self.span.in_scope(|| match class {
            None => debug!(target: "coderclaw", "attempt committed"),
            Some(class) => debug!(target: "coderclaw", %class, "attempt failed"),
        });
        AttemptRecord {
            profile: lease.profile().id.clone(),
            class,
            started: self.at,
            took: dispatch.now().since(self.at),
        }
    }
}

fn committed<A>(answer: A, lease: Lease, attempts: SmallVec<[AttemptRecord; 2]>) -> Dispatched<A> {
    Dispatched {
        end: End::Committed { answer, lease },
        attempts,
    }
}

/// No further credential could be leased: the last attempt's failure, or that there was none.
fn ended<R, A>(
    dispatch: &Dispatch<R>,
    last: Option<(A, Verdict)>,
    error: LeaseError,
    attempts: SmallVec<[AttemptRecord; 2]>,
) -> Dispatched<A> {
    match last {
        Some((answer, verdict)) => rejected(dispatch, answer, verdict, attempts),
        None => Dispatched {
            end: End::Unavailable { error },
            attempts,
        },
    }
}

fn rejected<R, A>(
    dispatch: &Dispatch<R>,
    answer: A,
    verdict: Verdict,
    attempts: SmallVec<[AttemptRecord; 2]>,
) -> Dispatched<A> {
    let recovery = Recovery {
        soonest: dispatch.provider.soonest(&dispatch.wanted(&Tried::default())),
    };
    Dispatched {
        end: End::Rejected {
            answer,
            verdict,
            recovery,
        },
        attempts,
    }
}

#[cfg(test)]
mod tests;
