//! Ids of answers: unique in a run, shaped like the provider's.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

const ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";

/// `prefix` and 24 letters and digits.
pub(super) fn request_id(prefix: &str) -> String {
    let mut id = String::with_capacity(prefix.len() + 24);
    id.push_str(prefix);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Two rounds of an odd multiplication scatter the counter, and stay one-to-one.
    let scattered = u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 64
        | u128::from(number.wrapping_mul(0xD134_2543_DE82_EF95));
    for place in 0..24_u32 {
        let index = usize::try_from(scattered >> (place * 5) & 31).unwrap_or_default();
        id.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'a')));
    }
    id
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1000).map(|_| super::request_id("req_")).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 28));
    }
}
