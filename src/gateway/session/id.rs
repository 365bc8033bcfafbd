//! What a session is known by.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// Bytes of it: no two sessions will ever share one.
const BYTES: usize = 16;

/// What a session is known by: the beginning of the SHA-256 of its agent and its key, the same after every restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(u128);

// === impl SessionId ===

impl SessionId {
    /// The session that `agent`'s callers call `key`.
    #[must_use]
    pub fn of(agent: &str, key: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(agent)
            .chain_update(b"\0")
            .chain_update(key)
            .finalize();
        let mut begin = [0; BYTES];
        for (to, from) in begin.iter_mut().zip(digest) {
            *to = from;
        }
        Self(u128::from_be_bytes(begin))
    }

    /// As a number, as even as the hash that it is from.
    #[must_use]
    pub(super) const fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({:032x})", self.0)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom("a session's id is 32 hex digits");
        if digits.len() != 2 * BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_every_process_and_another_for_every_agent() {
        let id = SessionId::of("main", "chat-7");
        // printf 'main\0chat-7' | sha256sum
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            "\"e7b13dc2a64815036defe73380ae6dae\""
        );
        assert_ne!(id, SessionId::of("work", "chat-7"));
        assert_ne!(SessionId::of("a", "bc"), SessionId::of("ab", "c"));
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let id = SessionId::of("main", "k");
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<SessionId>(&text).unwrap(), id);
        for wrong in ["\"\"", "\"+1\"", "7", "\"zz345678901234567890123456789012\""] {
            serde_json::from_str::<SessionId>(wrong).unwrap_err();
        }
    }
}
