//! How each provider family says that something is wrong, so that a caller's SDK raises its own exception.

use serde_json::{Value, json};

use crate::wire::Api;

/// The family of formats that a caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `OpenAI`'s.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Google's.
    Google,
}

impl From<Api> for Dialect {
    fn from(api: Api) -> Self {
        match api {
            Api::OpenaiCompletions | Api::OpenaiResponses => Self::OpenAi,
            Api::AnthropicMessages => Self::Anthropic,
            Api::GoogleGenerativeAi => Self::Google,
        }
    }
}

/// What kind of trouble it is; each dialect has its own word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 400: the request is wrong.
    Invalid,
    /// 401: no credential, or not the gateway's token.
    Unauthenticated,
    /// 403: refused, whoever asks.
    Forbidden,
    /// 404: no such path, provider or model.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 413: more than a limit of the gateway.
    TooLarge,
    /// 426: no WebSocket here.
    UpgradeRequired,
    /// 429: every credential rests.
    RateLimited,
    /// 431: more header than a limit of the gateway.
    HeadersTooLarge,
    /// 500: the gateway's own fault.
    Internal,
    /// 502: the provider could not be reached, or spoke no HTTP.
    BadGateway,
    /// 503: the gateway is full or stopping.
    Unavailable,
    /// 504: the provider did not answer in time.
    GatewayTimeout,
    /// 408: the caller did not send its request in time.
    RequestTimeout,
}

impl Trouble {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::TooLarge => 413,
            Self::UpgradeRequired => 426,
            Self::RateLimited => 429,
            Self::HeadersTooLarge => 431,
            Self::Internal => 500,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
            Self::GatewayTimeout => 504,
        }
    }

    const fn openai(self) -> &'static str {
        match self {
            Self::Unauthenticated => "authentication_error",
            Self::Forbidden => "permission_error",
            Self::RateLimited => "rate_limit_error",
            Self::Internal | Self::BadGateway | Self::Unavailable | Self::GatewayTimeout => "server_error",
            _ => "invalid_request_error",
        }
    }

    const fn anthropic(self) -> &'static str {
        match self {
            Self::Unauthenticated => "authentication_error",
            Self::Forbidden => "permission_error",
            Self::NotFound => "not_found_error",
            Self::TooLarge | Self::HeadersTooLarge => "request_too_large",
            Self::RateLimited => "rate_limit_error",
            Self::Unavailable => "overloaded_error",
            Self::GatewayTimeout => "timeout_error",
            Self::Internal | Self::BadGateway => "api_error",
            _ => "invalid_request_error",
        }
    }

    const fn google(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "PERMISSION_DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited => "RESOURCE_EXHAUSTED",
            Self::Internal => "INTERNAL",
            Self::BadGateway | Self::Unavailable => "UNAVAILABLE",
            Self::GatewayTimeout | Self::RequestTimeout => "DEADLINE_EXCEEDED",
            _ => "INVALID_ARGUMENT",
        }
    }
}

impl Dialect {
    /// The error body of `trouble` in this dialect. `code` is the gateway's own short name for the cause, `retry_after`
    /// what the header of that name says, in seconds: Google's callers look for it in the body.
    #[must_use]
    pub fn error_body(self, trouble: Trouble, code: &str, message: &str, retry_after: Option<&str>) -> Value {
        match self {
            Self::OpenAi => json!({
                "error": { "message": message, "type": trouble.openai(), "param": null, "code": code }
            }),
            Self::Anthropic => json!({
                "type": "error",
                "error": { "type": trouble.anthropic(), "message": message, "code": code },
            }),
            Self::Google => json!({
                "error": {
                    "code": trouble.status(),
                    "message": message,
                    "status": trouble.google(),
                    "details": google_details(code, retry_after),
                }
            }),
        }
    }
}

fn google_details(code: &str, retry_after: Option<&str>) -> Vec<Value> {
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": code,
        "domain": "coderclaw",
    })];
    details.extend(retry_after.map(|seconds| {
        json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        })
    }));
    details
}
