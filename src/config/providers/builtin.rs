//! The table of built-in providers.

use super::AuthScheme;
use crate::wire::Api;

const COMPLETIONS: &[Api] = &[Api::OpenaiCompletions];
const OPENAI: &[Api] = &[Api::OpenaiCompletions, Api::OpenaiResponses];

/// One built-in provider.
pub(super) struct Builtin {
    pub(super) id: &'static str,
    /// As its own docs give it.
    pub(super) base: &'static str,
    pub(super) apis: &'static [Api],
    pub(super) auth: AuthScheme,
    pub(super) key_prefixes: &'static [&'static str],
}

const fn bearer(
    id: &'static str,
    base: &'static str,
    apis: &'static [Api],
    key_prefixes: &'static [&'static str],
) -> Builtin {
    Builtin {
        id,
        base,
        apis,
        auth: AuthScheme::Bearer,
        key_prefixes,
    }
}

/// Every built-in provider.
pub(super) const BUILTINS: [Builtin; 11] = [
    Builtin {
        id: "anthropic",
        base: "https://api.anthropic.com",
        apis: &[Api::AnthropicMessages],
        auth: AuthScheme::XApiKey,
        key_prefixes: &["sk-ant-api03-", "sk-ant-oat01-"],
    },
    bearer(
        "openai",
        "https://api.openai.com/v1",
        OPENAI,
        &["sk-proj-", "sk-svcacct-", "sk-"],
    ),
    Builtin {
        id: "google",
        base: "https://generativelanguage.googleapis.com",
        apis: &[Api::GoogleGenerativeAi],
        auth: AuthScheme::XGoogApiKey,
        key_prefixes: &["AIza", "AQ."],
    },
    bearer(
        "openrouter",
        "https://openrouter.ai/api/v1",
        &[
            Api::OpenaiCompletions,
            Api::OpenaiResponses,
            Api::AnthropicMessages,
        ],
        &["sk-or-v1-"],
    ),
    bearer("groq", "https://api.groq.com/openai/v1", OPENAI, &["gsk_"]),
    bearer("mistral", "https://api.mistral.ai/v1", COMPLETIONS, &[]),
    bearer("deepseek", "https://api.deepseek.com", COMPLETIONS, &["sk-"]),
    bearer("xai", "https://api.x.ai/v1", OPENAI, &["xai-"]),
    bearer("together", "https://api.together.xyz/v1", COMPLETIONS, &[]),
    bearer(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        OPENAI,
        &["fw_"],
    ),
    bearer("cerebras", "https://api.cerebras.ai/v1", COMPLETIONS, &["csk-"]),
];
