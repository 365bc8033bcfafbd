//! Which credentials of a pool may serve a request, and which of them it would rather have.

use super::credential::Identity;

/// What a request wants of the pool's strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Whichever credential the strategy chooses.
    #[default]
    Any,
    /// That one as long as it is available, else whichever: the provider's cache of a session is warm there.
    Prefer(Identity),
    /// That one and no other: somebody pinned it.
    Only(Identity),
}

// === impl Selection ===

impl Selection {
    /// The only credential that may serve.
    #[must_use]
    pub const fn pinned(&self) -> Option<&Identity> {
        match self {
            Self::Only(identity) => Some(identity),
            Self::Any | Self::Prefer(_) => None,
        }
    }
}
