//! Reading a caller's body: bounded in size, in time, and in what all callers together may have buffered.

use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// One permit of the buffer budget stands for this many bytes.
const BUDGET_UNIT_BYTES: u64 = 1024;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is larger than one body may be.
    #[error("the request body is larger than {limit} bytes (`gateway.limits.body`)")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The head is larger than a head may be.
    #[error("the request's headers are larger than {limit} bytes (`gateway.limits.header`)")]
    HeadersTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The caller stopped sending.
    #[error("nothing more of the request body came for {seconds} s (`gateway.timeouts.idle`)")]
    Slow {
        /// How long was waited.
        seconds: u64,
    },
    /// The caller sent something all the time, and yet not all of it.
    #[error("the request body did not come within {seconds} s (`gateway.timeouts.total`)")]
    TooLong {
        /// How long was waited.
        seconds: u64,
    },
    /// It is compressed, and the gateway has to find the model in it.
    #[error(
        "the request body is compressed (`content-encoding`): send it as it is, or to `/proxy/{{provider}}/…`"
    )]
    Compressed,
    /// The connection broke, or the framing was wrong.
    #[error("the request body could not be read: {0}")]
    Broken(PayloadError),
    /// All callers together have too much buffered.
    #[error(
        "the gateway holds as many request bodies as it may (`gateway.limits.bufferedBodies`): try again"
    )]
    NoRoom,
}

/// A body in memory, with its share of the budget. The share is given back when this is dropped.
#[derive(Debug)]
pub struct BufferedBody {
    /// The bytes.
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// A body that was read up to the limit, and may go on beyond it.
pub enum Intake {
    /// All of it.
    Whole(BufferedBody),
    /// It is larger than the limit: what was read, and the rest as it comes.
    Larger {
        /// What was read.
        start: BufferedBody,
        /// The rest.
        rest: web::Payload,
    },
}

/// What bounds the reading of bodies.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    /// The most that one body may have, in bytes.
    pub body_bytes_max: u64,
    /// The longest that a caller may send nothing.
    pub idle: Duration,
    /// The longest that a caller may take for a body that is buffered.
    pub total: Duration,
    budget: Arc<Semaphore>,
}

impl BodyLimits {
    /// Bodies of at most `body_bytes_max` each and `buffered_bytes_max` together.
    #[must_use]
    pub fn new(body_bytes_max: u64, buffered_bytes_max: u64, idle: Duration, total: Duration) -> Self {
        let units = usize::try_from(buffered_bytes_max / BUDGET_UNIT_BYTES).unwrap_or(usize::MAX);
        let budget = Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)));
        Self {
            body_bytes_max,
            idle,
            total,
            budget,
        }
    }

    /// Reads a body up to the limit.
    ///
    /// # Errors
    /// If the caller breaks off, stops sending or takes too long, or the buffers of all callers together are full.
    pub async fn take_in(&self, headers: &HeaderMap, mut payload: web::Payload) -> Result<Intake, BodyError> {
        let stated = stated_length(headers);
        if stated.is_some_and(|length| length > self.body_bytes_max) {
            let start = BufferedBody {
                bytes: Bytes::new(),
                _share: None,
            };
            return Ok(Intake::Larger { start, rest: payload });
        }
        let mut share = None;
        let mut body = Joined::default();
        let mut deadline = None;
        while let Some(chunk) = self.chunk_by(&mut deadline, &mut payload).await? {
            // By what has come, not by what was announced: that would take room from the others for nothing.
            self.grow(&mut share, body.len() + chunk.len() as u64)?;
            body.push(chunk, stated);
            if body.len() > self.body_bytes_max {
                let start = BufferedBody {
                    bytes: body.into_bytes(),
                    _share: share,
                };
                return Ok(Intake::Larger { start, rest: payload });
            }
        }
        Ok(Intake::Whole(BufferedBody {
            bytes: body.into_bytes(),
            _share: share,
        }))
    }

    /// Reads a body that must fit in the limit.
    ///
    /// # Errors
    /// As [`Self::take_in`], and if it does not fit or is compressed.
    pub async fn read(&self, headers: &HeaderMap, payload: web::Payload) -> Result<BufferedBody, BodyError> {
        let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
        if !headers.get_all(header::CONTENT_ENCODING).all(is_plain) {
            return Err(BodyError::Compressed);
        }
        match self.take_in(headers, payload).await? {
            Intake::Whole(body) => Ok(body),
            Intake::Larger { .. } => Err(BodyError::TooLarge {
                limit: self.body_bytes_max,
            }),
        }
    }

    /// The next piece of a body that streams.
    ///
    /// # Errors
    /// If the caller breaks off or stops sending.
    pub async fn chunk(&self, payload: &mut web::Payload) -> Result<Option<Bytes>, BodyError> {
        self.chunk_by(&mut None, payload).await
    }

    /// The next piece of a body that must have come by `deadline`, which the first wait sets.
    async fn chunk_by(
        &self,
        deadline: &mut Option<Instant>,
        payload: &mut web::Payload,
    ) -> Result<Option<Bytes>, BodyError> {
        // Most bodies are here already, and need no timer.
        if let Some(next) = payload.next().now_or_never() {
            return next.transpose().map_err(BodyError::Broken);
        }
        let now = Instant::now();
        let left = deadline
            .get_or_insert(now + self.total)
            .saturating_duration_since(now);
        match timeout(self.idle.min(left), payload.next()).await {
            Ok(next) => next.transpose().map_err(BodyError::Broken),
            Err(_) if left <= self.idle => Err(BodyError::TooLong {
                seconds: self.total.as_secs(),
            }),
            Err(_) => Err(BodyError::Slow {
                seconds: self.idle.as_secs(),
            }),
        }
    }

    /// Makes `share` large enough for `bytes`.
    fn grow(&self, share: &mut Option<OwnedSemaphorePermit>, bytes: u64) -> Result<(), BodyError> {
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) as u64;
        let more = bytes.div_ceil(BUDGET_UNIT_BYTES).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more)
            .ok()
            .and_then(|units| Arc::clone(&self.budget).try_acquire_many_owned(units).ok())
            .ok_or(BodyError::NoRoom)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        Ok(())
    }
}

/// Chunks put together; one chunk alone is not copied.
#[derive(Default)]
struct Joined {
    first: Bytes,
    all: BytesMut,
}

impl Joined {
    fn len(&self) -> u64 {
        self.first.len().max(self.all.len()) as u64
    }

    fn push(&mut self, chunk: Bytes, stated: Option<u64>) {
        if self.first.is_empty() {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.reserve(
                stated
                    .and_then(|length| usize::try_from(length).ok())
                    .unwrap_or(0),
            );
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
    }

    fn into_bytes(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a request's headers, as they stood on the wire, fit in `limit` bytes.
///
/// # Errors
/// If they do not.
pub fn check_headers(headers: &HeaderMap, limit: u64) -> Result<(), BodyError> {
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if size as u64 > limit {
        Err(BodyError::HeadersTooLarge { limit })
    } else {
        Ok(())
    }
}
