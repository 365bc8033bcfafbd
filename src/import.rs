//! Moving over from an older tool: what it has, what of it is taken, and the taking.
//!
//! Three steps. [`Source::find`] and [`Old::read`] find and read the older tool's files, and change not a byte of them.
//! [`Plan::make`] decides, as a pure function of what they have and what we have, and says of every single thing whether
//! it is taken, changed or left, and why. [`apply`] does what the plan says: what is ours always wins, so doing it
//! again does nothing.
//!
//! Secrets stay where they are, and are referred to, unless they are asked to be copied.

mod agents;
mod apply;
mod credential_file;
mod gateway;
mod line;
mod models;
mod new_profile;
mod old;
mod orders;
mod ours;
mod plan;
mod profiles;
mod providers;
mod source;
mod sqlite;
mod stores;
mod variables;

pub use apply::{ApplyError, apply};
pub use line::{Line, Verdict};
pub use old::{Old, ReadError};
pub use ours::{Ours, OursError};
pub use plan::Plan;
pub use source::{Source, SourceError, Tool};
