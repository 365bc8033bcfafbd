//! Words of a refused request that are the caller's own: a provider that refuses a request for what stands in it
//! repeats it, and a tool named `list_unpaid_invoices` says nothing of anybody's credential.

/// Statuses on which a request is refused for what it is. A message without a status may be such a refusal too.
const REQUEST_REFUSED: [u16; 6] = [400, 403, 404, 409, 413, 422];

/// Words of a check of the request, in lower case. No vendor says them of a credential.
const CHECKS: [&str; 24] = [
    "extra inputs",
    "not a valid model",
    "not a valid enum",
    "invalid value",
    "invalid type",
    "invalid schema",
    "invalid json",
    "unrecognized request argument",
    "unrecognized key",
    "unrecognized field",
    "unknown parameter",
    "unknown field",
    "unknown name",
    "unexpected field",
    "unsupported value",
    "unsupported parameter",
    "supported values",
    "string should",
    "input should",
    "does not match pattern",
    "string does not match",
    "failed to deserialize",
    "cannot unmarshal",
    "cannot find field",
];

/// Characters that stand around what is repeated.
const QUOTES: [char; 7] = ['\'', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];

/// Whether an answer with this status may repeat the caller's words.
#[must_use]
pub(super) fn may_repeat(status: Option<u16>) -> bool {
    status.is_none_or(|status| REQUEST_REFUSED.contains(&status))
}

/// Whether `text`, in lower case, speaks of a check of the request.
#[must_use]
pub(super) fn speaks_of_a_check(text: &str) -> bool {
    CHECKS.iter().any(|words| text.contains(words))
}

/// `message` without what stands in quotes: from the first one that opens to the last one that closes, since what
/// is repeated may hold quotes of its own. An apostrophe within a word is no quote.
#[must_use]
pub(super) fn unquoted(message: &str) -> (&str, &str) {
    let is_word = |near: Option<char>| near.is_some_and(char::is_alphanumeric);
    let first = message.char_indices().find(|(at, character)| {
        let before = message.get(..*at).and_then(|before| before.chars().next_back());
        QUOTES.contains(character) && !is_word(before)
    });
    let last = message.char_indices().rev().find(|(at, character)| {
        let after = message.get(at + character.len_utf8()..);
        QUOTES.contains(character) && !is_word(after.and_then(|after| after.chars().next()))
    });
    match (first, last) {
        (Some((from, _)), Some((to, quote))) if from < to => (
            message.get(..from).unwrap_or_default(),
            message.get(to + quote.len_utf8()..).unwrap_or_default(),
        ),
        _ => (message, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_is_cut_whatever_it_holds() {
        for (message, own) in [
            ("Invalid value: 'a' b 'c'. Use d", ("Invalid value: ", ". Use d")),
            ("no `x\" y'` here", ("no ", " here")),
            (
                "you don't have the customers' credits",
                ("you don't have the customers' credits", ""),
            ),
            ("one ' alone", ("one ' alone", "")),
            ("", ("", "")),
        ] {
            assert_eq!(unquoted(message), own, "{message}");
        }
    }
}
