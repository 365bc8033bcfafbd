//! An answer on its way to the caller: bytes untouched, with a tap that reads how it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use coderclaw_actors::Lease;
use coderclaw_actors::domain::clock::SharedClock;
use coderclaw_actors::domain::outcome::Outcome;
use http::HeaderMap;
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use super::completion::{Completion, Ending};
use crate::upstream::Incoming;
use crate::upstream::answer::AnswerStream;
use crate::upstream::classify::{Failure, classify};
use crate::upstream::scrub::{Scrubber, StreamScrubber};
use crate::wire::Api;
use crate::wire::gate::Framing;
use crate::wire::tap::StreamTap;

/// The caller's connection copies what it is given into a buffer of its own, which grows to twice of that and never
/// shrinks: larger pieces are given in parts.
const PART_BYTES_MAX: usize = 32 * 1024;

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub struct StreamTimeouts {
    /// Between two pieces from the provider.
    pub idle: Duration,
    /// From the request to the end of its answer.
    pub total: Duration,
}

/// Why a stream was cut. The caller sees a connection that breaks off, never a clean end: no SDK would notice one.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The provider broke off.
    #[error("the provider broke off")]
    Upstream,
    /// The provider sent nothing for too long.
    #[error("the provider sent nothing for {0} s")]
    Idle(u64),
    /// The stream took too long.
    #[error("the stream took longer than {0} s")]
    Total(u64),
}

/// What the end of a stream is judged by.
#[derive(Debug)]
pub struct StreamFacts {
    /// The format of the answer, if it is known.
    pub api: Option<Api>,
    /// How the answer is framed.
    pub framing: Framing,
    /// The answer's headers: limits are read from them.
    pub headers: HeaderMap,
    /// The lease that the stream is served under; none for an answer that was rejected.
    pub lease: Option<Lease>,
}

/// A body that streams from a provider to a caller.
///
/// It is polled only when the caller's connection can take more, so a slow reader slows the provider and nothing
/// piles up here.
#[derive(Debug)]
pub struct Relay {
    held: std::vec::IntoIter<Bytes>,
    /// What is left of a piece that is given out in parts.
    part: Bytes,
    rest: Option<Incoming>,
    size: BodySize,
    ends_by_close: bool,
    /// Whether all of it may repeat the key, from the first byte.
    is_error: bool,
    scrubber: Option<StreamScrubber>,
    tap: StreamTap,
    facts: StreamFacts,
    clock: SharedClock,
    timeouts: StreamTimeouts,
    timer: Pin<Box<Sleep>>,
    last_piece: Instant,
    deadline: Instant,
    completion: Completion,
}

impl Relay {
    /// Relays `stream`, and tells `completion` how it ended.
    #[must_use]
    pub fn new(
        stream: AnswerStream,
        facts: StreamFacts,
        timeouts: StreamTimeouts,
        clock: SharedClock,
        completion: Completion,
    ) -> Self {
        let now = Instant::now();
        Self {
            held: stream.held.into_iter(),
            part: Bytes::new(),
            rest: Some(stream.rest),
            size: stream.length.map_or(BodySize::Stream, BodySize::Sized),
            ends_by_close: stream.ends_by_close,
            is_error: stream.scrubber.is_some(),
            scrubber: stream.scrubber,
            tap: StreamTap::new(facts.api, facts.framing),
            facts,
            clock,
            timeouts,
            timer: Box::pin(tokio::time::sleep(timeouts.idle.min(timeouts.total))),
            last_piece: now,
            deadline: now + timeouts.total.saturating_sub(completion.elapsed()),
            completion,
        }
    }

    /// One piece on its way out.
    fn pass(&mut self, piece: Bytes) -> Bytes {
        self.tap.push(&piece);
        let piece = self.without_secret(piece);
        self.completion.bytes += piece.len() as u64;
        piece
    }

    /// An error that comes after the commit may repeat the key too. What a model says is not touched: only what
    /// comes with an error, or with a frame that begins like one, is scrubbed.
    fn without_secret(&mut self, piece: Bytes) -> Bytes {
        let in_error = self.is_error || self.tap.tells_error();
        if self.scrubber.is_none() && in_error {
            let lease = self.facts.lease.as_ref();
            self.scrubber = lease.map(|lease| Scrubber::new(&lease.profile().secret).stream());
        }
        let Some(scrubber) = &mut self.scrubber else {
            return piece;
        };
        let clean = scrubber.push(piece);
        if in_error && !self.tap.is_between_frames() {
            return clean;
        }
        // No run goes on behind the end of a frame, and the caller waits for that end.
        let last = scrubber.finish();
        if !in_error {
            self.scrubber = None;
        }
        if last.is_empty() {
            clean
        } else {
            Bytes::from([clean, last].concat())
        }
    }

    /// The provider is done: what the scrubber kept back, and then the end.
    fn finish(&mut self) -> Option<Result<Bytes, CutError>> {
        self.rest = None;
        if let Some(mut scrubber) = self.scrubber.take() {
            let last = scrubber.finish();
            if !last.is_empty() {
                self.completion.bytes += last.len() as u64;
                return Some(Ok(last));
            }
        }
        self.tap.finish();
        let report = self.tap.report();
        // A body that ends when the connection does looks the same whole and cut; only its last frame tells.
        if self.ends_by_close
            && self.facts.framing == Framing::Sse
            && self.facts.api.is_some()
            && !report.finished
        {
            return Some(Err(self.cut(CutError::Upstream)));
        }
        self.settle();
        self.completion.end(Ending::Complete);
        None
    }

    fn cut(&mut self, error: CutError) -> CutError {
        self.rest = None;
        self.settle();
        self.completion.error = Some("stream_cut");
        self.completion.end(Ending::Cut);
        tracing::warn!(id = %self.completion.id(), error = %error, "stream cut");
        error
    }

    /// Settles the lease by how the stream ended: an error after the commit still says something of the credential.
    fn settle(&mut self) {
        let report = self.tap.report();
        self.completion.usage = report.usage;
        let Some(lease) = self.facts.lease.take() else {
            return;
        };
        let outcome = match report.failure {
            None => Outcome::Success,
            Some(failure) => {
                let verdict = classify(&Failure {
                    provider: self
                        .completion
                        .provider
                        .as_ref()
                        .map_or("", |provider| provider.as_str()),
                    status: failure.status,
                    headers: &self.facts.headers,
                    body: &failure.body,
                    now: self.clock.now(),
                });
                self.completion.error = Some(verdict.class.as_str());
                Outcome::Failed(verdict)
            }
        };
        lease.settle(outcome);
    }

    /// The next piece, as large as the provider's connection had it; never an empty one.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, CutError>>> {
        loop {
            if let Some(piece) = self.held.next() {
                let piece = self.pass(piece);
                if piece.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(piece)));
            }
            let Some(rest) = &mut self.rest else {
                return Poll::Ready(self.finish());
            };
            match Pin::new(rest).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.last_piece = Instant::now();
                    // A caller that takes little at a time always finds more here: the timers never come up.
                    if self.last_piece >= self.deadline {
                        let error = CutError::Total(self.timeouts.total.as_secs());
                        return Poll::Ready(Some(Err(self.cut(error))));
                    }
                    let piece = frame.into_data().map(|data| self.pass(data)).unwrap_or_default();
                    if !piece.is_empty() {
                        return Poll::Ready(Some(Ok(piece)));
                    }
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(self.cut(CutError::Upstream)))),
                Poll::Ready(None) => return Poll::Ready(self.finish()),
                Poll::Pending => {
                    let error = ready!(self.poll_timers(context));
                    return Poll::Ready(Some(Err(self.cut(error))));
                }
            }
        }
    }

    /// Whether the provider has been silent, or the whole has lasted, for too long.
    fn poll_timers(&mut self, context: &mut Context<'_>) -> Poll<CutError> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            if now >= self.deadline {
                return Poll::Ready(CutError::Total(self.timeouts.total.as_secs()));
            }
            let silent_until = self.last_piece + self.timeouts.idle;
            if now >= silent_until {
                return Poll::Ready(CutError::Idle(self.timeouts.idle.as_secs()));
            }
            // Moved only when it fires, not at every piece.
            self.timer.as_mut().reset(silent_until.min(self.deadline));
        }
    }
}

impl MessageBody for Relay {
    type Error = CutError;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, CutError>>> {
        if self.part.is_empty() {
            match ready!(self.poll_piece(context)) {
                Some(Ok(piece)) => self.part = piece,
                end => return Poll::Ready(end),
            }
        }
        let length = self.part.len().min(PART_BYTES_MAX);
        Poll::Ready(Some(Ok(self.part.split_to(length))))
    }
}
