//! What somebody has chosen for a session with `/model`.

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use crate::config::Target;

/// A model, a credential, or both; neither is as good as no choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Stands in for bodies that leave the choice to the gateway.
    pub model: Option<Target>,
    /// Serves alone, whatever model a request names, wherever it goes to the pin's provider.
    pub pin: Option<Pin>,
}

/// The one credential that may serve a session at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The provider.
    pub provider: ProviderId,
    /// The credential.
    pub profile: ProfileId,
}

// === impl Chosen ===

impl Chosen {
    /// Whether nothing is chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.model.is_none() && self.pin.is_none()
    }
}
