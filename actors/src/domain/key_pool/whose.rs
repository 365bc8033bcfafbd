//! The members of a pool as one agent or another sees them.

use std::sync::Arc;

use super::super::credential::{AgentId, AuthProfile, Identity};
use super::KeyPool;
use super::views::View;

/// Whose credentials are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// The default agent's, which are those of every agent without a view.
    #[default]
    Default,
    /// Those of a view, by its place in the list.
    View(usize),
    /// Everyone's. Nobody leases so.
    Everyone,
}

// === impl KeyPool ===

impl KeyPool {
    /// Whose credentials `agent` has.
    pub(crate) fn whose(&self, agent: Option<&AgentId>) -> Whose {
        let view = agent.and_then(|agent| self.view_of.get(agent));
        view.map_or(Whose::Default, |view| Whose::View(*view))
    }

    pub(super) fn view(&self, whose: Whose) -> Option<&View> {
        match whose {
            Whose::Default | Whose::Everyone => None,
            Whose::View(view) => self.views.get(view),
        }
    }

    /// The indices of the members that are `whose`, in their order.
    pub(crate) fn indices_of(&self, whose: Whose) -> impl Iterator<Item = usize> + '_ {
        let view = self.view(whose);
        let others = if view.is_some() { 0 } else { self.count_of(whose) };
        view.into_iter().flat_map(View::places).chain(0..others)
    }

    /// How many members are `whose`.
    pub(crate) fn count_of(&self, whose: Whose) -> usize {
        match self.view(whose) {
            Some(view) => view.len(),
            None if whose == Whose::Everyone => self.members.len(),
            None => self.of_default,
        }
    }

    /// How many of them may be leased now, leaving model classes aside.
    pub(crate) fn ready_of(&self, whose: Whose) -> usize {
        match self.view(whose) {
            Some(view) => view.count_in(&self.ready),
            None => self.ready.count_ones(0..self.count_of(whose)),
        }
    }

    /// Whether a member is among those that are `whose`.
    fn has(&self, whose: Whose, index: usize) -> bool {
        match self.view(whose) {
            Some(view) => view.rank(index).is_some(),
            None => index < self.count_of(whose),
        }
    }

    /// The credential of a member as its owner knows it.
    pub(crate) fn profile_of(&self, whose: Whose, index: usize) -> Option<&Arc<AuthProfile>> {
        let renamed = self.view(whose).and_then(|view| view.renamed(index));
        renamed.or_else(|| self.members.get(index).map(|member| &member.profile))
    }

    /// The member of that identity, if it is among those that are `whose`.
    pub(crate) fn identified_of(&self, whose: Whose, identity: &Identity) -> Option<usize> {
        self.identified(identity).filter(|index| self.has(whose, *index))
    }

    /// The rank that the ring of [`Strategy::Balanced`] goes on at.
    pub(super) fn ring(&self, whose: Whose) -> usize {
        match self.view(whose) {
            Some(view) => view
                .last
                .and_then(|last| view.rank(last))
                .map_or(0, |rank| rank + 1),
            None => self.cursor,
        }
    }
}
