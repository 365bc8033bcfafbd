//! How long a model that keeps callers waiting for nothing is left alone. Pure: time is an argument.
//!
//! A primary that refuses costs its callers nothing: each request asks it first. One that hangs costs each of them the
//! whole wait. Once may be chance; from the second time in a row on it is left alone for a while, and then one request
//! at a time finds out whether it is well. The first that it serves ends all of it.

use std::time::Duration;

use coderclaw_actors::domain::clock::Timestamp;

#[cfg(test)]
mod tests;

/// So many waits in vain in a row are chance.
const CHANCES: u32 = 1;
/// The first pause; each further wait in vain doubles it.
const PAUSE_FIRST: Duration = Duration::from_secs(30);
/// The longest pause: a model that is well again is found within it.
const PAUSE_LONGEST: Duration = Duration::from_mins(2);

/// The waits in vain so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    in_a_row: u32,
    /// When the last of them was over.
    last: Option<Timestamp>,
    /// Until when the model is left alone.
    until: Option<Timestamp>,
}

impl Patience {
    /// A request that came at `started` waited in vain. Those that waited at the same time count once.
    pub(super) fn waited(&mut self, started: Timestamp, now: Timestamp) {
        if self.last.is_some_and(|last| started < last) {
            return;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.last = Some(now);
        if let Some(doublings) = self.in_a_row.checked_sub(CHANCES + 1) {
            let pause = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(doublings));
            self.until = Some(now.after(pause.min(PAUSE_LONGEST)));
        }
    }

    /// Whether a request may ask the model now. The one that may after a pause is alone with that for another.
    pub(super) fn may_ask(&mut self, now: Timestamp) -> bool {
        match self.until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now.after(PAUSE_LONGEST));
                true
            }
        }
    }
}
