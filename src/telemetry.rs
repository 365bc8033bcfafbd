//! Logs, metrics, the panic hook.

pub mod lines;
pub mod logs;
pub mod metrics;
pub mod panics;
