//! Which variables matter here: those that may hold a credential, and our own.

use std::collections::BTreeSet;

use super::names::{Names, holds_no_key};

/// How our own variables begin.
const OWN: &str = "CODERCLAW_";

/// The variable of our own that holds a secret.
const OWN_SECRET: &str = "CODERCLAW_GATEWAY_TOKEN";

/// Variables of our own that are settled before the login shell is asked.
const SETTLED: [&str; 5] = [
    "CODERCLAW_CONFIG_PATH",
    "CODERCLAW_DEFER_SHELL_ENV_FALLBACK",
    "CODERCLAW_LOAD_SHELL_ENV",
    "CODERCLAW_SHELL_ENV_TIMEOUT_MS",
    "CODERCLAW_STATE_DIR",
];

/// The names of variables that may hold a credential of some providers.
#[derive(Clone, Debug, Default)]
pub struct CredentialNames {
    whole: BTreeSet<String>,
    beginnings: BTreeSet<String>,
}

impl CredentialNames {
    /// The names that are looked for on behalf of `providers`, by their normalised ids, and those in `referenced`.
    #[must_use]
    pub fn of<'a>(
        providers: impl IntoIterator<Item = &'a str>,
        referenced: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut read = Self::default();
        read.whole.insert(OWN_SECRET.to_owned());
        read.whole.extend(referenced.into_iter().map(str::to_owned));
        for provider in providers {
            let names = Names::of(provider);
            read.whole.extend(names.lists);
            read.whole.extend([names.live, names.list_file, names.single]);
            let late = names.late_lists.iter().chain(&names.late_singles);
            read.whole.extend(late.map(|name| (*name).to_owned()));
            read.beginnings.insert(names.numbered);
        }
        read
    }

    /// Whether a variable may hold a credential.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let begins = |beginning: &String| name.len() > beginning.len() && name.starts_with(beginning);
        self.whole.contains(name) || (!holds_no_key(name) && self.beginnings.iter().any(begins))
    }

    /// Whether a variable is taken from the login shell.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.contains(name) || (name.starts_with(OWN) && !SETTLED.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_known_and_no_other() {
        let names = CredentialNames::of(["openai", "anthropic", "google"], ["MY_KEY"]);
        for name in [
            "OPENAI_API_KEY",
            "OPENAI_API_KEYS",
            "OPENAI_API_KEYS_FILE",
            "OPENAI_API_KEY_2",
            "OPENAI_API_KEY_WORK",
            "OPENAI_API_KEY_FILE",
            "CODERCLAW_LIVE_OPENAI_KEY",
            "CODERCLAW_LIVE_ANTHROPIC_KEYS",
            "ANTHROPIC_OAUTH_TOKEN",
            "GOOGLE_API_KEYS",
            "CODERCLAW_GATEWAY_TOKEN",
            "MY_KEY",
        ] {
            assert!(names.contains(name) && names.wants(name), "{name}");
        }
        for name in [
            "OPENAI_API_KEY_",
            "OPENAI_API_KEY_URL",
            "GROQ_API_KEY",
            "PATH",
            "HOME",
        ] {
            assert!(!names.contains(name) && !names.wants(name), "{name}");
        }
        assert!(names.wants("CODERCLAW_GATEWAY_PORT") && !names.contains("CODERCLAW_GATEWAY_PORT"));
        assert!(SETTLED.iter().all(|name| !names.wants(name)));
    }
}
