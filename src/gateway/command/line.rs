//! A line that is a command: pure.

use memchr::memchr_iter;

use crate::config::model_ref::ModelRef;

const NAME: &str = "/model";
/// Bytes of a line: no model and profile have longer names together.
const LINE_BYTES_MAX: usize = 1024;
/// What goes back to the configured model.
const DEFAULTS: [&str; 3] = ["default", "coderclaw", "auto"];

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// What serves now.
    Show,
    /// Which models there are.
    List,
    /// How the credentials are.
    Status,
    /// The configured model, perhaps by one credential.
    Default {
        /// The credential.
        profile: Option<String>,
    },
    /// The model of that number in the list, from 1.
    Number {
        /// The number.
        number: usize,
        /// The credential.
        profile: Option<String>,
    },
    /// A model by its name.
    Model {
        /// The name.
        name: String,
        /// The credential.
        profile: Option<String>,
    },
    /// A credential without a model.
    ProfileAlone,
}

impl Command {
    /// The command that all of `text` is, white space around it aside: `/model` in any case, perhaps a colon, and at
    /// most one word.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let line = text.trim();
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        let (name, rest) = line.split_at_checked(NAME.len())?;
        if !name.eq_ignore_ascii_case(NAME) {
            return None;
        }
        let (word, is_apart) = match rest.strip_prefix(':') {
            Some(word) => (word, true),
            None => (rest, rest.starts_with(char::is_whitespace)),
        };
        let word = word.trim();
        let is_one_word = !word.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        match word {
            "" => Some(Self::Show),
            word if is_apart && is_one_word => Some(Self::of_word(word)),
            _ => None,
        }
    }

    fn of_word(word: &str) -> Self {
        let ModelRef { model, profile } = ModelRef::parse(word);
        let profile = profile.map(str::to_owned);
        let lower = model.to_lowercase();
        if let Ok(number) = model.parse()
            && model.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Self::Number { number, profile };
        }
        match (lower.as_str(), &profile) {
            ("list", None) => Self::List,
            ("status", None) => Self::Status,
            ("list" | "status", Some(_)) => Self::ProfileAlone,
            (name, _) if name.starts_with('@') && !name.contains('/') => Self::ProfileAlone,
            (name, _) if DEFAULTS.contains(&name) => Self::Default { profile },
            _ => Self::Model {
                name: model.to_owned(),
                profile,
            },
        }
    }
}

/// Whether `/model` stands anywhere in a body, in any case: most bodies need no closer look. One that spells it with
/// escapes of JSON is no command.
#[must_use]
pub(super) fn may_be_in(body: &[u8]) -> bool {
    memchr_iter(b'/', body).any(|at| {
        let found = body.get(at..at + NAME.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(NAME.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str, profile: Option<&str>) -> Command {
        Command::Model {
            name: name.to_owned(),
            profile: profile.map(str::to_owned),
        }
    }

    #[test]
    fn a_line_is_a_command_or_it_is_not() {
        let default = |profile: Option<&str>| Command::Default {
            profile: profile.map(str::to_owned),
        };
        for (text, command) in [
            ("/model", Command::Show),
            ("  /MODEL:\n", Command::Show),
            ("/model list", Command::List),
            ("/Model: LIST", Command::List),
            ("/model:status", Command::Status),
            ("/model\tdefault", default(None)),
            ("/model auto@work", default(Some("work"))),
            ("/model opus", model("opus", None)),
            (
                "/model openai/gpt-5@openai:env:OPENAI_API_KEYS#2",
                model("openai/gpt-5", Some("openai:env:OPENAI_API_KEYS#2")),
            ),
            ("/model lmstudio/gemma@q8_0", model("lmstudio/gemma@q8_0", None)),
            ("/model 7up", model("7up", None)),
            ("/model +3", model("+3", None)),
            ("/model @work", Command::ProfileAlone),
            ("/model status@work", Command::ProfileAlone),
        ] {
            assert_eq!(Command::parse(text), Some(command), "{text}");
        }
        for (text, number, profile) in [
            ("/model 3", 3, None),
            ("/model 12@work", 12, Some("work".to_owned())),
        ] {
            assert_eq!(Command::parse(text), Some(Command::Number { number, profile }));
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in [
            "",
            "model",
            "/models",
            "/modellist",
            "/model-list",
            "/model a b",
            "/model list\nand more",
            "please /model list",
            "/model list please",
            "// /model",
            "/mod\u{e9}l",
            "/model \u{1b}[2J",
            &format!("/model {}", "x".repeat(2000)),
        ] {
            assert_eq!(Command::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_body_without_it_is_not_read() {
        assert!(may_be_in(br#"{"content":"\/MoDel list"}"#));
        assert!(may_be_in(b"/model"));
        for body in [&b""[..], b"/", b"/mode", b"a/b/c", br#"{"content":"model"}"#] {
            assert!(!may_be_in(body));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(/(?i:model))?:?.{0,30}") {
            let _ = Command::parse(&text);
        }

        #[test]
        fn what_is_a_command_is_found_in_its_body(text in "[ ]{0,2}/(?i:model):?( [a-z/@0-9]{1,10})?[ ]{0,2}") {
            prop_assert!(Command::parse(&text).is_some(), "{}", text);
            let body = serde_json::json!({ "content": text }).to_string();
            prop_assert!(may_be_in(body.as_bytes()));
        }
    }
}
