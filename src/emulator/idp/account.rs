//! Who is logged in, and the tokens that say so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::emulator::secret::sha256_hex;

/// How every access token begins: `{"` in base64.
pub(super) const JWT_PREFIX: &str = "eyJ";

/// What a bearer token is to the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emulator) enum Bearer {
    /// An access token that is good now.
    Live,
    /// An access token that was good once.
    Ended,
}

/// A login: who, for which client, with which scopes. Its tokens descend from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) number: u64,
    pub(super) account: String,
    pub(super) client: String,
    pub(super) scope: String,
}

/// A token that is a JWT to look at: header, claims, and a signature that nobody made. Times are Unix seconds.
pub(super) fn jwt(login: &Login, issued: u64, expires: u64) -> String {
    let account = &login.account;
    let claims = json!({
        "iss": "https://idp.example",
        "sub": account,
        "aud": login.client,
        "iat": issued,
        "exp": expires,
        "jti": random(16),
        "account_id": account,
        "email": format!("{account}@idp.example"),
        "https://idp.example/auth": {"account_id": account},
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "none", "typ": "JWT"}));
    format!("{header}.{}.{}", part(&claims), random(43))
}

/// So many letters and digits that nobody saw before; at most 64.
pub(super) fn random(length: usize) -> String {
    let mut hex = sha256_hex(&fastrand::u128(..).to_be_bytes());
    hex.truncate(length);
    hex
}
