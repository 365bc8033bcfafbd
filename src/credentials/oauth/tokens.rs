//! What a login or a refresh gives.

use coderclaw_actors::domain::credential::Secret;
use oauth2::TokenResponse as _;

use super::answer::TokenAnswer;
use super::claims::Claims;
use crate::config::OauthProvider;
use coderclaw_actors::domain::clock::Timestamp;

/// The life of an access token of which nobody says how long it is: an hour.
const LIFETIME_MS_DEFAULT: u64 = 3_600_000;

/// The longest life that is believed: ten years.
const LIFETIME_MS_MAX: u64 = 10 * 366 * 24 * 3_600_000;

/// Tokens as a provider handed them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// What goes to the provider as a bearer.
    pub access: Secret,
    /// What gets the next ones; none means that the one before stays good.
    pub refresh: Option<Secret>,
    /// When the access token ends, in Unix milliseconds.
    pub expires_at_ms: u64,
    /// Whose it is, by the claim that the config names.
    pub account_id: Option<String>,
    /// Whose it is, as people know it.
    pub email: Option<String>,
    /// What it is good for, as far as the provider says so.
    pub scopes: Vec<String>,
}

impl Tokens {
    /// The tokens of an answer that came at `now`.
    pub(super) fn of(answer: &TokenAnswer, provider: &OauthProvider, now: Timestamp) -> Self {
        let access = answer.access_token().secret();
        let claims = [answer.extra_fields().id_token(), Some(access.as_str())]
            .map(|token| token.map(Claims::of).unwrap_or_default());
        let [id, own] = &claims;
        let now_ms = now.as_unix_ms();
        let told = answer
            .expires_in()
            .map(|lifetime| u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        let lifetime_ms = told
            .or_else(|| Some(own.expires_at_ms()?.saturating_sub(now_ms)))
            .unwrap_or(LIFETIME_MS_DEFAULT)
            .min(LIFETIME_MS_MAX);
        let find = |path: &str| id.text(path).or_else(|| own.text(path));
        Self {
            access: Secret::new(access.clone()),
            refresh: answer
                .refresh_token()
                .map(|token| Secret::new(token.secret().clone())),
            expires_at_ms: now_ms.saturating_add(lifetime_ms),
            account_id: provider.account_id_claim.as_deref().and_then(find),
            email: find("email"),
            scopes: answer
                .scopes()
                .map(|scopes| scopes.iter().map(|scope| scope.as_str().to_owned()).collect())
                .unwrap_or_default(),
        }
    }
}
