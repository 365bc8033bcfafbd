//! One profile of a store, as far as it is understood here.

use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId, Secret};
use serde_json::{Map, Value, json};

use crate::config::normalise_provider_id;
use crate::credentials::environment::clean;

/// A profile of a known type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    /// Its id: `anthropic:default`.
    pub id: ProfileId,
    /// Its provider, normalised.
    pub provider: ProviderId,
    /// What it holds.
    pub credential: StoredCredential,
    /// Whose it is, where that was noted.
    pub email: Option<String>,
}

/// What a profile holds. Instants are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredCredential {
    /// An API key.
    ApiKey {
        /// The key.
        key: StoredSecret,
    },
    /// A pasted bearer token.
    Token {
        /// The token.
        token: StoredSecret,
        /// When it runs out.
        expires_ms: Option<u64>,
    },
    /// An OAuth login.
    Oauth(OauthSecrets),
}

/// The secrets of an OAuth login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OauthSecrets {
    /// The access token.
    pub access: Option<Secret>,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// When the access token runs out, in Unix milliseconds; `None` if that was never noted.
    pub expires_ms: Option<u64>,
    /// The account at the provider.
    pub account_id: Option<String>,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredSecret {
    /// In the store.
    Here(Secret),
    /// Elsewhere: a `keyRef` or `tokenRef`, as it was written.
    Elsewhere(Value),
    /// Nowhere: the field is blank or not there.
    Missing,
}

/// What is put into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewCredential {
    /// An API key, or a reference to one.
    ApiKey(StoredSecret),
    /// A token, or a reference to one, and when it runs out in Unix milliseconds.
    Token(StoredSecret, Option<u64>),
    /// A login.
    Oauth(OauthSecrets),
}

// === impl StoredProfile ===

impl StoredProfile {
    /// The profile that `fields` describe; `None` if its type or provider is not known.
    pub(super) fn read(id: &str, fields: &Map<String, Value>) -> Option<Self> {
        let provider = text(fields, "provider")?;
        let credential = match fields.get("type")?.as_str()? {
            "api_key" => StoredCredential::ApiKey {
                key: secret(fields, "key", "keyRef"),
            },
            "token" => StoredCredential::Token {
                token: secret(fields, "token", "tokenRef"),
                expires_ms: instant(fields, "expires"),
            },
            "oauth" => StoredCredential::Oauth(OauthSecrets {
                access: value(fields, "access"),
                refresh: value(fields, "refresh"),
                expires_ms: instant(fields, "expires"),
                account_id: text(fields, "accountId"),
            }),
            _ => return None,
        };
        Some(Self {
            id: ProfileId::new(id),
            provider: ProviderId::new(&normalise_provider_id(&provider)),
            credential,
            email: text(fields, "email"),
        })
    }
}

// === impl StoredCredential ===

impl StoredCredential {
    /// How it authenticates.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey { .. } => CredentialKind::ApiKey,
            Self::Token { .. } => CredentialKind::Token,
            Self::Oauth(_) => CredentialKind::Oauth,
        }
    }

    /// When what goes on the wire runs out, in Unix milliseconds.
    #[must_use]
    pub const fn expires_ms(&self) -> Option<u64> {
        match self {
            Self::ApiKey { .. } => None,
            Self::Token { expires_ms, .. } => *expires_ms,
            Self::Oauth(login) => login.expires_ms,
        }
    }
}

// === impl NewCredential ===

impl NewCredential {
    /// How it authenticates.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::Token(..) => CredentialKind::Token,
            Self::Oauth(_) => CredentialKind::Oauth,
        }
    }

    /// Writes it over what `fields` hold: the one place where secrets are written to a store.
    pub(super) fn write(self, provider: &ProviderId, fields: &mut Map<String, Value>) {
        let kind = self.kind();
        if fields.get("type").and_then(Value::as_str) != Some(kind.as_str()) {
            fields.clear();
        }
        fields.insert("type".to_owned(), json!(kind.as_str()));
        fields.insert("provider".to_owned(), json!(provider.as_str()));
        match self {
            Self::ApiKey(key) => put_secret(fields, "key", "keyRef", key),
            Self::Token(token, expires_ms) => {
                put_secret(fields, "token", "tokenRef", token);
                put(fields, "expires", expires_ms.map(Value::from));
            }
            Self::Oauth(login) => {
                let exposed = |secret: Option<Secret>| secret.map(|secret| json!(secret.expose()));
                put(fields, "access", exposed(login.access));
                put(fields, "refresh", exposed(login.refresh));
                put(fields, "expires", login.expires_ms.map(Value::from));
                if let Some(account) = login.account_id {
                    fields.insert("accountId".to_owned(), Value::from(account));
                }
            }
        }
    }
}

fn put_secret(fields: &mut Map<String, Value>, name: &str, reference: &str, secret: StoredSecret) {
    let (here, elsewhere) = match secret {
        StoredSecret::Here(secret) => (Some(json!(secret.expose())), None),
        StoredSecret::Elsewhere(value) => (None, Some(value)),
        StoredSecret::Missing => (None, None),
    };
    put(fields, name, here);
    put(fields, reference, elsewhere);
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(name.to_owned(), value);
        }
        None => {
            fields.shift_remove(name);
        }
    }
}

/// The secret itself goes before a reference to it, as the older tools have it.
fn secret(fields: &Map<String, Value>, name: &str, reference: &str) -> StoredSecret {
    if let Some(secret) = value(fields, name) {
        return StoredSecret::Here(secret);
    }
    match fields.get(reference) {
        None | Some(Value::Null) => StoredSecret::Missing,
        Some(reference) => StoredSecret::Elsewhere(reference.clone()),
    }
}

fn value(fields: &Map<String, Value>, name: &str) -> Option<Secret> {
    let value = clean(fields.get(name)?.as_str()?);
    (!value.is_empty()).then(|| Secret::new(value))
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = fields.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// An instant in Unix milliseconds; 0, negative and absurd ones are as good as none.
fn instant(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    let number = fields.get(name)?;
    let whole = number.as_u64();
    // The older tools write what JavaScript computes, and that may have a fraction.
    let whole = whole.or_else(|| format!("{:.0}", number.as_f64()?.trunc()).parse().ok());
    whole.filter(|instant| *instant > 0)
}
