//! Which credential served a session last, so that the provider's cache of the conversation stays warm.

use coderclaw_actors::domain::credential::{Identity, ProviderId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};

use super::id::SessionId;

/// Sessions that the cache is laid out for; it grows by use from nothing, whatever its limit.
const LAYOUT: usize = 10_000;
/// The part of the room that is for sessions that came back. What is left is for new ones: they stay long enough to
/// come back, and a flood of sessions that never do pushes no conversation out.
const FOR_RETURNING: f64 = 0.5;
/// FNV-1a of 128 bits: where it begins, and what it multiplies by.
const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// A session at one provider. The id is as even as a hash and nobody can choose it, so that the provider's name need
/// only be mixed in: no text is kept, shared or counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(u128);

/// A bounded memory: old sessions leave for those that are in use. Threads meet in it only when they use the same
/// shard at the same instant, and a session that keeps its credential only reads.
#[derive(Debug)]
pub(super) struct Kept(Cache<Slot, Identity>);

// === impl Slot ===

impl Slot {
    /// `session` at `provider`.
    #[must_use]
    pub(super) fn of(session: SessionId, provider: &ProviderId) -> Self {
        let bytes = provider.as_str().bytes();
        let mixed = bytes.fold(FNV_OFFSET, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(FNV_PRIME)
        });
        Self(session.number() ^ mixed)
    }
}

// === impl Kept ===

impl Kept {
    /// Remembers at most `limit`.
    #[must_use]
    pub(super) fn new(limit: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(LAYOUT.min(limit))
            .weight_capacity(limit as u64)
            .hot_allocation(FOR_RETURNING)
            .build();
        Self(match options {
            Ok(options) => Cache::with_options(
                options,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // It has all that it needs; this would differ in nothing but the part above.
            Err(_) => Cache::with_weighter(LAYOUT.min(limit), limit as u64, UnitWeighter),
        })
    }

    /// The credential that served last.
    #[must_use]
    pub(super) fn find(&self, slot: Slot) -> Option<Identity> {
        self.0.get(&slot)
    }

    /// Remembers that `identity` serves. A session that keeps its credential writes nothing.
    pub(super) fn keep(&self, slot: Slot, identity: Identity) {
        if self.0.peek(&slot) != Some(identity) {
            self.0.insert(slot, identity);
        }
    }

    /// How many are remembered.
    #[must_use]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coderclaw_actors::domain::credential::{
        AuthProfile, CredentialKind, CredentialLimits, ProfileId, Secret,
    };

    use super::*;

    fn identity(name: &str) -> Identity {
        let profile = AuthProfile {
            id: ProfileId::new(name),
            kind: CredentialKind::ApiKey,
            secret: Secret::new(format!("sk-proj-Vb7nQz3KxWd9LmRtYp4H-{name}")),
            expires_at: None,
            source: Arc::from("env"),
            owner: None,
            limits: CredentialLimits::default(),
        };
        profile.identity()
    }

    fn slot(key: &str, provider: &str) -> Slot {
        Slot::of(SessionId::of("main", key), &ProviderId::new(provider))
    }

    #[test]
    fn a_session_keeps_one_credential_a_provider() {
        let kept = Kept::new(10);
        let (a, b) = (identity("a"), identity("b"));
        kept.keep(slot("s", "openai"), a);
        kept.keep(slot("s", "anthropic"), b);
        kept.keep(slot("t", "openai"), b);
        assert_eq!(kept.find(slot("s", "openai")), Some(a));
        assert_eq!(kept.find(slot("s", "anthropic")), Some(b));
        assert_eq!(kept.find(slot("s", "google")), None);
        kept.keep(slot("s", "openai"), b);
        assert_eq!(kept.find(slot("s", "openai")), Some(b));
        assert_eq!(kept.count(), 3);
    }

    #[test]
    fn old_sessions_leave_and_those_in_use_stay() {
        const LIMIT: usize = 1_000;
        let kept = Kept::new(LIMIT);
        let (a, loyal) = (identity("a"), slot("loyal", "openai"));
        kept.keep(loyal, a);
        for place in 0..20 * LIMIT {
            let conversation = slot(&place.to_string(), "openai");
            kept.keep(conversation, a);
            assert_eq!(kept.find(conversation), Some(a), "the second request of {place}");
            assert_eq!(kept.find(loyal), Some(a), "after {place}");
        }
        assert!(kept.count() <= LIMIT, "{}", kept.count());
        let held = |places: std::ops::Range<usize>| {
            let held = places.filter(|place| kept.find(slot(&place.to_string(), "openai")).is_some());
            held.count()
        };
        assert_eq!(held(0..10 * LIMIT), 0, "of the first ten thousand");
        assert!(held(19 * LIMIT..20 * LIMIT) > LIMIT / 2, "of the last thousand");
    }

    #[test]
    fn a_flood_of_sessions_that_never_come_back_pushes_no_conversation_out() {
        const LIMIT: usize = 1_000;
        let kept = Kept::new(LIMIT);
        let (a, conversation) = (identity("a"), slot("conversation", "openai"));
        kept.keep(conversation, a);
        assert_eq!(kept.find(conversation), Some(a));
        for place in 0..20 * LIMIT {
            kept.keep(slot(&place.to_string(), "openai"), a);
        }
        assert_eq!(kept.find(conversation), Some(a));
        assert!(kept.count() <= LIMIT, "{}", kept.count());
    }

    #[test]
    fn a_limit_of_one_and_one_without_end_make_no_trouble() {
        let (one, endless) = (Kept::new(1), Kept::new(usize::MAX));
        for place in 0..100 {
            one.keep(slot(&place.to_string(), "openai"), identity("a"));
            endless.keep(slot(&place.to_string(), "openai"), identity("a"));
        }
        assert!(one.count() <= 1);
        assert_eq!(endless.count(), 100);
    }
}
