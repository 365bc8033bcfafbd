//! What is sent to a provider: the caller's request, with everything changed that the gateway must change.

use std::sync::Arc;

use bytes::Bytes;
use coderclaw_actors::domain::credential::{AuthProfile, ProviderId};
use http::HeaderMap;
use parking_lot::Mutex;
use url::Url;

use super::headers::put_credential;
use crate::config::AuthScheme;
use crate::wire::Api;

/// A request as it goes upstream, but for the credential, which each attempt puts in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct UpstreamRequest(Arc<RequestParts>);

/// The parts of an [`UpstreamRequest`].
#[derive(Debug)]
pub struct RequestParts {
    /// The provider that it goes to.
    pub provider: ProviderId,
    /// The wire format of the answer, where the gateway knows it; unknown on `/proxy`.
    pub api: Option<Api>,
    /// How the provider wants its credential.
    pub auth: AuthScheme,
    /// The method.
    pub method: http::Method,
    /// Where it goes; never holds a credential.
    pub url: Url,
    /// The headers, without the caller's credential and without hop-by-hop ones.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
}

/// A body that can be sent again, or one that can't.
#[derive(Debug)]
pub enum RequestBody {
    /// No body.
    Empty,
    /// A buffered body; every attempt sends it.
    Buffered(Bytes),
    /// A body larger than the buffer: the first attempt takes it, and there is no second.
    Streamed(Mutex<Option<reqwest::Body>>),
}

impl UpstreamRequest {
    /// Makes `parts` shareable.
    #[must_use]
    pub fn new(parts: RequestParts) -> Self {
        Self(Arc::new(parts))
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &RequestParts {
        &self.0
    }

    /// The request with `profile`'s credential in it, as it goes on the wire.
    pub(super) fn with_credential(&self, profile: &AuthProfile) -> reqwest::Request {
        let parts = &*self.0;
        let mut request = reqwest::Request::new(parts.method.clone(), parts.url.clone());
        let mut headers = parts.headers.clone();
        put_credential(&mut headers, parts.auth, profile);
        *request.headers_mut() = headers;
        *request.body_mut() = match &parts.body {
            RequestBody::Empty => None,
            RequestBody::Buffered(bytes) => Some(reqwest::Body::from(bytes.clone())),
            RequestBody::Streamed(body) => body.lock().take(),
        };
        request
    }
}
