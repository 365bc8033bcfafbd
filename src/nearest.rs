//! The names that someone who mistyped one may have meant.

/// At most this many names are suggested.
const SUGGESTIONS_MAX: usize = 3;

/// Below this Jaro-Winkler similarity a name is no suggestion.
const SIMILARITY_MIN: f64 = 0.75;

/// Longer than any name that there is; telling how like it is to each would only take time.
const TYPED_BYTES_MAX: usize = 256;

/// The `known` names most like `typed`, best first.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if typed.len() > TYPED_BYTES_MAX {
        return Vec::new();
    }
    let typed = typed.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&typed, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= SIMILARITY_MIN)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(SUGGESTIONS_MAX)
        .map(|(_, name)| name)
        .collect()
}

/// A half-sentence for an error message: ` (did you mean "a" or "b"?)`, or nothing where no name is near.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = nearest(typed, known)
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (did you mean {}?)", names.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first_and_strangers_stay_away() {
        assert_eq!(
            nearest("opnai", ["google", "openai", "openrouter"]).first(),
            Some(&"openai")
        );
        assert!(nearest("zzz", ["google", "openai"]).is_empty());
        assert!(nearest(&"openai".repeat(100), ["openai"]).is_empty());
    }

    #[test]
    fn case_and_duplicates_do_not_count() {
        assert_eq!(nearest("OpenAI", ["openai", "openai"]), ["openai"]);
    }
}
