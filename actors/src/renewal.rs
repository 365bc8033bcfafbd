//! The port to the identity providers: a login whose access token has run out goes in, the next token comes out.
//!
//! The gateway brings what keeps its logins alive; tests bring one in memory.

use std::borrow::Cow;
use std::future::Future;

use crate::domain::credential::AuthProfile;

/// Renews access tokens.
pub trait Renewal: Clone + Send + 'static {
    /// Renews the token of `profile`, an OAuth login, once the provider has refused it or its time is over. Called
    /// for one login by many requests at once: only the first may cost a call to the identity provider.
    ///
    /// Dropping the future must lose no token: the identity provider may have handed out the next one by then.
    fn renew(&self, profile: &AuthProfile) -> impl Future<Output = Renewed> + Send;
}

/// What a renewal came to. Reasons are shown to people and hold no secret.
#[derive(Debug)]
pub enum Renewed {
    /// The login with its next token. Of that profile only the secret and its expiry are taken.
    Fresh(AuthProfile),
    /// The identity provider could not be asked, or not just now. Says nothing of the credential.
    NotNow(Cow<'static, str>),
    /// The identity provider says that the login is over: someone must log in again.
    LoginNeeded(Cow<'static, str>),
    /// Nothing renews this credential: what the provider said of its token stands.
    Never,
}

/// Renews nothing: for programs and tests without logins.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRenewal;

impl Renewal for NoRenewal {
    async fn renew(&self, _: &AuthProfile) -> Renewed {
        Renewed::Never
    }
}
