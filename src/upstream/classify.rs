//! What a failed attempt means: its class, its reach, and how long to rest. Pure.
//!
//! Codes decide before words, words before the status; the tables are in [`rules`].

use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};
use http::HeaderMap;

use super::retry_after::wait_hint;
use evidence::{Behind, Evidence};

mod echo;
pub mod evidence;
pub mod fallback;
pub mod rules;
pub mod scopes;
pub mod window;

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

/// A class, and its reach where the answer itself tells it.
pub(crate) type Judged = (ErrorClass, Option<Scope>);

/// Says what a failure means.
#[must_use]
pub fn classify(failure: &Failure<'_>) -> Verdict {
    let evidence = Evidence::gather(failure);
    let judged = behind_the_provider(&evidence)
        .or_else(|| vendor_s_own_word(failure.provider, &evidence))
        .or_else(|| rules::judge(&evidence))
        .unwrap_or_else(|| fallback::judge(&evidence));
    let (class, told_scope) = window::refine(judged, &evidence, failure);
    let scope = told_scope.unwrap_or_else(|| scopes::of(failure.provider, class, &evidence));
    let (cooldown, hint) = rest(class, &evidence, failure);
    Verdict {
        class,
        scope,
        cooldown,
        hint,
    }
}

/// How long the provider asks the credential to rest, and where it says so.
fn rest(class: ErrorClass, evidence: &Evidence, failure: &Failure<'_>) -> (Cooldown, Option<&'static str>) {
    match class {
        ErrorClass::RateLimit => {
            let hint = wait_hint(
                failure.headers,
                evidence.json.as_ref(),
                &evidence.text,
                failure.now,
            );
            hint.map_or((Cooldown::ClassDefault, None), |hint| {
                (Cooldown::hinted(hint.wait), Some(hint.source))
            })
        }
        ErrorClass::QuotaWindow => window::reset(evidence, failure)
            .map_or((Cooldown::ClassDefault, None), |(reset, source)| {
                (Cooldown::Until(reset), Some(source))
            }),
        _ => (Cooldown::ClassDefault, None),
    }
}

/// What one vendor means by words that would say less from any other.
fn vendor_s_own_word(provider: &str, evidence: &Evidence) -> Option<Judged> {
    if evidence.status != Some(401) || evidence.json.is_none() {
        return None;
    }
    match provider {
        // Vertex takes access tokens that live for an hour, and says no more than this of one that has run out.
        "vertex" | "google-vertex" | "vertex-ai" if evidence.has_code(&["unauthenticated"]) => {
            let by_key = evidence.has_code(&["apikeyinvalid"]);
            (!by_key).then_some((ErrorClass::AuthRefresh, None))
        }
        // Mistral's whole answer to a key that it does not know.
        "mistral" if evidence.text.trim() == "unauthorized" => Some((ErrorClass::AuthDead, None)),
        _ => None,
    }
}

/// A failure of a provider behind the provider (a router's `metadata.provider_name`): no key of ours is to blame.
fn behind_the_provider(evidence: &Evidence) -> Option<Judged> {
    if evidence.behind == Behind::Nobody {
        return None;
    }
    let reach = Some(Scope::per_model(ScopeOwner::UpstreamProvider));
    match evidence.status? {
        402 | 429 | 503 | 529 => Some((ErrorClass::Overloaded, reach)),
        408 | 500..=599 => Some((ErrorClass::TransientServer, reach)),
        401 | 403 if evidence.behind == Behind::Moderated => Some((ErrorClass::CallerFault, None)),
        401 | 403 => Some((ErrorClass::Permission, reach)),
        _ => None,
    }
}
