//! The port to whatever stores logins.

use std::sync::Arc;

use coderclaw_actors::domain::credential::{Fingerprint, ProfileId, ProviderId, Secret};

use super::tokens::Tokens;

/// A login as a store holds it.
#[derive(Clone, Debug)]
pub struct StoredOauth {
    /// Whose login it is.
    pub provider: ProviderId,
    /// Which store holds it, such as the path of its file: profiles of two stores may have the same id.
    pub place: Arc<str>,
    /// The access token.
    pub access: Secret,
    /// The refresh token, if it has one.
    pub refresh: Option<Secret>,
    /// When the access token ends, in Unix milliseconds.
    pub expires_at_ms: u64,
    /// Whose account it is, where that is known: an id or an address.
    pub account: Option<String>,
}

/// What a store did with new tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It holds them, and would after a power cut.
    Done,
    /// It holds another login by now, and left it as it is.
    Changed,
}

/// Why a store has no login, or did not take one. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such profile.
    #[error("there is no profile `{0}`")]
    Missing(ProfileId),
    /// The profile is a key or a plain token.
    #[error("`{0}` is no OAuth login")]
    NotOauth(ProfileId),
    /// The store can't be read or written.
    #[error("{0}")]
    Failed(String),
}

/// Where logins are. Its functions may block; they are called where that harms nobody.
pub trait OauthStore: Send + Sync + 'static {
    /// The login of a profile, as it is stored now, whoever wrote it.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    fn read(&self, profile: &ProfileId) -> Result<StoredOauth, StoreError>;

    /// Puts `tokens` in the place of the login whose refresh token has the fingerprint `old_refresh`, and leaves any
    /// other login alone. Without a refresh token in `tokens` the old one stays, and so does everything else of the
    /// profile that `tokens` doesn't know.
    ///
    /// # Errors
    /// If they could not be written; then the old login is whole.
    fn replace(
        &self,
        profile: &ProfileId,
        old_refresh: Fingerprint,
        tokens: &Tokens,
    ) -> Result<Replaced, StoreError>;
}
