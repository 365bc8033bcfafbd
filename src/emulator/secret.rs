//! A test key: sent by callers, never shown; people see the fingerprint.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// What stands for a key that is not shown.
pub(super) const FINGERPRINT_PREFIX: &str = "fingerprint:";

/// A key as it is configured. Debug and serialisation show `fingerprint:` and 8 hex digits.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct KeySecret(String);

impl KeySecret {
    /// Takes the secret as callers send it.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// First 8 hex digits of SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FINGERPRINT_PREFIX}{}", self.fingerprint())
    }
}

impl Serialize for KeySecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{FINGERPRINT_PREFIX}{}", self.fingerprint()))
    }
}

/// First 8 hex digits of the SHA-256 of a secret.
pub(super) fn fingerprint(secret: &str) -> String {
    let mut hex = sha256_hex(secret.as_bytes());
    hex.truncate(8);
    hex
}

/// SHA-256 in hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_the_key() {
        let secret = KeySecret::new("sk-proj-Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS");
        let shown = format!("{secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("Zk3v"), "{shown}");
        assert!(shown.contains(&secret.fingerprint()));
    }
}
