//! Providers to test against: real bucket semantics, headers, bodies and faults, over real sockets.

mod allowance;
mod answer;
mod asked;
mod body;
mod bucket;
mod clock;
mod config;
mod control;
mod error;
mod exchange;
mod fault;
mod ids;
mod keys;
mod log;
mod profile;
mod rate_headers;
mod reply;
mod route;
mod schema;
mod secret;
mod serve;
mod server;
mod shared;
mod spoil;
mod stats;
mod tap;
mod text;

pub use clock::{EmulatorClock, ScaledClock};
pub use config::{Behaviour, ConfigError, Credit, EmulatorConfig, KeyConfig, Limits, OrgConfig};
pub use fault::{Fault, FaultKind, StreamError};
pub use log::{CredentialSeen, LogEntry};
pub use secret::KeySecret;
pub use server::{Emulator, EmulatorError, RunningEmulator};
pub use stats::{KeyStats, Stats};
