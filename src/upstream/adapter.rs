//! The upstream port over HTTP: one attempt, from the request on the wire to the commit.

use std::time::Duration;

use bytes::Bytes;
use coderclaw_actors::domain::clock::SharedClock;
use coderclaw_actors::domain::credential::AuthProfile;
use coderclaw_actors::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};
use coderclaw_actors::upstream::{Attempted, Upstream};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::{Answer, AnswerBody, AnswerStream, NoAnswer, ProviderAnswer};
use super::classify::{Failure, classify};
use super::client::Client;
use super::headers::strip_answer;
use super::read::Read;
use super::request::UpstreamRequest;
use super::scrub::{Scrubber, StreamScrubber};
use super::send::{describe, send};
use crate::wire::gate::{CommitGate, Framing, Gate, HELD_BYTES_MAX, StreamFailure, judge_whole_json};

/// How long an attempt may take before the commit.
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeouts {
    /// Until the head of the answer.
    pub first_byte: Duration,
    /// How long frames without meaning, and an error's body, are held back.
    pub hold: Duration,
}

/// Makes attempts over HTTP. One per worker thread.
#[derive(Clone, Debug)]
pub struct HttpUpstream {
    client: Client,
    timeouts: AttemptTimeouts,
    clock: SharedClock,
}

/// One attempt under way: what its steps need to know.
struct Attempt<'a> {
    upstream: &'a HttpUpstream,
    request: &'a UpstreamRequest,
    profile: &'a AuthProfile,
}

/// The head of an answer, and what is known of its body.
struct Head {
    status: u16,
    headers: HeaderMap,
    length: Option<u64>,
    ends_by_close: bool,
}

impl Head {
    fn stream(&self, held: Vec<Bytes>, rest: Incoming, scrubber: Option<StreamScrubber>) -> AnswerBody {
        let (length, ends_by_close) = (self.length, self.ends_by_close);
        AnswerBody::Stream(AnswerStream {
            held,
            rest,
            length,
            ends_by_close,
            scrubber,
        })
    }
}

impl HttpUpstream {
    /// Makes attempts with `client`.
    #[must_use]
    pub fn new(client: Client, timeouts: AttemptTimeouts, clock: SharedClock) -> Self {
        Self {
            client,
            timeouts,
            clock,
        }
    }
}

impl Upstream for HttpUpstream {
    type Request = UpstreamRequest;
    type Answer = Answer;

    async fn attempt(&self, request: &UpstreamRequest, profile: &AuthProfile) -> Attempted<Answer> {
        let attempt = Attempt {
            upstream: self,
            request,
            profile,
        };
        let sent = send(&self.client, request, profile);
        let first_byte = self.timeouts.first_byte;
        let first_byte = first_byte.min(request.parts().first_byte.unwrap_or(first_byte));
        let response = match timeout(first_byte, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return no_answer(ErrorClass::Unreachable, describe(&error, &profile.secret)),
            Err(_) => {
                let what = format!("no answer within {} s", first_byte.as_secs_f32());
                return no_answer(ErrorClass::Timeout, what);
            }
        };
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        if parts.status.is_informational() {
            let what = format!("it answered {}, which nobody asked for", parts.status.as_u16());
            return no_answer(ErrorClass::Unreachable, what);
        }
        // Where a body comes in chunks, a length beside them is void (RFC 9112 §6.3).
        let in_chunks = headers.contains_key(header::TRANSFER_ENCODING);
        let length = content_length(&headers).filter(|_| !in_chunks);
        let ends_by_close = length.is_none() && parts.version <= http::Version::HTTP_11 && !in_chunks;
        strip_answer(&mut headers);
        let head = Head {
            status: parts.status.as_u16(),
            headers,
            length,
            ends_by_close,
        };
        if head.status >= 400 {
            attempt.refused(head, body).await
        } else {
            attempt.accepted(head, body).await
        }
    }
}

impl Attempt<'_> {
    /// The provider refused: reads its reason, within the hold, and classifies it.
    async fn refused(&self, mut head: Head, mut body: Incoming) -> Attempted<Answer> {
        let read = self.read(&mut body).await;
        let verdict = self.classify(Some(head.status), &head.headers, &read.bytes());
        let scrubber = Scrubber::new(&self.profile.secret);
        scrub_headers(&scrubber, &mut head.headers);
        let body = match read {
            // The caller can't have what did not come, but what did come says what it means for the key.
            Read::Cut { what, .. } => {
                let class = ErrorClass::Unreachable;
                let answer = Answer::None(NoAnswer { class, what });
                return Attempted::Rejected { verdict, answer };
            }
            // Its length is that of the body that a GET would have had.
            Read::Whole(_) if self.is_head() => head.stream(Vec::new(), body, None),
            Read::Whole(bytes) => AnswerBody::Whole(scrub_bytes(&scrubber, &bytes)),
            Read::Part(start) => head.stream(vec![start], body, Some(scrubber.stream())),
        };
        let framing = Framing::Opaque;
        let answer = ProviderAnswer {
            status: head.status,
            headers: head.headers,
            framing,
            body,
        };
        Attempted::Rejected {
            verdict,
            answer: Answer::Provider(answer),
        }
    }

    /// The provider said yes: holds the answer back until it means something.
    async fn accepted(&self, mut head: Head, mut body: Incoming) -> Attempted<Answer> {
        let is_success = (200..300).contains(&head.status);
        let scrubber = (!is_success).then(|| Scrubber::new(&self.profile.secret));
        if let Some(scrubber) = &scrubber {
            scrub_headers(scrubber, &mut head.headers);
        }
        if self.is_head() {
            return commit(head, Framing::Opaque, Vec::new(), body);
        }
        if matches!(head.status, 204 | 304) {
            return commit_empty(head);
        }
        // A redirect says where to go, and some say it with the whole request in it.
        if let Some(scrubber) = scrubber {
            let body = head.stream(Vec::new(), body, Some(scrubber.stream()));
            return committed(head, Framing::Opaque, body);
        }
        let framing = Framing::of(content_type(&head.headers));
        let whole = head.length.is_some_and(|length| length <= HELD_BYTES_MAX as u64);
        match framing {
            Framing::Json if whole => match self.read(&mut body).await {
                Read::Whole(bytes) => self.judge_whole(head, bytes),
                Read::Part(start) => commit(head, framing, vec![start], body),
                Read::Cut { what, .. } => no_answer(ErrorClass::Unreachable, what),
            },
            Framing::Json | Framing::Sse => self.hold(head, framing, body).await,
            Framing::Opaque => commit(head, framing, Vec::new(), body),
        }
    }

    /// A complete JSON answer: a commit, unless it is an error under a 200.
    fn judge_whole(&self, head: Head, bytes: Bytes) -> Attempted<Answer> {
        let Head {
            status, mut headers, ..
        } = head;
        let framing = Framing::Json;
        let Some(failure) = judge_whole_json(&bytes) else {
            let body = AnswerBody::Whole(bytes);
            return Attempted::Committed(Answer::Provider(ProviderAnswer {
                status,
                headers,
                framing,
                body,
            }));
        };
        let verdict = self.classify(failure.status, &headers, &failure.body);
        let scrubber = Scrubber::new(&self.profile.secret);
        scrub_headers(&scrubber, &mut headers);
        let body = AnswerBody::Whole(scrub_bytes(&scrubber, &bytes));
        let answer = Answer::Provider(ProviderAnswer {
            status,
            headers,
            framing,
            body,
        });
        Attempted::Rejected { verdict, answer }
    }

    /// Holds frames back until the gate sees meaning, a failure, its limit or the end.
    async fn hold(&self, head: Head, framing: Framing, mut body: Incoming) -> Attempted<Answer> {
        let mut gate = CommitGate::new(self.request.parts().api, framing);
        let deadline = Instant::now() + self.upstream.timeouts.hold;
        loop {
            let state = match timeout_at(deadline, body.frame()).await {
                Err(_) => Gate::Commit,
                Ok(None) => match gate.end() {
                    Gate::Hold => Gate::Commit,
                    Gate::Failed(failure) if failure.is_silence() && self.may_be_cut(&head, framing) => {
                        let what = "the connection ended before the answer had begun".to_owned();
                        return no_answer(ErrorClass::Unreachable, what);
                    }
                    state => state,
                },
                Ok(Some(Err(error))) => {
                    let what = describe(&error, &self.profile.secret);
                    return no_answer(ErrorClass::Unreachable, what);
                }
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => gate.push(data),
                    Err(_trailers) => Gate::Hold,
                },
            };
            match state {
                Gate::Hold => {}
                Gate::Commit => return commit(head, framing, gate.into_held(), body),
                Gate::Failed(failure) => return self.failed(head, framing, &failure, gate.into_held(), body),
            }
        }
    }

    /// An error arrived inside a stream before anything of meaning had.
    fn failed(
        &self,
        mut head: Head,
        framing: Framing,
        failure: &StreamFailure,
        pieces: Vec<Bytes>,
        rest: Incoming,
    ) -> Attempted<Answer> {
        let verdict = self.classify(failure.status, &head.headers, &failure.body);
        let scrubber = Scrubber::new(&self.profile.secret);
        scrub_headers(&scrubber, &mut head.headers);
        let body = head.stream(pieces, rest, Some(scrubber.stream()));
        let answer = ProviderAnswer {
            status: head.status,
            headers: head.headers,
            framing,
            body,
        };
        Attempted::Rejected {
            verdict,
            answer: Answer::Provider(answer),
        }
    }

    /// Whether a body whose end is that of its connection lacks what would tell that it is whole.
    fn may_be_cut(&self, head: &Head, framing: Framing) -> bool {
        head.ends_by_close && (framing == Framing::Json || self.request.parts().api.is_some())
    }

    fn is_head(&self) -> bool {
        self.request.parts().method == http::Method::HEAD
    }

    fn classify(&self, status: Option<u16>, headers: &HeaderMap, body: &[u8]) -> Verdict {
        classify(&Failure {
            provider: self.request.parts().provider.as_str(),
            status,
            headers,
            body,
            now: self.upstream.clock.now(),
        })
    }

    /// Reads the body to its end, no more of it and no longer than may be held.
    async fn read(&self, body: &mut Incoming) -> Read {
        let deadline = Instant::now() + self.upstream.timeouts.hold;
        Read::of(body, HELD_BYTES_MAX, deadline, &self.profile.secret).await
    }
}

fn commit(head: Head, framing: Framing, pieces: Vec<Bytes>, rest: Incoming) -> Attempted<Answer> {
    let body = head.stream(pieces, rest, None);
    committed(head, framing, body)
}

/// An answer whose status means that no body follows, not even an empty one in chunks.
fn commit_empty(head: Head) -> Attempted<Answer> {
    committed(head, Framing::Opaque, AnswerBody::Whole(Bytes::new()))
}

fn committed(head: Head, framing: Framing, body: AnswerBody) -> Attempted<Answer> {
    Attempted::Committed(Answer::Provider(ProviderAnswer {
        status: head.status,
        headers: head.headers,
        framing,
        body,
    }))
}

/// A provider that could not be reached, or broke off: nobody's key is to blame.
fn no_answer(class: ErrorClass, what: String) -> Attempted<Answer> {
    let verdict = Verdict {
        class,
        scope: Scope::of(ScopeOwner::Provider),
        cooldown: Cooldown::ClassDefault,
        hint: None,
    };
    Attempted::Rejected {
        verdict,
        answer: Answer::None(NoAnswer { class, what }),
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn scrub_bytes(scrubber: &Scrubber, bytes: &Bytes) -> Bytes {
    match scrubber.scrub(bytes) {
        std::borrow::Cow::Borrowed(_) => bytes.clone(),
        std::borrow::Cow::Owned(clean) => Bytes::from(clean),
    }
}

fn scrub_headers(scrubber: &Scrubber, headers: &mut HeaderMap) {
    // A name can't be made of stars.
    let named_so =
        |name: &&header::HeaderName| scrubber.scrub(name.as_str().as_bytes()) != name.as_str().as_bytes();
    let names: Vec<header::HeaderName> = headers.keys().filter(named_so).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        if let std::borrow::Cow::Owned(clean) = scrubber.scrub(value.as_bytes())
            && let Ok(clean) = http::HeaderValue::from_bytes(&clean)
        {
            *value = clean;
        }
    }
}
