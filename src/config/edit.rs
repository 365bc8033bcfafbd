//! The config file changed in place: comments, order and unknown keys stay as they were written.
//!
//! One editor holds the file's lock from reading to dropping, so two programs that change the config at the same time
//! lose nothing of each other's. What is saved is read again first: it says exactly what was asked for, and the
//! gateway accepts it, or nothing is written.
//!
//! A path of keys leads through lists too: there a key is the place of an element, counted from 0.

mod list;
mod path;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonc_parser::cst::{CstInputValue, CstRootNode};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use super::document::{Places, parse};
use super::place::{ConfigError, Problems};
use super::{Catalogue, load, settings};
use crate::files::{self, FileError, FileLock, OWNER_ONLY};
use path::step;

/// Beside the config; it stays.
const LOCK_SUFFIX: &str = ".lock";
/// A change takes milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// The permissions of a file, without its kind.
const MODE_BITS: u32 = 0o777;

/// Why the config was not changed. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is there and can't be read.
    #[error(transparent)]
    Unreadable(ConfigError),
    /// It is not JSON5, or what it would say is refused.
    #[error("{0}")]
    Refused(Problems),
    /// Something else stands where an object or a list has to be.
    #[error("{}: {key} is not {expected}, so nothing can be added to it: correct it by hand", path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// The path of the key that has it.
        key: String,
        /// What was expected: `an object` or `a list`.
        expected: &'static str,
    },
    /// The change can't be made in this file without changing more.
    #[error("{} can't be changed in place: make the change by hand", path.display())]
    Entangled {
        /// The file.
        path: PathBuf,
    },
    /// It can't be written, or somebody else changes it for too long.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The config file, open for changes. Nothing is written before [`ConfigEditor::save`].
///
/// It holds the lock: keep it no longer than a change takes, and never across a prompt.
#[derive(Debug)]
pub struct ConfigEditor {
    path: PathBuf,
    _lock: FileLock,
    before: Option<String>,
    tree: CstRootNode,
    /// What the text has to say after the changes.
    meant: Value,
}

impl ConfigEditor {
    /// Takes the lock of the config file and reads it; one that isn't there is empty, and its folder is made.
    ///
    /// # Errors
    /// If another program keeps the lock, or the file can't be read or is not JSON5.
    pub fn open(path: &Path) -> Result<Self, EditError> {
        // A link stays, and the file that it leads to is changed: the lock stands beside that one.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            load::create_state_dir(folder).map_err(EditError::Unreadable)?;
        }
        let mut lock = path.clone().into_os_string();
        lock.push(LOCK_SUFFIX);
        let lock = FileLock::take(Path::new(&lock), LOCK_PATIENCE)?;
        let before = load::read_file(&path).map_err(EditError::Unreadable)?;
        let text = before.as_deref().unwrap_or_default();
        let meant = parse(&Places::new(text, &path)).map_err(EditError::Refused)?;
        let meant = meant.map_or_else(|| Value::Object(serde_json::Map::new()), Value::from);
        let tree =
            CstRootNode::parse(text, &strict()).map_err(|_| EditError::Entangled { path: path.clone() })?;
        Ok(Self {
            path,
            _lock: lock,
            before,
            tree,
            meant,
        })
    }

    /// The value at a path of keys.
    #[must_use]
    pub fn get(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.meant, |value, key| step(value, key))
            .filter(|value| !value.is_null())
    }

    /// What the config would say after the changes.
    #[must_use]
    pub const fn config(&self) -> &Value {
        &self.meant
    }

    /// What names of models would mean after the changes.
    ///
    /// # Errors
    /// If the gateway would refuse what the config says.
    pub fn catalogue(&self) -> Result<Catalogue, EditError> {
        settings::catalogue(&self.tree.to_string(), &self.path).map_err(EditError::Refused)
    }

    /// Sets the value at a path of keys; objects on the way are made. A value that is the same already stays as it is
    /// written.
    ///
    /// # Errors
    /// If something other than an object is on the way.
    pub fn set(&mut self, keys: &[&str], value: Value) -> Result<(), EditError> {
        let Some((last, parents)) = keys.split_last() else {
            return Err(self.entangled());
        };
        if self.get(keys) == Some(&value) {
            return Ok(());
        }
        let object = self.object(parents)?;
        let input = input(&value);
        match object.get(last) {
            Some(property) => property.set_value(input),
            None => drop(object.append(last, input)),
        }
        self.meant_object(parents)?.insert((*last).to_owned(), value);
        Ok(())
    }

    /// Adds a value at the end of the list at a path of keys; the list and objects on the way are made.
    ///
    /// # Errors
    /// If something else is there.
    pub fn append(&mut self, keys: &[&str], value: Value) -> Result<(), EditError> {
        let Some((last, parents)) = keys.split_last() else {
            return Err(self.entangled());
        };
        if self.get(keys).is_none() {
            return self.set(keys, Value::Array(vec![value]));
        }
        let array = self.object(parents)?.array_value(last);
        let array = array.ok_or_else(|| self.misplaced(keys, "a list"))?;
        array.append(input(&value));
        if let Some(Value::Array(meant)) = self.meant_object(parents)?.get_mut(*last) {
            meant.push(value);
        }
        Ok(())
    }

    /// Removes the value at a path of keys; whether there was one.
    ///
    /// # Errors
    /// If something other than an object is on the way.
    pub fn remove(&mut self, keys: &[&str]) -> Result<bool, EditError> {
        let Some((last, parents)) = keys.split_last() else {
            return Err(self.entangled());
        };
        let is_there = keys
            .iter()
            .try_fold(&self.meant, |value, key| step(value, key))
            .is_some();
        if !is_there {
            return Ok(false);
        }
        if let Some(property) = self.object(parents)?.get(last) {
            property.remove();
        }
        self.meant_object(parents)?.shift_remove(*last);
        Ok(true)
    }

    /// Whether anything would be written.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.before.as_deref().unwrap_or_default() != self.tree.to_string()
    }

    /// Writes the file, whole or not at all; mode 0600 if it is new. Whether there was a change.
    ///
    /// # Errors
    /// If the gateway would refuse what it says, or it can't be written.
    pub fn save(self) -> Result<bool, EditError> {
        if !self.is_changed() {
            return Ok(false);
        }
        let text = self.checked()?;
        let mode = fs::metadata(&self.path).map_or(OWNER_ONLY, |meta| meta.permissions().mode() & MODE_BITS);
        files::replace(&self.path, text.as_bytes(), mode)?;
        Ok(true)
    }

    /// The text that would be written.
    ///
    /// # Errors
    /// If the gateway would refuse what it says.
    pub fn checked(&self) -> Result<String, EditError> {
        let text = self.tree.to_string();
        settings::check(&text, &self.path).map_err(EditError::Refused)?;
        let says = parse_to_ast(&text, &CollectOptions::default(), &strict());
        let says = says.ok().and_then(|parsed| parsed.value).map(Value::from);
        if says.as_ref() != Some(&self.meant) {
            return Err(self.entangled());
        }
        Ok(text)
    }

    fn entangled(&self) -> EditError {
        EditError::Entangled {
            path: self.path.clone(),
        }
    }

    fn misplaced(&self, keys: &[&str], expected: &'static str) -> EditError {
        EditError::Misplaced {
            path: self.path.clone(),
            key: if keys.is_empty() {
                "the whole file".to_owned()
            } else {
                keys.join(".")
            },
            expected,
        }
    }
}

/// What a config file says, without its lock; an empty object if there is none.
///
/// # Errors
/// If it can't be read or is not JSON5.
pub fn read(path: &Path) -> Result<Value, EditError> {
    let text = load::read_file(path)
        .map_err(EditError::Unreadable)?
        .unwrap_or_default();
    let value = parse(&Places::new(&text, path)).map_err(EditError::Refused)?;
    Ok(value.map_or_else(|| Value::Object(serde_json::Map::new()), Value::from))
}

/// JSON5, as the config is read.
fn strict() -> ParseOptions {
    ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(entries) => CstInputValue::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), input(value)))
                .collect(),
        ),
    }
}
