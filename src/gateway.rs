//! The callers' side: routes, admission, the HTTP half of a dispatch, streams, drain.

pub mod access;
pub mod body;
pub mod completion;
pub mod dialect;
pub mod drain;
pub mod exchange;
pub mod forward;
pub mod in_flight;
pub mod listen;
pub mod live;
pub mod memory;
pub mod model_request;
pub mod orders;
pub mod pages;
pub mod relay;
pub mod reload;
pub mod reply;
pub mod respond;
pub mod routes;
pub mod run;
pub mod running;
pub mod serve;
pub mod server;
pub mod upload;
pub mod watch;
pub mod worker;
