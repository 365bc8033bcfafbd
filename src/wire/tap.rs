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
static ERROR_EVENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("event:error"));
static ERROR_EVENT_SPACED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("event: error"));
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
    /// Whether the bytes that came last held a frame with an error in it.
    told: bool,
    report: TapReport,
}

#[derive(Debug)]
enum Reader {
    Sse(SseSplitter, ErrorScan),
    Json(UsageScan, ErrorScan),
    Opaque,
}

/// Looks for the beginning of an error in what comes in chunks: a member `"error"` that is not null, or the name of
/// an error event.
#[derive(Debug, Default)]
struct ErrorScan {
    found: bool,
    /// The end of what came, as long as the beginning of a member and its value may be.
    tail: Vec<u8>,
}

/// So many bytes are looked at again with the next chunk: `"error": null` and room for white space.
const ERROR_TAIL_BYTES: usize = 32;

impl ErrorScan {
    fn push(&mut self, chunk: &[u8]) {
        if self.found {
            return;
        }
        let seam = chunk.get(..ERROR_TAIL_BYTES).unwrap_or(chunk);
        self.tail.extend_from_slice(seam);
        self.found = begins_error(&self.tail) || begins_error(chunk);
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
            Framing::Sse => Reader::Sse(SseSplitter::default(), ErrorScan::default()),
            Framing::Json => Reader::Json(UsageScan::default(), ErrorScan::default()),
            Framing::Opaque => Reader::Opaque,
        };
        Self {
            api,
            reader,
            told: false,
            report: TapReport {
                finished: framing != Framing::Sse,
                ..TapReport::default()
            },
        }
    }

    /// Reads the next bytes of the answer.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.reader {
            Reader::Sse(splitter, error) => {
                let (api, report) = (self.api, &mut self.report);
                let mut told = false;
                let begun = splitter.push(chunk, |event| told |= report.note(api, &event));
                self.told = told;
                if splitter.pending_bytes() == begun.len() {
                    *error = ErrorScan::default();
                }
                if !begun.is_empty() {
                    error.push(begun);
                }
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
        if let Reader::Sse(splitter, _) = &mut self.reader {
            let (api, report) = (self.api, &mut self.report);
            splitter.finish(|event| {
                report.note(api, &event);
            });
        }
    }

    /// Whether an error has come, or the beginning of a frame that may be one, however long it grows. Every vendor's
    /// errors say what they are before they say anything else.
    #[must_use]
    pub fn tells_error(&self) -> bool {
        let begun = match &self.reader {
            Reader::Sse(_, error) | Reader::Json(_, error) => error.found,
            Reader::Opaque => false,
        };
        begun || self.told || self.report.failure.is_some()
    }

    /// Whether everything that came is whole frames.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        matches!(&self.reader, Reader::Sse(splitter, _) if splitter.pending_bytes() == 0)
    }

    /// What was seen so far.
    #[must_use]
    pub fn report(&self) -> TapReport {
        self.report.clone()
    }
}

impl TapReport {
    /// Reads a whole frame; says whether it tells of an error, be it in passing.
    fn note(&mut self, api: Option<Api>, event: &SseEvent<'_>) -> bool {
        let data: &[u8] = &event.data;
        if data.trim_ascii() == b"[DONE]" {
            self.finished = true;
            return false;
        }
        let tells_error = event.name == b"error" || value_follows(&ERROR, data);
        if tells_error || may_matter(event) {
            self.read(api, event);
        }
        tells_error
    }

    fn read(&mut self, api: Option<Api>, event: &SseEvent<'_>) {
        let data: &[u8] = &event.data;
        let Ok(frame) = serde_json::from_slice::<Value>(data) else {
            // Bare words are an error's if the event's name says so.
            if event.name == b"error" && self.failure.is_none() {
                self.failure = Some(StreamFailure::read(data));
            }
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

/// Whether a frame that tells of no error can hold anything that the report tells; a quick look, so that most frames
/// are never parsed.
fn may_matter(event: &SseEvent<'_>) -> bool {
    let data: &[u8] = &event.data;
    let last_by_name = LAST_EVENTS.iter().any(|name| name.as_bytes() == event.name);
    last_by_name
        || value_follows(&USAGE, data)
        || FINISH_REASON.find(data).is_some()
        || BLOCK_REASON.find(data).is_some()
        || (event.name.is_empty() && begins_as_last(data))
}

/// Whether an error's member, or the line that names an error event, stands in `bytes`.
fn begins_error(bytes: &[u8]) -> bool {
    let named = |finder: &Finder<'_>| finder.find(bytes).is_some();
    value_follows(&ERROR, bytes) || named(&ERROR_EVENT) || named(&ERROR_EVENT_SPACED)
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
