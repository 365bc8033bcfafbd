//! The requests under way: how many there may be, and the wait until there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts the requests under way, of all workers together.
#[derive(Debug)]
pub struct InFlight {
    count: AtomicUsize,
    draining: AtomicBool,
    changed: Notify,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The gateway is stopping.
    #[error("the gateway is stopping: try again in a moment")]
    Draining,
    /// As many requests are under way as there may be.
    #[error(
        "the gateway has {limit} requests under way, as many as it may (`gateway.limits.inFlight`): try again"
    )]
    Full {
        /// The limit.
        limit: usize,
    },
}

/// One request under way. Dropping it is its end.
#[derive(Debug)]
pub struct Entered(Arc<InFlight>);

impl InFlight {
    /// None is under way.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// Takes a request in, if no more than `limit` are under way with it.
    ///
    /// # Errors
    /// If the gateway is stopping or full.
    pub fn enter(self: &Arc<Self>, limit: usize) -> Result<Entered, Refused> {
        // Counted first and looked at second, so that a drain that sees zero has seen every request there is.
        let entered = Entered(Arc::clone(self));
        let before = self.count.fetch_add(1, Ordering::SeqCst);
        if self.is_draining() {
            return Err(Refused::Draining);
        }
        if before >= limit {
            return Err(Refused::Full { limit });
        }
        Ok(entered)
    }

    /// How many requests are under way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Whether new requests are refused because the gateway is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Refuses new requests from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Waits until no request is under way.
    pub async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.0.count.fetch_sub(1, Ordering::SeqCst);
        if before == 1 && self.0.is_draining() {
            self.0.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_do_not_count() {
        let in_flight = InFlight::new();
        let first = in_flight.enter(1).unwrap();
        assert_eq!(in_flight.enter(1).unwrap_err(), Refused::Full { limit: 1 });
        assert_eq!(in_flight.count(), 1);
        drop(first);
        in_flight.drain();
        assert_eq!(in_flight.enter(1).unwrap_err(), Refused::Draining);
        assert_eq!(in_flight.count(), 0);
    }

    #[tokio::test]
    async fn the_last_one_out_ends_the_wait() {
        let in_flight = InFlight::new();
        let entered = in_flight.enter(2).unwrap();
        in_flight.drain();
        let idle = in_flight.idle();
        let last_out = async { drop(entered) };
        // The wait is polled first, so it has begun when the last request ends.
        tokio::join!(biased; idle, last_out);
        assert_eq!(in_flight.count(), 0);
    }
}
