//! What a caller may call its session: pure.

/// Bytes of a session's key; twice what any provider takes for the user of a request.
pub const SESSION_KEY_BYTES_MAX: usize = 512;

/// Keys that begin so are the gateway's own to make: it is how its names begin, `coderclaw:<agent>` among them, and a
/// caller that used one could not be told from it.
pub const RESERVED_PREFIX: &str = "coderclaw:";

/// Why a text is no session's key. The text itself is in no message: it may say who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionKeyError {
    /// It is longer than any may be.
    #[error("is longer than {SESSION_KEY_BYTES_MAX} bytes; send a hash of it instead")]
    TooLong,
    /// It has line breaks or the like.
    #[error("holds control characters; send it without them")]
    Control,
    /// It is not UTF-8.
    #[error("is not UTF-8; send it as text")]
    NotText,
    /// It begins as the gateway's own keys do.
    #[error("begins with `{RESERVED_PREFIX}`, which is reserved for the gateway itself; choose another")]
    Reserved,
    /// The header stands there twice, and who reads only one may read either.
    #[error("stands twice in the request; keep one")]
    Twice,
}

/// The key that `text` is, without white space around it; `None` where it is blank.
///
/// # Errors
/// If it can be no key.
pub fn session_key(text: &str) -> Result<Option<&str>, SessionKeyError> {
    let key = text.trim_matches([' ', '\t']);
    let has_prefix = |prefix: &str| {
        let begin = key.get(..prefix.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    if key.len() > SESSION_KEY_BYTES_MAX {
        return Err(SessionKeyError::TooLong);
    }
    if key.chars().any(char::is_control) {
        return Err(SessionKeyError::Control);
    }
    if has_prefix(RESERVED_PREFIX) {
        return Err(SessionKeyError::Reserved);
    }
    Ok((!key.is_empty()).then_some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_short_text_of_one_line() {
        let longest = "k".repeat(SESSION_KEY_BYTES_MAX);
        for key in [
            "a",
            "user_7f_account_",
            "Grüße",
            "a b",
            "coderclaw",
            "x coderclaw:",
            &longest,
        ] {
            assert_eq!(session_key(key), Ok(Some(key)));
            assert_eq!(session_key(&format!("  {key}\t")), Ok(Some(key)));
        }
        for blank in ["", "  ", "\t"] {
            assert_eq!(session_key(blank), Ok(None));
        }
    }

    #[test]
    fn what_can_be_no_key_is_told_apart() {
        for (key, error) in [
            ("k".repeat(SESSION_KEY_BYTES_MAX + 1), SessionKeyError::TooLong),
            ("k".repeat(10_000), SessionKeyError::TooLong),
            ("a\nb".to_owned(), SessionKeyError::Control),
            ("a\tb".to_owned(), SessionKeyError::Control),
            ("a\u{85}b".to_owned(), SessionKeyError::Control),
            ("coderclaw:main".to_owned(), SessionKeyError::Reserved),
            (" CoderClaw:x".to_owned(), SessionKeyError::Reserved),
        ] {
            assert_eq!(session_key(&key), Err(error), "{key}");
        }
    }
}
