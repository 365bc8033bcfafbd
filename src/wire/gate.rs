//! The commit gate: holds an answer back until it says something, so that a failure can still be replayed.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use super::Api;
use super::frame::{FrameKind, judge, says_something};
pub use super::frame::{Framing, StreamFailure};
use super::json_probe::{JsonProbe, Probed};
use super::sse::SseSplitter;
use super::{gemini, openai_chat};

#[cfg(test)]
mod tests;

/// At most so much of an answer is held back; beyond, it is committed: 64 KiB.
pub const HELD_BYTES_MAX: usize = 64 * 1024;

/// What the bytes so far came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing of meaning yet.
    Hold,
    /// The answer has begun: what is held, and all that follows, goes to the caller.
    Commit,
    /// The provider failed before the answer had begun.
    Failed(StreamFailure),
}

/// Decides when an answer has begun. Time is the caller's: it may commit an answer that is held for too long.
#[derive(Debug)]
pub struct CommitGate {
    api: Option<Api>,
    reader: Reader,
    held: Vec<Bytes>,
    held_bytes: usize,
}

#[derive(Debug)]
enum Reader {
    Sse(SseSplitter),
    Json(JsonProbe),
    Opaque,
}

/// What a chunk came to.
enum Read {
    Said(Gate),
    /// The first object of a JSON answer is whole, at these offsets of what is held: it alone tells.
    Object(Range<usize>),
}

impl CommitGate {
    /// A gate for an answer in `api`'s format; `None` where the format is not known.
    #[must_use]
    pub fn new(api: Option<Api>, framing: Framing) -> Self {
        let reader = match framing {
            Framing::Sse => Reader::Sse(SseSplitter::default()),
            Framing::Json => Reader::Json(JsonProbe::default()),
            Framing::Opaque => Reader::Opaque,
        };
        Self {
            api,
            reader,
            held: Vec::new(),
            held_bytes: 0,
        }
    }

    /// Takes the next bytes. After anything but [`Gate::Hold`] the gate is to be opened with [`Self::into_held`].
    pub fn push(&mut self, chunk: Bytes) -> Gate {
        if chunk.is_empty() {
            return Gate::Hold;
        }
        let read = self.read(&chunk);
        self.held_bytes = self.held_bytes.saturating_add(chunk.len());
        self.held.push(chunk);
        match read {
            Read::Said(Gate::Hold) if self.held_bytes > HELD_BYTES_MAX => Gate::Commit,
            Read::Said(gate) => gate,
            Read::Object(span) => {
                let document = self.held.concat();
                let object = document.get(span).unwrap_or_default();
                judge_whole_json(object).map_or(Gate::Commit, Gate::Failed)
            }
        }
    }

    fn read(&mut self, chunk: &[u8]) -> Read {
        let api = self.api;
        match &mut self.reader {
            Reader::Sse(splitter) => {
                let mut gate = Gate::Hold;
                splitter.push(chunk, |event| {
                    if gate == Gate::Hold {
                        gate = opened_by(judge(api, &event), &event.data);
                    }
                });
                Read::Said(gate)
            }
            Reader::Json(probe) => match probe.push(chunk) {
                Probed::Undecided => Read::Said(Gate::Hold),
                Probed::Meaning => Read::Said(Gate::Commit),
                Probed::Object { start, end } => Read::Object(start..end),
            },
            Reader::Opaque => Read::Said(Gate::Commit),
        }
    }

    /// Upstream ended before the gate opened. A stream that never began is a failure; so is JSON cut short.
    pub fn end(&mut self) -> Gate {
        let api = self.api;
        match &mut self.reader {
            Reader::Sse(splitter) => {
                let mut gate = Gate::Hold;
                splitter.finish(|event| gate = opened_by(judge(api, &event), &event.data));
                if gate == Gate::Hold {
                    // Some say `text/event-stream` and send one JSON error.
                    let told = judge_whole_json(&self.held.concat());
                    Gate::Failed(told.unwrap_or_else(StreamFailure::ended_early))
                } else {
                    gate
                }
            }
            Reader::Json(_) if self.held_bytes > 0 => Gate::Failed(StreamFailure::ended_early()),
            Reader::Json(_) | Reader::Opaque => Gate::Commit,
        }
    }

    /// What was held, an error included: every byte as it came, in order.
    #[must_use]
    pub fn into_held(self) -> Vec<Bytes> {
        self.held
    }
}

fn opened_by(kind: FrameKind, data: &[u8]) -> Gate {
    match kind {
        FrameKind::Lifecycle => Gate::Hold,
        FrameKind::Meaning | FrameKind::End => Gate::Commit,
        FrameKind::Failure => Gate::Failed(StreamFailure::read(data)),
    }
}

/// Whether a whole JSON body with a good status is a failure all the same: an object with an `error` and nothing
/// of an answer beside it, or a list that begins with one. Bodies without a telling `"error"` are not parsed.
#[must_use]
pub fn judge_whole_json(body: &[u8]) -> Option<StreamFailure> {
    if !may_hold_error(body) {
        return None;
    }
    let document: Value = serde_json::from_slice(body).ok()?;
    let object = match &document {
        Value::Array(elements) => elements.first()?,
        other => other,
    };
    let failed = object.get("error").is_some_and(says_something)
        || object.get("type").and_then(Value::as_str) == Some("error")
        || object.get("object").and_then(Value::as_str) == Some("error");
    let answered = openai_chat::has_content(object)
        || gemini::has_content(object)
        || ["content", "output"]
            .iter()
            .any(|name| object.get(name).is_some_and(says_something));
    if !failed || answered {
        return None;
    }
    let failure = match &document {
        Value::Array(_) => StreamFailure::read(object.to_string().as_bytes()),
        _ => StreamFailure::read(body),
    };
    Some(failure)
}

/// Whether `"error"` stands anywhere as anything but a member that is null.
fn may_hold_error(body: &[u8]) -> bool {
    const NEEDLE: &[u8] = b"\"error\"";
    memchr::memmem::find_iter(body, NEEDLE).any(|at| {
        let after = body
            .get(at + NEEDLE.len()..)
            .unwrap_or_default()
            .trim_ascii_start();
        match after.strip_prefix(b":") {
            Some(value) => !value.trim_ascii_start().starts_with(b"null"),
            None => true,
        }
    })
}
