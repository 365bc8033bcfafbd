//! From a store's profiles to members of a pool, with their secrets; and those that can't be used, and why.

use std::sync::Arc;

use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, Fingerprint, ProfileId, Secret,
};

use serde_json::Value;

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
    /// Its secret can't be sent.
    #[error("has characters that no HTTP header can carry")]
    NoHeader,
}

/// A profile as a member of a pool, or why it can't be one.
///
/// # Errors
/// If it can't be used.
pub(super) fn usable(profile: &StoredProfile, resolver: &Resolver) -> Result<AuthProfile, Excluded> {
    let (secret, source) = secret_of(&profile.credential, resolver);
    let excluded = |why, fingerprint| Excluded {
        id: profile.id.clone(),
        kind: profile.credential.kind(),
        fingerprint,
        source: Arc::clone(&source),
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

fn secret_of(credential: &StoredCredential, resolver: &Resolver) -> (Result<Secret, Exclusion>, Arc<str>) {
    let store = || Arc::from(STORE_SOURCE);
    match credential {
        StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
            match secret {
                StoredSecret::Here(secret) => (Ok(secret.clone()), store()),
                StoredSecret::Missing => (Err(Exclusion::Empty), store()),
                StoredSecret::Elsewhere(reference) => referred(reference, resolver),
            }
        }
        StoredCredential::Oauth(login) => {
            // One without an access token gets it when it is renewed, before its first use.
            let access = login.access.clone();
            let access = access.or_else(|| login.refresh.as_ref().map(|_| Secret::new(String::new())));
            (access.ok_or(Exclusion::Empty), store())
        }
    }
}

/// The variable that a profile's reference names, if it names one.
pub(super) fn variable(profile: &StoredProfile) -> Option<String> {
    let (StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. }) =
        &profile.credential
    else {
        return None;
    };
    let StoredSecret::Elsewhere(reference) = secret else {
        return None;
    };
    match SecretRef::parse(reference) {
        Ok(SecretRef::Env { name, .. }) => Some(name),
        _ => None,
    }
}

/// The secret that a reference leads to, and where that is.
fn referred(reference: &Value, resolver: &Resolver) -> (Result<Secret, Exclusion>, Arc<str>) {
    let unresolved = |error: ReferenceError| Exclusion::Unresolved(error.to_string());
    match SecretRef::parse(reference) {
        Ok(reference) => (
            resolver.resolve(&reference).map_err(unresolved),
            Arc::from(format!("{STORE_SOURCE}: {}", reference.describe())),
        ),
        Err(error) => (Err(unresolved(error)), Arc::from(STORE_SOURCE)),
    }
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
