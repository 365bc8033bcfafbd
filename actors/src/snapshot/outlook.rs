//! A pool at a glance, for whoever has many of them to tell of.

use serde::Serialize;

use crate::domain::credential::ProfileId;
use crate::domain::key_pool::{KeyPool, Whose};
use crate::domain::lease::Tried;
use crate::domain::selection::Selection;

/// How many credentials an agent has of one provider, and which is next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolOutlook {
    /// All.
    pub credentials: usize,
    /// Those that may be leased now for a model class that they do not rest for.
    pub available: usize,
    /// The one that would be leased next, for a model class that no credential rests for.
    pub next: Option<ProfileId>,
}

impl PoolOutlook {
    /// What is `whose` of a pool.
    pub(crate) fn of(pool: &KeyPool, whose: Whose) -> Self {
        let next = pool.choose(None, &Tried::default(), Selection::Any, whose);
        let next = next.and_then(|index| pool.profile_of(whose, index));
        Self {
            credentials: pool.count_of(whose),
            available: pool.ready_of(whose),
            next: next.map(|profile| profile.id.clone()),
        }
    }
}
