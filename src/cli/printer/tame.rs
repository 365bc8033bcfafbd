//! Text that a terminal shows and does not obey: names in a store or a provider's words may hold anything.

use std::fmt::{self, Display, Write as _};

/// What is shown in the place of a character that would do something.
const INSTEAD: char = '\u{fffd}';

/// A text without what moves the cursor, names the window or turns the writing round. Line breaks and styles stay.
pub(super) struct Tame<T>(pub(super) T);

impl<T: Display> Display for Tame<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(acts) {
            let (before, from) = rest.split_at(at);
            f.write_str(before)?;
            if let Some(style) = style(from) {
                let (style, after) = from.split_at(style);
                f.write_str(style)?;
                rest = after;
            } else {
                f.write_char(INSTEAD)?;
                let mut after = from.chars();
                after.next();
                rest = after.as_str();
            }
        }
        f.write_str(rest)
    }
}

fn acts(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// The length of the style that `text` begins with: colours change how it looks and nothing else.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let ends_well = numbers.get(end..)?.starts_with('m');
    ends_well.then_some("\u{1b}[".len() + end + "m".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tame(text: &str) -> String {
        Tame(text).to_string()
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_a_sign() {
        assert_eq!(tame("a\u{1b}]0;evil\u{7}b"), "a\u{fffd}]0;evil\u{fffd}b");
        assert_eq!(tame("\u{1b}[2Jx\r\u{1b}"), "\u{fffd}[2Jx\u{fffd}\u{fffd}");
        assert_eq!(tame("\u{202e}txt\u{9b}31m"), "\u{fffd}txt\u{fffd}31m");
        assert_eq!(tame("\u{1b}[31"), "\u{fffd}[31");
    }

    #[test]
    fn words_lines_and_styles_stay() {
        for text in [
            "",
            "plain ü 漢\n\tx",
            "\u{1b}[1mbold\u{1b}[0m",
            "\u{1b}[38;5;1mx\u{1b}[m",
        ] {
            assert_eq!(tame(text), text);
        }
    }
}
