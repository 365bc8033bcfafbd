//! The providers: built in, and from the config.

mod builtin;
mod read;

use std::fmt;

use coderclaw_actors::domain::credential::{CredentialKind, CredentialLimits, ProviderId};
use http::{HeaderMap, HeaderName, header};

use super::base_url::BaseUrl;
use super::key::KeyInConfig;
use super::oauth::OauthProvider;
use crate::wire::Api;

pub(super) use read::read;

/// The wire formats that a provider speaks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ApiSet(u8);

impl ApiSet {
    /// The set of `apis`.
    #[must_use]
    pub fn of(apis: &[Api]) -> Self {
        Self(apis.iter().fold(0, |bits, api| bits | Self::bit(*api)))
    }

    const fn bit(api: Api) -> u8 {
        match api {
            Api::OpenaiCompletions => 1,
            Api::OpenaiResponses => 2,
            Api::AnthropicMessages => 4,
            Api::GoogleGenerativeAi => 8,
        }
    }

    /// Whether `api` is among them.
    #[must_use]
    pub const fn contains(self, api: Api) -> bool {
        self.0 & Self::bit(api) != 0
    }

    /// Whether both have a format.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The formats, in the order of [`Api::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Api> {
        Api::ALL.into_iter().filter(move |api| self.contains(*api))
    }
}

impl fmt::Debug for ApiSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Where a provider wants its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer`.
    Bearer,
    /// `x-api-key`.
    XApiKey,
    /// `x-goog-api-key`.
    XGoogApiKey,
}

impl AuthScheme {
    /// The scheme of a provider that speaks `api` first.
    #[must_use]
    pub const fn of(api: Api) -> Self {
        match api {
            Api::OpenaiCompletions | Api::OpenaiResponses => Self::Bearer,
            Api::AnthropicMessages => Self::XApiKey,
            Api::GoogleGenerativeAi => Self::XGoogApiKey,
        }
    }

    /// The scheme that carries a credential of this kind: tokens always go as a plain bearer.
    #[must_use]
    pub const fn carrying(self, kind: CredentialKind) -> Self {
        match kind {
            CredentialKind::ApiKey => self,
            CredentialKind::Token | CredentialKind::Oauth => Self::Bearer,
        }
    }

    /// The header it uses.
    #[must_use]
    pub fn header(self) -> HeaderName {
        match self {
            Self::Bearer => header::AUTHORIZATION,
            Self::XApiKey => HeaderName::from_static("x-api-key"),
            Self::XGoogApiKey => HeaderName::from_static("x-goog-api-key"),
        }
    }
}

/// One vendor endpoint family.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The root of its addresses.
    pub base: BaseUrl,
    /// What it speaks.
    pub apis: ApiSet,
    /// Where it wants its credential.
    pub auth: AuthScheme,
    /// Headers that the config adds to every request. All of them are marked sensitive.
    pub headers: HeaderMap,
    /// The models that the config lists; any other model is accepted too.
    pub models: Vec<String>,
    /// How its keys begin, as far as that is known: hints for people, never a check.
    pub key_prefixes: &'static [&'static str],
    /// What the config allows each of its credentials.
    pub limits: CredentialLimits,
    /// How to log in to it, if the config says so.
    pub oauth: Option<OauthProvider>,
    /// Whether it is built in.
    pub builtin: bool,
}

/// A provider and the key that the config holds for it.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    pub(super) provider: Provider,
    pub(super) api_key: Option<KeyInConfig>,
    /// The client secret of its OAuth logins.
    pub(super) oauth_secret: Option<KeyInConfig>,
}

impl Configured {
    fn from_builtin(builtin: &builtin::Builtin) -> Option<Self> {
        Some(Self {
            provider: Provider {
                id: ProviderId::new(builtin.id),
                base: BaseUrl::parse(builtin.base).ok()?,
                apis: ApiSet::of(builtin.apis),
                auth: builtin.auth,
                headers: HeaderMap::new(),
                models: Vec::new(),
                key_prefixes: builtin.key_prefixes,
                limits: CredentialLimits::default(),
                oauth: None,
                builtin: true,
            },
            api_key: None,
            oauth_secret: None,
        })
    }
}

/// The built-in providers as they are without a config, by id.
pub(super) fn builtins() -> Vec<Configured> {
    builtin::BUILTINS
        .iter()
        .filter_map(Configured::from_builtin)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_provider_is_well_formed() {
        let built = builtins();
        assert_eq!(built.len(), builtin::BUILTINS.len());
        for configured in built {
            assert!(super::super::provider_id::is_valid(
                configured.provider.id.as_str()
            ));
            assert!(configured.provider.apis.iter().next().is_some());
        }
    }

    #[test]
    fn a_token_is_a_bearer_whatever_the_provider_wants_of_a_key() {
        assert_eq!(
            AuthScheme::XApiKey.carrying(CredentialKind::Token),
            AuthScheme::Bearer
        );
        assert_eq!(
            AuthScheme::XApiKey.carrying(CredentialKind::ApiKey),
            AuthScheme::XApiKey
        );
    }
}
