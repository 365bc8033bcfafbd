//! Why a model did not serve a request: whether another may, and how it is told.

use coderclaw_actors::LeaseError;
use coderclaw_actors::domain::clock::Timestamp;
use coderclaw_actors::domain::lease::Refusals;
use coderclaw_actors::domain::outcome::ErrorClass;

use super::respond::rfc3339;
use crate::upstream::scrub::mask_keys;

#[cfg(test)]
mod tests;

/// So many characters of what others said are repeated.
const WHAT_CHARS_MAX: usize = 120;

/// The part that a model has in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is the one that was asked for.
    Primary,
    /// It stands in for that one.
    StandIn,
}

/// Why a model did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The last attempt failed.
    Attempt {
        /// The class of its failure.
        class: ErrorClass,
        /// The status that the provider answered with.
        status: Option<u16>,
        /// What failed, where no answer came.
        what: Option<String>,
        /// When the first credential of the pool may serve again.
        soonest: Option<Timestamp>,
    },
    /// No attempt could be made.
    NoLease(LeaseError),
    /// Its provider is not there any more.
    NoProvider,
    /// The time of the whole request was over.
    TooLong,
}

/// Whether a failure of `class` before the commit passes the request on to the next model.
#[must_use]
#[expect(clippy::match_same_arms, reason = "each class has its own reason beside it")]
pub const fn moves_on(class: ErrorClass, role: Role) -> bool {
    match class {
        // No credential of the pool has allowance left: another model has its own.
        ErrorClass::RateLimit | ErrorClass::QuotaWindow | ErrorClass::QuotaHard => true,
        // An outage of the provider or of the model, which no caller can mend.
        ErrorClass::Overloaded
        | ErrorClass::TransientServer
        | ErrorClass::Timeout
        | ErrorClass::Unreachable => true,
        // The trouble of a credential that the caller never saw: its owner reads of it in the log and in status. That
        // another credential of the pool might serve is for the next request: an error of this kind does not rotate.
        ErrorClass::AuthDead | ErrorClass::AuthRefresh | ErrorClass::CredentialUseForbidden => true,
        // This key may not use this model; the next model may be allowed to it.
        ErrorClass::Permission | ErrorClass::ModelAccess => true,
        // The provider refuses the place that the gateway calls from; another provider may not, and no caller can
        // move the gateway.
        ErrorClass::RegionBlocked => true,
        // The primary judges the request: what it finds wrong is the caller's to mend, and no other model may hide it.
        // A stand-in only says that it is none for this request: its context is smaller, a parameter strange to it.
        ErrorClass::CallerFault => matches!(role, Role::StandIn),
    }
}

impl Failure {
    /// Whether the next model may serve.
    #[must_use]
    pub fn moves_on(&self, role: Role) -> bool {
        match self {
            Self::Attempt { class, .. } => moves_on(*class, role),
            // Somebody wanted that credential and no other; or there is no time left to serve in.
            Self::NoLease(LeaseError::PinGone { .. }) | Self::TooLong => false,
            // All rest, are out of use, or there is none: whatever it is, it is nothing that the caller did.
            Self::NoLease(_) | Self::NoProvider => true,
        }
    }

    /// When the rest ends that is all that keeps the model from serving.
    #[must_use]
    pub fn rests_until(&self) -> Option<Timestamp> {
        match self {
            Self::Attempt { class, soonest, .. } if class.is_throttle() => *soonest,
            Self::NoLease(error) => error.soonest(),
            _ => None,
        }
    }

    /// Whether the provider or the way to it failed: it may be well again at any moment.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Attempt { class, .. } => matches!(
                class,
                ErrorClass::Overloaded
                    | ErrorClass::TransientServer
                    | ErrorClass::Timeout
                    | ErrorClass::Unreachable
            ),
            Self::TooLong => true,
            Self::NoLease(_) | Self::NoProvider => false,
        }
    }

    /// Whether no answer came in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let class = ErrorClass::Timeout;
        matches!(self, Self::TooLong) || matches!(self, Self::Attempt { class: of, .. } if *of == class)
    }

    /// Whether the provider could not be reached.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let class = ErrorClass::Unreachable;
        matches!(self, Self::Attempt { class: of, .. } if *of == class)
    }

    /// A short name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Attempt { class, .. } => class.as_str(),
            Self::NoLease(LeaseError::NoCredentials { .. }) => "no_credential",
            Self::NoLease(LeaseError::NoneAvailable { refusals, .. }) => state(refusals),
            Self::NoLease(LeaseError::PinGone { .. }) => "pin_gone",
            Self::NoLease(LeaseError::ProviderUnavailable { .. }) => "provider_down",
            Self::NoProvider => "no_provider",
            Self::TooLong => "request_too_long",
        }
    }

    /// The reason in words. Never a provider's own: a key that nobody here knows may stand in those.
    #[must_use]
    pub fn reason(&self) -> String {
        let words = match self {
            Self::Attempt {
                class, status, what, ..
            } => attempt_reason(*class, *status, what.as_deref()),
            Self::NoLease(LeaseError::NoCredentials { .. }) => "no credential".to_owned(),
            Self::NoLease(LeaseError::NoneAvailable { refusals, .. }) => counted(refusals),
            Self::NoLease(error) => error.to_string(),
            Self::NoProvider => "its provider is not configured any more".to_owned(),
            Self::TooLong => "the time of the request was over".to_owned(),
        };
        // To the second: no reader needs more.
        let until = self.rests_until().and_then(|at| {
            let ms = at.as_unix_ms().div_ceil(1000).saturating_mul(1000);
            rfc3339(Timestamp::from_unix_ms(ms))
        });
        match until {
            Some(until) => format!("{words} until {until}"),
            None => words,
        }
    }
}

fn attempt_reason(class: ErrorClass, status: Option<u16>, what: Option<&str>) -> String {
    let words = in_words(class);
    if let Some(what) = what {
        let what: String = mask_keys(what).chars().take(WHAT_CHARS_MAX).collect();
        return format!("{words}: {what}");
    }
    match status {
        Some(status) => format!("{words}, status {status}"),
        None => words.to_owned(),
    }
}

const fn in_words(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::RateLimit => "rate limited",
        ErrorClass::QuotaWindow => "the allowance of a longer window is used up",
        ErrorClass::QuotaHard => "out of money or allowance",
        ErrorClass::AuthDead => "the key is invalid, revoked or suspended",
        ErrorClass::AuthRefresh => "the login's token has run out",
        ErrorClass::CredentialUseForbidden => "the credential may not be used for the API",
        ErrorClass::Permission => "the key lacks a permission",
        ErrorClass::ModelAccess => "the key has no access to the model",
        ErrorClass::Overloaded => "overloaded",
        ErrorClass::TransientServer => "the provider failed",
        ErrorClass::CallerFault => "refused the request",
        ErrorClass::RegionBlocked => "the provider refuses this region",
        ErrorClass::Timeout => "no answer in time",
        ErrorClass::Unreachable => "unreachable",
    }
}

/// The state that a pool is soonest out of.
fn state(refusals: &Refusals) -> &'static str {
    match refusals {
        refusals if refusals.limited > 0 => "limited",
        refusals if refusals.cooling > 0 => "cooling",
        refusals if refusals.exhausted > 0 => "exhausted",
        refusals if refusals.disabled > 0 => "disabled",
        _ => "unavailable",
    }
}

/// `2 credentials cooling, 1 exhausted`.
fn counted(refusals: &Refusals) -> String {
    let parts: Vec<String> = [
        (refusals.cooling, "cooling"),
        (refusals.exhausted, "exhausted"),
        (refusals.disabled, "disabled"),
        (refusals.limited, "at their limit"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, state)| format!("{count} {state}"))
    .collect();
    if parts.is_empty() {
        "no credential is free".to_owned()
    } else {
        format!("no credential can be used: {}", parts.join(", "))
    }
}
