//! The client that speaks to one provider's token endpoint.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};

use coderclaw_actors::Clock;
use coderclaw_actors::domain::credential::Secret;
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RefreshToken, TokenUrl,
};

use super::answer::{Library, TokenAnswer, mend};
use super::error::{TokenError, explain, is_not_now};
use super::tokens::Tokens;
use crate::config::OauthProvider;
use crate::upstream::token_endpoint::{TokenEndpoint, TokenEndpointError};

/// One provider, and the way to it.
#[derive(Clone, Copy, Debug)]
pub struct OauthClient<'a> {
    pub(super) provider: &'a OauthProvider,
    pub(super) clock: &'a dyn Clock,
    endpoint: &'a TokenEndpoint,
}

impl<'a> OauthClient<'a> {
    /// A client of `provider`; times are `clock`'s.
    #[must_use]
    pub const fn new(provider: &'a OauthProvider, endpoint: &'a TokenEndpoint, clock: &'a dyn Clock) -> Self {
        Self {
            provider,
            clock,
            endpoint,
        }
    }

    /// Gets new tokens for a refresh token, with one request. `refresh` is `None` in them if the old one stays good.
    ///
    /// # Errors
    /// [`TokenError::Rejected`] if a new login is needed. After [`TokenError::Unanswered`] the refresh token may be
    /// spent.
    pub async fn refresh(&self, refresh: &Secret) -> Result<Tokens, TokenError> {
        let library = self.library();
        let token = RefreshToken::new(refresh.expose().to_owned());
        let line = self.line();
        let answer = library.exchange_refresh_token(&token).request_async(&line).await;
        self.tokens(answer, &line, &[refresh])
    }

    /// Redeems the code of a browser.
    pub(super) async fn redeem(
        &self,
        code: &Secret,
        verifier: &Secret,
        redirect: RedirectUrl,
    ) -> Result<Tokens, TokenError> {
        let library = self.library().set_redirect_uri(redirect);
        let line = self.line();
        let answer = library
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request_async(&line)
            .await;
        self.tokens(answer, &line, &[code, verifier])
    }

    pub(super) fn library(&self) -> Library {
        let provider = self.provider;
        let library = oauth2::Client::new(ClientId::new(provider.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(provider.token_url.clone()))
            // In the body: servers that take the header only are the rarer ones.
            .set_auth_type(AuthType::RequestBody);
        match &provider.client_secret {
            Some(secret) => library.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => library,
        }
    }

    /// What the library sends through.
    pub(super) const fn line(&self) -> Line<'a> {
        Line {
            endpoint: self.endpoint,
            status: AtomicU16::new(0),
            polls: false,
        }
    }

    pub(super) fn tokens<E>(
        &self,
        answer: Result<
            TokenAnswer,
            oauth2::RequestTokenError<TokenEndpointError, oauth2::StandardErrorResponse<E>>,
        >,
        line: &Line<'_>,
        sent: &[&Secret],
    ) -> Result<Tokens, TokenError>
    where
        E: oauth2::ErrorResponseType + std::fmt::Display + 'static,
        oauth2::StandardErrorResponse<E>: oauth2::ErrorResponse,
    {
        match answer {
            Ok(answer) => Ok(Tokens::of(&answer, self.provider, self.clock.now())),
            Err(error) => {
                let mut all: Vec<&Secret> = sent.to_vec();
                all.extend(&self.provider.client_secret);
                Err(explain(error, line.status(), &all))
            }
        }
    }
}

/// The way to the token endpoint, as the library wants it. Keeps the status, which the library forgets.
#[derive(Debug)]
pub(super) struct Line<'a> {
    endpoint: &'a TokenEndpoint,
    status: AtomicU16,
    polls: bool,
}

impl Line<'_> {
    /// For polls: an answer of "not now" is trouble on the way, after which the library polls again, more slowly.
    pub(super) fn for_polls(self) -> Self {
        Self { polls: true, ..self }
    }

    /// The status of the last answer; 0 if there was none.
    pub(super) fn status(&self) -> u16 {
        self.status.load(Ordering::Relaxed)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TokenEndpointError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.endpoint.exchange(request).await.map(mend)?;
        let status = answer.status().as_u16();
        self.status.store(status, Ordering::Relaxed);
        if self.polls && is_not_now(status) {
            let reason = format!("status {status}");
            return Err(TokenEndpointError::Unanswered { host, reason });
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Line<'_> {
    type Error = TokenEndpointError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenEndpointError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
