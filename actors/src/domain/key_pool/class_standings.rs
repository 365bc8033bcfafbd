//! What is remembered of the members for one model class.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::super::clock::Timestamp;
use super::super::cooldown::CooldownPolicy;
use super::super::credential_state::{Admission, Standing};

/// The standings of those members that were throttled for the class, and a bit for each that may not be leased.
#[derive(Debug, Default)]
pub(crate) struct ClassStandings {
    blocked: FixedBitSet,
    /// The members in `standings`: most leases are of others, and a bit is told sooner than an entry.
    remembered: FixedBitSet,
    standings: HashMap<usize, Standing>,
}

// === impl ClassStandings ===

impl ClassStandings {
    /// Room for `members`.
    pub(super) fn sized(members: usize) -> Self {
        Self {
            blocked: FixedBitSet::with_capacity(members),
            remembered: FixedBitSet::with_capacity(members),
            standings: HashMap::new(),
        }
    }

    pub(super) fn blocked(&self) -> &FixedBitSet {
        &self.blocked
    }

    pub(super) fn is_empty(&self) -> bool {
        self.standings.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.standings.len()
    }

    /// The standing of one member.
    pub(crate) fn get(&self, index: usize) -> Option<&Standing> {
        if !self.remembered.contains(index) {
            return None;
        }
        self.standings.get(&index)
    }

    pub(super) fn put(&mut self, index: usize, standing: Standing) {
        self.remembered.grow_and_insert(index);
        self.standings.insert(index, standing);
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.standings.remove(&index);
        if index < self.blocked.len() {
            self.blocked.set(index, false);
            self.remembered.set(index, false);
        }
    }

    /// The members that something is remembered of.
    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.standings.keys().copied()
    }

    /// Whether any window is open at `now`.
    pub(super) fn any_open(&self, now: Timestamp) -> bool {
        self.standings
            .values()
            .any(|standing| standing.open_rest(now).is_some())
    }

    /// Forgets what is past or lies beyond `members`, and derives every bit anew.
    pub(super) fn refresh_all(&mut self, members: usize, now: Timestamp, policy: &CooldownPolicy) {
        let (mut blocked, mut remembered) = (
            FixedBitSet::with_capacity(members),
            FixedBitSet::with_capacity(members),
        );
        self.standings.retain(|index, standing| {
            if *index >= members || standing.forget(now, policy) {
                return false;
            }
            blocked.set(*index, standing.admission(now) == Admission::No);
            remembered.insert(*index);
            true
        });
        (self.blocked, self.remembered) = (blocked, remembered);
    }

    /// The same for members that have `moved` from one index to another.
    pub(super) fn moved(&self, moved: &[Option<usize>], members: usize) -> Self {
        let mut next = Self::sized(members);
        next.standings.reserve(self.standings.len().min(members));
        for (index, standing) in &self.standings {
            if let Some(Some(to)) = moved.get(*index) {
                next.put(*to, standing.clone());
            }
        }
        next
    }

    /// Notes that a lease was taken; true if it was the test of an open window.
    pub(super) fn test_taken(&mut self, index: usize, now: Timestamp, policy: &CooldownPolicy) -> bool {
        if !self.remembered.contains(index) {
            return false;
        }
        let Some(standing) = self.standings.get_mut(&index) else {
            return false;
        };
        let test = standing.admission(now) == Admission::Test;
        if test {
            standing.test_taken(now, policy);
        }
        test
    }

    /// Derives one member's bit and forgets what is past; says when to look again.
    pub(super) fn refresh(
        &mut self,
        index: usize,
        now: Timestamp,
        policy: &CooldownPolicy,
    ) -> Option<Timestamp> {
        let standing = self.standings.get_mut(&index)?;
        if standing.forget(now, policy) {
            self.remove(index);
            return None;
        }
        let blocked = standing.admission(now) == Admission::No;
        let next = standing.next_change(now, policy);
        if index < self.blocked.len() {
            self.blocked.set(index, blocked);
        }
        next
    }

    /// When to look again at each member.
    pub(super) fn next_changes<'a>(
        &'a self,
        now: Timestamp,
        policy: &'a CooldownPolicy,
    ) -> impl Iterator<Item = (usize, Timestamp)> + 'a {
        self.standings
            .iter()
            .filter_map(move |(index, standing)| Some((*index, standing.next_change(now, policy)?)))
    }
}
