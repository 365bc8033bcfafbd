//! Which endpoint of which provider a path is. Plain comparisons: no router stands on the hot path.

use actix_http::Method;
use actix_http::header::HeaderMap;

use super::profile::{self, Dialect, Profile};

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Chat,
    Completions,
    Responses,
    Embeddings,
    Messages,
    MessageTokens,
    Generate,
    /// `sse` or a JSON array.
    GenerateStream {
        sse: bool,
    },
    GoogleTokens,
    GoogleEmbed,
    GoogleEmbedBatch,
    Models,
    Model,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    pub(super) profile: &'static Profile,
    /// The path began with the provider's name.
    pub(super) mounted: bool,
    pub(super) endpoint: Endpoint,
    /// The formats of the answer.
    pub(super) dialect: Dialect,
    /// The model, where the path names it.
    pub(super) model: Option<&'a str>,
}

/// Why there is no route.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoRoute {
    /// Whose words the error takes.
    pub(super) profile: &'static Profile,
    /// The path exists, for this method.
    pub(super) allow: Option<&'static str>,
}

/// Finds the endpoint.
pub(super) fn find<'a>(
    method: &Method,
    path: &'a str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Route<'a>, NoRoute> {
    let (mount, rest) = mounted(path);
    let spoken = dialect_of(headers);
    let wanted = mount.map_or(spoken, |profile| profile.dialect);
    let unknown = NoRoute {
        profile: mount.unwrap_or_else(|| profile::of(spoken)),
        allow: None,
    };
    let tail = tail_of(mount, rest).ok_or(unknown)?;
    let (endpoint, model) = endpoint_of(tail, query).ok_or(unknown)?;
    let dialect = endpoint.dialect().unwrap_or(wanted);
    let profile = mount.unwrap_or_else(|| profile::of(dialect));
    let allow = endpoint.method();
    if method.as_str() != allow {
        return Err(NoRoute {
            profile,
            allow: Some(allow),
        });
    }
    Ok(Route {
        profile,
        mounted: mount.is_some(),
        endpoint,
        dialect,
        model,
    })
}

impl Endpoint {
    const fn method(self) -> &'static str {
        match self {
            Self::Models | Self::Model => "GET",
            _ => "POST",
        }
    }

    /// The dialect of an endpoint that only one has.
    const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Chat | Self::Completions | Self::Responses | Self::Embeddings => Some(Dialect::OpenAi),
            Self::Messages | Self::MessageTokens => Some(Dialect::Anthropic),
            Self::Generate
            | Self::GenerateStream { .. }
            | Self::GoogleTokens
            | Self::GoogleEmbed
            | Self::GoogleEmbedBatch => Some(Dialect::Google),
            Self::Models | Self::Model => None,
        }
    }
}

/// The dialect that the headers speak, where the path does not say it.
fn dialect_of(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else if headers.contains_key("x-goog-api-key") || headers.contains_key("x-goog-api-client") {
        Dialect::Google
    } else {
        Dialect::OpenAi
    }
}

fn mounted(path: &str) -> (Option<&'static Profile>, &str) {
    let first = path.strip_prefix('/').unwrap_or(path);
    let (name, _) = first.split_once('/').unwrap_or((first, ""));
    profile::by_id(name).map_or((None, path), |profile| {
        let rest = first.strip_prefix(name).unwrap_or_default();
        (Some(profile), rest)
    })
}

/// The path below the provider's root.
fn tail_of<'a>(mount: Option<&'static Profile>, path: &'a str) -> Option<&'a str> {
    let bases = mount.map_or(["/v1", "/v1beta"].as_slice(), |profile| profile.bases);
    bases
        .iter()
        .find_map(|base| path.strip_prefix(base).filter(|rest| rest.starts_with('/')))
}

fn endpoint_of<'a>(tail: &'a str, query: Option<&str>) -> Option<(Endpoint, Option<&'a str>)> {
    let plain = match tail {
        "/chat/completions" => Some(Endpoint::Chat),
        "/messages" => Some(Endpoint::Messages),
        "/responses" => Some(Endpoint::Responses),
        "/completions" => Some(Endpoint::Completions),
        "/embeddings" => Some(Endpoint::Embeddings),
        "/messages/count_tokens" => Some(Endpoint::MessageTokens),
        "/models" => Some(Endpoint::Models),
        _ => None,
    };
    if let Some(endpoint) = plain {
        return Some((endpoint, None));
    }
    let rest = tail
        .strip_prefix("/models/")
        .or_else(|| tail.strip_prefix("/tunedModels/"))?;
    let Some((model, verb)) = rest.rsplit_once(':').filter(|_| is_google_verb(rest)) else {
        return (!rest.is_empty()).then_some((Endpoint::Model, Some(rest)));
    };
    let endpoint = match verb {
        "generateContent" => Endpoint::Generate,
        "streamGenerateContent" => Endpoint::GenerateStream {
            sse: query.is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse")),
        },
        "countTokens" => Endpoint::GoogleTokens,
        "embedContent" => Endpoint::GoogleEmbed,
        _ => Endpoint::GoogleEmbedBatch,
    };
    Some((endpoint, Some(model)))
}

fn is_google_verb(rest: &str) -> bool {
    const VERBS: [&str; 5] = [
        ":generateContent",
        ":streamGenerateContent",
        ":countTokens",
        ":embedContent",
        ":batchEmbedContents",
    ];
    VERBS.iter().any(|verb| rest.ends_with(verb))
}

#[cfg(test)]
mod tests {
    use actix_http::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(method: &Method, path: &str, header: Option<&'static str>) -> Option<(Endpoint, &'static str)> {
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        find(method, path, query, &headers)
            .ok()
            .map(|route| (route.endpoint, route.profile.id))
    }

    #[test]
    fn paths_find_their_endpoint_and_provider() {
        let post = |path| of(&Method::POST, path, None);
        assert_eq!(post("/v1/chat/completions"), Some((Endpoint::Chat, "openai")));
        assert_eq!(post("/v1/messages"), Some((Endpoint::Messages, "anthropic")));
        assert_eq!(
            post("/groq/openai/v1/chat/completions"),
            Some((Endpoint::Chat, "groq"))
        );
        assert_eq!(
            post("/deepseek/chat/completions"),
            Some((Endpoint::Chat, "deepseek"))
        );
        assert_eq!(
            post("/v1beta/models/gemini-x:generateContent"),
            Some((Endpoint::Generate, "google"))
        );
        assert_eq!(
            post("/v1/models/gemini-x:streamGenerateContent?alt=sse"),
            Some((Endpoint::GenerateStream { sse: true }, "google"))
        );
        assert_eq!(post("/v1/v1/chat/completions"), None);
        assert_eq!(post("/chat/completions"), None);
        assert_eq!(of(&Method::GET, "/v1/chat/completions", None), None);
    }

    #[test]
    fn the_model_list_has_three_answers() {
        let get = |header| of(&Method::GET, "/v1/models", header).map(|(_, id)| id);
        assert_eq!(get(None), Some("openai"));
        assert_eq!(get(Some("anthropic-version")), Some("anthropic"));
        assert_eq!(get(Some("x-goog-api-key")), Some("google"));
    }
}
