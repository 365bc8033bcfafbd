//! What the end of an attempt does to the member that made it.

use super::super::clock::Timestamp;
use super::super::cooldown::{Effect, SettleTerms, effect_of};
use super::super::credential::{AuthProfile, Fingerprint, ModelClass, ProfileId};
use super::super::credential_state::{CredentialState, LeaseOrder, RestEvidence, Standing, StateName};
use super::super::lease::Transition;
use super::super::outcome::{ErrorClass, Verdict};
use super::{CLASSES_MAX, ClassStandings, KeyPool};

/// A failed attempt as the book tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) class: &'a ModelClass,
    pub(crate) verdict: &'a Verdict,
    pub(crate) terms: SettleTerms,
    pub(crate) lease: LeaseOrder,
    /// The secret that the attempt was made with.
    pub(crate) secret: Fingerprint,
    /// Whether the lease was still known; a stale one may rest a credential but is counted nowhere.
    pub(crate) counted: bool,
}

// === impl KeyPool ===

impl KeyPool {
    /// Applies a failure; says if a state changed.
    pub(crate) fn fail(&mut self, index: usize, failure: &Failure<'_>, now: Timestamp) -> Option<Transition> {
        let random = self.random.f64();
        let member = self.members.get_mut(index)?;
        if failure.counted && failure.verdict.class.is_throttle() {
            member.throttles += 1;
        }
        match effect_of(failure.verdict, failure.terms, &self.policy, now) {
            Effect::Nothing => None,
            Effect::Disable { class } => self.disable(index, class, failure.secret, now),
            Effect::Rest {
                per_model,
                class,
                stated,
                hint,
            } => {
                let evidence = RestEvidence {
                    class,
                    stated,
                    hint,
                    lease: failure.lease,
                    random,
                };
                if per_model && self.has_room_for(failure.class, now) {
                    self.rest_for_class(index, failure.class, &evidence, now)
                } else {
                    self.rest(index, &evidence, now)
                }
            }
        }
    }

    /// Takes the member out of use, unless it has been given another secret than the one that was refused.
    pub(crate) fn disable(
        &mut self,
        index: usize,
        class: ErrorClass,
        refused: Fingerprint,
        now: Timestamp,
    ) -> Option<Transition> {
        let member = self.members.get_mut(index)?;
        if member.profile.secret.fingerprint() != refused {
            return None;
        }
        member.standing = member.standing.disabled(class, refused)?;
        self.refresh_member(index, now);
        self.transition(index, None, now)
    }

    /// Puts the renewed secret of `fresh` in the place of that of `from`; says if that brought the member back.
    pub(crate) fn renew(
        &mut self,
        index: usize,
        from: &AuthProfile,
        fresh: &AuthProfile,
        now: Timestamp,
    ) -> Option<Transition> {
        let is_back = self.members.get_mut(index)?.renew(from, fresh);
        self.refresh_member(index, now);
        is_back.then(|| self.transition(index, None, now)).flatten()
    }

    fn rest(&mut self, index: usize, evidence: &RestEvidence, now: Timestamp) -> Option<Transition> {
        let member = self.members.get_mut(index)?;
        member.standing = member.standing.rested(evidence, now, &self.policy)?;
        self.refresh_member(index, now);
        self.transition(index, None, now)
    }

    fn rest_for_class(
        &mut self,
        index: usize,
        class: &ModelClass,
        evidence: &RestEvidence,
        now: Timestamp,
    ) -> Option<Transition> {
        let before = self.classes.get(class).and_then(|cells| cells.get(index));
        let next = before
            .unwrap_or(&Standing::default())
            .rested(evidence, now, &self.policy)?;
        let members = self.members.len();
        self.classes
            .entry(class.clone())
            .or_insert_with(|| ClassStandings::sized(members))
            .put(index, next);
        self.refresh_class(index, class, now);
        self.transition(index, Some(class), now)
    }

    /// Whether something may be remembered for `class`; classes that only remember past failures make room.
    fn has_room_for(&mut self, class: &ModelClass, now: Timestamp) -> bool {
        if self.classes.len() < CLASSES_MAX || self.classes.contains_key(class) {
            return true;
        }
        self.classes.retain(|_, cells| cells.any_open(now));
        self.classes.len() < CLASSES_MAX
    }

    /// Applies a success under lease `id`; says if a state changed.
    pub(crate) fn succeed(
        &mut self,
        index: usize,
        class: &ModelClass,
        id: u64,
        now: Timestamp,
    ) -> Option<Transition> {
        let cell = self.classes.get_mut(class).and_then(|cells| {
            let before = cells.get(index)?;
            let next = before.succeeded(id)?;
            let was_open = before.open_rest(now).is_some();
            cells.put(index, next);
            Some(was_open)
        });
        if cell.is_some() {
            self.refresh_class(index, class, now);
        }
        let member = self.members.get_mut(index)?;
        let was_open = member.standing.open_rest(now).is_some();
        let whole = member.standing.succeeded(id);
        if let Some(next) = whole {
            member.standing = next;
            self.refresh_member(index, now);
            if was_open {
                return self.transition(index, None, now);
            }
        }
        if cell == Some(true) {
            return self.transition(index, Some(class), now);
        }
        None
    }

    /// Makes every credential of that name available again, whatever kept it away; says of which anything did. Each
    /// agent's store may have one of its own under it.
    pub(crate) fn clear(&mut self, profile: &ProfileId, now: Timestamp) -> Vec<Transition> {
        let named = |index: &usize| {
            let member = self.members.get(*index);
            let renamed = self.views.iter().filter_map(|view| view.renamed(*index));
            let mut known = member.map(|member| &member.profile).into_iter().chain(renamed);
            known.any(|known| known.id == *profile)
        };
        let indices: Vec<usize> = (0..self.members.len()).filter(named).collect();
        indices
            .into_iter()
            .filter_map(|index| self.clear_member(index, now))
            .collect()
    }

    fn clear_member(&mut self, index: usize, now: Timestamp) -> Option<Transition> {
        let classes: Vec<ModelClass> = self
            .classes
            .iter()
            .filter(|(_, cells)| cells.get(index).is_some())
            .map(|(class, _)| class.clone())
            .collect();
        for class in &classes {
            if let Some(cells) = self.classes.get_mut(class) {
                cells.remove(index);
                if cells.is_empty() {
                    self.classes.remove(class);
                }
            }
        }
        let member = self.members.get_mut(index)?;
        let changed = member.standing != Standing::default() || !classes.is_empty();
        member.standing = Standing::default();
        self.refresh_member(index, now);
        changed.then(|| self.transition(index, None, now)).flatten()
    }

    /// Puts a saved standing back, for all models or for one class.
    pub(crate) fn restore(
        &mut self,
        index: usize,
        class: Option<&ModelClass>,
        standing: Standing,
        now: Timestamp,
    ) {
        let standing = standing.bounded(now, &self.policy);
        match class {
            None => {
                if let Some(member) = self.members.get_mut(index) {
                    member.standing = standing;
                }
                self.refresh_member(index, now);
            }
            Some(class) if self.has_room_for(class, now) && index < self.members.len() => {
                let members = self.members.len();
                self.classes
                    .entry(class.clone())
                    .or_insert_with(|| ClassStandings::sized(members))
                    .put(index, standing);
                self.refresh_class(index, class, now);
            }
            Some(_) => {}
        }
    }

    /// Puts saved counters back.
    pub(crate) fn restore_use(
        &mut self,
        index: usize,
        requests: u64,
        throttles: u64,
        last_used: Option<Timestamp>,
    ) {
        if let Some(member) = self.members.get_mut(index) {
            member.requests = requests;
            member.throttles = throttles;
            member.last_used = last_used;
        }
    }

    /// The state that the member is in now, as a log line tells it.
    fn transition(&self, index: usize, class: Option<&ModelClass>, now: Timestamp) -> Option<Transition> {
        let member = self.members.get(index)?;
        let standing = match class {
            None => Some(&member.standing),
            Some(class) => self.classes.get(class).and_then(|cells| cells.get(index)),
        };
        let rest = standing.and_then(|standing| standing.open_rest(now));
        let dead = standing.and_then(|standing| match standing.state {
            CredentialState::Disabled { class, .. } => Some(class),
            _ => None,
        });
        Some(Transition {
            profile: member.profile.id.clone(),
            fingerprint: member.profile.secret.fingerprint(),
            model_class: class.cloned(),
            state: standing.map_or(StateName::Available, |standing| standing.name(now)),
            class: rest.map(|rest| rest.class).or(dead),
            until: rest.map(|rest| rest.until),
            hint: rest.and_then(|rest| rest.hint.clone()),
        })
    }
}
