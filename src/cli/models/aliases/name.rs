//! What an alias may be called.

use crate::cli::models::auth::name::shown;

/// The longest alias.
const CHARS_MAX: usize = 64;
/// Words that mean something else where a model is named.
const RESERVED: [&str; 5] = ["auto", "coderclaw", "default", "list", "status"];
/// How names begin that mean an agent's model.
const AGENT_PREFIX: &str = "coderclaw:";

/// An alias in lower case, as it is compared.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(typed: &str) -> Result<String, String> {
    let alias = typed.trim().to_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if alias.is_empty() || alias.len() > CHARS_MAX || !alias.chars().all(fits) {
        return Err(format!(
            "{} can't be an alias: give letters, digits and _ . : -, at most {CHARS_MAX}",
            shown(typed)
        ));
    }
    if alias.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "`{alias}` can't be an alias: in a chat `/model {alias}` means a number of the list"
        ));
    }
    if RESERVED.contains(&alias.as_str()) || alias.starts_with(AGENT_PREFIX) {
        return Err(format!(
            "`{alias}` can't be an alias: the word has a meaning of its own"
        ));
    }
    Ok(alias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_four_signs() {
        for (typed, is) in [
            ("fast", "fast"),
            (" Fast ", "fast"),
            ("gpt-5.1:big_one", "gpt-5.1:big_one"),
            ("4o", "4o"),
            ("autos", "autos"),
            ("coderclaws", "coderclaws"),
        ] {
            assert_eq!(checked(typed).unwrap(), is);
        }
    }

    #[test]
    fn what_means_something_else_or_can_not_be_typed() {
        let long = "a".repeat(65);
        for typed in [
            "",
            " ",
            "a b",
            "a/b",
            "a@b",
            "ü",
            "*",
            "5",
            "007",
            "auto",
            "AUTO",
            "coderclaw",
            "coderclaw:work",
            "default",
            "list",
            "status",
            &long,
        ] {
            checked(typed).unwrap_err();
        }
    }
}
