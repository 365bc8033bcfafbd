//! What sets the providers apart, as data: base paths, rate-limit headers, how a wait is told.

use actix_http::header::HeaderName;

/// The three families of formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    OpenAi,
    Anthropic,
    Google,
}

/// A limited dimension of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Requests,
    Tokens,
    Day,
}

/// What a header tells of its dimension, and how it writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Limit,
    Remaining,
    /// `6m0s`, `17ms`
    ResetGo,
    /// `33011.38`
    ResetFloat,
    /// Whole seconds.
    ResetSeconds,
    /// Unix milliseconds.
    ResetUnixMs,
    ResetRfc3339,
    /// `yes` on a refused request, else `no`.
    OverLimit,
}

/// One rate-limit header.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderSpec {
    pub(super) name: &'static str,
    pub(super) axis: Axis,
    pub(super) telling: Telling,
}

/// How a limit error tells its wait in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitHeaders {
    None,
    Seconds,
    SecondsAndMs,
    /// Together's `x-ratelimit-reset`.
    RatelimitReset,
}

/// One provider.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) id: &'static str,
    pub(super) dialect: Dialect,
    /// Roots of its paths under `/{id}`.
    pub(super) bases: &'static [&'static str],
    pub(super) headers: &'static [HeaderSpec],
    pub(super) wait: WaitHeaders,
    pub(super) request_id_header: Option<&'static str>,
}

const fn header(name: &'static str, axis: Axis, telling: Telling) -> HeaderSpec {
    HeaderSpec { name, axis, telling }
}

const OPENAI_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-requests", Axis::Requests, Telling::Limit),
    header(
        "x-ratelimit-remaining-requests",
        Axis::Requests,
        Telling::Remaining,
    ),
    header("x-ratelimit-reset-requests", Axis::Requests, Telling::ResetGo),
    header("x-ratelimit-limit-tokens", Axis::Tokens, Telling::Limit),
    header("x-ratelimit-remaining-tokens", Axis::Tokens, Telling::Remaining),
    header("x-ratelimit-reset-tokens", Axis::Tokens, Telling::ResetGo),
];

const ANTHROPIC_HEADERS: &[HeaderSpec] = &[
    header(
        "anthropic-ratelimit-requests-limit",
        Axis::Requests,
        Telling::Limit,
    ),
    header(
        "anthropic-ratelimit-requests-remaining",
        Axis::Requests,
        Telling::Remaining,
    ),
    header(
        "anthropic-ratelimit-requests-reset",
        Axis::Requests,
        Telling::ResetRfc3339,
    ),
    header("anthropic-ratelimit-tokens-limit", Axis::Tokens, Telling::Limit),
    header(
        "anthropic-ratelimit-tokens-remaining",
        Axis::Tokens,
        Telling::Remaining,
    ),
    header(
        "anthropic-ratelimit-tokens-reset",
        Axis::Tokens,
        Telling::ResetRfc3339,
    ),
    header(
        "anthropic-ratelimit-input-tokens-limit",
        Axis::Tokens,
        Telling::Limit,
    ),
    header(
        "anthropic-ratelimit-input-tokens-remaining",
        Axis::Tokens,
        Telling::Remaining,
    ),
    header(
        "anthropic-ratelimit-input-tokens-reset",
        Axis::Tokens,
        Telling::ResetRfc3339,
    ),
    header(
        "anthropic-ratelimit-output-tokens-limit",
        Axis::Tokens,
        Telling::Limit,
    ),
    header(
        "anthropic-ratelimit-output-tokens-remaining",
        Axis::Tokens,
        Telling::Remaining,
    ),
    header(
        "anthropic-ratelimit-output-tokens-reset",
        Axis::Tokens,
        Telling::ResetRfc3339,
    ),
];

const OPENROUTER_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit", Axis::Requests, Telling::Limit),
    header("x-ratelimit-remaining", Axis::Requests, Telling::Remaining),
    header("x-ratelimit-reset", Axis::Requests, Telling::ResetUnixMs),
];

const GROQ_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-requests", Axis::Day, Telling::Limit),
    header("x-ratelimit-remaining-requests", Axis::Day, Telling::Remaining),
    header("x-ratelimit-reset-requests", Axis::Day, Telling::ResetGo),
    header("x-ratelimit-limit-tokens", Axis::Tokens, Telling::Limit),
    header("x-ratelimit-remaining-tokens", Axis::Tokens, Telling::Remaining),
    header("x-ratelimit-reset-tokens", Axis::Tokens, Telling::ResetGo),
];

const MISTRAL_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-req-minute", Axis::Requests, Telling::Limit),
    header(
        "x-ratelimit-remaining-req-minute",
        Axis::Requests,
        Telling::Remaining,
    ),
    header("x-ratelimit-limit-tokens-minute", Axis::Tokens, Telling::Limit),
    header(
        "x-ratelimit-remaining-tokens-minute",
        Axis::Tokens,
        Telling::Remaining,
    ),
];

const XAI_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-requests", Axis::Requests, Telling::Limit),
    header(
        "x-ratelimit-remaining-requests",
        Axis::Requests,
        Telling::Remaining,
    ),
    header("x-ratelimit-limit-tokens", Axis::Tokens, Telling::Limit),
    header("x-ratelimit-remaining-tokens", Axis::Tokens, Telling::Remaining),
];

const TOGETHER_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit", Axis::Requests, Telling::Limit),
    header("x-ratelimit-remaining", Axis::Requests, Telling::Remaining),
    header("x-ratelimit-reset", Axis::Requests, Telling::ResetSeconds),
    header("x-tokenlimit-limit", Axis::Tokens, Telling::Limit),
    header("x-tokenlimit-remaining", Axis::Tokens, Telling::Remaining),
];

const FIREWORKS_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-requests", Axis::Requests, Telling::Limit),
    header(
        "x-ratelimit-remaining-requests",
        Axis::Requests,
        Telling::Remaining,
    ),
    header("x-ratelimit-over-limit", Axis::Requests, Telling::OverLimit),
    header("x-ratelimit-limit-tokens-prompt", Axis::Tokens, Telling::Limit),
    header(
        "x-ratelimit-remaining-tokens-prompt",
        Axis::Tokens,
        Telling::Remaining,
    ),
];

const CEREBRAS_HEADERS: &[HeaderSpec] = &[
    header("x-ratelimit-limit-requests-day", Axis::Day, Telling::Limit),
    header(
        "x-ratelimit-remaining-requests-day",
        Axis::Day,
        Telling::Remaining,
    ),
    header("x-ratelimit-reset-requests-day", Axis::Day, Telling::ResetFloat),
    header("x-ratelimit-limit-tokens-minute", Axis::Tokens, Telling::Limit),
    header(
        "x-ratelimit-remaining-tokens-minute",
        Axis::Tokens,
        Telling::Remaining,
    ),
    header(
        "x-ratelimit-reset-tokens-minute",
        Axis::Tokens,
        Telling::ResetFloat,
    ),
];

const fn openai_like(
    id: &'static str,
    bases: &'static [&'static str],
    headers: &'static [HeaderSpec],
    wait: WaitHeaders,
) -> Profile {
    Profile {
        id,
        dialect: Dialect::OpenAi,
        bases,
        headers,
        wait,
        request_id_header: Some("x-request-id"),
    }
}

/// Every provider; the first three are the dialects' own.
static PROFILES: [Profile; 11] = [
    openai_like("openai", &["/v1"], OPENAI_HEADERS, WaitHeaders::SecondsAndMs),
    Profile {
        id: "anthropic",
        dialect: Dialect::Anthropic,
        bases: &["/v1"],
        headers: ANTHROPIC_HEADERS,
        wait: WaitHeaders::Seconds,
        request_id_header: Some("request-id"),
    },
    Profile {
        id: "google",
        dialect: Dialect::Google,
        bases: &["/v1beta", "/v1"],
        headers: &[],
        wait: WaitHeaders::None,
        request_id_header: None,
    },
    openai_like(
        "openrouter",
        &["/api/v1", "/v1"],
        OPENROUTER_HEADERS,
        WaitHeaders::Seconds,
    ),
    openai_like("groq", &["/openai/v1", "/v1"], GROQ_HEADERS, WaitHeaders::Seconds),
    openai_like("mistral", &["/v1"], MISTRAL_HEADERS, WaitHeaders::None),
    openai_like("deepseek", &["/v1", ""], &[], WaitHeaders::None),
    openai_like("xai", &["/v1"], XAI_HEADERS, WaitHeaders::None),
    openai_like(
        "together",
        &["/v1"],
        TOGETHER_HEADERS,
        WaitHeaders::RatelimitReset,
    ),
    openai_like(
        "fireworks",
        &["/inference/v1", "/v1"],
        FIREWORKS_HEADERS,
        WaitHeaders::None,
    ),
    openai_like("cerebras", &["/v1"], CEREBRAS_HEADERS, WaitHeaders::None),
];

/// The provider called `id`.
pub(super) fn by_id(id: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.id == id)
}

/// Ids of all providers.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|profile| profile.id)
}

/// The provider that a dialect is named after.
pub(super) const fn of(dialect: Dialect) -> &'static Profile {
    let [openai, anthropic, google, ..] = &PROFILES;
    match dialect {
        Dialect::OpenAi => openai,
        Dialect::Anthropic => anthropic,
        Dialect::Google => google,
    }
}

impl HeaderSpec {
    pub(super) const fn header_name(&self) -> HeaderName {
        HeaderName::from_static(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_found_and_every_header_name_is_valid() {
        for id in ids() {
            let profile = by_id(id).expect("listed");
            for spec in profile.headers {
                assert_eq!(spec.header_name().as_str(), spec.name);
            }
        }
        assert_eq!(of(Dialect::Google).id, "google");
    }
}
