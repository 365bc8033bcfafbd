//! What the identity provider is told.

use serde::{Deserialize, Serialize};

use super::fault::IdpFault;
use crate::emulator::secret::KeySecret;

/// Longest lifetime that may be told, in milliseconds: ten years.
const LIFETIME_MS_MAX: u64 = 10 * 366 * 24 * 3_600_000;

/// Longest interval between two polls that may be told, in seconds.
const INTERVAL_S_MAX: u64 = 3600;

/// Everything that the identity provider can be told. Lifetimes pass on the emulator's clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct IdpConfig {
    /// How long an access token lives, in milliseconds.
    pub access_lifetime_ms: u64,
    /// How long an authorization code may be redeemed, in milliseconds.
    pub code_lifetime_ms: u64,
    /// How long a device code may be approved and redeemed, in milliseconds.
    pub device_lifetime_ms: u64,
    /// Seconds between two polls for a device code; a faster poll is told `slow_down` and adds five.
    pub interval_s: u64,
    /// Each refresh hands out another refresh token and spends the one it came with.
    pub rotate: bool,
    /// A spent refresh token that comes again revokes every token of its login.
    pub revoke_family: bool,
    /// Every login is denied.
    pub deny: bool,
    /// The only client that is known; any is, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The secret that the client must send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<KeySecret>,
    /// Who logs in, where the request does not say it (`login_hint`).
    pub account: String,
    /// Faults from the start.
    pub faults: Vec<IdpFault>,
}

impl Default for IdpConfig {
    fn default() -> Self {
        Self {
            access_lifetime_ms: 3_600_000,
            code_lifetime_ms: 60_000,
            device_lifetime_ms: 600_000,
            interval_s: 5,
            rotate: true,
            revoke_family: false,
            deny: false,
            client_id: None,
            client_secret: None,
            account: "account-1".to_owned(),
            faults: Vec::new(),
        }
    }
}

impl IdpConfig {
    /// Refuses values that make no sense: the field and what is wrong with it.
    pub(in crate::emulator) fn check(&self) -> Result<(), (&'static str, String)> {
        let lifetimes = [
            ("idp.accessLifetimeMs", self.access_lifetime_ms),
            ("idp.codeLifetimeMs", self.code_lifetime_ms),
            ("idp.deviceLifetimeMs", self.device_lifetime_ms),
        ];
        for (field, lifetime) in lifetimes {
            if lifetime > LIFETIME_MS_MAX {
                return Err((field, format!("must be at most {LIFETIME_MS_MAX}")));
            }
        }
        if self.interval_s > INTERVAL_S_MAX {
            return Err(("idp.intervalS", format!("must be at most {INTERVAL_S_MAX}")));
        }
        if self.account.trim().is_empty() {
            return Err(("idp.account", "must not be empty".to_owned()));
        }
        Ok(())
    }
}
