//! The client of token endpoints: one request, one bounded answer, and how sure it is that none was begun.
//!
//! No redirect is followed and no proxy used. No connection is kept: one that the other side closes in the moment
//! of a request would leave open whether a single-use token was spent.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Either, Full, Limited};

use super::client::{self, Client, SendError};

/// No connection after so long is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a whole exchange may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Answers are a few KiB; the largest that is read: 1 MiB.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A way to token endpoints. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    client: Client,
    timeout: Duration,
}

/// Why there is no whole answer. Names the host, and neither the rest of the address nor what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenEndpointError {
    /// Nothing was sent.
    #[error("{host} can't be reached: {reason}")]
    Unreached {
        /// Where.
        host: String,
        /// Why.
        reason: String,
    },
    /// It was sent, wholly or in part: it may have been honoured.
    #[error("{host} gave no whole answer: {reason}")]
    Unanswered {
        /// Where.
        host: String,
        /// Why.
        reason: String,
    },
}

impl TokenEndpoint {
    /// A way, with the platform's certificates.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            client: client::build_unpooled(CONNECT_TIMEOUT)?,
            timeout: EXCHANGE_TIMEOUT,
        })
    }

    /// The same, with another limit for a whole exchange.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// If there is no whole answer in time, or it is larger than any that makes sense.
    pub async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TokenEndpointError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let unanswered = |reason: String| TokenEndpointError::Unanswered {
            host: host.clone(),
            reason,
        };
        let answer = tokio::time::timeout(self.timeout, self.answer(request)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failure::Connect(reason))) => Err(TokenEndpointError::Unreached {
                host: host.clone(),
                reason,
            }),
            Ok(Err(Failure::Answer(reason))) => Err(unanswered(reason)),
            Err(_) => Err(unanswered(format!("not within {} s", self.timeout.as_secs_f64()))),
        }
    }

    async fn answer(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Failure> {
        let request = request.map(|body| Either::Left(Full::new(Bytes::from(body))));
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| Failure::of(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Failure::Answer(kind_of(&*error)))?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }
}

/// What failed: before anything was sent, or after.
enum Failure {
    Connect(String),
    Answer(String),
}

impl Failure {
    fn of(error: &SendError) -> Self {
        if error.is_connect() {
            // The resolver's, the system's or the certificate check's own words: nothing was said to the other side.
            let mut cause: &dyn Error = error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            let text = cause.to_string();
            Self::Connect(text.split(" (os error").next().unwrap_or_default().to_lowercase())
        } else {
            Self::Answer(kind_of(error))
        }
    }
}

/// What broke, never in the other side's words: HTTP/2 lets it say anything, and it has read the request.
fn kind_of(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind().to_string();
        }
        if error.is::<http_body_util::LengthLimitError>() {
            return format!(
                "it is larger than {}",
                bytesize::ByteSize::b(ANSWER_BYTES_MAX as u64)
            );
        }
        cause = error.source();
    }
    "the connection broke".to_owned()
}
