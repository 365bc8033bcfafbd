//! One provider: its book, its actor, and the handle that everyone else holds.

mod actor;
mod handle;
mod lease;
mod message;
mod notice;

pub(crate) use actor::ProviderActor;
pub(crate) use handle::Published;
pub use handle::{HandleError, ProviderHandle, ProviderSpec};
pub use lease::Lease;
pub(crate) use message::Retire;
