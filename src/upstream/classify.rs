//! What a failed attempt means: its class, its reach, and how long to rest. Pure.

use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};
use http::HeaderMap;

/// A failed attempt, as the provider told it.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The provider's id.
    pub provider: &'a str,
    /// The status of the answer; `None` for an error inside a stream or for bare text.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body, or the payload of the error frame.
    pub body: &'a [u8],
    /// When the answer came.
    pub now: Timestamp,
}

/// Says what a failure means. The class follows from codes and words first, from the status last.
#[must_use]
pub fn classify(failure: &Failure<'_>) -> Verdict {
    let _ = failure;
    Verdict {
        class: ErrorClass::TransientServer,
        scope: Scope::of(ScopeOwner::Provider),
        cooldown: Cooldown::ClassDefault,
        hint: None,
    }
}
