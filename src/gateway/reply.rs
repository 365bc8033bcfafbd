//! An answer with its head: written once, whether it is whole or streams.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use coderclaw_actors::SharedClock;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use http::HeaderMap;
use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::completion::{Completion, Ending};
use super::relay::{Relay, StreamFacts, StreamTimeouts};
use super::respond::replace_headers;
use crate::upstream::answer::AnswerStream;

/// What goes to the caller.
#[derive(Debug)]
pub enum Reply {
    /// All of it is here.
    Ready(HttpResponse),
    /// The head is here, the body comes.
    Stream(Box<StreamReply>),
}

/// A reply whose body comes from the provider as it is read.
#[derive(Debug)]
pub struct StreamReply {
    head: HttpResponse,
    stream: AnswerStream,
    facts: StreamFacts,
}

/// Who served a request, for the `x-coderclaw-*` headers.
#[derive(Clone, Debug)]
pub struct ServedBy {
    /// The provider.
    pub provider: ProviderId,
    /// The model as the provider knows it; none where no model was asked for.
    pub model: Option<String>,
    /// The profile of the last attempt.
    pub profile: Option<ProfileId>,
    /// Upstream calls.
    pub attempts: usize,
    /// The gateway's own time.
    pub overhead: Duration,
}

impl Reply {
    /// A whole answer.
    #[must_use]
    pub fn whole(status: u16, headers: &HeaderMap, body: Bytes, served_by: &ServedBy) -> Self {
        Self::Ready(head(status, headers, served_by).set_body(BoxBody::new(body)))
    }

    /// An answer that streams.
    #[must_use]
    pub fn stream(status: u16, stream: AnswerStream, facts: StreamFacts, served_by: &ServedBy) -> Self {
        let head = head(status, &facts.headers, served_by);
        Self::Stream(Box::new(StreamReply { head, stream, facts }))
    }

    /// Says when to come back.
    #[must_use]
    pub fn with_recovery(mut self, headers: Vec<(&'static str, String)>) -> Self {
        let head = match &mut self {
            Self::Ready(response) => response,
            Self::Stream(reply) => &mut reply.head,
        };
        replace_headers(head, headers);
        self
    }

    /// The response, with `completion` to be told when its last byte is out.
    #[must_use]
    pub fn into_response(
        self,
        mut completion: Completion,
        timeouts: StreamTimeouts,
        clock: &SharedClock,
    ) -> HttpResponse {
        match self {
            Self::Ready(_) => self.settle(&mut completion),
            Self::Stream(reply) => {
                let StreamReply { head, stream, facts } = *reply;
                completion.status = head.status().as_u16();
                let relay = Relay::new(stream, facts, timeouts, SharedClock::clone(clock), completion);
                head.map_body(|_, _| relay).map_into_boxed_body()
            }
        }
    }

    /// The response of a reply that needs no telling later.
    pub(super) fn settle(self, completion: &mut Completion) -> HttpResponse {
        let response = match self {
            Self::Ready(response) => response,
            Self::Stream(reply) => reply.head,
        };
        completion.status = response.status().as_u16();
        if let BodySize::Sized(bytes) = response.body().size() {
            completion.bytes = bytes;
        }
        completion.end(Ending::Complete);
        response
    }
}

fn head(status: u16, headers: &HeaderMap, served_by: &ServedBy) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY));
    for (name, value) in headers {
        // The server's types are those of an older version of the same crate.
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    served_by.put_on(&mut response);
    response
}

impl ServedBy {
    /// Who served or failed last, by what is known so far; `None` before any provider was chosen.
    #[must_use]
    pub fn of(completion: &Completion) -> Option<Self> {
        Some(Self {
            provider: completion.provider.clone()?,
            model: completion.model.clone(),
            profile: completion.profile.clone(),
            attempts: completion.attempts,
            overhead: completion.overhead,
        })
    }

    /// Tells it in the headers of `response`.
    pub(super) fn put_on(&self, response: &mut HttpResponse) {
        let mut own = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response
                    .headers_mut()
                    .insert(HeaderName::from_static(name), value);
            }
        };
        own("x-coderclaw-provider", self.provider.as_str());
        if let Some(model) = &self.model {
            // No header can carry all that a caller may name a model.
            let model = utf8_percent_encode(model, CONTROLS);
            own("x-coderclaw-model", &format!("{}/{model}", self.provider));
        }
        if let Some(profile) = &self.profile {
            own("x-coderclaw-profile", profile.as_str());
        }
        own("x-coderclaw-attempts", itoa::Buffer::new().format(self.attempts));
        own(
            "x-coderclaw-overhead-us",
            itoa::Buffer::new().format(self.overhead.as_micros()),
        );
    }
}
