//! What a provider's actor is told. Cheap to clone: a message that met a dead actor is sent again to the next.

use std::sync::Arc;

use actix::Message;

use super::handle::ProviderSpec;
use crate::domain::credential::ProfileId;

/// Notices are waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain;

impl Message for Drain {
    type Result = ();
}

/// Members, order or rules have changed.
#[derive(Clone, Debug)]
pub(super) struct Reload(pub(super) Arc<ProviderSpec>);

impl Message for Reload {
    type Result = ();
}

/// Someone vouches for a credential; the answer says whether anything kept it away.
#[derive(Clone, Debug)]
pub(super) struct Clear(pub(super) ProfileId);

impl Message for Clear {
    type Result = bool;
}

/// The provider is no longer configured, or the process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retire;

impl Message for Retire {
    type Result = ();
}

/// Panic in the handler.
#[cfg(any(test, feature = "chaos"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash;

#[cfg(any(test, feature = "chaos"))]
impl Message for Crash {
    type Result = ();
}
