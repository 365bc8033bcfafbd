//! The authorization code flow: an address to open, and the code that comes back.

use coderclaw_actors::domain::credential::Secret;
use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::client::OauthClient;
use super::error::{LoginError, shown};
use super::paste::Returned;
use super::tokens::Tokens;

/// A login in a browser that has begun. It ends with [`CodeLogin::finish`] or never.
#[derive(Debug)]
pub struct CodeLogin<'a> {
    client: OauthClient<'a>,
    url: Url,
    redirect: Url,
    state: Secret,
    verifier: Secret,
}

impl<'a> CodeLogin<'a> {
    /// Begins a login that comes back to `redirect`: draws the state and the PKCE verifier.
    ///
    /// # Errors
    /// If the provider's config has no `authorizeUrl`.
    pub fn begin(client: OauthClient<'a>, redirect: Url) -> Result<Self, LoginError> {
        let provider = client.provider;
        let authorize = provider
            .authorize_url
            .clone()
            .ok_or(LoginError::NotConfigured("authorizeUrl"))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let library = client
            .library()
            .set_auth_uri(AuthUrl::from_url(authorize))
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let mut request = library
            .authorize_url(CsrfToken::new_random)
            .set_pkce_challenge(challenge)
            .add_scopes(provider.scopes.iter().cloned().map(Scope::new));
        for (name, value) in &provider.extra_params {
            request = request.add_extra_param(name, value);
        }
        let (url, state) = request.url();
        Ok(Self {
            client,
            url,
            redirect,
            state: Secret::new(state.into_secret()),
            verifier: Secret::new(verifier.into_secret()),
        })
    }

    /// The address to open. It holds no secret: the state is good for this login alone.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Whether what came back belongs to this login. What has no state at all is let through: PKCE alone makes a
    /// code of another login worthless here.
    #[must_use]
    pub fn is_ours(&self, returned: &Returned) -> bool {
        returned
            .state
            .as_ref()
            .is_none_or(|state| state.as_bytes().ct_eq(self.state.expose().as_bytes()).into())
    }

    /// Redeems what came back.
    ///
    /// # Errors
    /// If it belongs to another login, says no, or its code is refused.
    pub async fn finish(self, returned: Returned) -> Result<Tokens, LoginError> {
        if !self.is_ours(&returned) {
            return Err(LoginError::WrongState);
        }
        let code = returned.outcome.map_err(|denied| LoginError::Denied {
            code: shown(&denied.code, &[]),
            description: shown(&denied.description, &[]),
        })?;
        let redirect = RedirectUrl::from_url(self.redirect);
        let tokens = self.client.redeem(&code, &self.verifier, redirect).await?;
        Ok(tokens)
    }
}
