//! The right to use one credential for one attempt: how it is asked for, what is given, why it is refused.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;
use thiserror::Error;

use super::clock::Timestamp;
use super::cooldown::SettleTerms;
use super::credential::{AgentId, AuthProfile, Fingerprint, ModelClass, ProfileId, ProviderId};
use super::credential_state::StateName;
use super::outcome::ErrorClass;
use super::selection::Selection;

/// What a lease is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// The model class that the attempt will use.
    pub class: &'a ModelClass,
    /// The credentials that this request has already tried: none is leased to it again.
    pub tried: &'a Tried,
    /// Which credentials may serve, and which is preferred.
    pub selection: Selection,
    /// Whose credentials: those of this agent, or of the default one.
    pub agent: Option<&'a AgentId>,
    /// What the end of the attempt may do to the credential.
    pub terms: SettleTerms,
}

/// A lease as plain data; the book that gave it out settles it.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Ids only grow; one that the book does not know any more belongs to a lease that is already settled.
    pub(crate) id: u64,
    pub(crate) slot: usize,
    pub(crate) place: Place,
    pub(crate) profile: Arc<AuthProfile>,
    pub(crate) class: ModelClass,
    pub(crate) terms: SettleTerms,
}

impl Ticket {
    /// The credential that it is for.
    #[must_use]
    pub fn profile(&self) -> &Arc<AuthProfile> {
        &self.profile
    }
}

/// The place of a credential in its pool, true as long as the pool's members are of that generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) generation: u64,
    pub(crate) index: usize,
}

/// The credentials that one request has tried.
#[derive(Clone, Debug, Default)]
pub struct Tried(pub(crate) SmallVec<[(Place, Arc<AuthProfile>); 4]>);

impl Tried {
    /// Remembers the credential of `ticket`.
    pub fn push(&mut self, ticket: &Ticket) {
        self.0.push((ticket.place, Arc::clone(&ticket.profile)));
    }

    /// How many were tried.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was tried yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why the members of a pool can't be leased, each counted once, and when that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Rest for the model class or for all.
    pub cooling: usize,
    /// Out of money or allowance.
    pub exhausted: usize,
    /// Out of use until someone helps.
    pub disabled: usize,
    /// At the limit of requests a minute or of attempts at once that the config sets.
    pub limited: usize,
    /// Available, but already tried by this request or only just free.
    pub available: usize,
    /// The soonest instant when any of them may serve; `None` if all are disabled.
    pub soonest: Option<Timestamp>,
}

/// Why no credential was leased.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LeaseError {
    /// The pool is empty.
    #[error("provider {provider} has no credential; add one")]
    NoCredentials {
        /// The provider.
        provider: ProviderId,
    },
    /// There are credentials, but none may be used now.
    #[error(
        "no credential of provider {provider} can be used now: {} cooling, {} exhausted, {} disabled, {} at their limit",
        refusals.cooling, refusals.exhausted, refusals.disabled, refusals.limited
    )]
    NoneAvailable {
        /// The provider.
        provider: ProviderId,
        /// How many for which reason, and the soonest recovery.
        refusals: Refusals,
    },
    /// The one credential that may serve is none of the pool's any more.
    #[error("the pinned credential is not in the pool of provider {provider} any more")]
    PinGone {
        /// The provider.
        provider: ProviderId,
    },
    /// The provider's actor crashed so often that it is no longer restarted.
    #[error("provider {provider} is unavailable: its actor crashed too often; restart the gateway")]
    ProviderUnavailable {
        /// The provider.
        provider: ProviderId,
    },
}

impl LeaseError {
    /// The soonest instant when trying again may help; `None` if only help from outside does.
    #[must_use]
    pub const fn soonest(&self) -> Option<Timestamp> {
        match self {
            Self::NoneAvailable { refusals, .. } => refusals.soonest,
            Self::NoCredentials { .. } | Self::PinGone { .. } | Self::ProviderUnavailable { .. } => None,
        }
    }
}

/// A change of a credential's state, as one log line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The credential.
    pub profile: ProfileId,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The model class, if the state is only for one.
    pub model_class: Option<ModelClass>,
    /// The new state.
    pub state: StateName,
    /// The class of failure that led to it; `None` for a recovery.
    pub class: Option<ErrorClass>,
    /// The end of the window.
    pub until: Option<Timestamp>,
    /// The field of the provider's answer that stated the end.
    pub hint: Option<Cow<'static, str>>,
}
