//! From a store's profiles to members of a pool, with their secrets; and those that can't be used, and why.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::{
    AgentId, AuthProfile, CredentialKind, CredentialLimits, Fingerprint, ProfileId, Secret,
};

use crate::credentials::order::Orderable;
use crate::credentials::reference::{ReferenceError, Resolver, SecretRef};
use crate::credentials::store::{StoredCredential, StoredProfile, StoredSecret};

/// How the source of a stored credential begins.
pub const STORE_SOURCE: &str = "store";

/// A profile that is no member of its provider's pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its id.
    pub id: ProfileId,
    /// How it would authenticate.
    pub kind: CredentialKind,
    /// What people see of its secret, where it has one.
    pub fingerprint: Option<Fingerprint>,
    /// Where it is, as people read it.
    pub source: Arc<str>,
    /// The agent whose own store holds it; `None` if that is the store that every agent reads.
    pub owner: Option<AgentId>,
    /// Why it can't be used.
    pub why: Exclusion,
}

/// Why a stored profile can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exclusion {
    /// It holds no secret.
    #[error("holds no secret")]
    Empty,
    /// The secret that it refers to can't be had.
    #[error("{0}")]
    Unresolved(String),
    /// The provider takes its refresh token no more.
    #[error("the login has ended ({0}): log in again")]
    LoginEnded(String),
    /// Its secret can't be sent.
    #[error("has characters that no HTTP header can carry")]
    NoHeader,
}

/// A secret or why there is none, and where it is.
pub(super) type Found = (Result<Secret, Exclusion>, Arc<str>);

/// A profile of `owner`'s store as a member of a pool, or why it can't be one. `referred` has what its reference leads
/// to.
///
/// # Errors
/// If it can't be used.
pub(super) fn usable(
    profile: &StoredProfile,
    owner: Option<&AgentId>,
    referred: Option<Found>,
) -> Result<AuthProfile, Excluded> {
    let (secret, source) = referred.unwrap_or_else(|| held(&profile.credential));
    let excluded = |why, fingerprint| Excluded {
        id: profile.id.clone(),
        kind: profile.credential.kind(),
        fingerprint,
        source: Arc::clone(&source),
        owner: owner.cloned(),
        why,
    };
    let secret = secret.map_err(|why| excluded(why, None))?;
    let fingerprint = Some(secret.fingerprint());
    if !secret.fits_a_header() {
        return Err(excluded(Exclusion::NoHeader, fingerprint));
    }
    Ok(AuthProfile {
        id: profile.id.clone(),
        kind: profile.credential.kind(),
        expires_at: expires_at(&profile.credential),
        secret,
        source,
        owner: owner.cloned(),
        limits: CredentialLimits::default(),
    })
}

/// When the secret runs out. A login without an access token has none that lives.
fn expires_at(credential: &StoredCredential) -> Option<Timestamp> {
    match credential {
        StoredCredential::Oauth(login) if login.access.is_none() => Some(Timestamp::default()),
        other => other.expires_ms().map(Timestamp::from_unix_ms),
    }
}

/// The secret that the store itself holds.
fn held(credential: &StoredCredential) -> Found {
    let secret = match credential {
        StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
            match secret {
                StoredSecret::Here(secret) => Some(secret.clone()),
                StoredSecret::Missing | StoredSecret::Elsewhere(_) => None,
            }
        }
        // One without an access token gets it when it is renewed, before its first use.
        StoredCredential::Oauth(login) => login
            .access
            .clone()
            .or_else(|| login.refresh.as_ref().map(|_| Secret::new(String::new()))),
    };
    (secret.ok_or(Exclusion::Empty), Arc::from(STORE_SOURCE))
}

/// The reference that a profile holds in the place of a secret.
pub(super) fn reference(profile: &StoredProfile) -> Option<Result<SecretRef, ReferenceError>> {
    match &profile.credential {
        StoredCredential::ApiKey {
            key: StoredSecret::Elsewhere(reference),
        }
        | StoredCredential::Token {
            token: StoredSecret::Elsewhere(reference),
            ..
        } => Some(SecretRef::parse(reference)),
        _ => None,
    }
}

/// What the references of `profiles` lead to, found side by side: each may be a program that takes a second. Profiles
/// are told apart by their keys.
pub(super) fn referred<'p, K: Clone + Eq + Hash>(
    profiles: impl Iterator<Item = (K, &'p StoredProfile)>,
    resolver: &Resolver,
) -> HashMap<K, Found> {
    let unresolved = |error: ReferenceError| Exclusion::Unresolved(error.to_string());
    let mut found = HashMap::new();
    let mut references = Vec::new();
    for (key, profile) in profiles {
        match reference(profile) {
            Some(Ok(reference)) => references.push((key, reference)),
            Some(Err(error)) => {
                found.insert(key, (Err(unresolved(error)), Arc::from(STORE_SOURCE)));
            }
            None => {}
        }
    }
    let asked: Vec<&SecretRef> = references.iter().map(|(_, reference)| reference).collect();
    let secrets = resolver.resolve_all(&asked);
    for ((key, reference), secret) in references.iter().zip(secrets) {
        let place = Arc::from(format!("{STORE_SOURCE}: {}", reference.describe()));
        found.insert(key.clone(), (secret.map_err(unresolved), place));
    }
    found
}

impl Orderable for StoredProfile {
    fn id(&self) -> &ProfileId {
        &self.id
    }

    fn kind(&self) -> CredentialKind {
        self.credential.kind()
    }
}

impl Orderable for AuthProfile {
    fn id(&self) -> &ProfileId {
        &self.id
    }

    fn kind(&self) -> CredentialKind {
        self.kind
    }
}
