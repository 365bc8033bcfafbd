//! A good answer, before it has a format; and a stream, before it has a pace.

use super::asked::{Asked, Want};
use super::config::Behaviour;
use super::error::{escaped, is_plain};
use super::ids::request_id;
use super::text;

pub(super) mod anthropic;
pub(super) mod catalogue;
pub(super) mod google;
pub(super) mod openai;
pub(super) mod responses;

/// Tokens of a reply where nothing says otherwise.
const REPLY_TOKENS: u64 = 32;

/// Largest reply in tokens.
const REPLY_TOKENS_MAX: u64 = 1_000_000;

/// What is answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) model: String,
    /// Unix seconds.
    pub(super) created: u64,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    /// The caller's `max_tokens` cut it.
    pub(super) cut: bool,
    pub(super) include_usage: bool,
    pub(super) content: Content,
}

/// Words, or a call.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(String),
    Tool {
        id: String,
        name: String,
        arguments: String,
    },
}

impl Reply {
    /// Tokens that the reply to `asked` will have.
    pub(super) fn size(asked: &Asked, behaviour: &Behaviour) -> (u64, bool) {
        let wanted = behaviour
            .reply_tokens
            .or(behaviour.chunks)
            .unwrap_or(REPLY_TOKENS)
            .min(REPLY_TOKENS_MAX);
        let most = asked.max_tokens.unwrap_or(u64::MAX).max(1);
        match &asked.want {
            Want::Text => (wanted.min(most), most < wanted),
            Want::Tool { arguments, .. } => (text::tokens_of(arguments.len()), false),
            Want::Structured(document) => (text::tokens_of(document.len()), false),
        }
    }

    /// The reply; `echo` is what it says instead of words.
    pub(super) fn new(
        asked: &Asked,
        behaviour: &Behaviour,
        seed: u64,
        created: u64,
        echo: Option<String>,
    ) -> Self {
        let (tokens, cut) = Self::size(asked, behaviour);
        let content = match (&asked.want, echo) {
            (Want::Text, Some(echo)) => Content::Text(echo),
            (Want::Text, None) => Content::Text(text::text(seed, tokens)),
            (Want::Structured(document), _) => Content::Text(document.clone()),
            (Want::Tool { name, arguments }, _) => Content::Tool {
                id: request_id("call_"),
                name: name.clone(),
                arguments: arguments.clone(),
            },
        };
        Self {
            model: escaped(&asked.model),
            created,
            prompt_tokens: asked.prompt_tokens,
            completion_tokens: tokens,
            cut,
            include_usage: asked.include_usage,
            content,
        }
    }

    pub(super) const fn total_tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }

    /// The text that a stream delivers piece by piece: words, or a call's arguments.
    pub(super) fn streamed(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            Content::Tool { arguments, .. } => arguments,
        }
    }
}

/// A stream: lifecycle frames, pieces of content, final frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// Frames before any meaning.
    pub(super) lead: Vec<String>,
    /// How a piece becomes a frame.
    pub(super) form: Form,
    /// Frames after the last piece.
    pub(super) tail: Vec<String>,
}

/// The frame around a piece of content.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) before: String,
    /// Number of the first piece, written after `before`.
    pub(super) number: Option<usize>,
    pub(super) middle: String,
    pub(super) after: String,
    /// Between two frames.
    pub(super) separator: &'static str,
}

impl Form {
    /// The frame of piece `index`.
    pub(super) fn frame(&self, index: usize, piece: &str) -> String {
        use std::fmt::Write as _;
        let mut frame = String::with_capacity(
            self.before.len() + self.middle.len() + self.after.len() + piece.len() + self.separator.len() + 8,
        );
        if index > 0 {
            frame.push_str(self.separator);
        }
        frame.push_str(&self.before);
        if let Some(first) = self.number {
            let _ = write!(frame, "{}", first + index);
        }
        frame.push_str(&self.middle);
        if is_plain(piece) {
            frame.push_str(piece);
        } else {
            frame.push_str(&escaped(piece));
        }
        frame.push_str(&self.after);
        frame
    }
}
