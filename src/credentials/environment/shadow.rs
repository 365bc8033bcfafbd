//! Values that don't count because another layer has one, said aloud.

use super::wanted::CredentialNames;
use super::{Layer, Variables};
use crate::config::Warning;

/// One variable in two layers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shadow {
    pub(super) name: String,
    /// The layer whose value counts.
    pub(super) counts: Layer,
    /// The layer whose value doesn't.
    pub(super) idle: Layer,
    /// Whether the idle value is blank; otherwise it is another one.
    pub(super) blank: bool,
}

impl Variables {
    /// Which credentials have different values in several layers, or are blank in one and set in a lower one. Tells
    /// names and layers, never values.
    #[must_use]
    pub fn shadow_warnings(&self, names: &CredentialNames) -> Vec<Warning> {
        let of_credentials = self.shadows.iter().filter(|shadow| names.contains(&shadow.name));
        of_credentials.map(Shadow::warning).collect()
    }
}

impl Shadow {
    fn warning(&self) -> Warning {
        let (counts, idle) = (self.counts.source(&self.name), self.idle.source(&self.name));
        let message = if self.blank {
            format!("is blank, which is as good as absent: `{counts}` counts; remove the blank one")
        } else {
            format!("is shadowed: `{counts}` has another value and counts; remove one of the two")
        };
        Warning::about(idle.as_ref(), message)
    }
}
