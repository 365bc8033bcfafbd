//! Finding credentials: the environment now; stores, OAuth and references live here too.

pub mod environment;
pub mod oauth;
pub mod pool;
