//! `<state>/cache/models/<provider>.json`: lists that were asked for, kept until they are asked for anew.
//!
//! Nothing is there that can't be asked for again: a file that does not parse is as good as none, and is replaced.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{MODELS_MAX, ModelList};
use crate::config::load::read_bounded;
use crate::config::{ConfigError, Provider, create_state_dir};
use crate::files::{self, FileError, FileLock};

/// Below the state folder.
const FOLDER: [&str; 2] = ["cache", "models"];
/// Beside the lists; it stays.
const LOCK_NAME: &str = ".lock";
/// A write takes milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// A file that is larger was not written here: 16 MiB.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The lists that a state folder keeps.
#[derive(Clone, Debug)]
pub struct KeptLists {
    state_dir: PathBuf,
}

/// Why a list that is there can't be used, or one was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It can't be read.
    #[error("{} can't be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It holds something else.
    #[error("{} holds no list of models", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Its folder can't be made.
    #[error("{} can't be made: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It can't be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl KeptLists {
    /// Those of a state folder, which need not exist.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.state_dir.join(FOLDER.iter().collect::<PathBuf>())
    }

    /// An id is letters, digits, `.`, `_` and `-` and begins with none of the signs: it can be no path.
    fn path(&self, provider: &Provider) -> PathBuf {
        self.folder().join(format!("{}.json", provider.id))
    }

    /// The list of a provider, if one is kept that it gave at its present address.
    ///
    /// # Errors
    /// If there is a file that can't be read or understood.
    pub fn read(&self, provider: &Provider) -> Result<Option<ModelList>, KeptError> {
        let path = self.path(provider);
        let text = match read_bounded(&path, FILE_BYTES_MAX) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(reason) => return Err(KeptError::Unreadable { path, reason }),
        };
        let list: ModelList = serde_json::from_str(&text)
            .ok()
            .filter(|list: &ModelList| list.models.len() <= MODELS_MAX)
            .ok_or(KeptError::Malformed { path })?;
        let is_its = list.provider == provider.id && list.base_url == provider.base.as_str();
        Ok(is_its.then_some(list))
    }

    /// Keeps a list, in place of the one before.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn keep(&self, provider: &Provider, list: &ModelList) -> Result<(), KeptError> {
        let folder = self.folder();
        create_state_dir(&folder).map_err(|error| KeptError::Folder {
            path: folder.clone(),
            reason: match error {
                ConfigError::StateFolder { reason, .. } => reason,
                other => other.to_string(),
            },
        })?;
        let _lock = FileLock::take(&folder.join(LOCK_NAME), LOCK_PATIENCE)?;
        Ok(files::replace_json(&self.path(provider), list)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::ListedModel;
    use super::*;
    use crate::config::Settings;
    use crate::status::testing::Scene;

    fn provider(settings: &Settings) -> &Provider {
        settings.provider("openai").unwrap()
    }

    fn list(provider: &Provider) -> ModelList {
        ModelList {
            provider: provider.id.clone(),
            base_url: provider.base.as_str().to_owned(),
            fetched_at: 5,
            models: vec![ListedModel {
                id: "gpt-5".to_owned(),
                context_window: Some(400_000),
                ..ListedModel::default()
            }],
        }
    }

    #[test]
    fn a_list_is_kept_for_its_owner_alone() {
        let settings = Scene::new().settings();
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptLists::of(&folder.path().join("state"));
        let provider = provider(&settings);
        assert_eq!(kept.read(provider).unwrap(), None);
        kept.keep(provider, &list(provider)).unwrap();
        assert_eq!(kept.read(provider).unwrap(), Some(list(provider)));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&kept.path(provider)), 0o600);
        assert_eq!(mode(&kept.folder()), 0o700);
    }

    #[test]
    fn a_list_of_another_address_is_none_and_what_is_no_list_is_said_and_replaced() {
        let settings = Scene::new().settings();
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptLists::of(folder.path());
        let provider = provider(&settings);
        let elsewhere = ModelList {
            base_url: "https://elsewhere.example/v1".to_owned(),
            ..list(provider)
        };
        kept.keep(provider, &elsewhere).unwrap();
        assert_eq!(kept.read(provider).unwrap(), None);
        fs::write(kept.path(provider), "{ nonsense").unwrap();
        let error = kept.read(provider).unwrap_err();
        assert!(
            error.to_string().ends_with("openai.json holds no list of models"),
            "{error}"
        );
        kept.keep(provider, &list(provider)).unwrap();
        assert!(kept.read(provider).unwrap().is_some());
    }
}
