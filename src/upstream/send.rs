//! One request on the wire, and again where the provider says that it began no work on it.

use coderclaw_actors::domain::credential::{AuthProfile, Secret};
use h2::Reason;
use hyper::body::Incoming;

use super::client::{Client, SendError};
use super::request::{RequestBody, UpstreamRequest};
use super::scrub::Scrubber;

/// How often a request is sent again, on a new connection, because the provider did not begin with it.
const RESENDS_MAX: u32 = 2;

/// Sends `request` with `profile`'s credential.
///
/// # Errors
/// If no head of an answer came.
pub(super) async fn send(
    client: &Client,
    request: &UpstreamRequest,
    profile: &AuthProfile,
) -> Result<http::Response<Incoming>, SendError> {
    let replayable = !matches!(request.parts().body, RequestBody::Streamed(_));
    let mut resends = 0;
    loop {
        match client.request(request.with_credential(profile)).await {
            Err(error) if replayable && resends < RESENDS_MAX && began_no_work(&error) => resends += 1,
            result => return result,
        }
    }
}

/// Whether the provider said that it did nothing with the request: it is closing the HTTP/2 connection in good
/// order, or refused the stream (RFC 9113 §6.8 and §8.7). It is no answer about the credential.
fn began_no_work(error: &SendError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return error.is_remote()
                && match error.reason() {
                    Some(Reason::NO_ERROR) => error.is_go_away(),
                    Some(Reason::REFUSED_STREAM) => error.is_reset(),
                    _ => false,
                };
        }
        cause = error.source();
    }
    false
}

/// What failed, in the words of the innermost cause, without `secret`, which a provider may give as its reason for
/// closing an HTTP/2 connection.
pub(super) fn describe(error: &(dyn std::error::Error + 'static), secret: &Secret) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = cause.to_string();
    let what = String::from_utf8_lossy(&Scrubber::new(secret).scrub(what.as_bytes())).into_owned();
    let sending = error.downcast_ref::<SendError>();
    if sending.is_some_and(SendError::is_connect) {
        format!("could not connect: {what}")
    } else {
        what
    }
}

#[cfg(test)]
mod tests;
