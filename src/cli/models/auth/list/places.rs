//! Where a provider's credentials stand: found once for all of its rows.

use std::collections::HashMap;

use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId};

use super::super::ranking::{Rankings, Says};
use super::super::scope::Scope;
use crate::cli::exit::Failure;

/// The places of one provider's credentials.
pub(super) struct Places {
    /// Counted from 1.
    positions: HashMap<ProfileId, usize>,
    says: Says,
    /// The one beside which no other counts.
    live: Option<ProfileId>,
    members: HashMap<ProfileId, Fingerprint>,
    unusable: HashMap<ProfileId, String>,
}

impl Places {
    pub(super) fn of(provider: &ProviderId, rankings: &Rankings<'_>, scope: &Scope) -> Result<Self, Failure> {
        let ranking = rankings.of(provider)?;
        let pool = scope.pool(provider);
        let members = pool.into_iter().flat_map(|pool| &pool.members);
        let excluded = pool.into_iter().flat_map(|pool| &pool.excluded);
        // The first of equal ids counts.
        let positions = ranking.ids.into_iter().enumerate().rev();
        Ok(Self {
            positions: positions.map(|(index, id)| (id, index + 1)).collect(),
            says: ranking.says,
            live: scope.live(provider).cloned(),
            members: members
                .map(|member| (member.id.clone(), member.secret.fingerprint()))
                .collect(),
            unusable: excluded
                .map(|excluded| (excluded.id.clone(), excluded.why.to_string()))
                .collect(),
        })
    }

    /// The place of `id`, or what leaves it out.
    pub(super) fn position(&self, id: &ProfileId) -> Result<Option<usize>, String> {
        match (&self.live, self.positions.get(id)) {
            (Some(live), _) if live == id => Ok(Some(1)),
            (Some(live), _) => Err(live.to_string()),
            (None, None) if self.says != Says::Nobody => Err(self.says.words().to_owned()),
            (None, position) => Ok(position.copied()),
        }
    }

    /// The fingerprint of what the pool has for `id`, as of what a reference gave.
    pub(super) fn fingerprint(&self, id: &ProfileId) -> Option<Fingerprint> {
        self.members.get(id).copied()
    }

    /// Why the pool can't use `id`.
    pub(super) fn unusable(&self, id: &ProfileId) -> Option<String> {
        self.unusable.get(id).cloned()
    }
}
