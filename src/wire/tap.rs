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
    Json(UsageScan, ErrorScan),
    Opaque,
}

/// Looks for a member `"error"` that is not null in JSON that comes in chunks.
#[derive(Debug, Default)]
struct ErrorScan {
    found: bool,
    /// The end of what came, as long as the beginning of a member and its value may be.
    tail: Vec<u8>,
}

/// So many bytes of JSON are looked at again with the next chunk: `"error": null` and room for white space.
const ERROR_TAIL_BYTES: usize = 32;

impl ErrorScan {
    fn push(&mut self, chunk: &[u8]) {
        if self.found {
            return;
        }
        let seam = chunk.get(..ERROR_TAIL_BYTES).unwrap_or(chunk);
        self.tail.extend_from_slice(seam);
        self.found = value_follows(&ERROR, &self.tail) || value_follows(&ERROR, chunk);
        let last = chunk.len().saturating_sub(ERROR_TAIL_BYTES);
        if last > 0 {
            self.tail.clear();
            self.tail.extend_from_slice(chunk.get(last..).unwrap_or_default());
        } else {
            let surplus = self.tail.len().saturating_sub(ERROR_TAIL_BYTES);
            self.tail.drain(..surplus);
        }
    }
}

impl StreamTap {
    /// A tap for an answer in `api`'s format; `None` where the format is not known.
    #[must_use]
    pub fn new(api: Option<Api>, framing: Framing) -> Self {
        let reader = match framing {
            Framing::Sse => Reader::Sse(SseSplitter::default()),
            Framing::Json => Reader::Json(UsageScan::default(), ErrorScan::default()),
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
            Reader::Json(usage, error) => {
                usage.push(chunk);
                error.push(chunk);
                self.report.usage = usage.usage;
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

    /// Whether an error has come, or the beginning of a frame that may be one. Every vendor's errors say what they
    /// are before they say anything else.
    #[must_use]
    pub fn tells_error(&self) -> bool {
        let begun = match &self.reader {
            Reader::Sse(splitter) => value_follows(&ERROR, splitter.pending()),
            Reader::Json(_, error) => error.found,
            Reader::Opaque => false,
        };
        begun || self.report.failure.is_some()
    }

    /// Whether everything that came is whole frames.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        matches!(&self.reader, Reader::Sse(splitter) if splitter.pending().is_empty())
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
