//! The instants at which time alone may change who can be leased.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::clock::Timestamp;
use super::super::credential::ModelClass;

/// Stale entries are dropped when there are this many times more entries than things to wait for.
const BLOAT_FACTOR: usize = 4;
/// Below this many entries nothing is worth dropping.
const BLOAT_MIN: usize = 64;

/// A heap of (instant, member, model class or all). An entry is never taken back: whoever pops it looks at the
/// state as it is by then.
#[derive(Debug, Default)]
pub(super) struct Wakes(BinaryHeap<Reverse<Wake>>);

/// When to look again at which member, for which model class or for all.
pub(super) type Wake = (Timestamp, usize, Option<ModelClass>);

impl Wakes {
    /// All of `wakes`, which costs less than to push each.
    pub(super) fn of(wakes: Vec<Wake>) -> Self {
        Self(wakes.into_iter().map(Reverse).collect())
    }

    pub(super) fn push(&mut self, at: Timestamp, index: usize, class: Option<ModelClass>) {
        self.0.push(Reverse((at, index, class)));
    }

    /// The next entry whose instant has come.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(usize, Option<ModelClass>)> {
        if self.0.peek().is_none_or(|Reverse((at, ..))| *at > now) {
            return None;
        }
        self.0.pop().map(|Reverse((_, index, class))| (index, class))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether most entries must be stale, given how many `things` there are to wait for.
    pub(super) fn is_bloated(&self, things: usize) -> bool {
        self.0.len() > BLOAT_MIN.max(BLOAT_FACTOR * things)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
