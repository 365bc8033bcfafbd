//! What a pasted text is: a credential of a provider, of another, or something that was copied along.
//!
//! Nothing here repeats a text or a part of it: what is told of one is its kind.

mod unfit;

use coderclaw_actors::domain::credential::{CredentialKind, ProviderId, Secret};

use crate::config::Provider;
use crate::credentials::environment::clean;

pub use unfit::Unfit;

/// How every credential of Anthropic begins, of forms too that are not known yet.
const ANTHROPIC_PREFIX: &str = "sk-ant-";
/// How those begin whose kind is known.
const ANTHROPIC_KINDS: [(&str, CredentialKind); 2] = [
    ("sk-ant-oat", CredentialKind::Token),
    ("sk-ant-api", CredentialKind::ApiKey),
];
/// How a token of `claude setup-token` begins.
pub const SETUP_TOKEN_PREFIX: &str = "sk-ant-oat01-";
/// A token of `claude setup-token` is longer; a shorter one was cut off.
const SETUP_TOKEN_CHARS_MIN: usize = 80;
/// No built-in provider has shorter keys.
const KEY_CHARS_MIN: usize = 20;

/// Secrets of vendors that no model answers to.
const USELESS: [(&str, &str); 10] = [
    (
        "sk-ant-admin",
        "an Admin API key of Anthropic, which serves no model",
    ),
    ("sk-ant-sid", "a session cookie of claude.ai"),
    (
        "sk-ant-ort",
        "the refresh token of a login, which is no credential of its own",
    ),
    ("sk-admin-", "an Admin API key of OpenAI, which serves no model"),
    (
        "ya29.",
        "an access token of a Google login, which ends within the hour",
    ),
    ("ghp_", "a token of GitHub"),
    ("gho_", "a token of GitHub"),
    ("github_pat_", "a token of GitHub"),
    ("hf_", "a token of Hugging Face"),
    ("AKIA", "the id of an AWS access key"),
];

/// How whole headers begin, in lower case.
const HEADERS: [&str; 5] = [
    "authorization:",
    "bearer ",
    "x-api-key:",
    "x-goog-api-key:",
    "-h ",
];

/// How texts begin that hold more than a credential.
const DOCUMENTS: [(&str, &str); 5] = [
    ("{", "a JSON document"),
    ("[", "a JSON document"),
    ("-----BEGIN", "a certificate or a private key"),
    ("http://", "an address"),
    ("https://", "an address"),
];

/// What is expected of a text.
#[derive(Clone, Debug)]
pub struct Expected {
    provider: ProviderId,
    /// Whether all its keys have a known length and form.
    builtin: bool,
    kind: CredentialKind,
    prefixes: Vec<(ProviderId, &'static [&'static str])>,
    must_begin: Option<&'static str>,
    trusting: bool,
}

/// A text that is a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The credential.
    pub secret: Secret,
    /// What it is, by its form.
    pub kind: CredentialKind,
    /// Why it may be none after all.
    pub doubt: Option<String>,
}

impl Expected {
    /// A credential of `provider`, of `kind` unless its form says otherwise.
    #[must_use]
    pub fn of(provider: &Provider, providers: &[Provider], kind: CredentialKind) -> Self {
        let builtin = providers.iter().filter(|other| other.builtin);
        let mut prefixes: Vec<_> = builtin
            .map(|other| (other.id.clone(), other.key_prefixes))
            .collect();
        prefixes.push((ProviderId::new("anthropic"), &[ANTHROPIC_PREFIX]));
        Self {
            provider: provider.id.clone(),
            builtin: provider.builtin,
            kind,
            prefixes,
            must_begin: None,
            trusting: false,
        }
    }

    /// Takes a text that looks like something else, as long as it can be sent.
    #[must_use]
    pub const fn trusting(mut self, trusting: bool) -> Self {
        self.trusting = trusting;
        self
    }

    /// Takes no token but one of `claude setup-token`.
    #[must_use]
    pub const fn setup_token(mut self) -> Self {
        self.must_begin = Some(SETUP_TOKEN_PREFIX);
        self
    }

    /// What `text` is.
    ///
    /// # Errors
    /// If it is no credential of the provider, or can't be sent.
    pub fn check(&self, text: &str) -> Result<Recognised, Unfit> {
        let text = unquoted(text.trim());
        self.shape(text)?;
        let value = self.joined(text)?;
        sendable(&value)?;
        if !self.trusting {
            self.plausible(&value)?;
        }
        Ok(Recognised {
            kind: self.kind_of(&value),
            doubt: self.doubt(&value),
            secret: Secret::new(value),
        })
    }

    /// What a secret is that was found elsewhere.
    ///
    /// # Errors
    /// As [`Expected::check`].
    pub fn check_secret(&self, secret: &Secret) -> Result<Recognised, Unfit> {
        self.check(secret.expose())
    }

    /// Whether it is a credential at all, and not what one stands in.
    fn shape(&self, text: &str) -> Result<(), Unfit> {
        if text.is_empty() {
            return Err(Unfit::Empty);
        }
        let lower = text
            .get(..text.floor_char_boundary(16))
            .unwrap_or_default()
            .to_lowercase();
        if HEADERS.iter().any(|header| lower.starts_with(header)) {
            return Err(Unfit::Header);
        }
        if let Some((_, what)) = DOCUMENTS.iter().find(|(start, _)| text.starts_with(start)) {
            return Err(Unfit::Document { what });
        }
        if sets_a_variable(text) {
            return Err(Unfit::Assignment);
        }
        let items = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
        let keys = items.filter(|item| self.owners(item).next().is_some()).count();
        if keys > 1 {
            return Err(Unfit::Several { keys });
        }
        Ok(())
    }

    /// One line of what a terminal has broken into several.
    fn joined(&self, text: &str) -> Result<String, Unfit> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let value = clean(&lines.concat());
        if value.contains(char::is_whitespace) {
            return Err(Unfit::WhiteSpace);
        }
        let is_shortened = value.contains("...") || value.contains("***") || value.contains(['…', '•']);
        if is_shortened && !self.trusting {
            return Err(Unfit::Shortened);
        }
        Ok(value)
    }

    /// Whether it looks like a credential of this provider.
    fn plausible(&self, value: &str) -> Result<(), Unfit> {
        if let Some((_, what)) = USELESS.iter().find(|(start, _)| value.starts_with(start)) {
            return Err(Unfit::Useless { what });
        }
        let least = if value.starts_with(SETUP_TOKEN_PREFIX) {
            SETUP_TOKEN_CHARS_MIN
        } else {
            KEY_CHARS_MIN
        };
        if self.builtin {
            self.own(value)?;
            let chars = value.chars().count();
            if chars < least {
                return Err(Unfit::Short { chars, least });
            }
        }
        match self.must_begin {
            Some(start) if !value.starts_with(start) && self.owners(value).next().is_none() => {
                Err(Unfit::Unlike { start })
            }
            _ => Ok(()),
        }
    }

    /// Whether its beginning is of this provider, where the beginning tells.
    fn own(&self, value: &str) -> Result<(), Unfit> {
        let longest = self.owners(value).map(|(_, length)| length).max();
        let owners: Vec<&ProviderId> = self
            .owners(value)
            .filter(|(_, length)| Some(*length) == longest)
            .map(|(owner, _)| owner)
            .collect();
        if owners.is_empty() || owners.contains(&&self.provider) {
            return Ok(());
        }
        let owners: Vec<&str> = owners.into_iter().map(ProviderId::as_str).collect();
        Err(Unfit::Foreign {
            owners: owners.join(" or "),
            provider: self.provider.clone(),
        })
    }

    /// The providers whose keys begin as `value` does, each with how much of the beginning that is.
    fn owners(&self, value: &str) -> impl Iterator<Item = (&ProviderId, usize)> {
        self.prefixes.iter().filter_map(move |(provider, prefixes)| {
            let matching = prefixes.iter().filter(|prefix| value.starts_with(**prefix));
            Some((provider, matching.map(|prefix| prefix.len()).max()?))
        })
    }

    fn kind_of(&self, value: &str) -> CredentialKind {
        let of_anthropic = ANTHROPIC_KINDS.iter().find(|(start, _)| value.starts_with(start));
        match of_anthropic {
            Some((_, kind)) => *kind,
            None if value.starts_with(ANTHROPIC_PREFIX) => self.kind,
            None if self.builtin && self.owners(value).any(|(owner, _)| *owner == self.provider) => {
                CredentialKind::ApiKey
            }
            None => self.kind,
        }
    }

    fn doubt(&self, value: &str) -> Option<String> {
        let (_, own) = self.prefixes.iter().find(|(owner, _)| *owner == self.provider)?;
        let is_known = own.is_empty() || own.iter().any(|prefix| value.starts_with(prefix));
        (self.builtin && !is_known).then(|| {
            format!(
                "credentials of {} begin with {}, as far as is known, and this one does not",
                self.provider,
                own.join(" or ")
            )
        })
    }
}

/// Whether a text that was given for a name may be a secret, which no message may repeat.
#[must_use]
pub fn may_be_secret(text: &str) -> bool {
    /// Names are shorter.
    const NAME_CHARS_MAX: usize = 40;

    let starts = ["sk-", "AIza", "AQ.", "gsk_", "xai-", "csk-", "fw_"];
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.+=~".contains(c);
    let begins_as_one = text.len() >= KEY_CHARS_MIN && starts.iter().any(|start| text.contains(start));
    begins_as_one || (text.len() > NAME_CHARS_MAX && text.chars().all(is_word))
}

/// `export NAME=value`, `set NAME=value`, `NAME=value`. The padding of Base64 is no value.
fn sets_a_variable(text: &str) -> bool {
    let lead = ["export ", "set ", "setenv ", "$env:"];
    let bare = lead
        .iter()
        .find_map(|lead| text.strip_prefix(lead))
        .unwrap_or(text);
    let Some((name, value)) = bare.split_once('=') else {
        return bare.len() != text.len();
    };
    let name = name.trim();
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_name && !name.is_empty() && !value.trim_matches('=').trim().is_empty()
}

/// Without the quotation marks of the program or file that it was copied from.
fn unquoted(text: &str) -> &str {
    let marks = ['"', '\'', '`'];
    let inner = marks
        .iter()
        .find_map(|mark| text.strip_prefix(*mark)?.strip_suffix(*mark));
    inner.map_or(text, str::trim)
}

fn sendable(value: &str) -> Result<(), Unfit> {
    let is_carried = |c: char| c.is_ascii_graphic();
    match value.chars().enumerate().find(|(_, c)| !is_carried(*c)) {
        Some((index, c)) => Err(Unfit::NoHeader {
            place: index + 1,
            code: u32::from(c),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
