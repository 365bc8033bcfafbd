//! How a pool takes the place of the one before it, and how everything that is derived is derived anew.
//!
//! A pool of ten thousand is replaced while requests wait for the lock, so that whatever can be found out without the
//! lock is found out before: the new members themselves, and which old one each of them was.

use std::collections::HashMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::super::clock::Timestamp;
use super::super::credential::Identity;
use super::{KeyPool, Wakes, Whose};

/// The members of a pool as they are told apart, to be read without the lock.
#[derive(Clone, Debug)]
pub(crate) struct Ancestry {
    generation: u64,
    by_identity: Arc<HashMap<Identity, usize>>,
}

/// Which member of an older pool each member of a new one was.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    generation: u64,
    places: Vec<Option<usize>>,
}

// === impl Ancestry ===

impl Ancestry {
    /// Where the members of `next` come from.
    pub(crate) fn origins_of(&self, next: &KeyPool) -> Origins {
        let place = |identity: &Identity| self.by_identity.get(identity).copied();
        Origins {
            generation: self.generation,
            places: next
                .members
                .iter()
                .map(|member| place(&member.identity))
                .collect(),
        }
    }
}

// === impl KeyPool ===

impl KeyPool {
    /// What is needed to say where the members of the next pool come from.
    pub(crate) fn ancestry(&self) -> Ancestry {
        Ancestry {
            generation: self.generation,
            by_identity: Arc::clone(&self.by_identity),
        }
    }

    /// This pool, just made, in the place of `before`: a credential that stays keeps its state, its counters and
    /// what it has used up. Disabled is only kept for the secret that was refused, under the same id. What is
    /// derived is not: the caller goes on with [`Self::rebuild`].
    ///
    /// `origins` that speak of another pool than `before` are found again.
    pub(crate) fn following(mut self, before: &Self, mut origins: Origins) -> Self {
        if origins.generation != before.generation {
            origins = before.ancestry().origins_of(&self);
        }
        self.generation = before.generation + 1;
        let mut moved = vec![None; before.members.len()];
        for (index, (member, origin)) in self.members.iter_mut().zip(origins.places).enumerate() {
            let old = origin.and_then(|origin| Some((before.members.get(origin)?, moved.get_mut(origin)?)));
            if let Some((before, to)) = old {
                member.take_over(before);
                *to = Some(index);
            }
        }
        for (class, standings) in &before.classes {
            let standings = standings.moved(&moved, self.members.len());
            if !standings.is_empty() {
                self.classes.insert(class.clone(), standings);
            }
        }
        // The ring goes on behind the member that was taken last, wherever that is now.
        let last = before
            .cursor
            .checked_sub(1)
            .and_then(|last| moved.get(last).copied());
        self.cursor = last.flatten().map_or(0, |last| last + 1);
        for (agent, view) in &self.view_of {
            let Whose::View(earlier) = before.whose(Some(agent)) else {
                continue;
            };
            let last = before.views.get(earlier).and_then(|earlier| earlier.last);
            let last = last.and_then(|last| moved.get(last).copied().flatten());
            if let Some(view) = self.views.get_mut(*view) {
                view.last = last;
            }
        }
        self
    }

    /// Recounts attempts under way from the members of live leases, and everything that is derived.
    pub(crate) fn rebuild(&mut self, live: impl Iterator<Item = usize>, now: Timestamp) {
        for member in &mut self.members {
            member.in_flight = 0;
        }
        for index in live {
            if let Some(member) = self.members.get_mut(index) {
                member.in_flight += 1;
            }
        }
        self.refresh(now);
    }

    /// Derives every bit and every wake anew from the members' states.
    pub(super) fn refresh(&mut self, now: Timestamp) {
        self.refusals.clear();
        let (members, policy) = (self.members.len(), &self.policy);
        let mut wakes = Vec::with_capacity(members);
        self.ready = FixedBitSet::with_capacity(members);
        for (index, member) in self.members.iter_mut().enumerate() {
            member.standing.forget(now, policy);
            self.ready.set(index, member.is_ready(now));
            let next = member.next_change(now, policy);
            wakes.extend(next.map(|at| (at, index, None)));
        }
        self.classes.retain(|class, standings| {
            standings.refresh_all(members, now, policy);
            let next = standings.next_changes(now, policy);
            wakes.extend(next.map(|(index, at)| (at, index, Some(class.clone()))));
            !standings.is_empty()
        });
        self.wakes = Wakes::of(wakes);
    }
}
