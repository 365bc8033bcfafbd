//! `LeaseBook`: the pool, its limits and the live leases of one provider behind the one lock that all workers share.
//!
//! A lease is a function call, since a message to another thread costs more than everything else here together.
//! Each function is short, awaits nothing and returns plain data; the guard that settles itself is built outside.
//!
//! `parking_lot` does not poison: if a panic leaves the lock, the ledger is marked dirty, and whoever enters next
//! derives bits, wakes and counts anew from the members' states and the registry of live leases.

mod looks;

use std::sync::Arc;

use parking_lot::Mutex;
use slab::Slab;

use super::clock::{SharedClock, Timestamp};
use super::cooldown::CooldownPolicy;
use super::credential::{AuthProfile, ProfileId, ProviderId};
use super::credential_state::LeaseOrder;
use super::key_pool::{Failure, KeyPool, Origins};
use super::lease::{LeaseError, LeaseRequest, Ticket, Transition, Tried};
use super::members::Members;
use super::outcome::{ErrorClass, Outcome};
use super::plan::Strategy;
use crate::snapshot::SavedPool;

/// Who may use which credential of one provider, now.
#[derive(Debug)]
pub struct LeaseBook {
    provider: ProviderId,
    clock: SharedClock,
    ledger: Mutex<Ledger>,
}

/// Members, order and rules that are ready to take the place of a book's.
#[derive(Debug)]
#[must_use = "it takes no place by itself"]
pub struct NextPool {
    pool: KeyPool,
    origins: Origins,
}

/// A pool that another one took the place of.
#[derive(Debug)]
#[must_use = "to be dropped where nobody waits"]
pub struct PastPool(#[expect(dead_code, reason = "it is only kept until it may be dropped")] KeyPool);

/// What the lock guards.
#[derive(Debug)]
struct Ledger {
    pool: KeyPool,
    live: Slab<LiveLease>,
    next_id: u64,
    /// Set while a change is under way; found set on entry, it says that the last one panicked.
    dirty: bool,
}

/// A lease that is not settled yet: the truth that counts of attempts under way are derived from.
#[derive(Debug)]
struct LiveLease {
    id: u64,
    /// Its member's index; `None` once a reload has dropped the member.
    member: Option<usize>,
    profile: Arc<AuthProfile>,
}

// === impl LeaseBook ===

impl LeaseBook {
    /// The book of `members`, in order; a credential that comes twice is one, at its first position. What
    /// `saved` knows of a credential from before a restart goes on.
    #[must_use]
    pub fn new(
        provider: ProviderId,
        members: impl Into<Members>,
        strategy: Strategy,
        cooldowns: CooldownPolicy,
        clock: SharedClock,
        saved: Option<&SavedPool>,
    ) -> Self {
        let now = clock.now();
        let mut pool = KeyPool::new(members, strategy, cooldowns, now);
        if let Some(saved) = saved {
            saved.restore(&mut pool, now);
        }
        Self {
            provider,
            clock,
            ledger: Mutex::new(Ledger {
                pool,
                live: Slab::new(),
                next_id: 1,
                dirty: false,
            }),
        }
    }

    /// The provider whose credentials these are.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// The clock that the book goes by.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Leases the credential that the strategy chooses among those that are available for the class, within their
    /// limits, and not yet tried by this request.
    pub fn lease(&self, request: &LeaseRequest<'_>) -> Result<Ticket, LeaseError> {
        self.with(|ledger, now| ledger.lease(&self.provider, request, now))
    }

    /// Ends a lease: from this instant on nobody leases a credential that the outcome rests. Says if a state
    /// changed. A ticket that was settled before may rest its credential, but touches no counter.
    pub fn settle(&self, ticket: &Ticket, outcome: &Outcome) -> Option<Transition> {
        self.with(|ledger, now| ledger.settle(ticket, outcome, now))
    }

    /// Why there is nobody to lease for a request that will try no further.
    #[must_use]
    pub(crate) fn refusal(&self, request: &LeaseRequest<'_>) -> LeaseError {
        self.with(|ledger, now| {
            ledger.pool.wake(now);
            ledger.refuse(&self.provider, request, now)
        })
    }

    /// Puts the renewed secret of `fresh` into a lease that goes on, and into the pool, unless that holds yet another
    /// by now. Says if it brought back a credential of which the old secret was refused.
    pub fn renew(&self, ticket: &mut Ticket, fresh: &AuthProfile) -> Option<Transition> {
        let renewed = Arc::new(ticket.profile.renewed(fresh));
        let transition = self.with(|ledger, now| {
            let index = ledger.pool.index_of(ticket.place, &ticket.profile)?;
            ledger.pool.renew(index, &ticket.profile, &renewed, now)
        });
        ticket.profile = renewed;
        transition
    }

    /// The soonest instant when any credential that may serve `request` can, tried or not: now if one is available,
    /// `None` if nobody will without help.
    #[must_use]
    pub fn soonest(&self, request: &LeaseRequest<'_>) -> Option<Timestamp> {
        self.with(|ledger, now| {
            ledger.pool.wake(now);
            let (pool, nothing) = (&ledger.pool, Tried::default());
            let whose = pool.whose(request.agent);
            let chosen = pool.choose(Some(request.class), &nothing, request.selection, whose);
            if chosen.is_some() {
                return Some(now);
            }
            ledger.refuse(&self.provider, request, now).soonest()
        })
    }

    /// Replaces the members, their order and the rules. Live leases go on; a credential that stays keeps its state.
    pub fn replace(&self, members: impl Into<Members>, strategy: Strategy, cooldowns: CooldownPolicy) {
        drop(self.swap(self.prepare(members, strategy, cooldowns)));
    }

    /// The first half of [`Self::replace`]: all that can be done without the lock.
    pub fn prepare(
        &self,
        members: impl Into<Members>,
        strategy: Strategy,
        cooldowns: CooldownPolicy,
    ) -> NextPool {
        let ancestry = self.with(|ledger, _| ledger.pool.ancestry());
        let pool = KeyPool::new(members, strategy, cooldowns, self.clock.now());
        let origins = ancestry.origins_of(&pool);
        NextPool { pool, origins }
    }

    /// The second half of [`Self::replace`]: running requests wait for it. The pool that was is the caller's to drop.
    pub fn swap(&self, next: NextPool) -> PastPool {
        PastPool(self.with(|ledger, now| ledger.replace(next, now)))
    }

    /// Leaves no members. Live leases go on.
    pub fn empty(&self) {
        let (strategy, cooldowns) =
            self.with(|ledger, _| (ledger.pool.strategy(), ledger.pool.policy().clone()));
        self.replace(Members::default(), strategy, cooldowns);
    }

    /// Makes every credential of that name available again and forgets its failures in a row, for all models; says of
    /// which there was anything to clear.
    pub fn clear(&self, profile: &ProfileId) -> Vec<Transition> {
        self.with(|ledger, now| ledger.pool.clear(profile, now))
    }

    /// Panics while the lock is held.
    ///
    /// # Panics
    /// Always.
    #[cfg(any(test, feature = "chaos"))]
    #[expect(clippy::panic, reason = "this is what it is for")]
    pub fn crash(&self) {
        self.with(|ledger, _| {
            ledger.pool.spoil();
            panic!("chaos: the lease book was told to crash");
        });
    }

    /// Runs one change under the lock.
    fn with<R>(&self, change: impl FnOnce(&mut Ledger, Timestamp) -> R) -> R {
        let mut ledger = self.ledger.lock();
        // Read under the lock: what one change saw as past is past for the next one too.
        let now = self.clock.now();
        if ledger.dirty {
            ledger.rebuild(now);
        }
        ledger.dirty = true;
        let result = change(&mut ledger, now);
        ledger.dirty = false;
        result
    }
}

// === impl Ledger ===

impl Ledger {
    fn lease(
        &mut self,
        provider: &ProviderId,
        request: &LeaseRequest<'_>,
        now: Timestamp,
    ) -> Result<Ticket, LeaseError> {
        self.pool.wake(now);
        let LeaseRequest {
            class,
            tried,
            selection,
            ..
        } = *request;
        let whose = self.pool.whose(request.agent);
        let chosen = self.pool.choose(Some(class), tried, selection, whose);
        let lease = chosen.and_then(|index| {
            let profile = Arc::clone(self.pool.profile_of(whose, index)?);
            let place = self.pool.take(index, whose, class, now)?;
            Some((index, profile, place))
        });
        let Some((index, profile, place)) = lease else {
            return Err(self.refuse(provider, request, now));
        };
        let id = self.next_id;
        self.next_id += 1;
        let slot = self.live.insert(LiveLease {
            id,
            member: Some(index),
            profile: Arc::clone(&profile),
        });
        Ok(Ticket {
            id,
            slot,
            place,
            profile,
            class: class.clone(),
            terms: request.terms,
        })
    }

    fn refuse(&mut self, provider: &ProviderId, request: &LeaseRequest<'_>, now: Timestamp) -> LeaseError {
        let whose = self.pool.whose(request.agent);
        if self.pool.count_of(whose) == 0 {
            return LeaseError::NoCredentials {
                provider: provider.clone(),
            };
        }
        let refusals = match request.selection.pinned() {
            None => self.pool.refusals(whose, request.class, now),
            Some(identity) => {
                let Some(index) = self.pool.identified_of(whose, identity) else {
                    return LeaseError::PinGone {
                        provider: provider.clone(),
                    };
                };
                self.pool.refusals_of(index, request.class, now)
            }
        };
        LeaseError::NoneAvailable {
            provider: provider.clone(),
            refusals,
        }
    }

    fn settle(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Option<Transition> {
        let counted = self
            .live
            .get(ticket.slot)
            .is_some_and(|live| live.id == ticket.id);
        if counted {
            let live = self.live.try_remove(ticket.slot);
            if let Some(index) = live.and_then(|live| live.member) {
                self.pool.release(index, now);
            }
        }
        let index = self.pool.index_of(ticket.place, &ticket.profile)?;
        match outcome {
            Outcome::Abandoned => None,
            Outcome::Success => self.pool.succeed(index, &ticket.class, ticket.id, now),
            Outcome::LoginNeeded => {
                let refused = ticket.profile.secret.fingerprint();
                self.pool.disable(index, ErrorClass::AuthRefresh, refused, now)
            }
            Outcome::Failed(verdict) => {
                let failure = Failure {
                    class: &ticket.class,
                    verdict,
                    terms: ticket.terms,
                    lease: LeaseOrder {
                        id: ticket.id,
                        next_id: self.next_id,
                    },
                    secret: ticket.profile.secret.fingerprint(),
                    counted,
                };
                self.pool.fail(index, &failure, now)
            }
        }
    }

    /// Returns the pool that was, for the caller to drop outside the lock.
    fn replace(&mut self, NextPool { pool, origins }: NextPool, now: Timestamp) -> KeyPool {
        let mut next = pool.following(&self.pool, origins);
        let members: Vec<Option<usize>> = self
            .live
            .iter()
            .map(|(_, live)| next.find(&live.profile))
            .collect();
        next.rebuild(members.iter().copied().flatten(), now);
        for ((_, live), member) in self.live.iter_mut().zip(members) {
            live.member = member;
        }
        std::mem::replace(&mut self.pool, next)
    }

    /// Derives everything that can be derived, after a change that did not come to its end.
    fn rebuild(&mut self, now: Timestamp) {
        for (_, live) in &mut self.live {
            live.member = self.pool.find(&live.profile);
        }
        let members = self.live.iter().filter_map(|(_, live)| live.member);
        self.pool.rebuild(members, now);
    }
}

#[cfg(test)]
mod tests;
