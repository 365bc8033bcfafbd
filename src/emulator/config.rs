//! What the emulator is told: keys and their limits, behaviours, faults. Written as JSON5 or built in code.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::idp::IdpConfig;
use super::profile;
use super::secret::KeySecret;

/// Most entries that the log may be told to hold.
const LOG_ENTRIES_MAX: usize = 1_000_000;

/// Everything that the emulator can be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EmulatorConfig {
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port to listen on; 0 takes any that is free.
    pub port: u16,
    /// HTTP threads.
    pub workers: usize,
    /// Token that the control paths need (`Authorization: Bearer`); without one they answer loopback only.
    pub control_token: Option<KeySecret>,
    /// Keys that are not configured are served (else 401).
    pub allow_unknown_keys: bool,
    /// Models that are not configured are served (else 404).
    pub allow_unknown_models: bool,
    /// Every error repeats the whole key, in its body and in a header, as a careless provider would.
    pub echo_key: bool,
    /// How many times faster than real time buckets refill and windows pass.
    pub time_scale: f64,
    /// Seed of the percentages and of the words.
    pub seed: u64,
    /// Requests that the log remembers.
    pub log_entries: usize,
    /// How every answer behaves, unless its model or key says otherwise.
    pub behaviour: Behaviour,
    /// Limits of every key that has none of its own.
    pub limits: Limits,
    /// The known keys.
    pub keys: Vec<KeyConfig>,
    /// What the keys of one organisation share.
    pub orgs: BTreeMap<String, OrgConfig>,
    /// The known models: each one's behaviour.
    pub models: BTreeMap<String, Behaviour>,
    /// Faults from the start.
    pub faults: Vec<Fault>,
    /// The identity provider below `/__idp/`.
    pub idp: IdpConfig,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            workers: 1,
            control_token: None,
            allow_unknown_keys: true,
            allow_unknown_models: true,
            echo_key: false,
            time_scale: 1.0,
            seed: 1,
            log_entries: 2048,
            behaviour: Behaviour::default(),
            limits: Limits::default(),
            keys: Vec::new(),
            orgs: BTreeMap::new(),
            models: BTreeMap::new(),
            faults: Vec::new(),
            idp: IdpConfig::default(),
        }
    }
}

/// How an answer behaves; what is absent is inherited: key, then model, then everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// Milliseconds until the first byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Pace of a stream, in tokens (words) a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<u64>,
    /// Milliseconds between two pieces of a stream; beats `tokens_per_second`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_delay_ms: Option<u64>,
    /// Pieces of text in a stream; one a token if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<u64>,
    /// Tokens (words) of a reply; 32 if absent. A lower `max_tokens` of the caller's cuts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_tokens: Option<u64>,
    /// Answer with the last message's own text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
}

impl Behaviour {
    /// This behaviour, with the gaps filled from `wider`.
    #[must_use]
    pub(super) fn or(&self, wider: &Self) -> Self {
        Self {
            latency_ms: self.latency_ms.or(wider.latency_ms),
            tokens_per_second: self.tokens_per_second.or(wider.tokens_per_second),
            chunk_delay_ms: self.chunk_delay_ms.or(wider.chunk_delay_ms),
            chunks: self.chunks.or(wider.chunks),
            reply_tokens: self.reply_tokens.or(wider.reply_tokens),
            echo: self.echo.or(wider.echo),
        }
    }
}

/// Limits as a provider states them; an absent one does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a minute: a bucket that refills continuously.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Size of the request bucket; `rpm` if absent (60 a minute enforced as one a second: `burst: 1`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// Tokens a minute, prompt and reply: a bucket that refills continuously.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    /// Requests a UTC day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpd: Option<u64>,
    /// Requests at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

impl Limits {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Money: after so many requests or tokens every answer is the provider's quota error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Credit {
    /// Requests that are paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Tokens that are paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

impl Credit {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the keys of one organisation share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct OrgConfig {
    /// The organisation's limits.
    pub limits: Limits,
    /// The organisation's money.
    pub credit: Credit,
}

/// One known key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct KeyConfig {
    /// The secret that callers send. Never printed: statistics name the key by `name` and fingerprint.
    pub key: KeySecret,
    /// What statistics call it; the fingerprint if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose headers and errors it gets, where the path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Organisation: its keys share one allowance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Its limits; the organisation's, else everybody's, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Its money.
    #[serde(skip_serializing_if = "Credit::is_empty")]
    pub credit: Credit,
    /// Invalid or revoked: 401 in the provider's way.
    pub dead: bool,
    /// Its account is suspended: the provider's answer to that.
    pub suspended: bool,
    /// Errors repeat the whole key.
    pub echo_key: bool,
    /// How its answers behave.
    #[serde(skip_serializing_if = "is_default")]
    pub behaviour: Behaviour,
}

fn is_default(behaviour: &Behaviour) -> bool {
    *behaviour == Behaviour::default()
}

impl KeyConfig {
    /// A healthy key without limits.
    #[must_use]
    pub fn new(name: &str, key: &str) -> Self {
        Self {
            key: KeySecret::new(key),
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// The same key with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The same key, paid for so many requests.
    #[must_use]
    pub fn with_credit(mut self, requests: u64) -> Self {
        self.credit.requests = Some(requests);
        self
    }
}

/// A config that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON5, a wrong type, or an unknown field.
    #[error("emulator config{place}: {message}")]
    Syntax {
        /// ` line L, column C`, where known.
        place: String,
        /// What is wrong and what was expected.
        message: String,
    },
    /// A value that makes no sense.
    #[error("emulator config, `{path}`: {message}")]
    Value {
        /// The field, as a path from the root.
        path: String,
        /// What is wrong and what was expected.
        message: String,
    },
}

impl EmulatorConfig {
    /// Reads JSON5 (so JSON too) and checks it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = json5::from_str(text).map_err(|error| {
            let place = error.position().map_or_else(String::new, |at| {
                format!(", line {}, column {}", at.line + 1, at.column + 1)
            });
            ConfigError::Syntax {
                place,
                message: error.to_string(),
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Refuses values that make no sense, with the path of the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |path: String, message: String| Err(ConfigError::Value { path, message });
        if self.workers == 0 {
            return wrong("workers".into(), "must be at least 1".into());
        }
        if !(self.time_scale.is_finite() && self.time_scale > 0.0) {
            return wrong("timeScale".into(), "must be a positive number".into());
        }
        if self.log_entries > LOG_ENTRIES_MAX {
            return wrong("logEntries".into(), format!("must be at most {LOG_ENTRIES_MAX}"));
        }
        self.check_keys()?;
        self.idp.check().map_err(|(path, message)| ConfigError::Value {
            path: path.to_owned(),
            message,
        })?;
        for (index, fault) in self.faults.iter().enumerate() {
            fault.check().map_err(|message| ConfigError::Value {
                path: format!("faults[{index}]"),
                message,
            })?;
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), ConfigError> {
        let mut secrets = BTreeSet::new();
        let mut names = BTreeSet::new();
        for (index, key) in self.keys.iter().enumerate() {
            let wrong = |field: &str, message: String| {
                Err(ConfigError::Value {
                    path: format!("keys[{index}].{field}"),
                    message,
                })
            };
            if key.key.is_empty() {
                return wrong("key", "must not be empty".into());
            }
            if !secrets.insert(key.key.expose()) {
                return wrong("key", "is configured twice".into());
            }
            if let Some(name) = key.name.as_deref().filter(|name| !names.insert(*name)) {
                return wrong("name", format!("`{name}` is used twice"));
            }
            if let Some(provider) = key
                .provider
                .as_deref()
                .filter(|name| profile::by_id(name).is_none())
            {
                let known = profile::ids().collect::<Vec<_>>().join(", ");
                return wrong(
                    "provider",
                    format!("unknown provider `{provider}`; known: {known}"),
                );
            }
        }
        Ok(())
    }
}
