//! What commands tell a running gateway to do: read its settings anew, let a credential serve again.

use actix_web::HttpResponse;
use coderclaw_actors::domain::credential::ProfileId;
use serde::{Deserialize, Serialize};

use super::dialect::Trouble;
use super::respond::ErrorReply;
use super::worker::Shared;
use crate::nearest::did_you_mean;

/// The body of `POST /clear`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearOrder {
    /// The credential that is to serve again.
    pub profile: ProfileId,
}

/// The answer to `POST /clear`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Whether anything kept the credential away.
    pub cleared: bool,
}

/// Reads the settings anew; answers once they are in force, or says why they are not.
///
/// # Errors
/// If this gateway does not reload.
pub async fn reload(shared: &Shared) -> Result<HttpResponse, ErrorReply> {
    let reloaded = shared.reloads.ask().await.ok_or_else(|| {
        let message = "this gateway does not read its settings anew; start it again";
        ErrorReply::new(Trouble::Unavailable, "no_reload", message)
    })?;
    Ok(HttpResponse::Ok().json(reloaded))
}

/// Makes a credential available again, whatever kept it away.
///
/// # Errors
/// If the body names no credential, or none that there is, or the provider's actor is gone.
pub async fn clear(shared: &Shared, body: &[u8]) -> Result<HttpResponse, ErrorReply> {
    let order: ClearOrder = serde_json::from_slice(body).map_err(|_| {
        let message = "expected a body such as {\"profile\": \"openai:work\"}";
        ErrorReply::new(Trouble::Invalid, "bad_order", message)
    })?;
    let profile = &order.profile;
    let mut known = Vec::new();
    for provider in shared.control.providers() {
        let credentials = provider.snapshot().credentials;
        if !credentials
            .iter()
            .any(|credential| credential.profile == *profile)
        {
            known.extend(credentials.into_iter().map(|credential| credential.profile));
            continue;
        }
        let cleared = provider
            .clear(profile)
            .await
            .map_err(|error| ErrorReply::new(Trouble::Unavailable, "provider_down", error.to_string()))?;
        return Ok(HttpResponse::Ok().json(Cleared { cleared }));
    }
    let hint = did_you_mean(profile.as_str(), known.iter().map(ProfileId::as_str));
    let message = format!("there is no credential `{profile}`{hint}");
    Err(ErrorReply::new(Trouble::NotFound, "unknown_credential", message))
}
