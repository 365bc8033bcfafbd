//! Dispatching requests: the attempt loop, the actor of each worker thread that starts it, and that actor's slot.

mod actor;
mod dispatch;
mod slot;

pub use dispatch::{AttemptRecord, Dispatch, Dispatched, End, Recovery, dispatch};
pub(crate) use slot::RouterRecord;
pub use slot::RouterSlot;
