//! Decisions without a world: no actix, no runtime, no I/O. Time is an argument.

pub mod backoff;
pub mod clock;
pub mod cooldown;
pub mod credential;
pub mod credential_state;
pub mod key_pool;
pub mod lease;
pub mod lease_book;
pub mod members;
pub mod outcome;
pub mod plan;
pub mod quota;
pub mod restart;
pub mod selection;
