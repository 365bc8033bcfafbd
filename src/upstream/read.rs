//! A small body as a whole, or as much of it as room and time allow.

use bytes::Bytes;
use coderclaw_actors::domain::credential::Secret;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::send::describe;

/// How far a body was read.
pub(super) enum Read {
    /// To its end.
    Whole(Bytes),
    /// As far as room and time allowed.
    Part(Bytes),
    /// Until it broke off.
    Cut {
        /// What had come.
        start: Bytes,
        /// What failed.
        what: String,
    },
}

impl Read {
    /// Reads `body` to its end, at most until `deadline` and not far beyond `bytes_max`. What failed is told
    /// without `secret`.
    pub(super) async fn of(
        body: &mut Incoming,
        bytes_max: usize,
        deadline: Instant,
        secret: &Secret,
    ) -> Self {
        let mut first = Bytes::new();
        let mut more = Vec::new();
        loop {
            let data = match timeout_at(deadline, body.frame()).await {
                Err(_) => return Self::Part(join(first, &more)),
                Ok(None) => return Self::Whole(join(first, &more)),
                Ok(Some(Err(error))) => {
                    let start = join(first, &more);
                    let what = describe(&error, secret);
                    return Self::Cut { start, what };
                }
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            if first.is_empty() {
                first = data;
            } else {
                more.extend_from_slice(&data);
            }
            if first.len() + more.len() > bytes_max {
                return Self::Part(join(first, &more));
            }
        }
    }

    /// What came.
    pub(super) fn bytes(&self) -> Bytes {
        match self {
            Self::Whole(bytes) | Self::Part(bytes) | Self::Cut { start: bytes, .. } => bytes.clone(),
        }
    }
}

/// Most bodies come in one piece and are not copied.
fn join(first: Bytes, more: &[u8]) -> Bytes {
    if more.is_empty() {
        first
    } else {
        Bytes::from([first.as_ref(), more].concat())
    }
}
