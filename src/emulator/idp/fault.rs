//! Faults of the token endpoint on demand.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refuse;
use crate::emulator::answer::Answer;
use crate::emulator::tap::Sabotage;

/// Delay of a fault that does not say it, in milliseconds.
const DELAY_MS: u64 = 1000;

/// Bytes that are sent at a time by `drip`.
const DRIP_BYTES: usize = 16;

/// Bytes of an answer after which `half_after` cuts: the head and some of the body.
const HALF_BYTES: usize = 260;

/// What happens at the token endpoint. "After" means that the grant was already honoured, and the tokens rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdpFaultKind {
    /// The good answer comes after `delayMs`.
    DelayAfter,
    /// The good answer comes a few bytes at a time, `delayMs` between them.
    Drip,
    /// 500, and nothing was done.
    ServerError,
    /// 500, and everything was done.
    ServerErrorAfter,
    /// The connection closes, and nothing was done.
    CutBefore,
    /// The connection closes instead of an answer.
    CutAfter,
    /// The connection closes in the middle of the answer.
    HalfAfter,
    /// No answer ever comes.
    HangAfter,
    /// The good answer without a refresh token; the old one goes on living.
    NoRefreshToken,
}

/// Which grant is asked for at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// A code from the authorize page.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// A device code.
    DeviceCode,
}

/// A fault and the token requests that it hits. The first of the list that fires wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdpFault {
    /// What happens.
    pub fault: IdpFaultKind,
    /// Only requests of this grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Not the first so many.
    #[serde(default)]
    pub skip: u64,
    /// Only so many; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The delay, in milliseconds; 1000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

impl IdpFault {
    /// This fault on every refresh.
    #[must_use]
    pub fn on_refresh(fault: IdpFaultKind) -> Self {
        Self {
            fault,
            grant: Some(Grant::RefreshToken),
            skip: 0,
            first: None,
            delay_ms: None,
        }
    }

    /// The same, for so many requests only.
    #[must_use]
    pub const fn first(mut self, count: u64) -> Self {
        self.first = Some(count);
        self
    }

    /// The same, with this delay.
    #[must_use]
    pub const fn delay_ms(mut self, delay_ms: u64) -> Self {
        self.delay_ms = Some(delay_ms);
        self
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(DELAY_MS))
    }

    /// The answer, if nothing is to be done.
    pub(super) fn instead(&self) -> Option<Answer> {
        match self.fault {
            IdpFaultKind::ServerError => Some(server_error()),
            IdpFaultKind::CutBefore => Some(cut(server_error(), 0)),
            _ => None,
        }
    }

    /// What becomes of the answer after everything was done.
    pub(super) fn spoil(&self, mut answer: Answer) -> Answer {
        match self.fault {
            IdpFaultKind::DelayAfter => answer.delay = self.delay(),
            IdpFaultKind::Drip => {
                answer.sabotage = Sabotage::Drip {
                    bytes: DRIP_BYTES,
                    delay: self.delay(),
                };
            }
            IdpFaultKind::ServerErrorAfter => return server_error(),
            IdpFaultKind::CutAfter => return cut(answer, 0),
            IdpFaultKind::HalfAfter => return cut(answer, HALF_BYTES),
            IdpFaultKind::HangAfter => answer.hangs = true,
            IdpFaultKind::ServerError | IdpFaultKind::CutBefore | IdpFaultKind::NoRefreshToken => {}
        }
        answer
    }
}

fn server_error() -> Answer {
    refuse(500, "server_error", "something went wrong here")
}

fn cut(mut answer: Answer, bytes: usize) -> Answer {
    answer.sabotage = Sabotage::Truncate { bytes };
    answer
}

/// A fault at work.
#[derive(Debug)]
pub(super) struct FaultAtWork {
    pub(super) spec: IdpFault,
    met: u64,
    fired: u64,
}

impl FaultAtWork {
    pub(super) const fn new(spec: IdpFault) -> Self {
        Self {
            spec,
            met: 0,
            fired: 0,
        }
    }

    /// Whether this request is hit; counts it.
    pub(super) fn fires(&mut self, grant: Grant) -> bool {
        if self.spec.grant.is_some_and(|wanted| wanted != grant) {
            return false;
        }
        self.met += 1;
        let fires = self.met > self.spec.skip && self.spec.first.is_none_or(|first| self.fired < first);
        self.fired += u64::from(fires);
        fires
    }
}
