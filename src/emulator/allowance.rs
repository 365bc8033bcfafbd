//! What one key, or the keys of one organisation together, may use: buckets, day, concurrency, money.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::bucket::{DayWindow, TokenBucket};
use super::config::{Credit, Limits};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Requests of the minute used up.
    Requests { limit: u64, wait: Duration },
    /// Tokens of the minute used up.
    Tokens {
        limit: u64,
        used: u64,
        requested: u64,
        wait: Duration,
    },
    /// Larger than the minute's allowance will ever be.
    TooLarge { limit: u64, requested: u64 },
    /// Requests of the day used up.
    Day { limit: u64, wait: Duration },
    /// Too many at once.
    Concurrency { limit: u64 },
    /// The money is gone.
    Credit,
}

/// One dimension as a provider's headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    pub(super) reset: Duration,
}

/// Every limited dimension at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meter {
    pub(super) requests: Option<Dimension>,
    pub(super) tokens: Option<Dimension>,
    pub(super) day: Option<Dimension>,
}

#[derive(Debug)]
struct State {
    requests: Option<TokenBucket>,
    tokens: Option<TokenBucket>,
    day: Option<DayWindow>,
    concurrency: Option<u64>,
    in_flight: u64,
    credit: Credit,
}

/// The allowance; shared by the keys of an organisation.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Nothing is limited: admission needs no lock.
    unlimited: bool,
    state: Mutex<State>,
}

/// The right to one of the concurrent requests; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Arc<Allowance>>);

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(allowance) = &self.0 {
            let mut state = allowance.state.lock();
            state.in_flight = state.in_flight.saturating_sub(1);
        }
    }
}

impl Allowance {
    pub(super) fn new(limits: &Limits, credit: &Credit, now: Duration) -> Self {
        let bucket = |limit: Option<u64>, burst: Option<u64>| {
            limit.map(|n| TokenBucket::full(n, burst.unwrap_or(n), now))
        };
        Self {
            unlimited: limits.is_empty() && credit.is_empty(),
            state: Mutex::new(State {
                requests: bucket(limits.rpm, limits.burst),
                tokens: bucket(limits.tpm, None),
                day: limits.rpd.map(|limit| DayWindow::new(limit, now)),
                concurrency: limits.concurrency,
                in_flight: 0,
                credit: credit.clone(),
            }),
        }
    }

    /// Admits a request of `tokens` (prompt and reply) and charges it, or says why not and charges nothing.
    pub(super) fn admit(self: &Arc<Self>, tokens: u64, now: Duration) -> (Result<Permit, Refusal>, Meter) {
        if self.unlimited {
            return (Ok(Permit(None)), Meter::default());
        }
        let mut state = self.state.lock();
        state.refresh(now);
        let outcome = state.check(tokens, now);
        if outcome.is_ok() {
            state.charge(tokens);
        }
        let meter = state.meter(now);
        drop(state);
        (outcome.map(|()| Permit(Some(Arc::clone(self)))), meter)
    }

    /// The dimensions as they are, for answers that charge nothing.
    pub(super) fn meter(&self, now: Duration) -> Meter {
        if self.unlimited {
            return Meter::default();
        }
        let mut state = self.state.lock();
        state.refresh(now);
        state.meter(now)
    }
}

impl State {
    fn refresh(&mut self, now: Duration) {
        if let Some(bucket) = &mut self.requests {
            bucket.refill(now);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.refill(now);
        }
        if let Some(window) = &mut self.day {
            window.roll(now);
        }
    }

    fn check(&self, tokens: u64, now: Duration) -> Result<(), Refusal> {
        if self.credit.requests == Some(0) || self.credit.tokens == Some(0) {
            return Err(Refusal::Credit);
        }
        if let Some(limit) = self.concurrency.filter(|limit| self.in_flight >= *limit) {
            return Err(Refusal::Concurrency { limit });
        }
        if let Some(window) = self.day.as_ref().filter(|window| window.remaining() == 0) {
            return Err(Refusal::Day {
                limit: window.limit(),
                wait: DayWindow::until_reset(now),
            });
        }
        if let Some(bucket) = self.requests.as_ref().filter(|bucket| bucket.remaining() == 0) {
            return Err(Refusal::Requests {
                limit: bucket.limit(),
                // A limit of none at all never recovers; a minute is what its provider would name.
                wait: bucket.wait_for(1).unwrap_or(Duration::from_mins(1)),
            });
        }
        self.tokens
            .as_ref()
            .map_or(Ok(()), |bucket| check_tokens(bucket, tokens))
    }

    fn charge(&mut self, tokens: u64) {
        self.in_flight += 1;
        if let Some(bucket) = &mut self.requests {
            bucket.take(1);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.take(tokens);
        }
        if let Some(window) = &mut self.day {
            window.take();
        }
        if let Some(left) = &mut self.credit.requests {
            *left = left.saturating_sub(1);
        }
        if let Some(left) = &mut self.credit.tokens {
            *left = left.saturating_sub(tokens);
        }
    }

    fn meter(&self, now: Duration) -> Meter {
        let of_bucket = |bucket: &TokenBucket| Dimension {
            limit: bucket.limit(),
            remaining: bucket.remaining(),
            reset: bucket.until_full(),
        };
        Meter {
            requests: self.requests.as_ref().map(of_bucket),
            tokens: self.tokens.as_ref().map(of_bucket),
            day: self.day.as_ref().map(|window| Dimension {
                limit: window.limit(),
                remaining: window.remaining(),
                reset: DayWindow::until_reset(now),
            }),
        }
    }
}

fn check_tokens(bucket: &TokenBucket, requested: u64) -> Result<(), Refusal> {
    if requested <= bucket.remaining() {
        return Ok(());
    }
    let limit = bucket.limit();
    bucket
        .wait_for(requested)
        .map_or(Err(Refusal::TooLarge { limit, requested }), |wait| {
            Err(Refusal::Tokens {
                limit,
                used: bucket.capacity().saturating_sub(bucket.remaining()),
                requested,
                wait,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_795_340_000);

    fn allowance(limits: &Limits, credit: &Credit) -> Arc<Allowance> {
        Arc::new(Allowance::new(limits, credit, START))
    }

    #[test]
    fn a_refused_request_charges_nothing() {
        let limits = Limits {
            rpm: Some(1),
            tpm: Some(100),
            ..Limits::default()
        };
        let shared = allowance(&limits, &Credit::default());
        assert!(shared.admit(40, START).0.is_ok());
        let (refused, meter) = shared.admit(40, START);
        assert_eq!(
            refused.err(),
            Some(Refusal::Requests {
                limit: 1,
                wait: Duration::from_mins(1)
            })
        );
        assert_eq!(meter.tokens.map(|tokens| tokens.remaining), Some(60));
    }

    #[test]
    fn permits_come_back_and_money_does_not() {
        let limits = Limits {
            concurrency: Some(1),
            ..Limits::default()
        };
        let shared = allowance(
            &limits,
            &Credit {
                requests: Some(2),
                tokens: None,
            },
        );
        let (first, _) = shared.admit(1, START);
        assert_eq!(
            shared.admit(1, START).0.err(),
            Some(Refusal::Concurrency { limit: 1 })
        );
        drop(first);
        assert!(shared.admit(1, START).0.is_ok());
        assert_eq!(shared.admit(1, START).0.err(), Some(Refusal::Credit));
    }

    #[test]
    fn a_request_larger_than_the_limit_is_told_so() {
        let shared = allowance(
            &Limits {
                tpm: Some(100),
                ..Limits::default()
            },
            &Credit::default(),
        );
        assert_eq!(
            shared.admit(101, START).0.err(),
            Some(Refusal::TooLarge {
                limit: 100,
                requested: 101
            })
        );
    }
}
