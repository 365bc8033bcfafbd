//! What may be shown of a program's complaints: the first line, without what could be a secret.

use coderclaw_actors::domain::credential::Secret;

use crate::upstream::scrub::{RUN_CHARS_MIN, Scrubber, mask_keys};

/// At most so many characters of the line are shown.
const SHOWN_CHARS_MAX: usize = 200;

/// `: ` and the first line of `complaints` that is not blank, or nothing. What the program printed and what it was
/// given are taken out, and words that look like a key.
pub(in crate::credentials) fn complaint(complaints: &[u8], output: &[u8], input: Option<&str>) -> String {
    let text = String::from_utf8_lossy(complaints);
    let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return String::new();
    };
    let printed = String::from_utf8_lossy(output);
    let known = [printed.as_ref(), input.unwrap_or_default()];
    let scrubbed = known
        .into_iter()
        .filter(|secret| secret.len() >= RUN_CHARS_MIN)
        .fold(line.to_owned(), |line, secret| without(&line, secret));
    let shown: String = mask_keys(&scrubbed)
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_CHARS_MAX)
        .collect();
    format!(": {shown}")
}

fn without(line: &str, secret: &str) -> String {
    let scrubber = Scrubber::new(&Secret::new(secret.to_owned()));
    String::from_utf8_lossy(&scrubber.scrub(line.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_shown_and_no_more() {
        let shown = |text: &str| complaint(text.as_bytes(), b"", None);
        assert_eq!(shown(""), "");
        assert_eq!(shown("\n \n"), "");
        assert_eq!(shown("\n  no such item \nmore\n"), ": no such item");
        assert_eq!(shown("sh: 1: op: not found"), ": sh: 1: op: not found");
        assert_eq!(shown("a\u{1b}[31mb"), ": a[31mb");
        assert_eq!(shown(&"e ".repeat(500)).chars().count(), 2 + SHOWN_CHARS_MAX);
        assert_eq!(complaint(b"\xff bad", b"", None), ": \u{fffd} bad");
    }

    #[test]
    fn what_could_be_a_secret_is_not_shown() {
        let key = "sk-proj-9vTq2LxW8bNcR4yHsJ6kPzM1aGdF3eUo7iBn";
        let stars = "*".repeat(key.len());
        assert_eq!(
            complaint(format!("bad key '{key}'!").as_bytes(), b"", None),
            format!(": bad key '{stars}'!")
        );
        assert_eq!(
            complaint(b"refused correcthorse", b"first\ncorrecthorse\n", None),
            ": refused ************"
        );
        assert_eq!(
            complaint(b"refused batterystaple", b"", Some("batterystaple")),
            ": refused *************"
        );
    }

    proptest::proptest! {
        /// No run of what the program printed is shown, whatever stands around it.
        #[test]
        fn nothing_printed_is_shown(before in "[a-z ]{0,20}", secret in "[A-Za-z]{8,40}", after in "[a-z ]{0,20}") {
            let line = format!("{before}{secret}{after}");
            let shown = complaint(line.as_bytes(), secret.as_bytes(), None);
            proptest::prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }
}
