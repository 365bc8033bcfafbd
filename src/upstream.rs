//! The providers' side: an adapter over HTTP, and what its answers mean.

pub mod adapter;
pub mod answer;
pub mod classify;
pub mod client;
pub mod control;
pub mod headers;
pub mod request;
pub mod retry_after;
pub mod scrub;
mod send;

/// The HTTP client's own types, for those who carry them without using them.
pub use reqwest::{Body, Client, Error as ClientError};
