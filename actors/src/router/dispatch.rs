//! The attempt loop: lease, attempt, settle, and on throttling the next credential.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tracing::{Instrument, debug, debug_span};

use crate::domain::clock::Timestamp;
use crate::domain::cooldown::SettleTerms;
use crate::domain::credential::{ModelClass, ProfileId};
use crate::domain::lease::{LeaseError, LeaseRequest, Tried};
use crate::domain::outcome::{ErrorClass, Outcome, Verdict};
use crate::domain::plan::RotationPolicy;
use crate::provider::{Lease, ProviderHandle};
use crate::upstream::{Attempted, Upstream};

/// A request on its way to a provider; cheap to clone.
#[derive(Clone, Debug)]
pub struct Dispatch<R> {
    /// The provider that is to serve it.
    pub provider: ProviderHandle,
    /// The model class that throttling is remembered for.
    pub class: ModelClass,
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
/// credential is tried at most once. Dropping the future ends the attempt under way.
pub async fn dispatch<U: Upstream>(upstream: U, dispatch: Dispatch<U::Request>) -> Dispatched<U::Answer> {
    let mut tried = Tried::default();
    let mut attempts = SmallVec::new();
    let mut last = None;
    let terms = SettleTerms {
        may_disable: dispatch.may_disable,
        may_exclude: dispatch.rotation.rotates(ErrorClass::Permission),
    };
    let attempts_max = if dispatch.replayable {
        dispatch.rotation.attempts_max.get()
    } else {
        1
    };
    loop {
        let request = LeaseRequest {
            class: &dispatch.class,
            tried: &tried,
            terms,
        };
        let lease = match dispatch.provider.lease(&request) {
            Ok(lease) => lease,
            Err(error) => return ended(&dispatch, last, error, attempts),
        };
        tried.push(lease.ticket());
        let started = dispatch.provider.clock().now();
        let number = tried.len();
        let span = debug_span!(target: "coderclaw", "attempt", n = number, provider = %dispatch.provider.id(), profile = %lease.profile().id);
        let attempted = upstream
            .attempt(&dispatch.request, lease.profile())
            .instrument(span.clone())
            .await;
        let mut record = AttemptRecord {
            profile: lease.profile().id.clone(),
            class: None,
            started,
            took: dispatch.provider.clock().now().since(started),
        };
        match attempted {
            Attempted::Committed(answer) => {
                span.in_scope(|| debug!(target: "coderclaw", "attempt committed"));
                attempts.push(record);
                return Dispatched {
                    end: End::Committed { answer, lease },
                    attempts,
                };
            }
            Attempted::Rejected { verdict, answer } => {
                span.in_scope(|| debug!(target: "coderclaw", class = %verdict.class, "attempt failed"));
                lease.settle(Outcome::Failed(verdict));
                record.class = Some(verdict.class);
                attempts.push(record);
                if number >= attempts_max || !dispatch.rotation.rotates(verdict.class) {
                    return rejected(&dispatch, answer, verdict, attempts);
                }
                last = Some((answer, verdict));
            }
        }
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
        soonest: dispatch.provider.soonest(&dispatch.class),
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
