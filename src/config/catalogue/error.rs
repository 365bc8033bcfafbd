//! Why a name leads nowhere. All of these are the caller's to mend; none is worth trying again.

use coderclaw_actors::domain::credential::ProviderId;

use crate::config::providers::ApiSet;
use crate::wire::Api;

/// Longer names are cut in messages.
const SHOWN_CHARS_MAX: usize = 200;

/// Why a model's name leads to no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// There is no name, or nothing after the provider's.
    #[error("the model's name is empty; say `provider/model` or the name of a model")]
    Empty,
    /// The part before the first `/` is no provider: a 404.
    #[error("unknown provider `{provider}`{}", suggestion(nearest))]
    UnknownProvider {
        /// What was asked for.
        provider: String,
        /// What may have been meant.
        nearest: Vec<String>,
    },
    /// A word that is neither an alias nor a listed model, where no endpoint says whose it could be: a 404.
    #[error(
        "unknown model `{model}`{}; write it as `provider/model`",
        suggestion(nearest)
    )]
    UnknownModel {
        /// What was asked for.
        model: String,
        /// What may have been meant.
        nearest: Vec<String>,
    },
    /// `coderclaw:<agent>` of an agent that isn't configured: a 404.
    #[error("unknown agent `{agent}`{}", suggestion(nearest))]
    UnknownAgent {
        /// What was asked for.
        agent: String,
        /// What may have been meant.
        nearest: Vec<String>,
    },
    /// `coderclaw` or `auto` where no default is configured: a 404.
    #[error("`{name}` stands for the default model, and none is configured; set `agents.defaults.model`")]
    NoDefaultModel {
        /// What was asked for.
        name: String,
    },
    /// The provider is known and does not speak the endpoint's format: a 400.
    #[error("provider `{provider}` does not speak {asked}; call {} instead", endpoints(*apis))]
    WrongFormat {
        /// The provider.
        provider: ProviderId,
        /// The endpoint's format.
        asked: Api,
        /// What the provider speaks.
        apis: ApiSet,
    },
    /// The allowlist does not have it: a 404.
    #[error(
        "model `{model}` is not among those that `agents.defaults.models` allows{}",
        suggestion(nearest)
    )]
    NotAllowed {
        /// What was asked for, resolved.
        model: String,
        /// What may have been meant.
        nearest: Vec<String>,
    },
}

impl ResolveError {
    /// The HTTP status that tells a caller so.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Empty | Self::WrongFormat { .. } => 400,
            Self::UnknownProvider { .. }
            | Self::UnknownModel { .. }
            | Self::UnknownAgent { .. }
            | Self::NoDefaultModel { .. }
            | Self::NotAllowed { .. } => 404,
        }
    }
}

/// The endpoints that serve a format.
#[must_use]
pub const fn endpoints_of(api: Api) -> &'static str {
    match api {
        Api::OpenaiCompletions => "/v1/chat/completions",
        Api::OpenaiResponses => "/v1/responses",
        Api::AnthropicMessages => "/v1/messages",
        Api::GoogleGenerativeAi => "/v1beta/models/{model}:generateContent",
    }
}

fn endpoints(apis: ApiSet) -> String {
    let names: Vec<&str> = apis.iter().map(endpoints_of).collect();
    names.join(" or ")
}

fn suggestion(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    format!(" (did you mean {}?)", names.join(" or "))
}

/// A caller's word, cut where it would flood a message.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(SHOWN_CHARS_MAX).collect()
}
