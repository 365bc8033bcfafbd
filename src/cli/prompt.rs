//! Questions on the terminal: a choice, a line, a yes or no, a secret that is not shown.
//!
//! They are written to stderr, so that stdout holds what was asked for and nothing else. The keys are read in raw
//! mode, and the terminal is put back before anything else happens, on Ctrl-C too.

use std::fmt;
use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use inquire::error::InquireError;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{Confirm, Password, PasswordDisplayMode, Select, Text};

use super::exit::Failure;

/// So many choices are shown at once; others come into sight as one moves.
const CHOICES_SHOWN: usize = 12;

/// How an answer is checked: the error is shown, and the question is asked again.
pub(super) trait Check: Fn(&str) -> Result<(), String> + Clone + Send + Sync + 'static {}

impl<C: Fn(&str) -> Result<(), String> + Clone + Send + Sync + 'static> Check for C {}

/// A terminal with somebody at it, who can be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    is_coloured: bool,
}

impl Terminal {
    /// The terminal of this process, if it has one for keys and one to ask on.
    pub(super) fn find() -> Option<Self> {
        let is_one = io::stdin().is_terminal() && io::stderr().is_terminal();
        let is_coloured = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        is_one.then_some(Self { is_coloured })
    }

    fn style(self) -> RenderConfig<'static> {
        if self.is_coloured {
            RenderConfig::default_colored()
        } else {
            RenderConfig::empty()
        }
    }

    /// One of several; says which, from 0.
    pub(super) fn choose(self, question: &str, choices: &[String]) -> Result<usize, Unanswered> {
        let choices = choices.iter().enumerate();
        let choices = choices.map(|(index, label)| Choice { index, label }).collect();
        let select = Select::new(question, choices)
            .with_render_config(self.style())
            .with_page_size(CHOICES_SHOWN)
            .with_help_message("arrows to move, letters to search, Enter to take");
        Ok(select.prompt()?.index)
    }

    /// A line; `proposed` if it is left blank.
    pub(super) fn line(
        self,
        question: &str,
        proposed: Option<&str>,
        help: &str,
        check: impl Check,
    ) -> Result<String, Unanswered> {
        let mut text = Text::new(question)
            .with_render_config(self.style())
            .with_help_message(help)
            .with_validator(move |answer: &str| Ok(verdict(check(answer))));
        if let Some(proposed) = proposed {
            text = text.with_default(proposed);
        }
        Ok(text.prompt()?)
    }

    /// Yes or no.
    pub(super) fn confirm(self, question: &str) -> Result<bool, Unanswered> {
        let confirm = Confirm::new(question).with_render_config(self.style());
        Ok(confirm.with_default(false).prompt()?)
    }

    /// A secret. Nothing shows it, nor how long it is.
    pub(super) fn secret(self, question: &str, help: &str, check: impl Check) -> Result<String, Unanswered> {
        let password = Password::new(question)
            .with_render_config(self.style())
            .with_display_mode(PasswordDisplayMode::Hidden)
            .with_help_message(help)
            .without_confirmation()
            .with_validator(move |answer: &str| Ok(verdict(check(answer))));
        Ok(password.prompt()?)
    }
}

fn verdict(checked: Result<(), String>) -> Validation {
    match checked {
        Ok(()) => Validation::Valid,
        Err(why) => Validation::Invalid(why.into()),
    }
}

struct Choice<'a> {
    index: usize,
    label: &'a str,
}

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// Ctrl-C, Ctrl-D or Escape.
    #[error("interrupted: nothing was saved")]
    Interrupted,
    /// The terminal fails.
    #[error("the terminal can't be read: {0}; nothing was saved")]
    Terminal(String),
}

impl From<InquireError> for Unanswered {
    fn from(error: InquireError) -> Self {
        match error {
            InquireError::OperationCanceled | InquireError::OperationInterrupted => Self::Interrupted,
            other => Self::Terminal(other.to_string()),
        }
    }
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        Self::new(unanswered, "run the command again, and answer to the end")
    }
}
