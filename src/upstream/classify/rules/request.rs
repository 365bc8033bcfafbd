//! Failures of the request itself: no key can serve it, or none as small as this one.

use coderclaw_actors::domain::outcome::{ErrorClass, Scope, ScopeOwner};

use super::Rule;
use crate::upstream::classify::Judged;
use crate::upstream::classify::evidence::Evidence;

/// Statuses of a refused request.
const REFUSED: &[u16] = &[400, 403, 413, 422];

pub(super) const REQUEST: &[Rule] = &[
    Rule::new(ErrorClass::CallerFault).codes(&[
        "weightexceedsbudget",
        "contextlengthexceeded",
        "contextwindowexceeded",
        "contentfilter",
        "contentpolicyviolation",
        "contentfiltered",
        "responsibleaipolicyviolation",
        "moderationblocked",
        "safetyviolation",
        "datainspectionfailed",
        "requesttoolarge",
        "requestentitytoolarge",
        "payloadtoolarge",
        "stringabovemaxlength",
        "invalidprompt",
        "tooluserfailed",
        "toolusefailed",
        "jsonvalidatefailed",
        "unsupportedparameter",
        "unknownparameter",
        "unsupportedvalue",
        "missingrequiredparameter",
        "invalidtype",
    ]),
    Rule::new(ErrorClass::CallerFault)
        .phrases(&[
            "context length",
            "context window",
            "context_length",
            "prompt is too long",
            "input is too long",
            "prompt too long",
            "content management policy",
            "content policy",
            "requires moderation",
            "was flagged",
            "violates usage guidelines",
            "exceeds the maximum number of tokens",
            "request exceeds the maximum size",
        ])
        .on(REFUSED),
    Rule::new(ErrorClass::CallerFault)
        .scope(ScopeOwner::RequestAndKey)
        .phrases(&[
            "request too large for",
            "extra usage is required for long context",
        ]),
];

/// A request larger than a key's whole allowance a minute (413 with the words of a limit): this key can never
/// serve it, however long it rests.
pub(super) fn too_large_for_key(evidence: &Evidence) -> Option<Judged> {
    let names_limit = evidence.has_code(&["ratelimitexceeded", "tokens", "ratelimiterror"])
        || evidence.says(&["per minute", "(tpm)", "rate limit"]);
    (evidence.status == Some(413) && names_limit).then(|| {
        (
            ErrorClass::CallerFault,
            Some(Scope::of(ScopeOwner::RequestAndKey)),
        )
    })
}
