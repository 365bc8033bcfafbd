//! From a caller's request to the request that goes upstream: the model found, the path built, the headers chosen.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;
use coderclaw_actors::domain::credential::{AgentId, ModelClass};
use http::Uri;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::InvalidUri;

use super::access::query_without_key;
use super::dialect::Trouble;
use super::respond::ErrorReply;
use super::routes::ModelRoute;
use super::session::Claim;
use crate::config::{Provider, Settings, Target};
use crate::upstream::headers::{named_by_connection, passes_upstream};
use crate::upstream::request::{RequestBody, RequestParts, UpstreamRequest};
use crate::wire::Api;

/// Headers by which a caller speaks for an organisation or project of its own choice, or brings a credential of its
/// own: a refusal that follows may be about that, so it is no proof against the key.
const CHOSEN_BY_CALLER: [&str; 5] = [
    "openai-organization",
    "openai-project",
    "x-goog-user-project",
    "api-key",
    "cookie",
];
/// Parameters of a query that some providers take for a credential.
const CREDENTIAL_PARAMETERS: [&str; 6] = [
    "access_token",
    "oauth_token",
    "token",
    "api_key",
    "api-key",
    "apikey",
];

/// A request that is ready to be dispatched.
#[derive(Debug)]
pub struct Forward {
    /// The request as it goes upstream.
    pub request: UpstreamRequest,
    /// The model's class; on `/proxy` there is one for the provider as a whole.
    pub class: ModelClass,
    /// The model as the provider knows it, for the log.
    pub model: Option<String>,
    /// Whose credentials serve it: those of this agent, or of the default one.
    pub agent: Option<AgentId>,
    /// Whether it can be sent again.
    pub replayable: bool,
    /// Whether a refusal of the key may disable the key.
    pub may_disable: bool,
    /// What its session claims; none for a request without one.
    pub claim: Option<Claim>,
}

/// A request of `api` for `target`, which is at `path` below the provider's root. The head of its answer is waited for no
/// longer than `first_byte`, where that is given.
///
/// # Errors
/// If there is no such provider, or no address can be made of the path.
pub(super) fn of_model(
    settings: &Settings,
    request: &HttpRequest,
    route: &ModelRoute,
    target: &Target,
    path: &str,
    (body, first_byte): (Bytes, Option<Duration>),
) -> Result<Forward, ErrorReply> {
    let provider = provider(settings, target.provider.as_str())?;
    let query = upstream_query(request);
    let uri = provider.base.join(route.version, path, query.as_deref());
    let uri = uri.map_err(|error| bad_path(provider, &error))?;
    let request = build(
        provider,
        Some(route.api),
        request,
        uri,
        (buffered(body), first_byte),
    );
    Ok(Forward {
        class: ModelClass::new(&target.model),
        model: (!target.model.is_empty()).then(|| target.model.clone()),
        agent: None,
        replayable: true,
        may_disable: !speaks_for_others(request.parts()),
        request,
        claim: None,
    })
}

/// A request that goes to a path of a provider as it is.
///
/// # Errors
/// If there is no such provider, or the path could leave the provider's origin.
pub fn of_proxy(
    settings: &Settings,
    request: &HttpRequest,
    (provider_id, path): (&str, &str),
    agent: Option<AgentId>,
    body: RequestBody,
) -> Result<Forward, ErrorReply> {
    let provider = provider(settings, provider_id)?;
    let url = provider.base.proxy(path, upstream_query(request).as_deref())?;
    let replayable = !matches!(body, RequestBody::Streamed(_));
    let uri = Uri::try_from(url).map_err(|error| bad_path(provider, &error))?;
    let request = build(provider, None, request, uri, (body, None));
    Ok(Forward {
        request,
        class: ModelClass::new(""),
        model: None,
        agent,
        replayable,
        may_disable: false,
        claim: None,
    })
}

fn provider<'a>(settings: &'a Settings, id: &str) -> Result<&'a Provider, ErrorReply> {
    settings.provider(id).ok_or_else(|| {
        let known = settings.providers.iter().map(|provider| provider.id.as_str());
        let hint = crate::nearest::did_you_mean(id, known);
        ErrorReply::new(
            Trouble::NotFound,
            "unknown_provider",
            format!("unknown provider `{id}`{hint}"),
        )
    })
}

/// A body that was read whole; none at all is not an empty one.
#[must_use]
pub fn buffered(body: Bytes) -> RequestBody {
    if body.is_empty() {
        RequestBody::Empty
    } else {
        RequestBody::Buffered(body)
    }
}

fn build(
    provider: &Provider,
    api: Option<Api>,
    request: &HttpRequest,
    uri: Uri,
    (body, first_byte): (RequestBody, Option<Duration>),
) -> UpstreamRequest {
    let method = http::Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or(http::Method::POST);
    let headers = headers(request, provider);
    UpstreamRequest::new(RequestParts {
        provider: provider.id.clone(),
        api,
        auth: provider.auth,
        method,
        uri,
        headers,
        body,
        first_byte,
    })
}

/// The caller's headers, then the config's, which win.
fn headers(request: &HttpRequest, provider: &Provider) -> HeaderMap {
    let callers = request.headers();
    let connection = callers.get_all(actix_web::http::header::CONNECTION);
    let listed = named_by_connection(connection.filter_map(|value| value.to_str().ok()));
    let mut headers = HeaderMap::with_capacity(callers.len() + provider.headers.len() + 2);
    for (name, value) in callers {
        // The server's types are those of an older version of the same crate.
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes()))
            && passes_upstream(&name, &listed)
        {
            headers.append(name, value);
        }
    }
    for (name, value) in &provider.headers {
        headers.insert(name.clone(), value.clone());
    }
    // Answers are inspected, so they must not be compressed.
    headers.insert(
        http::header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers
}

/// The query as it goes upstream, if there is one.
fn upstream_query(request: &HttpRequest) -> Option<Cow<'_, str>> {
    let query = request.uri().query()?;
    let kept = query_without_key(query);
    (!kept.is_empty() || query.is_empty()).then_some(kept)
}

fn bad_path(provider: &Provider, error: &InvalidUri) -> ErrorReply {
    let message = format!(
        "no URL of provider `{}` can be made of this path: {error}",
        provider.id
    );
    ErrorReply::new(Trouble::Invalid, "bad_path", message)
}

fn speaks_for_others(request: &RequestParts) -> bool {
    let is_credential = |name: &str| {
        CREDENTIAL_PARAMETERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let query = request.uri.query().unwrap_or_default();
    let chosen = |name: &HeaderName| CHOSEN_BY_CALLER.contains(&name.as_str());
    request.headers.keys().any(chosen)
        || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_credential(&name))
}
