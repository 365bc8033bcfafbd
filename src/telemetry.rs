//! Logs, metrics, the panic hook.

pub mod lines;
mod log_time;
pub mod logs;
pub mod metrics;
mod pairs;
pub mod panics;
#[cfg(test)]
mod sink;
