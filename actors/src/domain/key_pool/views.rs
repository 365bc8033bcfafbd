//! Which members of a pool an agent may lease, in which order, where those are not the default agent's.
//!
//! There is one member a credential, whoever uses it: what one agent's use has cooled is cooling for all. An agent that
//! has other credentials or another order has a list of places among the same members.
//!
//! Mostly that list is a few of its own credentials and then those of everybody in everybody's order. It is kept as runs
//! of neighbours, so that choosing is the same scan over machine words, a run at a time.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::scan::next_free;
use crate::domain::credential::AuthProfile;

/// The members of one view.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// In the agents' order.
    runs: Vec<Run>,
    /// The same runs by the places of their members, to find one in.
    by_place: Vec<Run>,
    /// Credentials that these agents know under another name than the pool does.
    renamed: HashMap<usize, Arc<AuthProfile>>,
    /// The member that was leased last, behind which the ring goes on.
    pub(super) last: Option<usize>,
}

/// Neighbours in the pool that follow each other in the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The place of the first in the view.
    rank: usize,
    /// The places in the pool: from this one on, up to that one.
    start: usize,
    end: usize,
}

// === impl View ===

impl View {
    /// The view of the members at `places`, each of which comes once.
    pub(super) fn new(places: &[usize], renamed: HashMap<usize, Arc<AuthProfile>>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for (rank, place) in places.iter().copied().enumerate() {
            match runs.last_mut() {
                Some(run) if run.end == place => run.end += 1,
                _ => runs.push(Run {
                    rank,
                    start: place,
                    end: place + 1,
                }),
            }
        }
        let mut by_place = runs.clone();
        by_place.sort_unstable_by_key(|run| run.start);
        Self {
            runs,
            by_place,
            renamed,
            last: None,
        }
    }

    /// How many members it has.
    pub(super) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// Its members, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().flat_map(|run| run.start..run.end)
    }

    /// How many of its members are in `set`.
    pub(super) fn count_in(&self, set: &FixedBitSet) -> usize {
        let counts = self.runs.iter().map(|run| set.count_ones(run.start..run.end));
        counts.sum()
    }

    /// The rank of a member of the pool, if it is in the view.
    pub(super) fn rank(&self, place: usize) -> Option<usize> {
        let after = self.by_place.partition_point(|run| run.start <= place);
        let run = self.by_place.get(after.checked_sub(1)?)?;
        (place < run.end).then(|| run.rank + (place - run.start))
    }

    /// Its credential at a place, as its agents know it, where the pool knows it under another name.
    pub(super) fn renamed(&self, place: usize) -> Option<&Arc<AuthProfile>> {
        self.renamed.get(&place)
    }

    /// The first member at rank `from` or behind it that is ready, not blocked and not tried.
    pub(super) fn next_free(
        &self,
        from: usize,
        ready: &FixedBitSet,
        blocked: Option<&FixedBitSet>,
        tried: &[usize],
    ) -> Option<usize> {
        let first = self.runs.partition_point(|run| run.rank + run.len() <= from);
        let runs = self.runs.iter().skip(first);
        let mut ranges = runs.map(|run| run.behind(from));
        ranges.find_map(|range| next_free(ready, range, blocked, tried))
    }
}

impl Run {
    const fn len(&self) -> usize {
        self.end - self.start
    }

    /// The places of its members of rank `from` and behind.
    fn behind(&self, from: usize) -> Range<usize> {
        self.start + from.saturating_sub(self.rank)..self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, prop};
    use proptest::strategy::Strategy as _;
    use proptest::{prop_assert_eq, proptest};

    const PLACES: usize = 200;

    fn view(places: &[usize]) -> View {
        View::new(places, HashMap::new())
    }

    fn set(places: impl IntoIterator<Item = usize>) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(PLACES);
        places.into_iter().for_each(|place| set.insert(place));
        set
    }

    #[test]
    fn own_credentials_before_everybody_s_are_two_runs() {
        let places: Vec<usize> = [10_000, 10_001].into_iter().chain(0..10_000).collect();
        let view = view(&places);
        assert_eq!((view.runs.len(), view.len()), (2, 10_002));
        assert_eq!(view.places().collect::<Vec<_>>(), places);
        assert_eq!(
            (view.rank(10_001), view.rank(0), view.rank(10_002)),
            (Some(1), Some(2), None)
        );
    }

    proptest! {
        #[test]
        fn a_view_is_the_list_of_its_places(
            places in prop::sample::subsequence((0..PLACES).collect::<Vec<_>>(), 0..=PLACES)
                .prop_flat_map(|places| (Just(places.clone()), Just(places).prop_shuffle(), prop::bool::ANY))
                .prop_map(|(sorted, shuffled, mixed)| if mixed { shuffled } else { sorted }),
            ready in prop::sample::subsequence((0..PLACES).collect::<Vec<_>>(), 0..=PLACES),
            blocked in prop::sample::subsequence((0..PLACES).collect::<Vec<_>>(), 0..40),
            tried in prop::sample::subsequence((0..PLACES).collect::<Vec<_>>(), 0..4),
            from in 0..=PLACES,
        ) {
            let view = view(&places);
            let (ready, blocked) = (set(ready), set(blocked));
            prop_assert_eq!(view.len(), places.len());
            prop_assert_eq!(view.places().collect::<Vec<_>>(), places.clone());
            for place in 0..PLACES {
                prop_assert_eq!(view.rank(place), places.iter().position(|other| *other == place));
            }
            let is_free = |place: &usize| {
                ready.contains(*place) && !blocked.contains(*place) && !tried.contains(place)
            };
            let wanted = places.iter().copied().skip(from).find(is_free);
            prop_assert_eq!(view.next_free(from, &ready, Some(&blocked), &tried), wanted);
            let of_ready = places.iter().filter(|place| ready.contains(**place)).count();
            prop_assert_eq!(view.count_in(&ready), of_ready);
        }
    }
}
