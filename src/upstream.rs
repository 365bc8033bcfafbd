//! The providers' side: an adapter over HTTP, and what its answers mean.

pub mod classify;
pub mod retry_after;
pub mod scrub;
