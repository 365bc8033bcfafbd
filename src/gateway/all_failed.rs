//! The one error that a caller hears when more than one model was tried and none served.

use std::fmt::Write as _;

use coderclaw_actors::domain::clock::Timestamp;

use super::dialect::Trouble;
use super::failure::Failure;
use super::respond::{ErrorReply, RETRY_AFTER_LONGEST};
use crate::config::Target;

#[cfg(test)]
mod tests;

/// The gateway's own name for it.
const CODE: &str = "all_models_failed";
/// So many characters of a model's name are shown.
const MODEL_CHARS_MAX: usize = 100;
/// Once a message has so many bytes, the other models are only counted.
const MESSAGE_BYTES_MAX: usize = 2000;

/// A model that did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The model.
    pub target: Target,
    /// Why not.
    pub failure: Failure,
}

/// The error for `failed`, in the order in which they were tried.
#[must_use]
pub fn all_failed(failed: &[Failed], now: Timestamp) -> ErrorReply {
    let any = |is: fn(&Failure) -> bool| failed.iter().any(|one| is(&one.failure));
    let rest = failed.iter().filter_map(|one| one.failure.rests_until()).min();
    let trouble = if rest.is_some() {
        Trouble::RateLimited
    } else if failed.iter().all(|one| one.failure.is_timeout()) {
        Trouble::GatewayTimeout
    } else if failed.iter().all(|one| one.failure.is_unreachable()) {
        Trouble::BadGateway
    } else {
        Trouble::Unavailable
    };
    let reply = ErrorReply::new(trouble, CODE, message(failed));
    match rest {
        // A rest may last for hours, and an outage be over in a moment.
        Some(at) if any(Failure::is_outage) => {
            reply.with_recovery(Some(at.min(now.after(RETRY_AFTER_LONGEST))), now)
        }
        Some(at) => reply.with_recovery(Some(at), now),
        None if any(Failure::is_outage) => reply,
        // Nothing but help from outside changes this: no SDK need try again at once.
        None => reply.with("x-should-retry", "false"),
    }
}

fn message(failed: &[Failed]) -> String {
    let mut message = format!("All models failed ({}): ", failed.len());
    for (place, Failed { target, failure }) in failed.iter().enumerate() {
        if place > 0 {
            message.push_str(" | ");
        }
        if message.len() > MESSAGE_BYTES_MAX {
            // Writing to a String can't fail.
            let _infallible = write!(message, "and {} more", failed.len() - place);
            break;
        }
        let name: String = target.to_string().chars().take(MODEL_CHARS_MAX).collect();
        let _infallible = write!(message, "{name}: {} ({})", failure.reason(), failure.code());
    }
    message
}
