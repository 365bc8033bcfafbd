//! Secrets in files.

use std::path::Path;

use serde_json::Value;

use super::Why;
use crate::config::load::read_bounded;

/// No file that a reference names is larger, unless its provider says another limit: 1 MiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The text of a file. Not of a pipe, which might stay silent for ever.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<String, Why> {
    match read_bounded(path, bytes_max) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(Why::File("there is no such file".to_owned())),
        Err(reason) => Err(Why::File(format!("cannot be read: {reason}"))),
    }
}

/// The text that a JSON pointer finds.
pub(super) fn pointed(text: &str, pointer: &str) -> Result<String, Why> {
    // The parser's own message would do, but for its promise never to repeat what it read, which it doesn't give.
    let document: Value = serde_json::from_str(text).map_err(|error| {
        Why::File(format!(
            "is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    match document.pointer(pointer) {
        Some(Value::String(found)) => Ok(found.clone()),
        Some(_) => Err(Why::File(format!("holds no text at {pointer}"))),
        None => Err(Why::File(format!("holds nothing at {pointer}"))),
    }
}
