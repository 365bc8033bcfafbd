//! A request and the models that may serve it: the one that was asked for, then those that stand in for it, until one
//! has committed. After that nothing is sent again.

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
use coderclaw_actors::LeaseError;

/// The models that may stand in, each asked at most once.
struct Waiting {
    /// Those that a credential is there for, in order.
    able: std::vec::IntoIter<Target>,
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
    let mut target = primary;
    loop {
        let first_byte = waiting.bound(asked, live);
        let exchanged = exchange(asked.forward(&target, first_byte)?, (worker, live), completion).await;
        let Some(failure) = exchanged.failure else {
            served(asked, &target, &failed, shared, completion);
            return exchanged.reply;
        };
        let role = if failed.is_empty() {
            Role::Primary
        } else {
            Role::StandIn
        };
        let next = if failure.moves_on(role) {
            waiting.able.next()
        } else {
            None
        };
        failed.push(Failed { target, failure });
        let Some(next) = next else {
            // Of one model the provider's own error tells most.
            if role == Role::Primary {
                return exchanged.reply;
            }
            failed.extend(waiting.passed_over());
            return Err(all_failed(&failed, shared.clock.now()));
        };
        target = next;
    }
}

/// Writes down who served.
fn served(
    asked: &ModelRequest<'_>,
    target: &Target,
    failed: &[Failed],
    shared: &Shared,
    completion: &mut Completion,
) {
    let Some(first) = failed.first() else {
        if shared.stand_ins.any() {
            let (started, now) = (completion.started(), shared.clock.now());
            shared
                .stand_ins
                .primary_served(asked.agent_id(), target, started, now);
        }
        return;
    };
    completion.fallback_from = Some(first.target.to_string());
    shared.metrics.fallback(&first.target, target);
    let stand_in = StandIn {
        agent: asked.agent_id().to_owned(),
        primary: first.target.clone(),
        by: target.clone(),
        reason: format!("{} ({})", first.failure.reason(), first.failure.code()),
    };
    shared.stand_ins.stood_in(stand_in, shared.clock.now());
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
            able: able.into_iter(),
            keyless,
        }
    }

    /// How long the next model may keep the caller waiting for the head of its answer, where another one comes after it.
    fn bound(&self, asked: &ModelRequest<'_>, live: &Live) -> Option<std::time::Duration> {
        let timeouts = &live.settings.gateway.timeouts;
        if self.able.len() == 0 {
            return None;
        }
        timeouts.before_fallback(asked.is_stream())
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
