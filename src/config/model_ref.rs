//! A model, and behind an `@` the auth profile that is to serve it: pure.

/// A reference as somebody typed it, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelRef<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The auth profile, if one is named.
    pub profile: Option<&'a str>,
}

impl<'a> ModelRef<'a> {
    /// Takes `text` apart at the first `@` behind the last `/` that neither begins that segment nor belongs to the
    /// model: a date of eight digits and a tag such as `q8_0`, `iq4_xs` or `4bit` do. A profile may hold an `@`
    /// itself; where either half would be empty, all of it is the model.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let whole = text.trim();
        let segment = whole.rfind('/').map_or(0, |slash| slash + 1);
        let is_split = |at: &usize| {
            let behind = whole.get(at + 1..).unwrap_or_default();
            let tag = behind.split('@').next().unwrap_or_default();
            *at > segment && !belongs_to_model(tag)
        };
        let at = whole
            .match_indices('@')
            .map(|(at, _)| at)
            .skip_while(|at| *at < segment)
            .find(is_split);
        let split = at.and_then(|at| Some((whole.get(..at)?.trim(), whole.get(at + 1..)?.trim())));
        match split {
            Some((model, profile)) if !model.is_empty() && !profile.is_empty() => Self {
                model,
                profile: Some(profile),
            },
            _ => Self {
                model: whole,
                profile: None,
            },
        }
    }
}

/// Whether what stands behind an `@` is a piece of the model's name: a release date, or how its weights are rounded.
fn belongs_to_model(tag: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let tag = tag.to_ascii_lowercase();
    if digits(&tag) {
        return tag.len() == 8;
    }
    if tag.strip_suffix("bit").is_some_and(digits) {
        return true;
    }
    let mut pieces = tag.trim_start_matches('i').split('_');
    let is_quantised = pieces
        .next()
        .and_then(|first| first.strip_prefix('q'))
        .is_some_and(digits);
    is_quantised
        && !tag.starts_with("ii")
        && pieces.all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, model: &str, profile: Option<&str>) {
        assert_eq!(ModelRef::parse(text), ModelRef { model, profile }, "{text}");
    }

    #[test]
    fn dates_and_tags_belong_to_the_model_and_what_follows_them_does_not() {
        check(
            "vertex/haiku@20251001@anthropic:work",
            "vertex/haiku@20251001",
            Some("anthropic:work"),
        );
        check("lmstudio/gemma@q8_0@work", "lmstudio/gemma@q8_0", Some("work"));
        check("gemma@IQ4_xs", "gemma@IQ4_xs", None);
        check(
            "gemma@8bit@q4@me@example.com",
            "gemma@8bit@q4",
            Some("me@example.com"),
        );
        check("m@2025100", "m", Some("2025100"));
        check("m@q", "m", Some("q"));
        check("m@q8_", "m", Some("q8_"));
        check("m@iiq8", "m", Some("iiq8"));
        check("m@bit", "m", Some("bit"));
        check(
            "m@openai:env:OPENAI_API_KEYS#2",
            "m",
            Some("openai:env:OPENAI_API_KEYS#2"),
        );
    }

    #[test]
    fn an_at_that_begins_a_segment_or_has_nothing_beside_it_splits_nothing() {
        check("cf-ai/@cf", "cf-ai/@cf", None);
        check("cf-ai/@cf@work", "cf-ai/@cf", Some("work"));
        check("a@b/c", "a@b/c", None);
        check("m@ ", "m@", None);
        check("@", "@", None);
        check("", "", None);
    }

    proptest! {
        #[test]
        fn what_was_joined_is_taken_apart(model in "[a-z][a-z0-9.:-]{0,12}(/[a-z][a-z0-9.-]{0,8})?", profile in "[a-z]{2,8}:[a-z@.]{1,12}[a-z]") {
            let text = format!("{model}@{profile}");
            prop_assert_eq!(ModelRef::parse(&text), ModelRef { model: &model, profile: Some(&profile) });
            prop_assert_eq!(ModelRef::parse(&model), ModelRef { model: &model, profile: None });
        }

        #[test]
        fn nothing_is_lost_whatever_is_typed(text in ".{0,40}") {
            let parsed = ModelRef::parse(&text);
            match parsed.profile {
                None => prop_assert_eq!(parsed.model, text.trim()),
                Some(profile) => {
                    prop_assert!(!parsed.model.is_empty() && !profile.is_empty());
                    prop_assert!(text.contains(parsed.model) && text.contains(profile));
                }
            }
        }
    }
}
