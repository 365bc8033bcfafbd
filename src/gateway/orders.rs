//! What commands tell a running gateway to do: read its settings anew, let a credential serve again.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use coderclaw_actors::HandleError;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
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

/// Makes the credentials of an id available again, whatever kept them away: each agent's store may have one.
///
/// # Errors
/// If the body names no credential, or none that there is, or the provider's actor is gone.
pub async fn clear(shared: &Shared, body: &[u8]) -> Result<HttpResponse, ErrorReply> {
    let order: ClearOrder = serde_json::from_slice(body).map_err(|_| {
        let message = "expected a body such as {\"profile\": \"openai:work\"}";
        ErrorReply::new(Trouble::Invalid, "bad_order", message)
    })?;
    let profile = &order.profile;
    let live = shared.live();
    let members = || live.settings.members();
    let providers = members().filter(|(_, member)| member.id == *profile);
    let providers: BTreeSet<&ProviderId> = providers.map(|(provider, _)| provider).collect();
    let mut cleared = false;
    for provider in &providers {
        let Some(provider) = shared.control.provider(provider.as_str()) else {
            continue;
        };
        let down =
            |error: HandleError| ErrorReply::new(Trouble::Unavailable, "provider_down", error.to_string());
        cleared |= provider.clear(profile).await.map_err(down)?;
    }
    if !providers.is_empty() {
        return Ok(HttpResponse::Ok().json(Cleared { cleared }));
    }
    let known = members().map(|(_, member)| member.id.as_str());
    let hint = did_you_mean(profile.as_str(), known);
    let message = format!("there is no credential `{profile}`{hint}");
    Err(ErrorReply::new(Trouble::NotFound, "unknown_credential", message))
}
