//! Notices to a provider's actor, kept where a crash of the actor can't lose them.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::domain::lease::Transition;

/// More than this wait for no actor; the oldest goes first.
const NOTICES_MAX: usize = 1024;

/// A bounded queue of state changes. It belongs to the handle, not to the mailbox, so that what was told to an
/// actor that has died is found by the one that follows.
#[derive(Debug, Default)]
pub(super) struct NoticeQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    notices: VecDeque<Transition>,
    dropped: u64,
}

impl NoticeQueue {
    /// Adds a notice; true if none was waiting, so that the actor must be told.
    pub(super) fn push(&self, notice: Transition) -> bool {
        let mut waiting = self.0.lock();
        let first = waiting.notices.is_empty();
        if waiting.notices.len() >= NOTICES_MAX {
            waiting.notices.pop_front();
            waiting.dropped += 1;
        }
        waiting.notices.push_back(notice);
        first
    }

    /// The oldest notice.
    pub(super) fn pop(&self) -> Option<Transition> {
        self.0.lock().notices.pop_front()
    }

    /// How many were dropped since this was last asked.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.0.lock().dropped)
    }
}
