//! Secrets in files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde_json::Value;

use super::Why;
use crate::config::load::read_bounded;

/// No file that a reference names is larger, unless its provider says another limit: 1 MiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// No JSON file is larger that references lead into, as into an older tool's store: 64 MiB.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// The text of a file. Not of a pipe, which might stay silent for ever.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<String, Why> {
    match read_bounded(path, bytes_max) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(Why::File("there is no such file".to_owned())),
        Err(reason) => Err(Why::File(format!("cannot be read: {reason}"))),
    }
}

/// JSON files that were read for some references: each is read and parsed once, however many lead into it.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<HashMap<PathBuf, Arc<Document>>>);

type Document = OnceLock<Result<Value, Why>>;

impl Documents {
    /// The text that a JSON pointer finds in a file.
    pub(super) fn pointed(&self, path: &Path, pointer: &str) -> Result<String, Why> {
        let document = Arc::clone(self.0.lock().entry(path.to_owned()).or_default());
        // The lock is free again: only who wants the same file waits for it.
        let document = document.get_or_init(|| read(path, DOCUMENT_BYTES_MAX).and_then(|text| parse(&text)));
        document
            .as_ref()
            .map_err(Why::clone)
            .and_then(|document| found(document, pointer))
    }
}

/// The text that a JSON pointer finds.
pub(super) fn pointed(text: &str, pointer: &str) -> Result<String, Why> {
    found(&parse(text)?, pointer)
}

fn parse(text: &str) -> Result<Value, Why> {
    // The parser's own message would do, but for its promise never to repeat what it read, which it doesn't give.
    serde_json::from_str(text).map_err(|error| {
        Why::File(format!(
            "is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

fn found(document: &Value, pointer: &str) -> Result<String, Why> {
    match document.pointer(pointer) {
        Some(Value::String(found)) => Ok(found.clone()),
        Some(_) => Err(Why::File(format!("holds no text at {pointer}"))),
        None => Err(Why::File(format!("holds nothing at {pointer}"))),
    }
}
