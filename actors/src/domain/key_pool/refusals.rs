//! Why a pool has nobody to lease, and when that changes.

use std::time::Duration;

use super::super::clock::Timestamp;
use super::super::credential::ModelClass;
use super::super::credential_state::StateName;
use super::super::lease::Refusals;
use super::{CLASSES_MAX, KeyPool, Whose};

/// How long a refused caller is told to wait for a credential that is merely busy.
const BUSY_RETRY: Duration = Duration::from_secs(1);

// === impl KeyPool ===

impl KeyPool {
    /// Why none of the members that are `whose` can be leased for `class`, and when that changes.
    ///
    /// The one thing that walks the members. Its answer is kept until a state changes or its instant comes, so
    /// that a storm of refused callers does not pay for it again.
    pub(crate) fn refusals(&mut self, whose: Whose, class: &ModelClass, now: Timestamp) -> Refusals {
        let key = (whose, class.clone());
        if let Some(known) = self.refusals.get(&key)
            && known.soonest.is_none_or(|soonest| now < soonest)
        {
            return *known;
        }
        let refusals = self.count_refusals(self.indices_of(whose), class, now);
        if self.refusals.len() >= CLASSES_MAX {
            self.refusals.clear();
        }
        self.refusals.insert(key, refusals);
        refusals
    }

    /// Why one member can't be leased for `class`, and when that changes.
    pub(crate) fn refusals_of(&self, index: usize, class: &ModelClass, now: Timestamp) -> Refusals {
        self.count_refusals(std::iter::once(index), class, now)
    }

    fn count_refusals(
        &self,
        indices: impl Iterator<Item = usize>,
        class: &ModelClass,
        now: Timestamp,
    ) -> Refusals {
        let mut refusals = Refusals::default();
        let cells = self.classes.get(class);
        let members = indices.filter_map(|index| Some((index, self.members.get(index)?)));
        for (index, member) in members {
            let cell = cells.and_then(|cells| cells.get(index));
            let class_name = cell.map_or(StateName::Available, |cell| cell.name(now));
            match (member.standing.name(now), class_name) {
                _ if member.has_ended(now) => refusals.disabled += 1,
                (StateName::Disabled, _) | (_, StateName::Disabled) => refusals.disabled += 1,
                (StateName::Exhausted, _) | (_, StateName::Exhausted) => refusals.exhausted += 1,
                (StateName::Cooling, _) | (_, StateName::Cooling) => refusals.cooling += 1,
                _ if !member.within_limits(now) => refusals.limited += 1,
                _ => refusals.available += 1,
            }
            let opens = member.opens_at(now, BUSY_RETRY).and_then(|at| {
                let cell = cell.map_or(Some(now), |cell| cell.opens_at(now));
                cell.map(|cell| cell.max(at)).filter(|at| !member.has_ended(*at))
            });
            if let Some(at) = opens {
                refusals.soonest = Some(refusals.soonest.map_or(at, |soonest| soonest.min(at)));
            }
        }
        refusals
    }
}
