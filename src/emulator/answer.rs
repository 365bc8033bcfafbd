//! An answer before it is sent: head, body, and what is done to the connection.

use std::time::Duration;

use actix_http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_http::{Response, StatusCode};

use super::body::Body;
use super::fault::FaultKind;
use super::ids::request_id;
use super::profile::Profile;
use super::rate_headers;
use super::stats::Flight;
use super::tap::{Sabotage, Tap};

/// Content type of everything that is no stream.
pub(super) const JSON: &str = "application/json";

/// Content type of a stream.
pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// What is sent, and how.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Time until the head goes out.
    pub(super) delay: Duration,
    /// Nothing is ever sent.
    pub(super) hangs: bool,
    /// What is done to the bytes.
    pub(super) sabotage: Sabotage,
    /// The connection ends with a reset.
    pub(super) reset: bool,
    /// The fault that hit it.
    pub(super) fault: Option<&'static str>,
    /// The request, as long as the answer has no body that holds it.
    pub(super) flight: Option<Flight>,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self::with_body(status, content_type, Body::text(body))
    }

    pub(super) fn with_body(status: u16, content_type: &'static str, body: Body) -> Self {
        Self {
            status,
            content_type,
            headers: HeaderMap::new(),
            body,
            delay: Duration::ZERO,
            hangs: false,
            sabotage: Sabotage::None,
            reset: false,
            fault: None,
            flight: None,
        }
    }

    /// Adds headers.
    pub(super) fn with_headers(mut self, headers: HeaderMap) -> Self {
        if self.headers.is_empty() {
            self.headers = headers;
        } else {
            for (name, value) in headers {
                self.headers.insert(name, value);
            }
        }
        self
    }

    /// Adds the provider's request id.
    pub(super) fn identified(mut self, profile: &Profile) -> Self {
        if let Some(name) = profile.request_id_header {
            rate_headers::put(
                &mut self.headers,
                HeaderName::from_static(name),
                &request_id("req_"),
            );
        }
        self
    }

    /// Marks it as the work of a fault.
    pub(super) fn at_fault(mut self, fault: FaultKind, flight: Flight) -> Self {
        self.fault = Some(fault.as_str());
        self.flight = Some(flight);
        self
    }

    /// The status for statistics: 0 where the caller never sees one.
    pub(super) const fn status_seen(&self) -> u16 {
        let headless = matches!(
            self.sabotage,
            Sabotage::Truncate { .. } | Sabotage::Replace { .. }
        );
        if self.hangs || headless { 0 } else { self.status }
    }

    /// The response; the connection is told what to do with its bytes.
    pub(super) fn send(mut self, tap: Option<&Tap>) -> Response<Body> {
        if let Some(tap) = tap {
            if self.reset {
                tap.reset_at_end();
            }
            tap.spoil(self.sabotage.clone());
        }
        if let Some(flight) = &mut self.flight {
            flight.finish();
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::with_body(status, self.body);
        let ends = !matches!(self.sabotage, Sabotage::None) || self.reset;
        let head = response.head_mut();
        if ends {
            head.set_connection_type(actix_http::ConnectionType::Close);
        }
        *response.headers_mut() = self.headers;
        if !response.headers().contains_key(CONTENT_TYPE) {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        response
    }
}
