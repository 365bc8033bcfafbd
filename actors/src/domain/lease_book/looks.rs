//! What is seen of a book from outside.

use super::super::clock::Timestamp;
use super::super::credential::AgentId;
use super::super::key_pool::{KeyPool, Whose};
use super::LeaseBook;
use crate::snapshot::{Kept, PoolOutlook, PoolSnapshot, SavedPool};

// === impl LeaseBook ===

impl LeaseBook {
    /// Whether `agent`, or the default one, has no credential.
    #[must_use]
    pub fn is_empty(&self, agent: Option<&AgentId>) -> bool {
        self.with(|ledger, _| ledger.pool.count_of(ledger.pool.whose(agent)) == 0)
    }

    /// The default agent's pool as people and programs see it.
    #[must_use]
    pub fn snapshot(&self) -> PoolSnapshot {
        self.snapshot_of(None)
    }

    /// The pool of `agent`, or of the default one, as people and programs see it.
    #[must_use]
    pub fn snapshot_of(&self, agent: Option<&AgentId>) -> PoolSnapshot {
        self.see(|pool, now| PoolSnapshot::of(&self.provider, pool, pool.whose(agent), now))
    }

    /// Every agent's credentials, each once.
    #[must_use]
    pub fn snapshot_of_all(&self) -> PoolSnapshot {
        self.see(|pool, now| PoolSnapshot::of(&self.provider, pool, Whose::Everyone, now))
    }

    /// The pool of `agent`, or of the default one, at a glance.
    #[must_use]
    pub fn outlook(&self, agent: Option<&AgentId>) -> PoolOutlook {
        self.see(|pool, _| PoolOutlook::of(pool, pool.whose(agent)))
    }

    /// Looks at the pool as it is now.
    fn see<R>(&self, look: impl FnOnce(&KeyPool, Timestamp) -> R) -> R {
        self.with(|ledger, now| {
            ledger.pool.wake(now);
            look(&ledger.pool, now)
        })
    }

    /// What must outlive the process, without secrets.
    #[must_use]
    pub fn export(&self) -> SavedPool {
        let (kept, now) = self.with(|ledger, now| (Kept::of(&ledger.pool), now));
        SavedPool::of(kept, now)
    }

    /// Leases ever given out.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.with(|ledger, _| ledger.next_id - 1)
    }

    /// Attempts under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.with(|ledger, _| ledger.live.len())
    }
}
