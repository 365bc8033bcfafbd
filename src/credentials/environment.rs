//! Credentials in the environment: the process's, the state folder's `.env`, the config's `env.vars`, the login shell's.
//!
//! This is where the process's environment is read, once; everything else takes an [`Environment`].

mod discovery;
mod key_file;
mod names;
mod shadow;
mod shell;
mod wanted;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::Secret;

use crate::config::Warning;
use crate::config::load::read_bounded;

pub(super) use discovery::kind_of;
pub use discovery::{Discovered, discover};
pub(crate) use names::owner_of;
pub use names::{PlacesLooked, places_looked};
pub use shell::{SHELL_TIME_MAX, ShellSettings, ShellVariables};
pub use wanted::CredentialNames;

use shadow::Shadow;

/// No `.env` file is larger: 10 MiB.
const DOTENV_BYTES_MAX: u64 = 10 << 20;

/// Names and values, wherever they come from.
pub trait Environment {
    /// The value of a variable.
    fn get(&self, name: &str) -> Option<&str>;

    /// Every name, in any order.
    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_>;
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        BTreeMap::get(self, name).map(String::as_str)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.keys().map(String::as_str))
    }
}

/// The process's environment as it was at the start. Its `Debug` shows no values.
#[derive(Clone, Default)]
pub struct ProcessEnvironment(BTreeMap<String, String>);

impl ProcessEnvironment {
    /// Reads it. A variable whose name or value is not UTF-8 is left out: it can be neither a path that we were
    /// given in a config nor a key.
    #[must_use]
    pub fn read() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }
}

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Environment::names(&self.0)
    }
}

impl fmt::Debug for ProcessEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessEnvironment({} variables)", self.0.len())
    }
}

/// Which layer of the environment a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The process's environment.
    Process,
    /// `<state>/.env`.
    DotEnv,
    /// The config's `env.vars`.
    ConfigVars,
    /// The user's login shell.
    LoginShell,
}

impl Layer {
    /// Where a variable was found, as people read it: `env: OPENAI_API_KEY`.
    #[must_use]
    pub fn source(self, name: &str) -> Arc<str> {
        let label = match self {
            Self::Process => "env",
            Self::DotEnv => ".env",
            Self::ConfigVars => "config env.vars",
            Self::LoginShell => "shell env",
        };
        Arc::from(format!("{label}: {name}"))
    }
}

/// The path of the running program, for commands that people paste.
#[must_use]
pub fn program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// The environment that counts: each name from the first layer that has a value for it which is not blank.
///
/// Filled, never overridden. Its `Debug` shows no values.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, (Layer, String)>,
    /// Where a variable is blank that no higher layer has.
    blanks: BTreeMap<String, Layer>,
    /// What was not taken because it is not the value that counts.
    shadows: Vec<Shadow>,
}

impl Variables {
    /// The process's environment alone.
    #[must_use]
    pub fn of(process: &dyn Environment) -> Self {
        let mut variables = Self::default();
        let pairs = process
            .names()
            .filter_map(|name| Some((name, process.get(name)?)));
        variables.fill(Layer::Process, pairs);
        variables
    }

    /// Fills in what is absent so far; blank values are as good as absent. What is not taken is remembered by name and
    /// layer, without the value.
    pub fn fill<'a>(&mut self, layer: Layer, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (name, value) in pairs {
            match self.values.get(name) {
                Some((counts, other)) => {
                    let differs = *counts != layer && clean(other) != clean(value);
                    if differs && !value.trim().is_empty() {
                        let counts = *counts;
                        self.shadowed(name, counts, layer, false);
                    }
                }
                None if value.trim().is_empty() => {
                    self.blanks.entry(name.to_owned()).or_insert(layer);
                }
                None => {
                    if let Some(blank) = self.blanks.get(name).copied().filter(|blank| *blank != layer) {
                        self.shadowed(name, layer, blank, true);
                    }
                    self.values.insert(name.to_owned(), (layer, value.to_owned()));
                }
            }
        }
    }

    fn shadowed(&mut self, name: &str, counts: Layer, idle: Layer, blank: bool) {
        let shadow = Shadow {
            name: name.to_owned(),
            counts,
            idle,
            blank,
        };
        // A file may name a variable twice.
        if !self.shadows.contains(&shadow) {
            self.shadows.push(shadow);
        }
    }

    /// Fills in from the `.env` file of the state folder, if there is one. What can't be read is a warning.
    pub fn fill_from_dotenv(&mut self, state_dir: &Path) -> Vec<Warning> {
        let path = dotenv_path(state_dir);
        let text = match read_bounded(&path, DOTENV_BYTES_MAX) {
            Ok(Some(text)) => text,
            Ok(None) => return Vec::new(),
            Err(reason) => {
                return vec![Warning::about(
                    path.display().to_string(),
                    format!("cannot be read: {reason}"),
                )];
            }
        };
        let (pairs, warnings) = dotenv_pairs(&text, &path);
        // The last of equal names counts, as it would for a shell that reads the file.
        let last_first = pairs.iter().rev();
        self.fill(
            Layer::DotEnv,
            last_first.map(|(name, value)| (name.as_str(), value.as_str())),
        );
        warnings
    }

    /// A value and the layer it comes from.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(Layer, &str)> {
        self.values
            .get(name)
            .map(|(layer, value)| (*layer, value.as_str()))
    }

    /// The variables whose names begin with `prefix`, by name bytewise.
    fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = (&str, Layer, &str)> {
        self.values
            .range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, (layer, value))| (name.as_str(), *layer, value.as_str()))
    }
}

impl Environment for Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(_, value)| value)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.values.keys().map(String::as_str))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.values.len())
    }
}

/// The daemon's environment file.
#[must_use]
pub fn dotenv_path(state_dir: &Path) -> PathBuf {
    state_dir.join(".env")
}

/// The pairs of a `.env` file. Lines that do not parse are counted and not repeated, since they may hold a key.
pub(crate) fn dotenv_pairs(text: &str, path: &Path) -> (Vec<(String, String)>, Vec<Warning>) {
    // dotenvy reports a bad line with its text and goes on with the next one.
    let mut pairs = Vec::new();
    let mut bad = 0_usize;
    for pair in dotenvy::from_read_iter(text.as_bytes()) {
        match pair {
            Ok(pair) => pairs.push(pair),
            Err(_) => bad += 1,
        }
    }
    let warnings = if bad == 0 {
        Vec::new()
    } else {
        vec![Warning::about(
            path.display().to_string(),
            format!("{bad} lines are not of the form NAME=value and are ignored"),
        )]
    };
    (pairs, warnings)
}

/// A secret as the value of a line of an `.env` file; `None` if no quoting can hold it.
pub(crate) fn quoted(secret: &Secret) -> Option<String> {
    let value = secret.expose();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@,;".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return Some(value.to_owned());
    }
    // Between single quotes nothing has a meaning but they themselves.
    let fits = !value.contains(['\'', '\n', '\r']);
    fits.then(|| format!("'{value}'"))
}

/// A value as it goes on the wire: without line breaks, without outer white space.
#[must_use]
pub(crate) fn clean(value: &str) -> String {
    let is_break = |c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    if value.contains(is_break) {
        value.replace(is_break, "").trim().to_owned()
    } else {
        value.trim().to_owned()
    }
}

/// Whether a header can carry the value: visible ASCII and spaces.
#[must_use]
pub(crate) fn fits_a_header(value: &str) -> bool {
    value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}
