//! One request of a command to a provider, and its answer as far as room and time allow.

use coderclaw_actors::domain::credential::AuthProfile;
use http::response::Parts;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::read::Read;
use super::request::UpstreamRequest;
use super::send::{describe, send};

/// Why there is no answer.
pub(super) enum Unheard {
    /// Its head did not come in time.
    Late,
    /// The provider could not be reached, or broke off; in words without the secret.
    Broken(String),
}

/// Sends `request` with the credential of `profile`, and reads the answer until `deadline`, and not far beyond
/// `bytes_max`.
pub(super) async fn hear(
    client: &Client,
    request: &UpstreamRequest,
    profile: &AuthProfile,
    (bytes_max, deadline): (usize, Instant),
) -> Result<(Parts, Read), Unheard> {
    let response = match timeout_at(deadline, send(client, request, profile)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(Unheard::Broken(describe(&error, &profile.secret))),
        Err(_) => return Err(Unheard::Late),
    };
    let (head, mut body) = response.into_parts();
    let read = Read::of(&mut body, bytes_max, deadline, &profile.secret).await;
    Ok((head, read))
}
