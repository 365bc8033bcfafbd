//! A request and the models that may serve it: the one that was asked for, then those that stand in for it, until one
//! has committed. After that nothing is sent again.

use std::time::Duration;

use coderclaw_actors::LeaseError;
use coderclaw_actors::domain::clock::Timestamp;

use super::all_failed::{Failed, all_failed};
use super::completion::Completion;
use super::exchange::exchange;
use super::failure::{Failure, Role};
use super::live::Live;
use super::model_request::ModelRequest;
use super::reply::Reply;
use super::respond::ErrorReply;
use super::stand_ins::StandIn;
use super::worker::{Shared, Worker};
use crate::config::Target;

/// A failure after so long a time is a wait in vain, whatever it is called.
const LONG_WAIT: Duration = Duration::from_secs(5);
/// Why a primary was not asked.
const LEFT_ALONE: &str = "it kept others waiting in vain and is left alone for a while (timeout)";

/// The models that may be asked yet, each at most once.
struct Waiting {
    /// Those that a credential is there for, in order.
    able: std::vec::IntoIter<Target>,
    /// The primary, where it comes last.
    last: Option<Target>,
    /// Whether any model may stand in at all.
    has_stand_ins: bool,
    /// Those that nobody holds a key for: passed over, and named when nobody served.
    keyless: Vec<Target>,
}

/// Has `primary` serve what was `asked`, or one that stands in for it; none does where `may_fall_back` is false, since
/// the caller wants this model with a credential of its choice.
pub async fn serve(
    asked: &ModelRequest<'_>,
    (primary, may_fall_back): (Target, bool),
    (worker, live): (&Worker, &Live),
    completion: &mut Completion,
) -> Result<Reply, ErrorReply> {
    let shared = &worker.shared;
    let mut waiting = Waiting::of(asked, &primary, may_fall_back, shared);
    let mut failed: Vec<Failed> = Vec::new();
    let mut target = waiting.first(asked, &primary, shared);
    loop {
        let began = shared.clock.now();
        let first_byte = waiting.bound(asked, live);
        let exchanged = exchange(asked.forward(&target, first_byte)?, (worker, live), completion).await;
        let Some(failure) = exchanged.failure else {
            served(asked, (&target, &primary), &failed, shared, completion);
            return exchanged.reply;
        };
        let is_primary = target == primary;
        if is_primary && waiting.has_stand_ins && is_wait(&failure, began, shared) {
            let (agent, started) = (asked.agent_id(), completion.started());
            shared
                .stand_ins
                .waited(agent, &primary, started, shared.clock.now());
        }
        let role = if is_primary { Role::Primary } else { Role::StandIn };
        let moves_on = failure.moves_on(role);
        let next = if moves_on { waiting.next() } else { None };
        failed.push(Failed { target, failure });
        let Some(next) = next else {
            // Of one model the provider's own error tells most; so does a primary's word on the request itself.
            if failed.len() == 1 || (is_primary && !moves_on) {
                return exchanged.reply;
            }
            failed.extend(waiting.passed_over());
            return Err(all_failed(&failed, shared.clock.now()));
        };
        target = next;
    }
}

/// Whether a failure cost the caller a wait.
fn is_wait(failure: &Failure, began: Timestamp, shared: &Shared) -> bool {
    failure.is_timeout() || (failure.is_outage() && shared.clock.now().since(began) >= LONG_WAIT)
}

/// Writes down who served.
fn served(
    asked: &ModelRequest<'_>,
    (target, primary): (&Target, &Target),
    failed: &[Failed],
    shared: &Shared,
    completion: &mut Completion,
) {
    let now = shared.clock.now();
    if target == primary {
        if shared.stand_ins.any() {
            let (agent, started) = (asked.agent_id(), completion.started());
            shared.stand_ins.primary_served(agent, target, started, now);
        }
        return;
    }
    completion.fallback_from = Some(primary.to_string());
    shared.metrics.fallback(primary, target);
    let failure = failed.iter().find(|one| one.target == *primary);
    let stand_in = StandIn {
        agent: asked.agent_id().to_owned(),
        primary: primary.clone(),
        by: target.clone(),
        reason: failure.map_or_else(
            || LEFT_ALONE.to_owned(),
            |one| format!("{} ({})", one.failure.reason(), one.failure.code()),
        ),
    };
    shared.stand_ins.stood_in(stand_in, now);
}

// === impl Waiting ===

impl Waiting {
    fn of(asked: &ModelRequest<'_>, primary: &Target, may_fall_back: bool, shared: &Shared) -> Self {
        let all = if may_fall_back {
            asked.fallbacks(primary)
        } else {
            Vec::new()
        };
        let has_credentials = |target: &Target| {
            let provider = shared.control.provider(target.provider.as_str());
            provider.is_some_and(|provider| provider.has_credentials(asked.agent()))
        };
        let (able, keyless): (Vec<_>, Vec<_>) = all.into_iter().partition(has_credentials);
        Self {
            has_stand_ins: !able.is_empty(),
            able: able.into_iter(),
            last: None,
            keyless,
        }
    }

    /// How long the next model may keep the caller waiting for the head of its answer, where another one comes after it.
    fn bound(&self, asked: &ModelRequest<'_>, live: &Live) -> Option<Duration> {
        let timeouts = &live.settings.gateway.timeouts;
        if self.able.len() == 0 && self.last.is_none() {
            return None;
        }
        timeouts.before_fallback(asked.is_stream())
    }

    /// The model to begin with: the primary, unless it keeps callers waiting; then it is the last.
    fn first(&mut self, asked: &ModelRequest<'_>, primary: &Target, shared: &Shared) -> Target {
        if self.able.len() == 0
            || !shared.stand_ins.any()
            || shared
                .stand_ins
                .may_ask(asked.agent_id(), primary, shared.clock.now())
        {
            return primary.clone();
        }
        self.last = Some(primary.clone());
        self.able.next().unwrap_or_else(|| primary.clone())
    }

    fn next(&mut self) -> Option<Target> {
        self.able.next().or_else(|| self.last.take())
    }

    fn passed_over(&mut self) -> impl Iterator<Item = Failed> {
        std::mem::take(&mut self.keyless).into_iter().map(|target| {
            let provider = target.provider.clone();
            Failed {
                failure: Failure::NoLease(LeaseError::NoCredentials { provider }),
                target,
            }
        })
    }
}
