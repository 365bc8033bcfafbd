//! `KeyPool`: the deduplicated, ordered credentials of one provider, and which of them may be leased now.
//!
//! A lease costs the same with ten members and with ten thousand, most of them cooling. So nothing walks the
//! members: a bit set says which are ready, another one for each model class *that something is cooling for* says
//! which are blocked there, and choosing is a scan over machine words. Time changes a bit only through a heap of
//! instants, and each entry of it is just a reason to look again: a stale one does no harm.

mod class_standings;
mod intake;
mod member;
mod refusals;
mod scan;
mod settle;
mod succession;
mod views;
mod wakes;
mod whose;

use std::collections::HashMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::clock::Timestamp;
use super::cooldown::CooldownPolicy;
use super::credential::{AgentId, AuthProfile, Identity, ModelClass};
use super::lease::{Place, Refusals, Tried};
use super::members::Members;
use super::plan::Strategy;
use super::selection::Selection;
use class_standings::ClassStandings;
use intake::Intake;
pub(crate) use member::Member;
use scan::next_free;
pub(crate) use settle::Failure;
pub(crate) use succession::Origins;
use views::View;
use wakes::Wakes;
pub(crate) use whose::Whose;

/// Model classes that may be cooling at once in one pool. Callers choose model names, so this bounds what they can
/// make the pool remember; a class beyond it rests the whole credential.
pub const CLASSES_MAX: usize = 256;

/// The members of one provider's pool with their states; an index is a rank of the default agent.
#[derive(Debug)]
pub(crate) struct KeyPool {
    /// Those of the default agent in its order, then those that only other agents have.
    members: Vec<Member>,
    /// How many are the default agent's.
    of_default: usize,
    /// What other agents have in the place of these.
    views: Vec<View>,
    view_of: HashMap<AgentId, usize>,
    by_identity: Arc<HashMap<Identity, usize>>,
    strategy: Strategy,
    policy: CooldownPolicy,
    generation: u64,
    /// Members that nothing but a model class may keep from being leased.
    ready: FixedBitSet,
    /// What is kept for single model classes; a class is here only while something is remembered for it.
    classes: HashMap<ModelClass, ClassStandings>,
    wakes: Wakes,
    /// Where the default agent's ring of [`Strategy::Balanced`] goes on.
    cursor: usize,
    /// Refusals, of everyone and of each view, that hold until a state changes or their soonest instant comes.
    refusals: HashMap<(Whose, ModelClass), Refusals>,
    random: fastrand::Rng,
}

// === impl KeyPool ===

impl KeyPool {
    /// The pool of `members`, each credential once, at its first position.
    pub(crate) fn new(
        members: impl Into<Members>,
        strategy: Strategy,
        policy: CooldownPolicy,
        now: Timestamp,
    ) -> Self {
        let Intake {
            members,
            of_default,
            by_identity,
            views,
            view_of,
        } = Intake::of(members.into());
        let mut pool = Self {
            ready: FixedBitSet::with_capacity(members.len()),
            members,
            of_default,
            views,
            view_of,
            by_identity: Arc::new(by_identity),
            strategy,
            policy,
            generation: 0,
            classes: HashMap::new(),
            wakes: Wakes::default(),
            cursor: 0,
            refusals: HashMap::new(),
            random: fastrand::Rng::with_seed(now.as_unix_nanos()),
        };
        pool.refresh(now);
        pool
    }

    /// Everyone's members: those of the default agent in order, then those that only others have.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn strategy(&self) -> Strategy {
        self.strategy
    }

    pub(crate) fn policy(&self) -> &CooldownPolicy {
        &self.policy
    }

    /// What is remembered for single model classes.
    pub(crate) fn classes(&self) -> &HashMap<ModelClass, ClassStandings> {
        &self.classes
    }

    /// The place of the member that is that credential.
    pub(crate) fn index_of(&self, place: Place, profile: &AuthProfile) -> Option<usize> {
        if place.generation == self.generation {
            return Some(place.index);
        }
        self.find(profile)
    }

    /// The member that is the credential of `profile`.
    pub(crate) fn find(&self, profile: &AuthProfile) -> Option<usize> {
        self.identified(&profile.identity())
    }

    /// The member of that identity.
    pub(crate) fn identified(&self, identity: &Identity) -> Option<usize> {
        self.by_identity.get(identity).copied()
    }

    /// The member that a lease for `class` would get: as `selection` wants it and else by the strategy, of those that
    /// are `whose`, are ready and were not tried.
    ///
    /// Balanced is a ring. Each lease moves the cursor behind the member it took, so among the members that stayed
    /// available the ring's order from the cursor on is the order of their last use, oldest first; one that was
    /// away keeps its place, and waits at most one round.
    pub(crate) fn choose(
        &self,
        class: Option<&ModelClass>,
        tried: &Tried,
        selection: Selection,
        whose: Whose,
    ) -> Option<usize> {
        let blocked = class
            .and_then(|class| self.classes.get(class))
            .map(ClassStandings::blocked);
        let tried: SmallVec<[usize; 4]> = tried
            .0
            .iter()
            .filter_map(|(place, profile)| self.index_of(*place, profile))
            .collect();
        let is_free = |index: &usize| {
            self.ready.contains(*index)
                && !blocked.is_some_and(|blocked| blocked.contains(*index))
                && !tried.contains(index)
        };
        match selection {
            Selection::Any => {}
            Selection::Only(identity) => return self.identified_of(whose, &identity).filter(is_free),
            Selection::Prefer(identity) => {
                let preferred = self.identified_of(whose, &identity).filter(is_free);
                if preferred.is_some() {
                    return preferred;
                }
            }
        }
        let ring = match self.strategy {
            Strategy::Priority => 0,
            Strategy::Balanced => self.ring(whose),
        };
        let end = self.count_of(whose);
        let next = |from| match self.view(whose) {
            Some(view) => view.next_free(from, &self.ready, blocked, &tried),
            None => next_free(&self.ready, from..end, blocked, &tried),
        };
        match next(ring) {
            None if ring > 0 => next(0),
            next => next,
        }
    }

    /// Lets time pass: looks again at everything whose instant has come.
    pub(crate) fn wake(&mut self, now: Timestamp) {
        while let Some((index, class)) = self.wakes.pop_due(now) {
            self.refusals.clear();
            match class {
                None => self.refresh_member(index, now),
                Some(class) => self.refresh_class(index, &class, now),
            }
        }
    }

    /// Uses the member up by one lease for `class`; the caller has just chosen it and has the id.
    pub(crate) fn take(
        &mut self,
        index: usize,
        whose: Whose,
        class: &ModelClass,
        now: Timestamp,
    ) -> Option<Place> {
        let member = self.members.get_mut(index)?;
        let whole_member_changes = member.take(now, &self.policy);
        match whose {
            Whose::Default | Whose::Everyone => self.cursor = index + 1,
            Whose::View(view) => {
                if let Some(view) = self.views.get_mut(view) {
                    view.last = Some(index);
                }
            }
        }
        if whole_member_changes {
            self.refresh_member(index, now);
        }
        if let Some(standings) = self.classes.get_mut(class)
            && standings.test_taken(index, now, &self.policy)
        {
            self.refresh_class(index, class, now);
        }
        Some(Place {
            generation: self.generation,
            index,
        })
    }

    /// Ends one attempt of the member.
    pub(crate) fn release(&mut self, index: usize, now: Timestamp) {
        if let Some(member) = self.members.get_mut(index)
            && member.release()
        {
            self.refresh_member(index, now);
        }
    }

    /// Derives the ready bit of one member, and when to look again.
    fn refresh_member(&mut self, index: usize, now: Timestamp) {
        let Some(member) = self.members.get_mut(index) else {
            return;
        };
        self.refusals.clear();
        member.standing.forget(now, &self.policy);
        self.ready.set(index, member.is_ready(now));
        if let Some(at) = member.next_change(now, &self.policy) {
            self.wakes.push(at, index, None);
        }
        self.compact_wakes(now);
    }

    /// Derives the blocked bit of one member for one class, and when to look again.
    fn refresh_class(&mut self, index: usize, class: &ModelClass, now: Timestamp) {
        self.refusals.clear();
        let Some(standings) = self.classes.get_mut(class) else {
            return;
        };
        let next = standings.refresh(index, now, &self.policy);
        if standings.is_empty() {
            self.classes.remove(class);
        }
        if let Some(at) = next {
            self.wakes.push(at, index, Some(class.clone()));
        }
        self.compact_wakes(now);
    }

    /// Drops stale wakes once they outnumber what can be waited for.
    fn compact_wakes(&mut self, now: Timestamp) {
        if !self.wakes.is_bloated(self.members.len()) {
            return;
        }
        let cells: usize = self.classes.values().map(ClassStandings::len).sum();
        if !self.wakes.is_bloated(self.members.len() + cells) {
            return;
        }
        self.wakes.clear();
        for (index, member) in self.members.iter().enumerate() {
            if let Some(at) = member.next_change(now, &self.policy) {
                self.wakes.push(at, index, None);
            }
        }
        for (class, standings) in &self.classes {
            for (index, at) in standings.next_changes(now, &self.policy) {
                self.wakes.push(at, index, Some(class.clone()));
            }
        }
    }

    /// Leaves everything that is derived as a change that panicked half-way might.
    #[cfg(any(test, feature = "chaos"))]
    pub(crate) fn spoil(&mut self) {
        self.ready.clear();
        self.wakes.clear();
        for member in &mut self.members {
            member.in_flight += 7;
        }
    }
}

#[cfg(test)]
mod tests;
