//! Where an older tool keeps its things.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use crate::config::load::expand_home;
use crate::credentials::environment::Environment;

/// What the older tools call their config, newest name first.
const CONFIG_NAMES: [&str; 4] = ["openclaw.json", "coderclaw.json", "moltbot.json", "clawdbot.json"];
/// An install folder of the older CoderClaw has a name of 8 hex digits.
const INSTALL_NAME_CHARS: usize = 8;

/// A tool that is moved over from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// OpenClaw.
    Openclaw,
    /// The older CoderClaw.
    Coderclaw,
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The tool, where it is known.
    pub tool: Option<Tool>,
    /// Its state folder, or the one file that was named.
    pub path: PathBuf,
    /// Its config, if it has one.
    pub config: Option<PathBuf>,
    /// Others of its state folders, which are not read.
    pub others: Vec<PathBuf>,
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SourceError {
    /// Neither of the tools has anything here.
    #[error("no state of an older tool was found; looked at {}", list(looked))]
    NotFound {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// Both tools have something.
    #[error("both older tools were here: {} and {}", openclaw.display(), coderclaw.display())]
    Both {
        /// OpenClaw's state folder.
        openclaw: PathBuf,
        /// The older CoderClaw's.
        coderclaw: PathBuf,
    },
    /// The folder that was found is the one that is used already.
    #[error("{} is coderclaw's own state folder", path.display())]
    Ours {
        /// The folder.
        path: PathBuf,
    },
    /// There is no such file or folder.
    #[error("{}: there is no such file or folder", path.display())]
    NoSuchPath {
        /// What was named.
        path: PathBuf,
    },
    /// A folder in which an older tool keeps nothing.
    #[error("{} holds neither a config, nor agents, nor a database of an older tool", path.display())]
    NoState {
        /// What was named.
        path: PathBuf,
    },
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if paths.is_empty() {
        "nothing: HOME is not set".to_owned()
    } else {
        paths.join(", ")
    }
}

impl Tool {
    /// Its name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openclaw => "openclaw",
            Self::Coderclaw => "coderclaw",
        }
    }
}

impl Source {
    /// Finds what `from` means: a tool, a path, or, if nothing is said, the one tool that has been here.
    ///
    /// `process` is the process's environment, `ours` the state folder in use.
    ///
    /// # Errors
    /// If there is nothing, or it is not clear what is meant.
    pub fn find(from: Option<&str>, process: &dyn Environment, ours: &Path) -> Result<Self, SourceError> {
        match from {
            Some("openclaw") => Self::of_tool(Tool::Openclaw, process, ours),
            Some("coderclaw") => Self::of_tool(Tool::Coderclaw, process, ours),
            Some(path) => Self::of_path(&expand_home(path, home(process).as_deref()), ours),
            None => Self::of_either(process, ours),
        }
    }

    fn of_either(process: &dyn Environment, ours: &Path) -> Result<Self, SourceError> {
        let openclaw = Self::of_tool(Tool::Openclaw, process, ours);
        let coderclaw = Self::of_tool(Tool::Coderclaw, process, ours);
        match (openclaw, coderclaw) {
            (Ok(openclaw), Ok(coderclaw)) => Err(SourceError::Both {
                openclaw: openclaw.path,
                coderclaw: coderclaw.path,
            }),
            (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
            (Err(SourceError::NotFound { mut looked }), Err(SourceError::NotFound { looked: more })) => {
                looked.extend(more);
                Err(SourceError::NotFound { looked })
            }
            (Err(SourceError::NotFound { .. }), Err(error)) | (Err(error), Err(_)) => Err(error),
        }
    }

    fn of_tool(tool: Tool, process: &dyn Environment, ours: &Path) -> Result<Self, SourceError> {
        let looked = candidates(tool, process);
        let found: Vec<PathBuf> = looked.iter().filter(|folder| is_state(folder)).cloned().collect();
        let (own, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(|folder| is_same(folder, ours));
        if others.is_empty() {
            return Err(match own.into_iter().next() {
                Some(path) => SourceError::Ours { path },
                None => SourceError::NotFound { looked },
            });
        }
        let path = others.remove(0);
        let set = process.get(&format!("{}_CONFIG_PATH", prefix(tool)));
        let set = set.filter(|path| tool == Tool::Openclaw && !path.trim().is_empty());
        let config = set
            .map(|path| expand_home(path, home(process).as_deref()))
            .or_else(|| config_of(&path, ours));
        Ok(Self {
            tool: Some(tool),
            path,
            config,
            others,
        })
    }

    fn of_path(path: &Path, ours: &Path) -> Result<Self, SourceError> {
        let Ok(path) = fs::canonicalize(path) else {
            return Err(SourceError::NoSuchPath {
                path: path.to_owned(),
            });
        };
        let is_config = path
            .file_name()
            .is_some_and(|name| CONFIG_NAMES.iter().any(|config| name == *config));
        let (path, config) = if path.is_dir() {
            if !is_state(&path) {
                return Err(SourceError::NoState { path });
            }
            let config = config_of(&path, ours);
            (path, config)
        } else if is_config {
            let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
            (folder, Some(path))
        } else {
            (path, None)
        };
        if is_same(&path, ours) {
            return Err(SourceError::Ours { path });
        }
        let tool = config.as_deref().and_then(Path::file_name).map(|name| {
            if name == "coderclaw.json" {
                Tool::Coderclaw
            } else {
                Tool::Openclaw
            }
        });
        Ok(Self {
            tool,
            path,
            config,
            others: Vec::new(),
        })
    }
}

const fn prefix(tool: Tool) -> &'static str {
    match tool {
        Tool::Openclaw => "OPENCLAW",
        Tool::Coderclaw => "CODERCLAW",
    }
}

fn home(process: &dyn Environment) -> Option<PathBuf> {
    set(process, "HOME").map(PathBuf::from)
}

fn set<'e>(process: &'e dyn Environment, name: &str) -> Option<&'e str> {
    process.get(name).filter(|value| !value.trim().is_empty())
}

/// Every folder in which the tool may keep its state, the likeliest first.
fn candidates(tool: Tool, process: &dyn Environment) -> Vec<PathBuf> {
    let prefix = prefix(tool);
    let os_home = home(process);
    let home = set(process, &format!("{prefix}_HOME"))
        .map(|home| expand_home(home, os_home.as_deref()))
        .or_else(|| os_home.clone());
    if let Some(folder) = set(process, &format!("{prefix}_STATE_DIR")) {
        return vec![expand_home(folder, os_home.as_deref())];
    }
    let Some(home) = home else { return Vec::new() };
    let flat = home.join(format!(".{}", tool.name()));
    let profile = set(process, &format!("{prefix}_PROFILE")).filter(|profile| *profile != "default");
    if let Some(profile) = profile {
        return vec![home.join(format!(".{}-{profile}", tool.name()))];
    }
    let mut folders = Vec::new();
    if tool == Tool::Coderclaw {
        folders.extend(installs(&flat));
    }
    folders.push(flat);
    folders.extend(profiles(&home, tool));
    folders
}

/// `~/.coderclaw/<8 hex digits>`, the one that was written last first.
fn installs(flat: &Path) -> Vec<PathBuf> {
    let is_install =
        |name: &str| name.len() == INSTALL_NAME_CHARS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found: Vec<(SystemTime, PathBuf)> = folders_in(flat, is_install)
        .into_iter()
        .map(|folder| (written(&folder), folder))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// When the config of a state folder was written, else the folder.
fn written(folder: &Path) -> SystemTime {
    let config = CONFIG_NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file());
    let meta = fs::metadata(config.as_deref().unwrap_or(folder));
    meta.and_then(|meta| meta.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// `~/.openclaw-<profile>`, by name.
fn profiles(home: &Path, tool: Tool) -> Vec<PathBuf> {
    let prefix = format!(".{}-", tool.name());
    let mut found = folders_in(home, |name| name.starts_with(&prefix));
    found.sort();
    found
}

fn folders_in(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| {
            path.is_dir()
                && path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(&is_wanted)
        })
        .collect()
}

fn is_state(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).exists();
    CONFIG_NAMES.iter().any(|name| has(name)) || has("agents") || has("state/openclaw.sqlite")
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// The config of a state folder. Install folders share the one above them, unless that is ours.
fn config_of(folder: &Path, ours: &Path) -> Option<PathBuf> {
    let in_folder = |folder: &Path| {
        CONFIG_NAMES
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.is_file())
    };
    in_folder(folder).or_else(|| {
        let above = folder.parent()?;
        let is_install = above.file_name()? == ".coderclaw" && !is_same(above, ours);
        if is_install { in_folder(above) } else { None }
    })
}
