//! Logs, metrics, the panic hook.
