//! A forwarded request through the router, and what its end means for the caller.

use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::AgentId;
use coderclaw_actors::domain::outcome::{ErrorClass, Outcome};
use coderclaw_actors::domain::selection::Selection;
use coderclaw_actors::{Dispatch, Dispatched, End, Lease, LeaseError, ProviderHandle, Recovery};

use tokio::time::timeout;

use super::completion::Completion;
use super::dialect::Trouble;
use super::failure::Failure;
use super::forward::Forward;
use super::live::Live;
use super::relay::StreamFacts;
use super::reply::{Reply, ServedBy};
use super::respond::{ErrorReply, no_answer, recovery_headers};
use super::session::{Claim, PinError};
use super::worker::{Shared, Worker};
use crate::config::Settings;
use crate::upstream::answer::{Answer, AnswerBody, ProviderAnswer};
use crate::wire::usage::usage_of_json;

/// What a dispatch came to.
#[derive(Debug)]
pub struct Exchanged {
    /// For the caller; an error is the gateway's own word for why no provider answered.
    pub reply: Result<Reply, ErrorReply>,
    /// Why it did not serve; none once the answer is committed.
    pub failure: Option<Failure>,
}

impl Exchanged {
    /// The provider has answered.
    fn served(reply: Result<Reply, ErrorReply>) -> Self {
        Self { reply, failure: None }
    }

    fn failed(failure: Failure, error: ErrorReply) -> Self {
        Self {
            reply: Err(error),
            failure: Some(failure),
        }
    }
}

/// Dispatches `forward` and makes the reply.
pub async fn exchange(
    forward: Forward,
    (worker, live): (&Worker, &Live),
    completion: &mut Completion,
) -> Exchanged {
    let shared = &worker.shared;
    let provider_id = &forward.request.parts().provider;
    completion.provider = Some(provider_id.clone());
    completion.model = forward.model;
    completion.agent.clone_from(&forward.agent);
    let agent = forward.agent.as_ref();
    let Some(provider) = shared.control.provider(provider_id.as_str()) else {
        let error = no_credential(&live.settings, agent, provider_id.as_str());
        return Exchanged::failed(Failure::NoProvider, error);
    };
    let api = forward.request.parts().api;
    let claim = forward.claim;
    let dispatch = worker.router.dispatch(Dispatch {
        provider: provider.clone(),
        class: forward.class,
        selection: claim.as_ref().map_or(Selection::Any, Claim::selection),
        agent: forward.agent.clone(),
        request: forward.request,
        replayable: forward.replayable,
        may_disable: forward.may_disable,
        rotation: Arc::clone(&live.rotation),
    });
    // A model before this one may have taken most of it.
    let left = live.streams.total.saturating_sub(completion.elapsed());
    let Ok(dispatched) = timeout(left, dispatch).await else {
        let error = too_long(provider.id().as_str(), live.streams.total);
        return Exchanged::failed(Failure::TooLong, error);
    };
    let served_by = account(&dispatched, &provider, shared, completion);
    match dispatched.end {
        End::Committed { answer, lease } => {
            if let Some(claim) = &claim {
                shared.sessions.served(claim, lease.profile());
            }
            Exchanged::served(committed(answer, lease, api, &served_by, completion))
        }
        End::Rejected {
            answer,
            verdict,
            recovery,
        } => {
            completion.error = Some(verdict.class.as_str());
            let failure = failure(&answer, verdict.class, recovery);
            let recovery = live.rotation.rotates(verdict.class).then_some(recovery);
            Exchanged {
                reply: rejected(answer, recovery, &served_by, shared),
                failure: Some(failure),
            }
        }
        End::Unavailable { error } => {
            let pin = claim.and_then(|claim| claim.refused(&error));
            let reply = pin.map_or_else(
                || unavailable(shared, &live.settings, (agent, &provider), &error),
                |pin| pin_refused(shared, pin, &error),
            );
            Exchanged::failed(Failure::NoLease(error), reply)
        }
    }
}

/// What the last attempt's failure is to the models that come after.
fn failure(answer: &Answer, class: ErrorClass, recovery: Recovery) -> Failure {
    let (status, what) = match answer {
        // An error inside a stream has no status of its own.
        Answer::Provider(answer) => (Some(answer.status).filter(|status| *status >= 400), None),
        Answer::None(none) => (None, Some(none.what.clone())),
    };
    Failure::Attempt {
        class,
        status,
        what,
        soonest: recovery.soonest,
    }
}

/// Writes down what the dispatch did.
fn account(
    dispatched: &Dispatched<Answer>,
    provider: &ProviderHandle,
    shared: &Shared,
    completion: &mut Completion,
) -> ServedBy {
    for attempt in &dispatched.attempts {
        completion.upstream += attempt.took;
        shared.metrics.attempt(provider.id(), attempt.class);
    }
    // A model before this one may have failed.
    completion.error = None;
    completion.attempts += dispatched.attempts.len();
    completion.rotations += dispatched.attempts.len().saturating_sub(1);
    completion.overhead = completion.elapsed().saturating_sub(completion.upstream);
    completion.profile = dispatched.attempts.last().map(|attempt| attempt.profile.clone());
    ServedBy {
        provider: provider.id().clone(),
        model: completion.model.clone(),
        profile: completion.profile.clone(),
        attempts: completion.attempts,
        overhead: completion.overhead,
    }
}

/// The provider served it.
fn committed(
    answer: Answer,
    lease: Lease,
    api: Option<crate::wire::Api>,
    served_by: &ServedBy,
    completion: &mut Completion,
) -> Result<Reply, ErrorReply> {
    let ProviderAnswer {
        status,
        headers,
        framing,
        body,
    } = match answer {
        Answer::Provider(answer) => answer,
        // The adapter commits to nothing but a provider's answer.
        Answer::None(none) => return Err(no_answer(served_by.provider.as_str(), &none)),
    };
    match body {
        AnswerBody::Whole(bytes) => {
            lease.settle(Outcome::Success);
            completion.usage = usage_of_json(&bytes);
            Ok(Reply::whole(status, &headers, bytes, served_by))
        }
        AnswerBody::Stream(stream) => {
            let facts = StreamFacts {
                api,
                framing,
                headers,
                lease: Some(lease),
            };
            Ok(Reply::stream(status, stream, facts, served_by))
        }
    }
}

/// The last credential failed too, or the failure is none that another credential could mend.
fn rejected(
    answer: Answer,
    recovery: Option<Recovery>,
    served_by: &ServedBy,
    shared: &Shared,
) -> Result<Reply, ErrorReply> {
    let now = shared.clock.now();
    let ProviderAnswer {
        status,
        headers,
        framing,
        body,
    } = match answer {
        Answer::Provider(answer) => answer,
        Answer::None(none) => {
            let reply = no_answer(served_by.provider.as_str(), &none);
            return Err(match recovery {
                Some(recovery) => reply.with_recovery(recovery.soonest, now),
                None => reply,
            });
        }
    };
    let retry = recovery.map(|recovery| recovery_headers(recovery.soonest, now));
    let reply = match body {
        AnswerBody::Whole(bytes) => Reply::whole(status, &headers, bytes, served_by),
        AnswerBody::Stream(stream) => {
            // Judged already, and its lease is settled: the stream only passes through.
            let facts = StreamFacts {
                api: None,
                framing,
                headers,
                lease: None,
            };
            Reply::stream(status, stream, facts, served_by)
        }
    };
    Ok(match retry {
        Some(headers) => reply.with_recovery(headers),
        None => reply,
    })
}

/// No credential could even be tried.
fn unavailable(
    shared: &Shared,
    settings: &Settings,
    (agent, provider): (Option<&AgentId>, &ProviderHandle),
    error: &LeaseError,
) -> ErrorReply {
    let id = provider.id().as_str();
    match error {
        LeaseError::NoCredentials { .. } => no_credential(settings, agent, id),
        LeaseError::NoneAvailable { .. } => {
            let flag = agent.map_or_else(String::new, |agent| format!(" --agent {agent}"));
            let message = format!("{error}; `coderclaw models status{flag}` tells until when and why");
            ErrorReply::new(Trouble::RateLimited, "no_credential_available", message)
                .with_recovery(error.soonest(), shared.clock.now())
        }
        LeaseError::PinGone { .. } | LeaseError::ProviderUnavailable { .. } => {
            ErrorReply::new(Trouble::Unavailable, "provider_down", error.to_string())
        }
    }
}

/// The credential that a session is pinned to does not serve.
fn pin_refused(shared: &Shared, pin: PinError, error: &LeaseError) -> ErrorReply {
    let rests = matches!(pin, PinError::Resting { .. });
    let reply = ErrorReply::from(pin);
    if rests {
        reply.with_recovery(error.soonest(), shared.clock.now())
    } else {
        reply
    }
}

fn too_long(provider: &str, limit: Duration) -> ErrorReply {
    let seconds = limit.as_secs();
    let message =
        format!("provider `{provider}` did not serve this within {seconds} s (`gateway.timeouts.total`)");
    ErrorReply::new(Trouble::GatewayTimeout, "request_too_long", message)
}

fn no_credential(settings: &Settings, agent: Option<&AgentId>, provider: &str) -> ErrorReply {
    let looked = settings.places_looked(agent, provider);
    let places = looked.places.join("; ");
    let excluded = settings.pool_of(agent, provider);
    let excluded = excluded.map(|pool| pool.excluded.iter());
    let unusable = excluded
        .into_iter()
        .flatten()
        .map(|one| format!("`{}` is stored, but: {}. ", one.id, one.why));
    let whose = agent.map_or_else(String::new, |agent| format!(" of agent `{agent}`"));
    let message = format!(
        "no credential{whose} for provider `{provider}`. {}Looked in {places}. To add one, {}",
        unusable.collect::<Vec<_>>().concat(),
        looked.hint
    );
    ErrorReply::new(Trouble::Unauthenticated, "no_credential", message)
}
