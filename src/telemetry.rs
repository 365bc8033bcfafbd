//! Logs, metrics, the panic hook.

pub mod logs;
pub mod metrics;
pub mod panics;
