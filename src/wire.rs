//! Formats of providers, pure: bytes in, meaning out. Unknown fields are kept because nothing is re-serialised.

use std::fmt;

use serde::{Deserialize, Serialize};

pub mod anthropic;
pub mod frame;
pub mod gate;
pub mod gemini;
pub mod json_probe;
pub mod model;
pub mod openai_chat;
pub mod openai_responses;
pub mod session_key;
pub mod sse;
pub mod tap;
pub mod usage;

/// A wire format that a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// `OpenAI`'s chat completions, completions, embeddings and models.
    OpenaiCompletions,
    /// `OpenAI`'s responses.
    OpenaiResponses,
    /// Anthropic's messages.
    AnthropicMessages,
    /// Google's `generateContent` family.
    GoogleGenerativeAi,
}

impl Api {
    /// Every format, in the order above.
    pub const ALL: [Self; 4] = [
        Self::OpenaiCompletions,
        Self::OpenaiResponses,
        Self::AnthropicMessages,
        Self::GoogleGenerativeAi,
    ];

    /// The name used in the config and in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiCompletions => "openai-completions",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::GoogleGenerativeAi => "google-generative-ai",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
