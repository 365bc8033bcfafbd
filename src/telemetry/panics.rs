//! What a panic may say: where it was, and no more of its message than can't hold a secret.

use std::panic::{self, PanicHookInfo};

/// Logs panics instead of printing them.
///
/// A message that was put together at run time could hold a piece of a request, so only messages that stand in the
/// program's text are logged.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(target: "coderclaw::panic", location, message = literal(info), "panic");
    }));
}

fn literal<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("(withheld: made at run time)")
}
