//! Why there are no tokens, and whether asking again helps.

use coderclaw_actors::domain::credential::Secret;
use http::StatusCode;
use oauth2::{ErrorResponse, ErrorResponseType, RequestTokenError};

use super::browser::LoopbackError;
use super::paste::PasteError;
use crate::upstream::scrub::Scrubber;
use crate::upstream::token_endpoint::TokenEndpointError;

/// Longest text of a server's that is repeated, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Error codes that say "not now", whatever the status.
const NOT_NOW: [&str; 3] = ["server_error", "temporarily_unavailable", "slow_down"];

/// Why a token endpoint gave no tokens. Holds nothing of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The grant is refused: asking again with the same will not help.
    #[error("the provider refuses it: {code}{}", said(description))]
    Rejected {
        /// `invalid_grant` and the like.
        code: String,
        /// What the provider says to it, without secrets; may be empty.
        description: String,
    },
    /// The provider says that it can't answer now.
    #[error("the provider can't answer now: status {status}")]
    Unavailable {
        /// The status.
        status: u16,
    },
    /// Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// It was sent and no whole answer came: it may have been honoured.
    #[error("{0}")]
    Unanswered(String),
    /// What came makes no sense.
    #[error("the answer makes no sense: {0}")]
    Unusable(String),
}

/// Why a refresh gave no tokens.
pub type RefreshError = TokenError;

fn said(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(" ({description})")
    }
}

/// Why a login gave no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The config of the provider has no address for this way in.
    #[error("the provider's config has no `{0}`")]
    NotConfigured(&'static str),
    /// The person or the provider said no.
    #[error("the login was refused: {code}{}", said(description))]
    Denied {
        /// `access_denied` and the like.
        code: String,
        /// What the provider says to it; may be empty.
        description: String,
    },
    /// What came back belongs to another login.
    #[error("the answer belongs to another login: its `state` is not the one that was sent; begin again")]
    WrongState,
    /// Nobody came back, and nothing was pasted.
    #[error("nobody came back in time; begin again")]
    TimedOut,
    /// The code of a device was not approved in time.
    #[error("the code was not approved in time; begin again")]
    Expired,
    /// What was pasted is none of what is asked for.
    #[error(transparent)]
    Paste(#[from] PasteError),
    /// There is no listener to come back to.
    #[error(transparent)]
    Loopback(#[from] LoopbackError),
    /// The code could not be redeemed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<TokenEndpointError> for TokenError {
    fn from(error: TokenEndpointError) -> Self {
        let said = error.to_string();
        match error {
            TokenEndpointError::Unreached { .. } => Self::Unreachable(said),
            TokenEndpointError::Unanswered { .. } => Self::Unanswered(said),
        }
    }
}

/// What the library's error means, given the status of the answer (0 if there was none). `sent` is what the server
/// may repeat and nobody may see.
pub(super) fn explain<E>(
    error: RequestTokenError<TokenEndpointError, oauth2::StandardErrorResponse<E>>,
    status: u16,
    sent: &[&Secret],
) -> TokenError
where
    E: ErrorResponseType + std::fmt::Display + 'static,
    oauth2::StandardErrorResponse<E>: ErrorResponse,
{
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(answer) => {
            let code = shown(&answer.error().to_string(), sent);
            if is_not_now(status) || NOT_NOW.contains(&code.as_str()) {
                return TokenError::Unavailable { status };
            }
            let description = answer.error_description().map(String::as_str).unwrap_or_default();
            TokenError::Rejected {
                code,
                description: shown(description, sent),
            }
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => without_words(status),
    }
}

/// An answer that says nothing in OAuth's words.
fn without_words(status: u16) -> TokenError {
    match StatusCode::from_u16(status) {
        Ok(StatusCode::OK) => TokenError::Unusable("it holds no tokens".to_owned()),
        Ok(StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => TokenError::Rejected {
            code: format!("http_{status}"),
            description: String::new(),
        },
        _ if is_not_now(status) => TokenError::Unavailable { status },
        _ => TokenError::Unusable(format!("status {status}")),
    }
}

pub(super) const fn is_not_now(status: u16) -> bool {
    status >= 500 || status == 429 || status == 408
}

/// A server's text as it may be shown: on one line, not too long, without secrets.
pub(super) fn shown(text: &str, sent: &[&Secret]) -> String {
    let clean = sent.iter().fold(text.to_owned(), |text, secret| {
        String::from_utf8_lossy(&Scrubber::new(secret).scrub(text.as_bytes())).into_owned()
    });
    let words: Vec<&str> = clean
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}
