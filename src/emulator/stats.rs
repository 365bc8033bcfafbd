//! What the emulator saw, key by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::allowance::Permit;
use super::keys::KeyState;

/// Everything that was counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Requests to provider paths, with a key or without.
    pub requests: u64,
    /// Requests without any key.
    pub without_key: u64,
    /// Requests to paths that no provider has.
    pub unknown_paths: u64,
    /// Connections accepted.
    pub connections_opened: u64,
    /// Connections open now.
    pub connections_open: u64,
    /// How often each fault fired, by its id.
    pub faults: BTreeMap<u64, u64>,
    /// Each key, in the order of its name.
    pub keys: Vec<KeyStats>,
}

impl Stats {
    /// The key with this name or fingerprint.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&KeyStats> {
        self.keys
            .iter()
            .find(|key| key.name == name || key.fingerprint == name)
    }
}

/// What one key did. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStats {
    /// Configured name, else the fingerprint.
    pub name: String,
    /// First 8 hex digits of the key's SHA-256.
    pub fingerprint: String,
    /// The key's organisation.
    pub org: String,
    /// It stands in the config.
    pub configured: bool,
    /// Requests that came.
    pub requests: u64,
    /// Requests answered with a success.
    pub succeeded: u64,
    /// Requests by the status that they were answered with (a hang or a broken head counts as 0).
    pub statuses: BTreeMap<u16, u64>,
    /// Requests by the fault that hit them.
    pub faults: BTreeMap<String, u64>,
    /// Requests that came before the wait that this key had been told was over.
    pub early: u64,
    /// Tokens of prompts that were served.
    pub prompt_tokens: u64,
    /// Tokens of replies.
    pub completion_tokens: u64,
    /// Requests and streams that are not finished.
    pub in_flight: u64,
    /// Most requests at once.
    pub in_flight_peak: u64,
    /// Streams begun.
    pub streams_started: u64,
    /// Streams sent to their end.
    pub streams_done: u64,
    /// Streams whose caller went away.
    pub streams_aborted: u64,
    /// Requests whose caller went away before the head.
    pub requests_aborted: u64,
    /// When the first request came.
    pub first_ms: Option<u64>,
    /// When the last request came.
    pub last_ms: Option<u64>,
}

/// The counters of one key behind their lock.
#[derive(Debug, Default)]
pub(super) struct KeyCounters {
    pub(super) stats: KeyStats,
    /// The key was told to be silent until then.
    pub(super) silent_until: Option<Instant>,
}

impl KeyCounters {
    pub(super) fn arrived(&mut self, now: Instant, wall_ms: u64) {
        let stats = &mut self.stats;
        stats.requests += 1;
        stats.in_flight += 1;
        stats.in_flight_peak = stats.in_flight_peak.max(stats.in_flight);
        stats.first_ms.get_or_insert(wall_ms);
        stats.last_ms = Some(wall_ms);
        if self.silent_until.is_some_and(|until| now < until) {
            stats.early += 1;
        }
    }

    pub(super) fn answered(&mut self, status: u16, fault: Option<&'static str>) {
        *self.stats.statuses.entry(status).or_default() += 1;
        if (200..300).contains(&status) && fault.is_none() {
            self.stats.succeeded += 1;
        }
        if let Some(name) = fault {
            match self.stats.faults.get_mut(name) {
                Some(count) => *count += 1,
                None => {
                    self.stats.faults.insert(name.to_owned(), 1);
                }
            }
        }
    }
}

impl KeyState {
    pub(super) fn stats(&self) -> KeyStats {
        KeyStats {
            name: self.name.to_string(),
            fingerprint: self.fingerprint.to_string(),
            org: self.org.clone(),
            configured: self.configured,
            ..self.counters.lock().stats.clone()
        }
    }
}

/// A request on its way. Dropped unfinished it counts as the caller's going away.
#[derive(Debug)]
pub(super) struct Flight {
    counters: Arc<Mutex<KeyCounters>>,
    permit: Option<Permit>,
    streaming: bool,
    finished: bool,
}

impl Flight {
    /// Begins; the arrival is counted already.
    pub(super) const fn new(counters: Arc<Mutex<KeyCounters>>) -> Self {
        Self {
            counters,
            permit: None,
            streaming: false,
            finished: false,
        }
    }

    /// Holds one of the allowance's concurrent requests until the end.
    pub(super) fn hold(&mut self, permit: Permit) {
        self.permit = Some(permit);
    }

    /// The head goes out and a stream begins.
    pub(super) fn start_stream(&mut self) {
        self.streaming = true;
        self.counters.lock().stats.streams_started += 1;
    }

    /// The answer is sent to its end.
    pub(super) const fn finish(&mut self) {
        self.finished = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut counters = self.counters.lock();
        let stats = &mut counters.stats;
        stats.in_flight = stats.in_flight.saturating_sub(1);
        match (self.streaming, self.finished) {
            (true, true) => stats.streams_done += 1,
            (true, false) => stats.streams_aborted += 1,
            (false, false) => stats.requests_aborted += 1,
            (false, true) => {}
        }
    }
}
