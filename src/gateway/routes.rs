//! Which path means what: pure, without a router, because there are few paths and one of them ends in any model id.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;

use super::dialect::Dialect;
use crate::nearest::did_you_mean;
use crate::wire::Api;
use crate::wire::model::is_name;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a provider, in a known format.
    Model(ModelRoute),
    /// To a provider, as it is.
    Proxy {
        /// The provider's id as the caller wrote it.
        provider: String,
        /// The path after the provider's id, with its leading slash, as the caller wrote it.
        path: String,
    },
    /// Liveness.
    Healthz,
    /// Readiness.
    Readyz,
    /// Prometheus.
    Metrics,
    /// What `coderclaw status` reads.
    Status,
    /// Read the settings anew.
    Reload,
    /// Make a credential available again.
    Clear,
}

/// A path of a known format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRoute {
    /// The format.
    pub api: Api,
    /// The version that goes between a root without a path and the rest: `/v1`.
    pub version: &'static str,
    /// Where the model stands, and the upstream path that it leads to.
    pub target: ModelTarget,
}

/// Where a request names its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelTarget {
    /// In the body's `model`; the upstream path is fixed.
    Body(&'static str),
    /// In the path: `{prefix}{model}{suffix}`.
    Path {
        /// What stands before the model: `/models/`.
        prefix: &'static str,
        /// The model, decoded.
        model: String,
        /// What stands after it: `:generateContent`, or nothing.
        suffix: String,
    },
    /// Nowhere: a list of the endpoint's own provider.
    Nowhere(&'static str),
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No such path.
    #[error(
        "unknown path `{path}`{hint}; any path of a provider can be reached under `/proxy/{{provider}}/`"
    )]
    UnknownPath {
        /// The path.
        path: String,
        /// The nearest known ones.
        hint: String,
    },
    /// The path exists, but not with this method.
    #[error("`{path}` takes {allow}")]
    MethodNotAllowed {
        /// The path.
        path: String,
        /// The methods that it takes, as the `allow` header has them.
        allow: &'static str,
    },
    /// A method of Google's that the gateway does not know.
    #[error("unknown method `:{method}`{hint}")]
    UnknownMethod {
        /// What stands behind the colon.
        method: String,
        /// The nearest known ones.
        hint: String,
    },
    /// The caller wants a WebSocket. Codex asks for one first, and falls back at once on a 426.
    #[error(
        "this gateway speaks HTTP, not WebSocket: send the request without `upgrade`, e.g. `POST /v1/responses`"
    )]
    WebSocket,
    /// The model in the path could climb out of it.
    #[error("`{0}` is no model id")]
    BadModel(String),
}

const FIXED_PATHS: [(&str, Api, &str); 6] = [
    (
        "/v1/chat/completions",
        Api::OpenaiCompletions,
        "/chat/completions",
    ),
    ("/v1/completions", Api::OpenaiCompletions, "/completions"),
    ("/v1/embeddings", Api::OpenaiCompletions, "/embeddings"),
    ("/v1/responses", Api::OpenaiResponses, "/responses"),
    ("/v1/messages", Api::AnthropicMessages, "/messages"),
    (
        "/v1/messages/count_tokens",
        Api::AnthropicMessages,
        "/messages/count_tokens",
    ),
];
const OWN_PATHS: [(&str, Route); 6] = [
    ("/healthz", Route::Healthz),
    ("/readyz", Route::Readyz),
    ("/metrics", Route::Metrics),
    ("/status", Route::Status),
    ("/reload", Route::Reload),
    ("/clear", Route::Clear),
];
const GOOGLE_METHODS: [&str; 5] = [
    "generateContent",
    "streamGenerateContent",
    "countTokens",
    "embedContent",
    "batchEmbedContents",
];
const MODELS: &str = "/models";

/// Finds the route of a request.
///
/// # Errors
/// If there is none for this path, or none for this method on it.
pub fn find(method: &Method, path: &str, headers: &HeaderMap) -> Result<Route, RouteError> {
    // Whatever the path: the server takes what follows for frames, and a body would be waited for in vain.
    let asks_for_websocket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    if headers.get("upgrade").is_some_and(asks_for_websocket) {
        return Err(RouteError::WebSocket);
    }
    if let Some((_, api, upstream)) = FIXED_PATHS.iter().find(|(known, ..)| *known == path) {
        if *api == Api::OpenaiResponses && method == Method::GET && headers.contains_key("upgrade") {
            return Err(RouteError::WebSocket);
        }
        takes(path, method, &[Method::POST], "POST")?;
        let target = ModelTarget::Body(upstream);
        return Ok(Route::Model(ModelRoute {
            api: *api,
            version: "/v1",
            target,
        }));
    }
    if let Some(rest) = path.strip_prefix("/proxy/") {
        let (provider, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return Ok(Route::Proxy {
            provider: provider.to_owned(),
            path: rest.to_owned(),
        });
    }
    for version in ["/v1", "/v1beta"] {
        if let Some(rest) = path
            .strip_prefix(version)
            .and_then(|rest| rest.strip_prefix(MODELS))
        {
            return models(method, path, rest, version, headers);
        }
    }
    if let Some((_, route)) = OWN_PATHS.iter().find(|(known, _)| *known == path) {
        match route {
            Route::Reload | Route::Clear => takes(path, method, &[Method::POST], "POST")?,
            _ => takes(path, method, &[Method::GET, Method::HEAD], "GET, HEAD")?,
        }
        return Ok(route.clone());
    }
    let known = FIXED_PATHS
        .iter()
        .map(|(known, ..)| *known)
        .chain(OWN_PATHS.iter().map(|(known, _)| *known));
    let hint = did_you_mean(path, known.chain(["/v1/models", "/v1beta/models"]));
    Err(RouteError::UnknownPath {
        path: path.to_owned(),
        hint,
    })
}

/// Paths below `/v1/models` and `/v1beta/models`, in three dialects.
fn models(
    method: &Method,
    path: &str,
    rest: &str,
    version: &'static str,
    headers: &HeaderMap,
) -> Result<Route, RouteError> {
    let listed = |api, target| Ok(Route::Model(ModelRoute { api, version, target }));
    if rest.is_empty() || rest == "/" {
        takes(path, method, &[Method::GET, Method::HEAD], "GET, HEAD")?;
        return listed(list_api(version, headers), ModelTarget::Nowhere(MODELS));
    }
    let Some(rest) = rest.strip_prefix('/') else {
        return Err(RouteError::UnknownPath {
            path: path.to_owned(),
            hint: did_you_mean(path, ["/v1/models", "/v1beta/models"]),
        });
    };
    // A colon may belong to the model (`llama3:8b`), so only a POST reads what follows the last one as a method.
    if method == Method::POST {
        let Some((model, name)) = rest.rsplit_once(':') else {
            return Err(RouteError::MethodNotAllowed {
                path: path.to_owned(),
                allow: "GET, HEAD",
            });
        };
        if !GOOGLE_METHODS.contains(&name) {
            let hint = did_you_mean(name, GOOGLE_METHODS);
            return Err(RouteError::UnknownMethod {
                method: name.to_owned(),
                hint,
            });
        }
        let suffix = format!(":{name}");
        let target = ModelTarget::Path {
            prefix: "/models/",
            model: model_id(model)?,
            suffix,
        };
        return listed(Api::GoogleGenerativeAi, target);
    }
    takes(path, method, &[Method::GET, Method::HEAD], "GET, HEAD, POST")?;
    let target = ModelTarget::Path {
        prefix: "/models/",
        model: model_id(rest)?,
        suffix: String::new(),
    };
    listed(list_api(version, headers), target)
}

/// `GET /v1/models` has three answers; the caller's headers tell which one it can read.
fn list_api(version: &str, headers: &HeaderMap) -> Api {
    match dialect_of(headers) {
        _ if version == "/v1beta" => Api::GoogleGenerativeAi,
        Dialect::Anthropic => Api::AnthropicMessages,
        Dialect::Google => Api::GoogleGenerativeAi,
        Dialect::OpenAi => Api::OpenaiCompletions,
    }
}

/// The dialect that a caller's headers speak, for paths that do not tell.
#[must_use]
pub fn dialect_of(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else if headers.contains_key("x-goog-api-key") || headers.contains_key("x-goog-api-client") {
        Dialect::Google
    } else {
        Dialect::OpenAi
    }
}

/// The dialect in which a failure on this path is told.
#[must_use]
pub fn dialect_of_path(path: &str, headers: &HeaderMap) -> Dialect {
    if path.starts_with("/v1/messages") || path.starts_with("/proxy/anthropic/") {
        Dialect::Anthropic
    } else if path.starts_with("/v1beta/")
        || path.starts_with("/proxy/google/")
        || (path.starts_with("/v1/models/") && path.contains(':'))
    {
        Dialect::Google
    } else {
        dialect_of(headers)
    }
}

fn model_id(raw: &str) -> Result<String, RouteError> {
    let bad = || RouteError::BadModel(raw.to_owned());
    let model = percent_decode_str(raw).decode_utf8().map_err(|_| bad())?;
    // A segment of dots would climb out of `/models/` when the URL is built.
    let climbs = model.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    if climbs || model.contains(['\\', '?', '#', '%']) || !is_name(&model) {
        return Err(bad());
    }
    Ok(model.into_owned())
}

fn takes(path: &str, method: &Method, allowed: &[Method], allow: &'static str) -> Result<(), RouteError> {
    if allowed.contains(method) {
        Ok(())
    } else {
        Err(RouteError::MethodNotAllowed {
            path: path.to_owned(),
            allow,
        })
    }
}

#[cfg(test)]
mod tests;
