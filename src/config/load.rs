//! Where the config lives, and the reading of it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::place::ConfigError;
use crate::credentials::environment::Environment;

/// No config file is larger: 10 MiB.
const FILE_BYTES_MAX: u64 = 10 << 20;

/// The config file's name in the state folder.
pub(super) const CONFIG_FILE: &str = "coderclaw.json";

/// Nobody but the owner may look into the state folder.
const STATE_FOLDER_MODE: u32 = 0o700;

/// The state folder: `CODERCLAW_STATE_DIR`, else `~/.coderclaw`.
///
/// # Errors
/// If the environment names neither it nor a home.
pub fn state_dir(environment: &dyn Environment) -> Result<PathBuf, ConfigError> {
    let set = |name| environment.get(name).filter(|value| !value.trim().is_empty());
    let home = set("HOME").map(PathBuf::from);
    match (set("CODERCLAW_STATE_DIR"), home) {
        (Some(folder), home) => Ok(expand_home(folder, home.as_deref())),
        (None, Some(home)) => Ok(home.join(".coderclaw")),
        (None, None) => Err(ConfigError::NoHome),
    }
}

/// The config file: `CODERCLAW_CONFIG_PATH`, else `coderclaw.json` in the state folder.
pub fn config_path(environment: &dyn Environment, state_dir: &Path) -> PathBuf {
    let set = |name| environment.get(name).filter(|value| !value.trim().is_empty());
    set("CODERCLAW_CONFIG_PATH").map_or_else(
        || state_dir.join(CONFIG_FILE),
        |path| expand_home(path, set("HOME").map(Path::new)),
    )
}

/// `~/x` in a variable that no shell has expanded, as in a service's unit or a `.env` file.
pub(crate) fn expand_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

/// Makes the state folder, or one in it, for its owner alone, if it isn't there.
///
/// # Errors
/// If it can't be made.
pub fn create_state_dir(path: &Path) -> Result<(), ConfigError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(STATE_FOLDER_MODE)
        .create(path)
        .map_err(|error| ConfigError::StateFolder {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// The text of the config file; `None` if there is no such file.
pub(super) fn read_file(path: &Path) -> Result<Option<String>, ConfigError> {
    match read_bounded(path, FILE_BYTES_MAX) {
        Ok(text) => Ok(text),
        Err(reason) => Err(ConfigError::Unreadable {
            path: path.to_owned(),
            reason,
        }),
    }
}

/// The text of a file of at most `bytes_max`; `None` if there is no such file.
pub(crate) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Option<String>, String> {
    // A folder can be opened, and the error of reading it says less; a pipe may stay open, silent, for ever.
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if meta.is_dir() {
        return Err("it is a folder, not a file".to_owned());
    }
    if !meta.is_file() {
        return Err("it is a pipe or a device, not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    // The size is counted while reading: not every file tells its own.
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(format!("it is larger than {}", bytesize::ByteSize::b(bytes_max)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8: byte {} is no text", at + 1)
    })?;
    let without_mark = text.strip_prefix('\u{feff}').map(str::to_owned);
    Ok(Some(without_mark.unwrap_or(text)))
}
