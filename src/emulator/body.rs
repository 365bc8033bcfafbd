//! Bodies of answers: whole, paced, broken off, or huge.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use actix_http::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use super::reply::{Form, Script};
use super::stats::Flight;

/// What is between the last delivered byte and a cut: time for the bytes to leave.
const CUT_PAUSE: Duration = Duration::from_millis(5);

/// Size of a piece of a huge body.
const HUGE_CHUNK: Bytes = Bytes::from_static(&[b' '; 64 * 1024]);

/// A body.
pub(super) enum Body {
    Whole(Bytes),
    Stream(Box<StreamBody>),
    Cut(CutBody),
    Huge(HugeBody),
}

impl Body {
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::Whole(text.into())
    }
}

impl MessageBody for Body {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        match self {
            Self::Whole(bytes) => bytes.size(),
            Self::Stream(_) => BodySize::Stream,
            Self::Cut(cut) => BodySize::Sized(cut.declared),
            Self::Huge(huge) => BodySize::Sized(huge.left),
        }
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut *self {
            Self::Whole(bytes) => Pin::new(bytes)
                .poll_next(cx)
                .map_err(|error: Infallible| match error {}),
            Self::Stream(stream) => stream.poll_next(cx),
            Self::Cut(cut) => cut.poll_next(cx),
            Self::Huge(huge) => Poll::Ready(huge.next().map(Ok)),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            other => Err(other),
        }
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// A body that promises more than it sends.
pub(super) struct CutBody {
    declared: u64,
    first: Option<Bytes>,
    pause: Option<Pin<Box<Sleep>>>,
    flight: Flight,
}

impl CutBody {
    /// The first half of `whole`, promised whole.
    pub(super) fn half(mut whole: Bytes, flight: Flight) -> Self {
        let declared = u64::try_from(whole.len()).unwrap_or(0);
        Self {
            declared,
            first: Some(whole.split_to(whole.len() / 2)),
            pause: None,
            flight,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(CUT_PAUSE)));
        ready!(pause.as_mut().poll(cx));
        self.flight.finish();
        Poll::Ready(Some(Err(broken())))
    }
}

/// Blanks between an opening and a closing brace.
pub(super) struct HugeBody {
    left: u64,
    started: bool,
    flight: Flight,
}

impl HugeBody {
    pub(super) const fn new(megabytes: u64, flight: Flight) -> Self {
        Self {
            left: megabytes * 1024 * 1024 + 2,
            started: false,
            flight,
        }
    }

    fn next(&mut self) -> Option<Bytes> {
        if !self.started {
            self.started = true;
            self.left -= 1;
            return Some(Bytes::from_static(b"{"));
        }
        match self.left {
            0 => None,
            1 => {
                self.left = 0;
                self.flight.finish();
                Some(Bytes::from_static(b"}"))
            }
            left => {
                let size = HUGE_CHUNK
                    .len()
                    .min(usize::try_from(left - 1).unwrap_or(usize::MAX));
                self.left -= u64::try_from(size).unwrap_or(0);
                Some(HUGE_CHUNK.slice(..size))
            }
        }
    }
}

/// How a stream ends.
pub(super) enum Ending {
    /// With its final frames.
    Good,
    /// Never: it is silent after so many pieces.
    Hang { after: usize },
    /// The connection breaks after so many pieces.
    Cut { after: usize },
    /// With this frame, after so many pieces.
    Error { after: usize, frame: String },
}

impl Ending {
    const fn after(&self) -> Option<usize> {
        match self {
            Self::Good => None,
            Self::Hang { after } | Self::Cut { after } | Self::Error { after, .. } => Some(*after),
        }
    }
}

/// A stream at its pace.
pub(super) struct StreamBody {
    lead: vec::IntoIter<String>,
    form: Form,
    tail: vec::IntoIter<String>,
    text: String,
    /// Where each piece of the text ends.
    ends: vec::IntoIter<usize>,
    start: usize,
    index: usize,
    ending: Ending,
    delay: Duration,
    next_at: Instant,
    pause: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    flight: Flight,
}

impl StreamBody {
    /// `pieces` joined are the text that is streamed.
    pub(super) fn new(
        script: Script,
        pieces: &[&str],
        ending: Ending,
        delay: Duration,
        mut flight: Flight,
    ) -> Self {
        flight.start_stream();
        let mut end = 0;
        let ends: Vec<usize> = pieces
            .iter()
            .map(|piece| {
                end += piece.len();
                end
            })
            .collect();
        Self {
            lead: script.lead.into_iter(),
            form: script.form,
            tail: script.tail.into_iter(),
            text: pieces.concat(),
            ends: ends.into_iter(),
            start: 0,
            index: 0,
            ending,
            delay,
            next_at: Instant::now(),
            pause: None,
            waiting: false,
            flight,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(frame) = self.lead.next() {
            return Poll::Ready(Some(Ok(frame.into())));
        }
        ready!(self.poll_pause(cx));
        let last = self.ends.len() == 0;
        if self
            .ending
            .after()
            .is_some_and(|after| self.index >= after || last)
        {
            return self.poll_ending(cx);
        }
        if let Some(end) = self.ends.next() {
            let frame = self
                .form
                .frame(self.index, self.text.get(self.start..end).unwrap_or_default());
            self.start = end;
            self.index += 1;
            self.pace();
            return Poll::Ready(Some(Ok(frame.into())));
        }
        let frame = self.tail.next();
        if frame.is_none() {
            self.flight.finish();
        }
        Poll::Ready(frame.map(|frame| Ok(frame.into())))
    }

    /// Plans the next piece; the pace is kept even if a slow reader held one up.
    fn pace(&mut self) {
        if !self.delay.is_zero() {
            self.next_at = (self.next_at + self.delay).max(Instant::now());
            self.wait_until(self.next_at);
        }
    }

    fn wait_until(&mut self, at: Instant) {
        self.waiting = true;
        match &mut self.pause {
            Some(pause) => pause.as_mut().reset(at),
            None => self.pause = Some(Box::pin(tokio::time::sleep_until(at))),
        }
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = self.pause.as_mut().filter(|_| self.waiting) {
            ready!(pause.as_mut().poll(cx));
            self.waiting = false;
        }
        Poll::Ready(())
    }

    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match std::mem::replace(&mut self.ending, Ending::Good) {
            Ending::Error { frame, .. } => {
                // Nothing follows the error: the remaining pieces and the final frames are dropped.
                self.ends = Vec::new().into_iter();
                self.tail = Vec::new().into_iter();
                Poll::Ready(Some(Ok(frame.into())))
            }
            Ending::Cut { .. } if self.start == usize::MAX => {
                self.flight.finish();
                Poll::Ready(Some(Err(broken())))
            }
            Ending::Cut { .. } => {
                self.ending = Ending::Cut { after: 0 };
                self.start = usize::MAX;
                self.wait_until(Instant::now() + CUT_PAUSE);
                ready!(self.poll_pause(cx));
                self.poll_ending(cx)
            }
            hang => {
                // No waker is needed: only the caller's going away ends this.
                self.ending = hang;
                Poll::Pending
            }
        }
    }
}
