//! What a probe sends: the smallest request that a provider really serves.

use bytes::Bytes;
use coderclaw_actors::domain::credential::ProviderId;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::InvalidUri;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use super::Target;
use crate::config::Provider;
use crate::upstream::request::{RequestBody, RequestParts, UpstreamRequest};
use crate::wire::Api;
use crate::wire::model::MODEL_IN_PATH;

/// The version of Anthropic's API, which every request must name.
const ANTHROPIC_VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("anthropic-version"),
    HeaderValue::from_static("2023-06-01"),
);
/// `OpenAI`'s responses have at least so many tokens.
const RESPONSE_TOKENS_MIN: u32 = 16;
const PROMPT: &str = "hi";

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// An answer of this model.
    Model(String),
    /// Something that needs no model.
    Unnamed(Via),
}

/// What is asked where no model is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// The list of models.
    Models,
    /// What the provider says of the key.
    Key,
}

impl Ask {
    pub(super) fn of(target: &Target<'_>) -> Self {
        match &target.model {
            Some(model) => Self::Model(model.clone()),
            None => Self::Unnamed(Via::of(&target.provider.id)),
        }
    }

    /// The request to `provider`, but for the credential.
    ///
    /// # Errors
    /// If no address can be made of the model's name.
    pub(super) fn request(
        &self,
        provider: &Provider,
        max_tokens: u32,
    ) -> Result<UpstreamRequest, InvalidUri> {
        let api = provider.apis.iter().next().unwrap_or(Api::OpenaiCompletions);
        let version = match api {
            Api::GoogleGenerativeAi => "/v1beta",
            _ => "/v1",
        };
        let (path, body) = match self {
            Self::Model(model) => {
                let (path, body) = asking(api, &provider.id, model, max_tokens);
                (path, RequestBody::Buffered(Bytes::from(body.to_string())))
            }
            Self::Unnamed(via) => (via.path().to_owned(), RequestBody::Empty),
        };
        let method = match body {
            RequestBody::Empty => http::Method::GET,
            _ => http::Method::POST,
        };
        Ok(UpstreamRequest::new(RequestParts {
            provider: provider.id.clone(),
            api: Some(api),
            auth: provider.auth,
            method,
            uri: provider.base.join(version, &path, None)?,
            headers: headers(provider, api),
            body,
            first_byte: None,
        }))
    }
}

impl Via {
    /// `OpenRouter` shows its list of models to anybody, so that it says nothing of a key.
    fn of(provider: &ProviderId) -> Self {
        match provider.as_str() {
            "openrouter" => Self::Key,
            _ => Self::Models,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Models => "/models",
            Self::Key => "/key",
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Key => "key",
        }
    }
}

/// The path below the version, and the body.
fn asking(api: Api, provider: &ProviderId, model: &str, max_tokens: u32) -> (String, Value) {
    let messages = json!([{ "role": "user", "content": PROMPT }]);
    match api {
        Api::OpenaiCompletions => {
            // OpenAI's newer models refuse the name that everyone else knows.
            let limit = match provider.as_str() {
                "openai" => "max_completion_tokens",
                _ => "max_tokens",
            };
            let body = json!({ "model": model, "messages": messages, limit: max_tokens });
            ("/chat/completions".to_owned(), body)
        }
        Api::OpenaiResponses => {
            let limit = max_tokens.max(RESPONSE_TOKENS_MIN);
            let body = json!({ "model": model, "input": PROMPT, "max_output_tokens": limit });
            ("/responses".to_owned(), body)
        }
        Api::AnthropicMessages => {
            let body = json!({ "model": model, "max_tokens": max_tokens, "messages": messages });
            ("/messages".to_owned(), body)
        }
        Api::GoogleGenerativeAi => {
            let name = model.strip_prefix("models/").unwrap_or(model);
            let name = utf8_percent_encode(name, MODEL_IN_PATH);
            let body = json!({
                "contents": [{ "role": "user", "parts": [{ "text": PROMPT }] }],
                "generationConfig": { "maxOutputTokens": max_tokens },
            });
            (format!("/models/{name}:generateContent"), body)
        }
    }
}

/// The config's headers go before ours.
pub(in crate::upstream) fn headers(provider: &Provider, api: Api) -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, json.clone()),
        (header::ACCEPT, json),
        (
            header::USER_AGENT,
            HeaderValue::from_static(concat!("coderclaw/", env!("CARGO_PKG_VERSION"))),
        ),
    ]);
    if api == Api::AnthropicMessages {
        headers.extend([ANTHROPIC_VERSION]);
    }
    for (name, value) in &provider.headers {
        headers.insert(name.clone(), value.clone());
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::testing::Scene;

    fn asked(provider: &str, ask: &Ask) -> (String, String, String) {
        let settings = Scene::new().settings();
        let request = ask.request(settings.provider(provider).unwrap(), 8).unwrap();
        let parts = request.parts();
        let body = match &parts.body {
            RequestBody::Buffered(body) => String::from_utf8(body.to_vec()).unwrap(),
            _ => String::new(),
        };
        (parts.method.to_string(), parts.uri.to_string(), body)
    }

    #[test]
    fn every_format_gets_its_smallest_request() {
        let of = |provider, model: &str| {
            let (method, uri, body) = asked(provider, &Ask::Model(model.to_owned()));
            assert_eq!(method, "POST");
            (uri, body)
        };
        let (uri, body) = of("openai", "gpt-5");
        assert_eq!(uri, "https://api.openai.com/v1/chat/completions");
        assert!(body.contains(r#""max_completion_tokens":8"#), "{body}");
        let (uri, body) = of("groq", "llama");
        assert_eq!(uri, "https://api.groq.com/openai/v1/chat/completions");
        assert!(body.contains(r#""max_tokens":8"#), "{body}");
        let (uri, _) = of("anthropic", "claude-sonnet-4-5");
        assert_eq!(uri, "https://api.anthropic.com/v1/messages");
        let (uri, body) = of("google", "models/gemini-2.5 pro");
        assert_eq!(
            uri,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5%20pro:generateContent"
        );
        assert!(body.contains(r#""maxOutputTokens":8"#), "{body}");
    }

    #[test]
    fn without_a_model_what_only_a_good_key_sees_is_asked() {
        for (provider, uri) in [
            ("openai", "https://api.openai.com/v1/models"),
            ("anthropic", "https://api.anthropic.com/v1/models"),
            (
                "google",
                "https://generativelanguage.googleapis.com/v1beta/models",
            ),
            ("openrouter", "https://openrouter.ai/api/v1/key"),
        ] {
            let ask = Ask::Unnamed(Via::of(&ProviderId::new(provider)));
            assert_eq!(
                asked(provider, &ask),
                ("GET".to_owned(), uri.to_owned(), String::new())
            );
        }
    }
}
