//! Doing what the plan says. What has become ours since the plan was made still wins.

use std::collections::BTreeMap;
use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;
use serde_json::{Value, json};

use super::ours::Ours;
use super::plan::{ConfigChange, Plan, StoreChange};
use crate::config::create_state_dir;
use crate::config::edit::{ConfigEditor, EditError};
use crate::config::load::read_bounded;
use crate::credentials::environment::{dotenv_pairs, dotenv_path, quoted};
use crate::credentials::store::{AuthStore, StoreError, StoreFile};
use crate::files::{self, FileError, FileLock, OWNER_ONLY};

/// No `.env` file is larger: 10 MiB.
const DOTENV_BYTES_MAX: u64 = 10 << 20;
/// Beside the `.env` file; it stays.
const DOTENV_LOCK: &str = ".env.lock";
/// Whoever writes it holds its lock for milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Why the plan could not be carried out. What was done stays done; doing it again does the rest.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The config can't be changed.
    #[error(transparent)]
    Config(#[from] EditError),
    /// A store can't be changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The `.env` file can't be changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// It can't be read, so nothing can be added to it.
    #[error("{}: {reason}", path.display())]
    Dotenv {
        /// The file.
        path: std::path::PathBuf,
        /// What stands in the way.
        reason: String,
    },
}

/// Carries out `plan`: the config is checked first, then the stores are written, the `.env` file, and the config.
///
/// # Errors
/// If something can't be written; every file is as it was, or as it should be.
pub fn apply(plan: &Plan, ours: &Ours) -> Result<(), ApplyError> {
    let editor = if plan.config.is_empty() {
        None
    } else {
        let mut editor = ConfigEditor::open(&ours.config_path)?;
        for change in &plan.config {
            edit(&mut editor, change)?;
        }
        editor.checked()?;
        Some(editor)
    };
    let mut by_agent: BTreeMap<&str, Vec<&StoreChange>> = BTreeMap::new();
    for change in &plan.stores {
        by_agent.entry(agent_of(change)).or_default().push(change);
    }
    for (agent, changes) in by_agent {
        StoreFile::of_agent(&ours.state_dir, agent).update(|store| {
            for change in changes {
                change_store(store, change);
            }
            Ok::<(), StoreError>(())
        })?;
    }
    if !plan.dotenv.is_empty() {
        add_to_dotenv(ours, &plan.dotenv)?;
    }
    if let Some(editor) = editor {
        editor.save()?;
    }
    Ok(())
}

fn agent_of(change: &StoreChange) -> &str {
    match change {
        StoreChange::Put { agent, .. } | StoreChange::Order { agent, .. } => agent,
    }
}

fn change_store(store: &mut AuthStore, change: &StoreChange) {
    match change {
        StoreChange::Put {
            id,
            provider,
            email,
            credential,
            over,
            ..
        } => {
            if *over || !store.holds(id.as_str()) {
                store.put(id, provider, email.as_deref(), credential.clone());
            }
        }
        StoreChange::Order { provider, ids, .. } => {
            if store.order(provider).is_none() {
                store.set_order(provider, Some(ids));
            }
        }
    }
}

fn edit(editor: &mut ConfigEditor, change: &ConfigChange) -> Result<(), EditError> {
    let (keys, value) = match change {
        ConfigChange::Append(keys, value) => return editor.append(&borrowed(keys), value.clone()),
        ConfigChange::Set(keys, value) => (borrowed(keys), value.clone()),
        ConfigChange::SetSecret(keys, secret) => (borrowed(keys), written(secret)),
    };
    if editor.get(&keys).is_some() {
        return Ok(());
    }
    editor.set(&keys, value)
}

/// A secret as it is written into our config, because its owner asked for that.
fn written(secret: &Secret) -> Value {
    json!(secret.expose())
}

fn borrowed(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// Adds lines to our `.env` file; those that are there stay as they are.
fn add_to_dotenv(ours: &Ours, added: &[(String, Secret)]) -> Result<(), ApplyError> {
    let path = dotenv_path(&ours.state_dir);
    let failed = |reason: String| ApplyError::Dotenv {
        path: path.clone(),
        reason,
    };
    create_state_dir(&ours.state_dir).map_err(|error| failed(error.to_string()))?;
    let _lock = FileLock::take(&ours.state_dir.join(DOTENV_LOCK), LOCK_PATIENCE)?;
    let mut text = read_bounded(&path, DOTENV_BYTES_MAX)
        .map_err(failed)?
        .unwrap_or_default();
    let (there, _) = dotenv_pairs(&text, &path);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, secret) in added
        .iter()
        .filter(|(name, _)| there.iter().all(|(other, _)| other != name))
    {
        if let Some(value) = quoted(secret) {
            text.extend([name.as_str(), "=", &value, "\n"]);
        }
    }
    files::replace(&path, text.as_bytes(), OWNER_ONLY)?;
    Ok(())
}
