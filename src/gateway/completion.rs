//! One request from its start to its last byte: the log line and the metrics, written once, when it is over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::clock::{SharedClock, Timestamp};
use coderclaw_actors::domain::credential::{AgentId, ProfileId, ProviderId};

use super::in_flight::Entered;
use crate::telemetry::metrics::{Metrics, RequestSample};
use crate::wire::usage::Usage;

/// A request's own name, in its log lines and in the answer's `x-coderclaw-request-id`: `req_` and 16 hexadecimal
/// digits, made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId([u8; 20]);

impl RequestId {
    /// A name that no other request is likely to have.
    #[must_use]
    pub fn random() -> Self {
        Self::of(fastrand::u64(..))
    }

    fn of(number: u64) -> Self {
        let mut text = *b"req_0000000000000000";
        let mut rest = number;
        for digit in text.iter_mut().skip(4).rev() {
            let nibble = u8::try_from(rest % 16).unwrap_or_default();
            *digit = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
            rest /= 16;
        }
        Self(text)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made of ASCII alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The caller has the whole answer, whatever it says.
    Complete,
    /// The caller went away first.
    CallerGone,
    /// The provider broke off, or a time limit was reached, after the commit.
    Cut,
}

impl Ending {
    /// The name used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CallerGone => "caller_gone",
            Self::Cut => "cut",
        }
    }
}

/// What is known of a request so far. Dropping it writes the log line and the metrics.
#[derive(Debug)]
pub struct Completion {
    metrics: Arc<Metrics>,
    clock: SharedClock,
    id: RequestId,
    started: Timestamp,
    ending: Ending,
    /// The endpoint, as metrics name it.
    pub endpoint: &'static str,
    /// The provider, once it is known.
    pub provider: Option<ProviderId>,
    /// The model that served it, or failed last, as the provider knows it.
    pub model: Option<String>,
    /// Whose request it is, where that is not the default agent.
    pub agent: Option<AgentId>,
    /// The model that was asked for, as `provider/model`, where another one served.
    pub fallback_from: Option<String>,
    /// The profile that served it, or failed last.
    pub profile: Option<ProfileId>,
    /// The status that the caller got.
    pub status: u16,
    /// The gateway's or the provider's word for what went wrong.
    pub error: Option<&'static str>,
    /// Upstream calls.
    pub attempts: usize,
    /// Times that another credential of the same provider was tried.
    pub rotations: usize,
    /// Time that upstream calls took until the head of the answer.
    pub upstream: Duration,
    /// Time that the gateway itself took until the head of the answer.
    pub overhead: Duration,
    /// Body bytes sent to the caller.
    pub bytes: u64,
    /// Tokens, where the answer told.
    pub usage: Option<Usage>,
    entered: Option<Entered>,
}

impl Completion {
    /// Starts the account of a request. Until something else is said, the caller has gone away.
    #[must_use]
    pub fn start(id: RequestId, metrics: Arc<Metrics>, clock: SharedClock) -> Self {
        let started = clock.now();
        Self {
            metrics,
            clock,
            id,
            started,
            ending: Ending::CallerGone,
            endpoint: "other",
            provider: None,
            model: None,
            agent: None,
            fallback_from: None,
            profile: None,
            status: 0,
            error: None,
            attempts: 0,
            rotations: 0,
            upstream: Duration::ZERO,
            overhead: Duration::ZERO,
            bytes: 0,
            usage: None,
            entered: None,
        }
    }

    /// The request's name.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// When the request came.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Time since the request came.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.now().since(self.started)
    }

    /// Keeps the request's place among those under way until it is over.
    pub fn hold(&mut self, entered: Entered) {
        self.entered = Some(entered);
    }

    /// Says how the request ended.
    pub fn end(&mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        let took = self.elapsed();
        self.metrics.request(&RequestSample {
            endpoint: self.endpoint,
            provider: self.provider.as_ref(),
            status: self.status,
            ending: self.ending,
            rotations: self.rotations,
            took,
            overhead: self.overhead,
            usage: self.usage,
        });
        tracing::info!(
            target: "coderclaw::request",
            id = self.id.as_str(),
            endpoint = self.endpoint,
            provider = self.provider.as_ref().map(ProviderId::as_str),
            model = self.model.as_deref().map(clipped),
            agent = self.agent.as_ref().map(AgentId::as_str),
            fallback_from = self.fallback_from.as_deref(),
            profile = self.profile.as_ref().map(ProfileId::as_str),
            status = self.status,
            error = self.error,
            attempts = self.attempts,
            ending = self.ending.as_str(),
            ms = took.as_millis(),
            overhead_us = self.overhead.as_micros(),
            bytes = self.bytes,
            input_tokens = self.usage.map(|usage| usage.input),
            output_tokens = self.usage.map(|usage| usage.output),
            "request"
        );
    }
}

/// A caller chooses model names; a log line shows at most this many characters of one.
const MODEL_LOGGED_CHARS_MAX: usize = 80;

fn clipped(model: &str) -> &str {
    model
        .char_indices()
        .nth(MODEL_LOGGED_CHARS_MAX)
        .map_or(model, |(end, _)| model.get(..end).unwrap_or(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_in_hexadecimal() {
        for number in [0, 9, 10, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(RequestId::of(number).as_str(), format!("req_{number:016x}"));
        }
    }
}
