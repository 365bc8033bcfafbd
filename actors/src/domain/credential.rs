//! A secret, who it belongs to, and what may be shown of it.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::clock::Timestamp;

macro_rules! shared_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Shares `name`; cheap to clone from then on.
            #[must_use]
            pub fn new(name: &str) -> Self {
                Self(Arc::from(name))
            }

            /// The name itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }
    };
}

shared_name!(
    /// A provider's id, lower case: `openai`.
    ProviderId
);
shared_name!(
    /// An auth profile's id: `openai:work`, `openai:env:OPENAI_API_KEYS#2`.
    ProfileId
);
shared_name!(
    /// An agent's id, lower case: `main`.
    AgentId
);
shared_name!(
    /// The group of models that shares a limit: the resolved model id, unless the provider's table names a family.
    ModelClass
);

/// A credential's value. It has no `Display`, its `Debug` shows the fingerprint, and it is not `Serialize`.
///
/// Equality and hash are those of its SHA-256, so that telling duplicates apart never compares secrets.
#[derive(Clone)]
pub struct Secret {
    value: SecretString,
    digest: [u8; 32],
}

impl Secret {
    /// Takes a value over. The caller has trimmed it: what is given is what goes on the wire.
    #[must_use]
    pub fn new(value: String) -> Self {
        let digest = Sha256::digest(value.as_bytes()).into();
        Self {
            value: SecretString::from(value),
            digest,
        }
    }

    /// Whether a header can carry it: visible ASCII and spaces.
    #[must_use]
    pub fn fits_a_header(&self) -> bool {
        self.value
            .expose_secret()
            .bytes()
            .all(|byte| (0x20..=0x7e).contains(&byte))
    }

    /// What people see instead of the secret.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let [a, b, c, d, ..] = self.digest;
        Fingerprint([a, b, c, d])
    }

    /// The value itself. Called where it is put on the wire, where it is written to the store, and where it is
    /// scrubbed from text; nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Secret {}

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.fingerprint())
    }
}

/// What stays the same while a credential is the same one: the SHA-256 of its secret, or of its login where the
/// secret is a token that each renewal replaces. The key of maps that must not hold the secret itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity([u8; 32]);

impl Identity {
    /// Keep the digest of a login apart from that of a secret with the same text, and logins of two stores apart.
    const LOGIN_PREFIX: &'static [u8] = b"oauth login\0";
    const OWNED_LOGIN_PREFIX: &'static [u8] = b"oauth login of an agent\0";

    /// The login that a store keeps under `id`: the own one of `owner`, or that which every agent reads.
    fn of_login(id: &ProfileId, owner: Option<&AgentId>) -> Self {
        let digest = match owner {
            None => Sha256::new().chain_update(Self::LOGIN_PREFIX),
            // No agent's id has a zero byte in it.
            Some(owner) => Sha256::new()
                .chain_update(Self::OWNED_LOGIN_PREFIX)
                .chain_update(owner.as_str())
                .chain_update(b"\0"),
        };
        Self(digest.chain_update(id.as_str()).finalize().into())
    }

    /// What files and people see of it; for a credential with a lasting secret, that secret's.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        let [a, b, c, d, ..] = self.0;
        Fingerprint([a, b, c, d])
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.fingerprint())
    }
}

/// The first 8 hex digits of a secret's SHA-256: enough to tell keys apart, nothing to call a provider with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 4]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = Cow::<'de, str>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("a fingerprint is 8 hex digits");
        if digits.len() != 8 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let value = u32::from_str_radix(&digits, 16).map_err(|_| wrong())?;
        Ok(Self(value.to_be_bytes()))
    }
}

/// How a credential authenticates upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A key that the provider's console hands out.
    ApiKey,
    /// A pasted bearer token that can't be refreshed.
    Token,
    /// An OAuth access token, which runs out and is renewed.
    Oauth,
}

impl CredentialKind {
    /// The name used in the store, in status and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Oauth => "oauth",
        }
    }
}

/// What the user's config allows one credential to do; `None` means no limit of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CredentialLimits {
    /// Requests a minute.
    pub rpm: Option<NonZeroU32>,
    /// Attempts under way at once.
    pub concurrency: Option<NonZeroU32>,
}

/// A named credential of one provider, stored or discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthProfile {
    /// Its id.
    pub id: ProfileId,
    /// How it authenticates.
    pub kind: CredentialKind,
    /// Its value.
    pub secret: Secret,
    /// When the secret runs out; `None` if that is not known.
    pub expires_at: Option<Timestamp>,
    /// Where it was found, as people read it: `env: OPENAI_API_KEY`.
    pub source: Arc<str>,
    /// The agent whose own store holds it; `None` if that is the store that every agent reads, or no store does.
    pub owner: Option<AgentId>,
    /// What the config allows it.
    pub limits: CredentialLimits,
}

// === impl AuthProfile ===

impl AuthProfile {
    /// What tells it from every other credential: its secret, or its id and its store where it is an OAuth login,
    /// whose secret changes at each renewal.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self.kind {
            CredentialKind::ApiKey | CredentialKind::Token => Identity(self.secret.digest),
            CredentialKind::Oauth => Identity::of_login(&self.id, self.owner.as_ref()),
        }
    }

    /// Whether its secret is known to have run out at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// When it can't serve any more by itself: nothing renews a pasted token, while an OAuth one is renewed when it
    /// is leased, and what an API key's expiry means is the provider's business.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.expires_at.filter(|_| self.kind == CredentialKind::Token)
    }

    /// The same credential with the secret of `fresh`.
    pub(crate) fn renewed(&self, fresh: &Self) -> Self {
        Self {
            secret: fresh.secret.clone(),
            expires_at: fresh.expires_at,
            ..self.clone()
        }
    }
}
