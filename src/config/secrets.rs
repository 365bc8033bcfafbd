//! `secrets`: the providers that the older tools' references name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;

use super::document::{Field, Reader, Section};
use crate::credentials::command::TIME_MAX;
use crate::credentials::reference::{FILE_BYTES_MAX, is_path, is_provider};

/// The largest file that may be asked for: 64 MiB.
const FILE_BYTES_LIMIT: u64 = 64 << 20;
/// The largest output that may be asked for: 64 MiB.
const OUTPUT_BYTES_LIMIT: u64 = 64 << 20;
/// What a provider's program may print, unless the config says otherwise: 1 MiB, as with the older tools.
const OUTPUT_BYTES: usize = 1 << 20;

/// `secrets.providers` and `secrets.defaults`, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretProviders {
    /// The providers.
    pub by_name: BTreeMap<String, SecretProvider>,
    /// The provider of references to variables that name none.
    pub default_env: Option<String>,
    /// The provider of references to files that name none.
    pub default_file: Option<String>,
    /// The provider of references to programs that name none.
    pub default_exec: Option<String>,
}

/// Who gives secrets by an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretProvider {
    /// The environment.
    Env(EnvProvider),
    /// A file.
    File(FileProvider),
    /// A program.
    Exec(ExecProvider),
    /// One that needs what only an older tool has; says why.
    Foreign(String),
}

/// The environment as a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvProvider {
    /// The names that may be read; `None` is all.
    pub allowed: Option<BTreeSet<String>>,
}

/// A file as a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProvider {
    /// Its path; `~/` is not expanded yet.
    pub path: String,
    /// Whether the file is one secret; otherwise it is JSON, and ids are pointers.
    pub single_value: bool,
    /// How large it may be, in bytes.
    pub bytes_max: u64,
    /// Whether others may read it.
    pub insecure_allowed: bool,
}

/// A program as a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecProvider {
    /// Its path; `~/` is not expanded yet.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may run.
    pub time_max: Duration,
    /// How many bytes it may print.
    pub output_bytes_max: usize,
    /// Whether it must speak the protocol; otherwise it may print one value.
    pub json_only: bool,
    /// Variables that it gets beside those passed on.
    pub environment: BTreeMap<String, Secret>,
    /// Names of our variables that it gets.
    pub passed: Vec<String>,
    /// Where it must be; empty is anywhere.
    pub trusted_folders: Vec<PathBuf>,
    /// Whether others may change it.
    pub insecure_allowed: bool,
    /// Whether its path may be a symbolic link.
    pub symlink_allowed: bool,
}

impl SecretProvider {
    /// The word for what it reads.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::Exec(_) => "exec",
            Self::Foreign(_) => "plugin",
        }
    }
}

/// Reads `secrets`.
pub(super) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> SecretProviders {
    let mut read = SecretProviders::default();
    let Some(mut secrets) = root.section("secrets", reader) else {
        return read;
    };
    if let Some(providers) = secrets.section("providers", reader) {
        for (name, field) in providers.entries() {
            if is_provider(name) {
                let provider = provider(field, reader);
                read.by_name
                    .extend(provider.map(|provider| (name.to_owned(), provider)));
            } else {
                reader.refuse(
                    field,
                    "expected a name of a-z, then a-z, 0-9, `_` and `-`, at most 64 characters",
                );
            }
        }
    }
    if let Some(mut defaults) = secrets.section("defaults", reader) {
        for (name, default) in [
            ("env", &mut read.default_env),
            ("file", &mut read.default_file),
            ("exec", &mut read.default_exec),
        ] {
            let field = defaults.take(name);
            *default = field.and_then(|field| reader.text(&field, "the name of a provider"));
        }
        defaults.finish(reader);
    }
    // How many are asked at once, and how much in one question: here each reference is asked for alone.
    secrets.ignore(&["resolution"]);
    secrets.finish(reader);
    read
}

fn provider(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<SecretProvider> {
    #[derive(Clone, Copy)]
    enum Source {
        Env,
        File,
        Exec,
    }

    let mut section = reader.section(field)?;
    let Some(source) = section.take("source") else {
        reader.refuse(field, "expected a `source`: \"env\", \"file\" or \"exec\"");
        return None;
    };
    // Plugins of the older tools bring sources of their own; only references to them fail.
    let sources = [
        ("env", Source::Env),
        ("file", Source::File),
        ("exec", Source::Exec),
    ];
    let known = source.value.as_string_lit().map(|text| text.value.trim());
    let Some((_, source)) = sources.into_iter().find(|(name, _)| known == Some(name)) else {
        let reason = "its source belongs to a plugin of another tool; coderclaw knows env, file and exec";
        reader.warn(&source, format!("kept and not used: {reason}"));
        return Some(SecretProvider::Foreign(reason.to_owned()));
    };
    let read = match source {
        Source::Env => Some(env(&mut section, reader)),
        Source::File => file(&mut section, reader),
        Source::Exec => exec(&mut section, reader),
    };
    section.finish(reader);
    read
}

fn env(section: &mut Section<'_>, reader: &mut Reader<'_>) -> SecretProvider {
    let allowlist = section.take("allowlist");
    SecretProvider::Env(EnvProvider {
        allowed: allowlist.map(|field| {
            let names = reader.texts(&field, "the name of an environment variable");
            names.into_iter().collect()
        }),
    })
}

fn file(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<SecretProvider> {
    let path = path(section, "path", reader);
    let modes = [("json", false), ("singleValue", true)];
    let mode = section.take("mode");
    let single_value = mode.and_then(|field| reader.one_of(&field, &modes));
    let bytes_max = section
        .take("maxBytes")
        .and_then(|field| reader.size(&field, 1..=FILE_BYTES_LIMIT));
    let insecure_allowed = flag(section, "allowInsecurePath", reader);
    section.ignore(&["timeoutMs"]);
    Some(SecretProvider::File(FileProvider {
        path: path?,
        single_value: single_value.unwrap_or(false),
        bytes_max: bytes_max.map_or(FILE_BYTES_MAX, |bytes| u64::try_from(bytes).unwrap_or(u64::MAX)),
        insecure_allowed: insecure_allowed.unwrap_or(false),
    }))
}

fn exec(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<SecretProvider> {
    if let Some(plugin) = section.take("pluginIntegration") {
        let reason = "its command comes from a plugin of another tool; name the program as `command`";
        reader.warn(&plugin, format!("kept and not used: {reason}"));
        return Some(SecretProvider::Foreign(reason.to_owned()));
    }
    let command = path(section, "command", reader);
    let arguments = section.take("args").map(|field| words(&field, reader));
    let time_max = section
        .take("timeoutMs")
        .and_then(|field| reader.duration(&field));
    let output_bytes_max = section
        .take("maxOutputBytes")
        .and_then(|field| reader.size(&field, 1..=OUTPUT_BYTES_LIMIT));
    let json_only = flag(section, "jsonOnly", reader);
    let environment = section
        .section("env", reader)
        .map(|vars| variables(&vars, reader));
    let passed = section
        .take("passEnv")
        .map(|field| reader.texts(&field, "the name of a variable"));
    let trusted = section
        .take("trustedDirs")
        .map(|field| reader.texts(&field, "a folder"));
    let insecure_allowed = flag(section, "allowInsecurePath", reader);
    let symlink_allowed = flag(section, "allowSymlinkCommand", reader);
    section.ignore(&["noOutputTimeoutMs"]);
    Some(SecretProvider::Exec(ExecProvider {
        command: command?,
        arguments: arguments.unwrap_or_default(),
        time_max: time_max.unwrap_or(TIME_MAX),
        output_bytes_max: output_bytes_max.unwrap_or(OUTPUT_BYTES),
        json_only: json_only.unwrap_or(true),
        environment: environment.unwrap_or_default(),
        passed: passed.unwrap_or_default(),
        trusted_folders: trusted
            .unwrap_or_default()
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        insecure_allowed: insecure_allowed.unwrap_or(false),
        symlink_allowed: symlink_allowed.unwrap_or(false),
    }))
}

fn path(section: &mut Section<'_>, name: &'static str, reader: &mut Reader<'_>) -> Option<String> {
    let expected = "a path, absolute or with `~/` at the beginning";
    let Some(field) = section.take(name) else {
        let field = section.field().clone();
        reader.refuse(&field, format!("expected `{name}`: {expected}"));
        return None;
    };
    let path = reader.text(&field, expected)?;
    if !is_path(&path) {
        reader.refuse(&field, format!("expected {expected}"));
        return None;
    }
    Some(path)
}

fn flag(section: &mut Section<'_>, name: &'static str, reader: &mut Reader<'_>) -> Option<bool> {
    let field = section.take(name)?;
    reader.boolean(&field)
}

/// Arguments as they are: blank ones too, and never shown, since one may be a secret.
fn words(field: &Field<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let list = reader
        .list(field, "a list of arguments as text")
        .unwrap_or_default();
    let mut words = Vec::with_capacity(list.len());
    for element in &list {
        match element.value.as_string_lit() {
            Some(text) => words.push(text.value.clone().into_owned()),
            None => reader.expected_unseen(element, "an argument as text"),
        }
    }
    words
}

fn variables(section: &Section<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, Secret> {
    let mut read = BTreeMap::new();
    for (name, field) in section.entries() {
        match field.value.as_string_lit() {
            Some(text) => {
                read.insert(name.to_owned(), Secret::new(text.value.clone().into_owned()));
            }
            None => reader.expected_unseen(field, "a value as text"),
        }
    }
    read
}
