//! Faults that replace the answer: what is sent instead.

use std::time::Duration;

use actix_http::StatusCode;
use actix_http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use serde_json::Value;

use super::answer::{Answer, EVENT_STREAM, JSON};
use super::body::{Body, HugeBody};
use super::error::{self, Cause, Facts};
use super::exchange::{Call, Exchange, fault_wait};
use super::fault::{Fault, FaultKind, StreamError};
use super::rate_headers;
use super::stats::Flight;
use super::tap::Sabotage;

/// Size of a huge body where the fault does not say, in MiB.
const HUGE_MEGABYTES: u64 = 16;

/// Bytes of a head that is cut where the fault does not say.
const HEAD_BYTES: usize = 20;

/// What stands where a head should.
const NO_HEAD: &[u8] = b"\x16\x03\x01 this is no HTTP head\r\n\r\n";

/// Lines that look like a stream and are none.
const NO_STREAM: &str = "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"delta\":\n\nthis is no field\n\nevent\ndata: }{\n\n: \u{fffd}\n";

impl Exchange<'_> {
    /// The answer of a fault that replaces the good one; none if the fault works on the good answer.
    pub(super) fn instead(&self, call: &Call<'_>, fault: &Fault, flight: &mut Flight) -> Option<Answer> {
        let answer = match fault.fault {
            FaultKind::RateLimit => self.limited(call, fault, Cause::Requests),
            FaultKind::TokenLimit => self.limited(call, fault, Cause::Tokens),
            FaultKind::DayLimit => self.limited(call, fault, Cause::Day),
            FaultKind::Quota => self.limited(call, fault, Cause::Quota),
            FaultKind::Unauthorized => self.limited(call, fault, Cause::Unauthorized),
            FaultKind::Suspended => self.limited(call, fault, Cause::Suspended),
            FaultKind::Overloaded => self.limited(call, fault, Cause::Overloaded),
            FaultKind::Status => self.any_status(call, fault),
            FaultKind::HangBeforeHead => Answer {
                hangs: true,
                ..Answer::new(200, JSON, String::new())
            },
            FaultKind::HugeBody => {
                let flight = std::mem::replace(flight, Flight::new(std::sync::Arc::default()));
                let huge = HugeBody::new(fault.megabytes.unwrap_or(HUGE_MEGABYTES), flight);
                Answer::with_body(200, JSON, Body::Huge(huge))
            }
            FaultKind::MalformedJson => {
                Answer::new(200, JSON, "{\"id\":\"chatcmpl-broken\",\"choices\":[{".into())
            }
            FaultKind::MalformedSse => Answer::new(200, EVENT_STREAM, NO_STREAM.into()),
            FaultKind::TruncatedHead => Answer {
                sabotage: Sabotage::Truncate {
                    bytes: fault.bytes.unwrap_or(HEAD_BYTES),
                },
                ..Answer::new(200, JSON, "{}".into())
            },
            FaultKind::UnparseableHead => Answer {
                sabotage: Sabotage::Replace {
                    bytes: Bytes::from_static(NO_HEAD),
                },
                ..Answer::new(200, JSON, "{}".into())
            },
            FaultKind::CloseBeforeHead => Answer {
                sabotage: Sabotage::Truncate { bytes: 0 },
                ..Answer::new(200, JSON, "{}".into())
            },
            FaultKind::Redirect => redirect(fault),
            FaultKind::ErrorIn200 => Answer {
                status: 200,
                ..self.limited(call, fault, stream_cause(fault))
            },
            FaultKind::EmptyBody => Answer::new(fault.status.unwrap_or(200), JSON, String::new()),
            FaultKind::HangMidStream
            | FaultKind::CutMidStream
            | FaultKind::ErrorBeforeContent
            | FaultKind::ErrorAfterContent
            | FaultKind::SlowDrip => return None,
        };
        let answer = answer.with_headers(extra_headers(fault));
        Some(Answer {
            delay: call.latency(),
            reset: fault.reset,
            ..answer
        })
    }

    fn limited(&self, call: &Call<'_>, fault: &Fault, cause: Cause) -> Answer {
        let now = self.shared.clock.now();
        let meter = call.key.allowance.meter(now);
        let limit = match cause {
            Cause::Tokens => meter.tokens.map_or(40_000, |tokens| tokens.limit),
            Cause::Day => meter.day.map_or(250, |day| day.limit),
            _ => meter.requests.map_or(60, |requests| requests.limit),
        };
        let stated = cause.is_limit() || fault.retry_after_ms.is_some();
        let facts = Facts {
            limit,
            used: limit,
            requested: call.asked.prompt_tokens,
            wait: fault_wait(fault).filter(|_| stated),
            ..call.facts()
        };
        let mut headers = HeaderMap::new();
        rate_headers::meter(&mut headers, call.profile, &meter, true, |wait| {
            self.shared.clock.real(wait)
        });
        self.refuse(call.profile, Some(&call.key), cause, &facts, headers)
    }

    fn any_status(&self, call: &Call<'_>, fault: &Fault) -> Answer {
        let status = fault.status.unwrap_or(500);
        if let Some(body) = &fault.body {
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            return Answer::new(status, JSON, text).identified(call.profile);
        }
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("unexpected status");
        let facts = Facts {
            message: reason,
            ..call.facts()
        };
        let mut headers = HeaderMap::new();
        if let Some(wait) = fault_wait(fault).filter(|_| fault.retry_after_ms.is_some()) {
            let seconds = error::ceil_seconds(wait).to_string();
            rate_headers::put(&mut headers, HeaderName::from_static("retry-after"), &seconds);
        }
        self.refuse(
            call.profile,
            Some(&call.key),
            Cause::Status(status),
            &facts,
            headers,
        )
    }

    /// The provider's words for the error that a stream, or a 200, tells.
    pub(super) fn words_of(&self, call: &Call<'_>, fault: &Fault) -> String {
        let facts = Facts {
            limit: 60,
            used: 60,
            requested: 1,
            message: "Internal server error",
            wait: fault_wait(fault).filter(|_| fault.retry_after_ms.is_some()),
            ..call.facts()
        };
        let body = error::word(call.profile, stream_cause(fault), &facts).body;
        if self.world.config.echo_key || call.key.config.echo_key {
            return error::echo_key(&body, &call.key.secret);
        }
        body
    }
}

fn stream_cause(fault: &Fault) -> Cause {
    match fault.error.unwrap_or_default() {
        StreamError::RateLimit => Cause::Requests,
        StreamError::Quota => Cause::Quota,
        StreamError::Unauthorized => Cause::Unauthorized,
        StreamError::Overloaded => Cause::Overloaded,
        StreamError::Server => Cause::Status(500),
    }
}

/// Code and message of an error body, for formats that tell them in another frame.
pub(super) fn code_and_message(body: &str) -> (String, String) {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let error = parsed.get("error").unwrap_or(&parsed);
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    (
        text("code")
            .or_else(|| text("type"))
            .unwrap_or_else(|| "server_error".to_owned()),
        text("message").unwrap_or_else(|| body.to_owned()),
    )
}

fn redirect(fault: &Fault) -> Answer {
    let mut headers = HeaderMap::new();
    let location = fault.location.as_deref().unwrap_or_default();
    rate_headers::put(&mut headers, HeaderName::from_static("location"), location);
    Answer::new(fault.status.unwrap_or(302), JSON, String::new()).with_headers(headers)
}

/// The headers that a fault names; what cannot be a header is left out.
pub(super) fn extra_headers(fault: &Fault) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What `slow_drip` does to the bytes.
pub(super) fn drip(fault: &Fault) -> Sabotage {
    Sabotage::Drip {
        bytes: fault.bytes.unwrap_or(1),
        delay: Duration::from_millis(fault.delay_ms.unwrap_or(10)),
    }
}
