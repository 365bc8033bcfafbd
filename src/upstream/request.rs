//! What is sent to a provider: the caller's request, with everything changed that the gateway must change.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coderclaw_actors::domain::credential::{AuthProfile, ProviderId};
use http::{HeaderMap, Uri};
use http_body_util::{Either, Full};
use parking_lot::Mutex;

use super::client::{SentBody, Upload};
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
    pub uri: Uri,
    /// The headers, without the caller's credential and without hop-by-hop ones.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
    /// How long the head of the answer is waited for, where that is shorter than elsewhere.
    pub first_byte: Option<Duration>,
}

/// A body that can be sent again, or one that can't.
#[derive(Debug)]
pub enum RequestBody {
    /// No body.
    Empty,
    /// A buffered body; every attempt sends it.
    Buffered(Bytes),
    /// A body larger than the buffer: the first attempt takes it, and there is no second.
    Streamed(Mutex<Option<Upload>>),
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
    pub(super) fn with_credential(&self, profile: &AuthProfile) -> http::Request<SentBody> {
        let parts = &*self.0;
        let body = match &parts.body {
            RequestBody::Empty => Either::Left(Full::default()),
            RequestBody::Buffered(bytes) => Either::Left(Full::new(bytes.clone())),
            RequestBody::Streamed(body) => body
                .lock()
                .take()
                .map_or_else(|| Either::Left(Full::default()), Either::Right),
        };
        let mut headers = parts.headers.clone();
        put_credential(&mut headers, parts.auth, profile);
        let mut request = http::Request::new(body);
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = headers;
        request
    }
}
