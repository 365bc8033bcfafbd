//! Files of keys, one a line.

use std::path::Path;

use crate::config::load::read_bounded;

/// No file of keys is larger: 16 MiB, room for a hundred thousand of them.
const KEY_FILE_BYTES_MAX: u64 = 16 << 20;

/// The text of a file of keys.
///
/// # Errors
/// Why it can't be read, in words for people, without its path.
pub(super) fn read(path: &Path) -> Result<String, String> {
    match read_bounded(path, KEY_FILE_BYTES_MAX) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err("there is no such file".to_owned()),
        Err(reason) => Err(reason),
    }
}
