//! Watches an answer that goes by: what it used, whether it ended as its format demands, whether it failed.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::Api;
use super::frame::{FrameKind, Framing, StreamFailure, judge_json};
use super::gemini;
use super::sse::{SseEvent, SseSplitter};
use super::usage::UsageScan;
pub use super::usage::{Usage, usage_of_json};

#[cfg(test)]
mod tests;

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage"));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
static FINISH_REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finishReason\""));
static BLOCK_REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"blockReason\""));

/// The types of events after which no more comes.
const LAST_EVENTS: [&str; 5] = [
    "message_stop",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
];

/// What a tap has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TapReport {
    /// The tokens that the answer says it took.
    pub usage: Option<Usage>,
    /// Whether the format's own last word was seen. Where the format has none (JSON, unknown types) this is
    /// true from the start: there HTTP alone tells whether an answer is whole.
    pub finished: bool,
    /// The error frame that came, if one did.
    pub failure: Option<StreamFailure>,
}

/// Reads along with a committed answer. An idle tap owns no memory.
#[derive(Debug)]
pub struct StreamTap {
    api: Option<Api>,
    reader: Reader,
    report: TapReport,
}

#[derive(Debug)]
enum Reader {
    Sse(SseSplitter),
    Json(UsageScan),
    Opaque,
}

impl StreamTap {
    /// A tap for an answer in `api`'s format; `None` where the format is not known.
    #[must_use]
    pub fn new(api: Option<Api>, framing: Framing) -> Self {
        let reader = match framing {
            Framing::Sse => Reader::Sse(SseSplitter::default()),
            Framing::Json => Reader::Json(UsageScan::default()),
            Framing::Opaque => Reader::Opaque,
        };
        Self {
            api,
            reader,
            report: TapReport {
                finished: framing != Framing::Sse,
                ..TapReport::default()
            },
        }
    }

    /// Reads the next bytes of the answer.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.reader {
            Reader::Sse(splitter) => {
                let (api, report) = (self.api, &mut self.report);
                splitter.push(chunk, |event| report.note(api, &event));
            }
            Reader::Json(scan) => {
                scan.push(chunk);
                self.report.usage = scan.usage;
            }
            Reader::Opaque => {}
        }
    }

    /// Reads what the end of the body completes: a last frame without its blank line.
    pub fn finish(&mut self) {
        if let Reader::Sse(splitter) = &mut self.reader {
            let (api, report) = (self.api, &mut self.report);
            splitter.finish(|event| report.note(api, &event));
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn report(&self) -> TapReport {
        self.report.clone()
    }
}

impl TapReport {
    fn note(&mut self, api: Option<Api>, event: &SseEvent<'_>) {
        let data: &[u8] = &event.data;
        if data.trim_ascii() == b"[DONE]" {
            self.finished = true;
            return;
        }
        if !may_matter(event) {
            return;
        }
        let Ok(frame) = serde_json::from_slice::<Value>(data) else {
            return;
        };
        let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
        if LAST_EVENTS.contains(&kind) || gemini::is_over(&frame) {
            self.finished = true;
        }
        let used = [
            "/usage",
            "/usageMetadata",
            "/message/usage",
            "/response/usage",
            "/x_groq/usage",
        ]
        .iter()
        .filter_map(|place| frame.pointer(place))
        .filter_map(Usage::read);
        for found in used {
            self.usage = Some(self.usage.map_or(found, |seen| seen.merge(found)));
        }
        let failed = event.name == b"error"
            || judge_json(api, &frame) == FrameKind::Failure
            || frame.get("error").is_some_and(Value::is_object);
        if failed && self.failure.is_none() {
            self.failure = Some(StreamFailure::read(data));
        }
    }
}

/// Whether a frame can hold anything that the report tells; a quick look, so that most frames are never parsed.
fn may_matter(event: &SseEvent<'_>) -> bool {
    let data: &[u8] = &event.data;
    let last_by_name = LAST_EVENTS.iter().any(|name| name.as_bytes() == event.name);
    last_by_name
        || event.name == b"error"
        || value_follows(&USAGE, data)
        || value_follows(&ERROR, data)
        || FINISH_REASON.find(data).is_some()
        || BLOCK_REASON.find(data).is_some()
        || (event.name.is_empty() && begins_as_last(data))
}

/// Whether a member that begins with `finder`'s needle has another value than null somewhere in `data`.
fn value_follows(finder: &Finder<'_>, data: &[u8]) -> bool {
    finder.find_iter(data).any(|at| {
        let rest = data.get(at + 1..).unwrap_or_default();
        let quote = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        let after = rest.get(quote + 1..).unwrap_or_default().trim_ascii_start();
        let value = after.strip_prefix(b":").unwrap_or(after).trim_ascii_start();
        !value.starts_with(b"null")
    })
}

/// Whether an unnamed event's type, which stands first in every vendor's own events, is a last one.
fn begins_as_last(data: &[u8]) -> bool {
    const TYPE_BYTES_MAX: usize = 64;
    let head = data.get(..TYPE_BYTES_MAX.min(data.len())).unwrap_or_default();
    LAST_EVENTS
        .iter()
        .any(|name| memchr::memmem::find(head, name.as_bytes()).is_some())
}
