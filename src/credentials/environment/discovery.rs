//! Which variables make which credentials of a provider, in which order.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, ProfileId, Secret,
};

use super::names::{FILE_ENDING, Names, holds_no_key};
use super::{Environment, Layer, Variables, clean, fits_a_header, key_file};
use crate::config::Warning;
use crate::config::load::expand_home;
use crate::config::provider_id::normalise;

/// How Anthropic's tokens begin, wherever they are found.
const ANTHROPIC_TOKEN_PREFIX: &str = "sk-ant-oat01-";

/// The credentials of one provider in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// In the order in which they are used. The same secret may stand here twice, under several names.
    pub profiles: Vec<AuthProfile>,
    /// Whether a `CODERCLAW_LIVE_<P>_KEY` is set: then it is the only one, and the whole pool.
    pub live: bool,
    /// The files of keys that are named, whether they are there or not.
    pub files: Vec<PathBuf>,
    /// What could not be read or used.
    pub warnings: Vec<Warning>,
}

impl Discovered {
    /// The secrets, each once, in their order.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Secret> {
        let mut seen = HashSet::with_capacity(self.profiles.len());
        let secrets = self.profiles.iter().map(|profile| &profile.secret);
        secrets.filter(|secret| seen.insert(*secret)).collect()
    }
}

/// Finds the credentials of `provider`.
#[must_use]
pub fn discover(provider: &str, variables: &Variables) -> Discovered {
    let id = normalise(provider);
    let names = Names::of(&id);
    let mut search = Search {
        provider: &id,
        variables,
        found: Discovered::default(),
    };
    if let Some((layer, value)) = variables.find(&names.live) {
        search.single(&names.live, layer, value);
        if !search.found.profiles.is_empty() {
            search.found.live = true;
            return search.found;
        }
    }
    for name in &names.lists {
        search.list(name);
    }
    search.file(&names.list_file);
    search.named(&names.single);
    search.numbered(&names.numbered);
    for name in names.late_lists {
        search.list(name);
    }
    for name in &names.late_singles {
        search.named(name);
    }
    search.found
}

struct Search<'a> {
    provider: &'a str,
    variables: &'a Variables,
    found: Discovered,
}

impl Search<'_> {
    fn named(&mut self, name: &str) {
        if let Some((layer, value)) = self.variables.find(name) {
            self.single(name, layer, value);
        }
    }

    fn single(&mut self, name: &str, layer: Layer, value: &str) {
        let id = format!("{}:env:{name}", self.provider);
        self.add(&id, name, &layer.source(name), value);
    }

    fn list(&mut self, name: &str) {
        if let Some((layer, value)) = self.variables.find(name) {
            let is_gap = |c: char| c == ',' || c == ';' || c.is_whitespace();
            self.items(name, &layer.source(name), value.split(is_gap));
        }
    }

    fn file(&mut self, name: &str) {
        let Some((layer, path)) = self.variables.find(name) else {
            return;
        };
        let source = layer.source(name);
        let path = expand_home(path.trim(), self.variables.get("HOME").map(Path::new));
        self.found.files.push(path.clone());
        match key_file::read(&path) {
            Ok(text) => self.items(name, &source, text.lines()),
            // The path is not repeated: a key that was put here by mistake would be shown.
            Err(reason) => self.found.warnings.push(Warning::about(
                source.as_ref(),
                format!("the file of keys that it names cannot be read: {reason}"),
            )),
        }
    }

    fn items<'v>(&mut self, name: &str, source: &Arc<str>, items: impl Iterator<Item = &'v str>) {
        let present = items.filter(|item| !item.trim().is_empty());
        for (index, item) in present.enumerate() {
            let id = format!("{}:env:{name}#{}", self.provider, index + 1);
            self.add(&id, name, source, item);
        }
    }

    /// Every variable that begins with `<P>_API_KEY_`.
    fn numbered(&mut self, prefix: &str) {
        let mut matching: Vec<&str> = self
            .variables
            .beginning_with(prefix)
            .map(|(name, _, _)| name)
            .filter(|name| name.len() > prefix.len() && !holds_no_key(name))
            .collect();
        matching.sort_by(|a, b| by_suffix(suffix(a, prefix), suffix(b, prefix)));
        for name in matching {
            if name.ends_with(FILE_ENDING) {
                self.file(name);
            } else {
                self.named(name);
            }
        }
    }

    fn add(&mut self, id: &str, name: &str, source: &Arc<str>, value: &str) {
        let value = clean(value);
        if value.is_empty() {
            return;
        }
        if !fits_a_header(&value) {
            self.found.warnings.push(Warning::about(
                source.as_ref(),
                format!("`{id}` is left out: it has characters that no HTTP header can carry"),
            ));
            return;
        }
        self.found.profiles.push(AuthProfile {
            id: ProfileId::new(id),
            kind: kind_of(self.provider, name, &value),
            secret: Secret::new(value),
            expires_at: None,
            source: Arc::clone(source),
            owner: None,
            limits: CredentialLimits::default(),
        });
    }
}

/// What kind of credential a variable or a key of the config holds.
pub(in crate::credentials) fn kind_of(provider: &str, name: &str, value: &str) -> CredentialKind {
    let is_token = name.contains("OAUTH_TOKEN")
        || (provider == "anthropic" && value.starts_with(ANTHROPIC_TOKEN_PREFIX));
    if is_token {
        CredentialKind::Token
    } else {
        CredentialKind::ApiKey
    }
}

fn suffix<'n>(name: &'n str, prefix: &str) -> &'n str {
    name.get(prefix.len()..).unwrap_or_default()
}

/// Numbers in numeric order, then names bytewise.
fn by_suffix(a: &str, b: &str) -> Ordering {
    match (digits(a), digits(b)) {
        (Some(x), Some(y)) => x
            .len()
            .cmp(&y.len())
            .then_with(|| x.cmp(y))
            .then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The digits of a number without leading zeros, however long it is.
fn digits(suffix: &str) -> Option<&str> {
    suffix
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| suffix.trim_start_matches('0'))
}
