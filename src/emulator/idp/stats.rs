//! What the identity provider saw and handed out. Tokens are told by fingerprint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdpStats {
    /// Logins that the authorize page let through.
    pub authorizations: u64,
    /// Device codes handed out.
    pub device_codes: u64,
    /// Polls for a device code that came too early.
    pub early_polls: u64,
    /// Requests to the token endpoint, by grant.
    pub requests: BTreeMap<String, u64>,
    /// Refusals by their error code.
    pub refused: BTreeMap<String, u64>,
    /// Refreshes that were honoured.
    pub refreshes: u64,
    /// Spent refresh tokens that came again.
    pub reuses: u64,
    /// Access tokens handed out.
    pub access_tokens: u64,
    /// How often a fault fired.
    pub faults: u64,
    /// Every refresh token, in the order in which they were handed out.
    pub refresh_tokens: Vec<IdpToken>,
}

impl IdpStats {
    /// The refresh token with this fingerprint.
    #[must_use]
    pub fn refresh_token(&self, fingerprint: &str) -> Option<&IdpToken> {
        self.refresh_tokens
            .iter()
            .find(|token| token.fingerprint == fingerprint)
    }

    /// The refresh tokens of an account that would be honoured now.
    pub fn live<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a IdpToken> {
        self.refresh_tokens
            .iter()
            .filter(move |token| token.account == account && token.state == IdpTokenState::Live)
    }
}

/// One refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdpToken {
    /// First 8 hex digits of its SHA-256.
    pub fingerprint: String,
    /// Whose it is.
    pub account: String,
    /// The login that it descends from.
    pub login: u64,
    /// What it is worth now.
    pub state: IdpTokenState,
    /// How often it came after it was spent or revoked.
    pub reuses: u64,
}

/// What a refresh token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdpTokenState {
    /// It would be honoured.
    Live,
    /// It was honoured; another took its place.
    Spent,
    /// It was revoked with its login.
    Revoked,
}
