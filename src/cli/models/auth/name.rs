//! Names as they are typed: of profiles, providers and agents. A secret that was typed for one is not repeated.

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use crate::config::normalise_provider_id;
use crate::credentials::form::may_be_secret;
use crate::nearest::did_you_mean;

/// The longest name of a profile, without its provider.
const NAME_CHARS_MAX: usize = 128;
/// Beginnings of names that belong to what the environment and the config hold.
const RESERVED: [&str; 2] = ["env:", "config"];

/// `` `typed` ``, or words for it if it may be a secret.
pub(in crate::cli::models) fn shown(typed: &str) -> String {
    if may_be_secret(typed) {
        "what was given, which looks like a secret".to_owned()
    } else {
        format!("`{}`", typed.escape_debug())
    }
}

/// ``there is no agent `wrok` (did you mean `work`?)``.
pub(in crate::cli) fn unknown<'a>(
    kind: &str,
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let hint = if may_be_secret(typed) {
        String::new()
    } else {
        did_you_mean(typed, known)
    };
    format!("there is no {kind} {}{hint}", shown(typed))
}

/// The profile id that `typed` is for `provider`: `provider:name`, or a name alone, which becomes a slug.
///
/// # Errors
/// What is wrong with it.
pub(super) fn profile_id(typed: &str, provider: &ProviderId) -> Result<ProfileId, String> {
    let typed = typed.trim();
    if may_be_secret(typed) {
        return Err(
            "a profile id looks like `openai:work`, and what was given looks like a secret".to_owned(),
        );
    }
    let name = match typed.split_once(':') {
        Some((before, name)) if normalise_provider_id(before) == provider.as_str() => name.to_owned(),
        Some(_) => {
            return Err(format!(
                "{} is not an id for {provider}: give {provider}:NAME",
                shown(typed)
            ));
        }
        None => slug(typed),
    };
    let is_reserved = RESERVED.iter().any(|reserved| name.starts_with(reserved));
    if is_reserved {
        return Err(format!(
            "{} names what the environment or the config holds: give another name",
            shown(typed)
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
        return Err(format!(
            "{} is no profile id: give {provider}:NAME, with a name of letters, digits and . _ - @ +",
            shown(typed)
        ));
    }
    Ok(ProfileId::new(&format!("{provider}:{name}")))
}

/// `My Key (work)` → `my-key-work`.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(typed: &str) -> Result<String, String> {
        profile_id(typed, &ProviderId::new("openai")).map(|id| id.to_string())
    }

    #[test]
    fn an_id_is_its_providers_and_a_name_alone_becomes_one() {
        for (typed, is) in [
            ("openai:work", "openai:work"),
            (" OpenAI:work ", "openai:work"),
            ("openai:me+test@example.com", "openai:me+test@example.com"),
            ("work", "openai:work"),
            ("My Key (work)", "openai:my-key-work"),
        ] {
            assert_eq!(id(typed).unwrap(), is);
        }
    }

    #[test]
    fn other_texts_are_none() {
        for typed in [
            "",
            ":",
            "openai:",
            "anthropic:work",
            "openai:a b",
            "openai:env:X",
            "openai:config",
            "(()",
        ] {
            id(typed).unwrap_err();
        }
        id(&format!("openai:{}", "n".repeat(129))).unwrap_err();
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let secret = format!("sk-proj-{}", "a1B2".repeat(10));
        assert!(!id(&secret).unwrap_err().contains("a1B2"));
        assert!(!unknown("agent", &secret, ["main"]).contains("a1B2"));
    }
}
