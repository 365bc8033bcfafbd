//! Decisions without a world: no actix, no runtime, no I/O. Time is an argument.

pub mod clock;
pub mod credential;
pub mod outcome;
