//! What a status means where neither a code nor a word says more.

use coderclaw_actors::domain::outcome::{ErrorClass, Scope, ScopeOwner};

use super::Judged;
use super::evidence::Evidence;

/// Marks of a challenge page: the place the gateway calls from is distrusted, not the key.
const CHALLENGES: [&str; 7] = [
    "just a moment",
    "attention required",
    "cf-challenge",
    "challenge-platform",
    "cf-error",
    "you have been blocked",
    "cloudflare",
];

/// Codes of a request that is refused for what it is.
const REFUSED_REQUEST: [&str; 12] = [
    "invalidrequesterror",
    "invalidrequest",
    "invalidargument",
    "clientspecifiedaninvalidargument",
    "badrequest",
    "badrequesterror",
    "validation",
    "validationerror",
    "notfounderror",
    "notfound",
    "failedprecondition",
    "outofrange",
];

/// Judges by the status; without one, by the vaguest codes.
pub(crate) fn judge(evidence: &Evidence) -> Judged {
    let class = match evidence.status {
        Some(401 | 403) if evidence.is_html && evidence.says(&CHALLENGES) => ErrorClass::RegionBlocked,
        Some(401 | 403 | 407) => ErrorClass::Permission,
        Some(402) if evidence.has_retry_after => ErrorClass::RateLimit,
        Some(402) => ErrorClass::QuotaHard,
        Some(412) if evidence.says(&["suspended"]) => ErrorClass::QuotaHard,
        Some(429) => ErrorClass::RateLimit,
        Some(451) => ErrorClass::RegionBlocked,
        Some(498) => {
            return (ErrorClass::Overloaded, Some(Scope::of(ScopeOwner::ProviderTier)));
        }
        Some(529) => ErrorClass::Overloaded,
        Some(503) if !evidence.is_html && !evidence.text.is_empty() => ErrorClass::Overloaded,
        Some(408 | 424 | 425) => ErrorClass::TransientServer,
        Some(400..=499) => ErrorClass::CallerFault,
        Some(_) => ErrorClass::TransientServer,
        None => return without_status(evidence),
    };
    (class, None)
}

fn without_status(evidence: &Evidence) -> Judged {
    let class = if evidence.has_code(&REFUSED_REQUEST) {
        ErrorClass::CallerFault
    } else if evidence.says_itself(&["quota"]) {
        ErrorClass::RateLimit
    } else if evidence.says(&["unauthorized", "forbidden", "permission"]) {
        ErrorClass::Permission
    } else {
        ErrorClass::TransientServer
    };
    (class, None)
}
