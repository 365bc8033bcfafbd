//! What comes back from a provider, ready to go to the caller.

use bytes::Bytes;
use coderclaw_actors::domain::outcome::ErrorClass;
use http::HeaderMap;
use hyper::body::Incoming;

use super::scrub::StreamScrubber;
use crate::wire::gate::Framing;

/// What one attempt brought back.
#[derive(Debug)]
pub enum Answer {
    /// The provider answered.
    Provider(ProviderAnswer),
    /// It did not: the gateway's own word goes to the caller.
    None(NoAnswer),
}

/// A provider's answer: its head, and its body as far as it has come.
#[derive(Debug)]
pub struct ProviderAnswer {
    /// The status code.
    pub status: u16,
    /// The headers, without those of the connection.
    pub headers: HeaderMap,
    /// How the body is framed.
    pub framing: Framing,
    /// The body.
    pub body: AnswerBody,
}

/// An answer's body.
#[derive(Debug)]
pub enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// What was held back, then the rest as it comes.
    Stream(AnswerStream),
}

/// A body that is still coming.
#[derive(Debug)]
pub struct AnswerStream {
    /// What was held back before the commit, byte for byte.
    pub held: Vec<Bytes>,
    /// The rest.
    pub rest: Incoming,
    /// The length of both together, where the provider stated it.
    pub length: Option<u64>,
    /// Whether the end of the connection is the only sign of the end of the body.
    pub ends_by_close: bool,
    /// Takes the secret out of the body of an error or a redirect; success bodies pass untouched.
    pub scrubber: Option<StreamScrubber>,
}

/// Why a provider gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// [`ErrorClass::Timeout`] or [`ErrorClass::Unreachable`].
    pub class: ErrorClass,
    /// What failed, without addresses that could hold a secret: `connection refused`.
    pub what: String,
}
