//! Which models stand in for which now, so that the log says once when it begins and once when it is over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use coderclaw_actors::domain::clock::Timestamp;
use parking_lot::Mutex;

use crate::config::{Catalogue, Target};
use patience::Patience;

mod patience;
#[cfg(test)]
mod tests;

/// So many primaries are watched at once; there are as many as the config names. Beyond, they are served unwatched.
const WATCHED_MAX: usize = 1024;

/// One request that another model served than the one it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The agent whose model it was.
    pub agent: String,
    /// The model that was asked for.
    pub primary: Target,
    /// The model that served.
    pub by: Target,
    /// Why the primary did not.
    pub reason: String,
}

/// A primary that is being stood in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The agent whose model it is.
    pub agent: String,
    /// The model that was asked for.
    pub primary: Target,
    /// The model that served last.
    pub by: Target,
    /// Why the primary did not serve, the last time.
    pub reason: String,
    /// When the first request was served by another.
    pub since: Timestamp,
    /// How many were.
    pub requests: u64,
}

/// The primaries that are being stood in for. Says in the log when that begins and when it ends, and nothing between.
#[derive(Debug, Default)]
pub struct StandIns {
    watched: Mutex<HashMap<(String, Target), Outage>>,
    /// How many there are, so that no request of a healthy gateway takes the lock.
    count: AtomicUsize,
}

/// How long a primary has not served.
#[derive(Debug)]
struct Outage {
    /// The models that stood in, in the order in which they first did; few, since the config names them.
    by: Vec<Target>,
    last: usize,
    reason: String,
    since: Timestamp,
    /// When the last request was served by another.
    last_at: Timestamp,
    requests: u64,
    patience: Patience,
}

impl StandIns {
    /// Whether any primary is being stood in for.
    #[must_use]
    pub fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Whether a request may ask the primary first: not one that has kept others waiting in vain.
    #[must_use]
    pub fn may_ask(&self, agent: &str, primary: &Target, now: Timestamp) -> bool {
        let mut watched = self.watched.lock();
        let outage = watched.get_mut(&(agent.to_owned(), primary.clone()));
        outage.is_none_or(|outage| outage.patience.may_ask(now))
    }

    /// A request that began at `started` waited for the primary in vain.
    pub fn waited(&self, agent: &str, primary: &Target, started: Timestamp, now: Timestamp) {
        self.change((agent.to_owned(), primary.clone()), now, |outage| {
            outage.patience.waited(started, now);
        });
    }

    /// Another model served a request.
    pub fn stood_in(&self, one: StandIn, now: Timestamp) {
        let StandIn {
            agent,
            primary,
            by,
            reason,
        } = one;
        self.change((agent.clone(), primary.clone()), now, |outage| {
            outage.stood_in(by, reason, now, (&agent, &primary));
        });
    }

    fn change(&self, key: (String, Target), now: Timestamp, change: impl FnOnce(&mut Outage)) {
        let mut watched = self.watched.lock();
        if watched.len() < WATCHED_MAX || watched.contains_key(&key) {
            change(watched.entry(key).or_insert_with(|| Outage::at(now)));
        }
        self.count.store(watched.len(), Ordering::Relaxed);
    }

    /// The primary served a request that began at `started`. One that began before another was last stood in for says
    /// nothing: it was under way already when the primary failed.
    pub fn primary_served(&self, agent: &str, primary: &Target, started: Timestamp, now: Timestamp) {
        let mut watched = self.watched.lock();
        let key = (agent.to_owned(), primary.clone());
        let Some(outage) = watched.get(&key).filter(|outage| outage.last_at <= started) else {
            return;
        };
        let requests = outage.requests;
        let after_s = now.since(outage.since).as_secs();
        watched.remove(&key);
        self.count.store(watched.len(), Ordering::Relaxed);
        if requests > 0 {
            tracing::info!(
                target: "coderclaw", agent, model = %primary, after_s, fallbacks = requests, "primary serves again"
            );
        }
    }

    /// Forgets the primaries that the config stands nothing in for any more: no request will say that they are well.
    pub fn follow(&self, catalogue: &Catalogue) {
        let mut watched = self.watched.lock();
        watched.retain(|(_, primary), _| catalogue.has_stand_ins(primary));
        self.count.store(watched.len(), Ordering::Relaxed);
    }

    /// The primaries that are being stood in for, those first that have been for longest.
    #[must_use]
    pub fn all(&self) -> Vec<Watched> {
        let watched = self.watched.lock();
        let mut all: Vec<Watched> = watched
            .iter()
            .filter_map(|((agent, primary), outage)| {
                Some(Watched {
                    agent: agent.clone(),
                    primary: primary.clone(),
                    by: outage.by.get(outage.last)?.clone(),
                    reason: outage.reason.clone(),
                    since: outage.since,
                    requests: outage.requests,
                })
            })
            .collect();
        all.sort_by(|one, other| (one.since, &one.agent).cmp(&(other.since, &other.agent)));
        all
    }
}

impl Outage {
    fn at(now: Timestamp) -> Self {
        Self {
            by: Vec::new(),
            last: 0,
            reason: String::new(),
            since: now,
            last_at: now,
            requests: 0,
            patience: Patience::default(),
        }
    }

    fn stood_in(&mut self, by: Target, reason: String, now: Timestamp, (agent, primary): (&str, &Target)) {
        self.requests += 1;
        self.last_at = now;
        let known = self.by.iter().position(|known| *known == by);
        self.last = known.unwrap_or(self.by.len());
        if known.is_none() {
            tracing::warn!(target: "coderclaw", agent, from = %primary, to = %by, reason, "fallback serves");
            self.by.push(by);
        }
        self.reason = reason;
    }
}
