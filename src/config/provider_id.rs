//! A provider's id as people write it, and as it is.

use std::borrow::Cow;

/// The longest id.
const ID_CHARS_MAX: usize = 64;

/// Other ids of some providers.
const ALIASES: [(&str, &str); 5] = [
    ("z.ai", "zai"),
    ("z-ai", "zai"),
    ("opencode-zen", "opencode"),
    ("qwen", "qwen-portal"),
    ("kimi-code", "kimi-coding"),
];

/// Trimmed, lower case, and the main id where there are several.
#[must_use]
pub fn normalise(id: &str) -> Cow<'_, str> {
    let trimmed = id.trim();
    let lower = if trimmed.chars().any(char::is_uppercase) {
        Cow::Owned(trimmed.to_lowercase())
    } else {
        Cow::Borrowed(trimmed)
    };
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map_or(lower, |(_, main)| Cow::Borrowed(*main))
}

/// Whether a normalised id may name a provider: `[a-z0-9][a-z0-9._-]*`.
#[must_use]
pub(crate) fn is_valid(id: &str) -> bool {
    id.len() <= ID_CHARS_MAX
        && id
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
}
