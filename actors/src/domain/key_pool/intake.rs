//! How credentials become the members of a pool: each once, whoever has it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::credential::{AgentId, AuthProfile, Identity};
use super::super::members::{self, Members};
use super::Member;
use super::views::View;

/// Credentials that are taken into a pool one after the other.
#[derive(Default)]
pub(super) struct Intake {
    pub(super) members: Vec<Member>,
    /// How many of them are the default agent's.
    pub(super) of_default: usize,
    pub(super) by_identity: HashMap<Identity, usize>,
    pub(super) views: Vec<View>,
    pub(super) view_of: HashMap<AgentId, usize>,
}

// === impl Intake ===

impl Intake {
    /// Takes in everyone's credentials, the default agent's first.
    pub(super) fn of(members: Members) -> Self {
        let count = members.profiles.len();
        let mut intake = Self {
            members: Vec::with_capacity(count),
            by_identity: HashMap::with_capacity(count),
            ..Self::default()
        };
        for profile in members.profiles {
            intake.take(profile);
        }
        intake.of_default = intake.members.len();
        for (place, members::View { agents, profiles }) in members.views.into_iter().enumerate() {
            let view = intake.view(profiles);
            intake.views.push(view);
            intake
                .view_of
                .extend(agents.into_iter().map(|agent| (agent, place)));
        }
        intake
    }

    /// Takes a credential in, unless it is in; its place, and the credential itself where it is in under another name.
    fn take(&mut self, profile: AuthProfile) -> (usize, Option<AuthProfile>) {
        let identity = profile.identity();
        if let Some(place) = self.by_identity.get(&identity).copied() {
            let known = self.members.get(place).map(|member| &member.profile.id);
            return (place, (known != Some(&profile.id)).then_some(profile));
        }
        let place = self.members.len();
        self.by_identity.insert(identity, place);
        self.members.push(Member::new(Arc::new(profile), identity));
        (place, None)
    }

    /// The view of some agents' credentials, each once, at its first position.
    fn view(&mut self, profiles: Vec<AuthProfile>) -> View {
        let (mut places, mut renamed) = (Vec::with_capacity(profiles.len()), HashMap::new());
        let mut seen = HashSet::with_capacity(profiles.len());
        for profile in profiles {
            let (place, other) = self.take(profile);
            if seen.insert(place) {
                places.push(place);
                renamed.extend(other.map(|profile| (place, Arc::new(profile))));
            }
        }
        View::new(&places, renamed)
    }
}
