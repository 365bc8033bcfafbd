//! Finding credentials: the environment now; stores, OAuth and references live here too.

pub mod command;
pub mod environment;
pub mod form;
pub mod health;
pub mod oauth;
pub mod order;
pub mod pool;
pub mod reference;
pub mod store;
pub mod stored;
