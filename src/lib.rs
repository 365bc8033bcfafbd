//! coderclaw: a gateway that holds model-provider credentials and rotates them before a rate limit reaches a caller.
//!
//! This crate is everything that touches the world: HTTP, files, the environment, the command line. Who may use
//! which credential is decided in `coderclaw_actors`.

pub mod cli;
pub mod config;
pub mod credentials;
pub mod emulator;
mod files;
pub mod gateway;
pub mod import;
pub mod model_list;
pub mod nearest;
mod open_files;
mod span;
pub mod status;
pub mod telemetry;
pub mod upstream;
pub mod wire;
