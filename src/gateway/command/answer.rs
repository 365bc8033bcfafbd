//! An answer of the gateway itself, in the shapes that the official SDKs read: pure.

mod chat;
mod gemini;
mod messages;
mod responses;

use serde_json::Value;

/// What is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    /// What is said.
    pub(super) text: &'a str,
    /// The model, as the request names it.
    pub(super) model: &'a str,
    /// The request's name: ids are made of it.
    pub(super) id: &'a str,
    /// When it was made, in Unix seconds.
    pub(super) created_s: u64,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `OpenAI`'s chat completions.
    Chat {
        /// As events.
        stream: bool,
    },
    /// `OpenAI`'s responses.
    Responses {
        /// As events.
        stream: bool,
    },
    /// Anthropic's messages.
    Messages {
        /// As events.
        stream: bool,
    },
    /// Google's, as one document.
    Gemini,
    /// Google's, as events.
    GeminiEvents,
    /// Google's stream without `alt=sse`: a list.
    GeminiList,
}

// === impl Shape ===

impl Shape {
    /// What the body's header says of it.
    #[must_use]
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Chat { stream: true }
            | Self::Responses { stream: true }
            | Self::Messages { stream: true }
            | Self::GeminiEvents => "text/event-stream; charset=utf-8",
            _ => "application/json; charset=utf-8",
        }
    }
}

// === impl Answer ===

impl Answer<'_> {
    /// The body in a shape.
    #[must_use]
    pub(super) fn body(&self, shape: Shape) -> String {
        match shape {
            Shape::Chat { stream: false } => json(&chat::whole(self)),
            Shape::Chat { stream: true } => chat::stream(self),
            Shape::Responses { stream: false } => json(&responses::whole(self)),
            Shape::Responses { stream: true } => responses::stream(self),
            Shape::Messages { stream: false } => json(&messages::whole(self)),
            Shape::Messages { stream: true } => messages::stream(self),
            Shape::Gemini => json(&gemini::whole(self)),
            Shape::GeminiEvents => format!("data: {}\r\n\r\n", json(&gemini::whole(self))),
            Shape::GeminiList => format!("[{}]", json(&gemini::whole(self))),
        }
    }

    /// An id with a provider's prefix.
    fn id(&self, prefix: &str) -> String {
        let own = self.id.strip_prefix("req_").unwrap_or(self.id);
        format!("{prefix}coderclaw{own}")
    }
}

/// JSON in which no reader of lines sees one: some SDKs split events at these characters too.
fn json(value: &Value) -> String {
    value
        .to_string()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
        .replace('\u{85}', "\\u0085")
}

/// An event with its name.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {}\n\n", json(data))
}

#[cfg(test)]
mod tests;
