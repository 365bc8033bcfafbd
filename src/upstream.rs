//! The providers' side: an adapter over HTTP, and what its answers mean.

pub mod adapter;
pub mod answer;
pub mod classify;
pub mod client;
pub mod control;
pub mod headers;
mod hear;
pub mod models;
pub mod probe;
mod read;
pub mod request;
pub mod retry_after;
pub mod scrub;
mod send;
pub mod token_endpoint;

pub use client::Client;
/// The body of a provider's answer, as it comes from its connection.
pub use hyper::body::Incoming;
