//! Every key that was configured or seen: whose it is, what it may use, what it did.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::allowance::Allowance;
use super::config::{EmulatorConfig, KeyConfig};
use super::profile::{self, Profile};
use super::secret;
use super::stats::KeyCounters;

/// Stripes of the book, so that threads rarely meet.
const SHARDS: usize = 16;

/// Most unknown keys that are remembered one by one; the rest are counted as one.
const UNKNOWN_KEYS_MAX: usize = 100_000;

/// What stands for every unknown key beyond the limit.
const OVERFLOW: &str = "overflow";

/// One key.
#[derive(Debug)]
pub(super) struct KeyState {
    pub(super) secret: Box<str>,
    pub(super) name: Arc<str>,
    pub(super) fingerprint: Arc<str>,
    pub(super) org: String,
    pub(super) configured: bool,
    pub(super) config: KeyConfig,
    pub(super) profile: Option<&'static Profile>,
    pub(super) allowance: Arc<Allowance>,
    pub(super) counters: Arc<Mutex<KeyCounters>>,
}

type Shard = RwLock<HashMap<Box<str>, Arc<KeyState>>>;

/// The keys by their secret.
pub(super) struct KeyBook {
    shards: [Shard; SHARDS],
    hasher: RandomState,
    unknown: AtomicUsize,
}

impl KeyBook {
    /// The configured keys; those that `before` knew keep their statistics.
    pub(super) fn new(config: &EmulatorConfig, now: Duration, before: Option<&Self>) -> Self {
        let book = Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            unknown: AtomicUsize::new(0),
        };
        let mut shared: BTreeMap<&str, Arc<Allowance>> = BTreeMap::new();
        for key in &config.keys {
            let allowance = key.org.as_deref().map_or_else(
                || Arc::new(own_allowance(key, config, now)),
                |org| {
                    Arc::clone(
                        shared
                            .entry(org)
                            .or_insert_with(|| Arc::new(org_allowance(org, key, config, now))),
                    )
                },
            );
            let counters = before
                .and_then(|book| book.find(key.key.expose()))
                .map(|old| Arc::clone(&old.counters));
            book.insert(key_state(key.clone(), true, allowance, counters));
        }
        book
    }

    fn shard(&self, secret: &str) -> Option<&Shard> {
        let hash = self.hasher.hash_one(secret);
        self.shards.get(usize::try_from(hash).unwrap_or(0) % SHARDS)
    }

    fn insert(&self, state: KeyState) -> Arc<KeyState> {
        let state = Arc::new(state);
        if let Some(shard) = self.shard(&state.secret) {
            shard.write().insert(state.secret.clone(), Arc::clone(&state));
        }
        state
    }

    fn find(&self, secret: &str) -> Option<Arc<KeyState>> {
        self.shard(secret)?.read().get(secret).map(Arc::clone)
    }

    /// The key of a request; an unknown one is remembered from now on.
    pub(super) fn get(&self, secret: &str, config: &EmulatorConfig, now: Duration) -> Arc<KeyState> {
        if let Some(state) = self.find(secret) {
            return state;
        }
        let secret = if self.unknown.fetch_add(1, Ordering::Relaxed) < UNKNOWN_KEYS_MAX {
            secret
        } else {
            OVERFLOW
        };
        let key = KeyConfig {
            key: secret::KeySecret::new(secret),
            ..KeyConfig::default()
        };
        let allowance = Arc::new(own_allowance(&key, config, now));
        self.insert(key_state(key, false, allowance, None))
    }

    /// Every key, in the order of its name.
    pub(super) fn all(&self) -> Vec<Arc<KeyState>> {
        let mut all: Vec<Arc<KeyState>> = self
            .shards
            .iter()
            .flat_map(|shard| shard.read().values().map(Arc::clone).collect::<Vec<_>>())
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

fn own_allowance(key: &KeyConfig, config: &EmulatorConfig, now: Duration) -> Allowance {
    Allowance::new(key.limits.as_ref().unwrap_or(&config.limits), &key.credit, now)
}

/// An organisation's limits are its own, else those of its first key, else everybody's.
fn org_allowance(org: &str, first: &KeyConfig, config: &EmulatorConfig, now: Duration) -> Allowance {
    config.orgs.get(org).map_or_else(
        || own_allowance(first, config, now),
        |own| Allowance::new(&own.limits, &own.credit, now),
    )
}

fn key_state(
    config: KeyConfig,
    configured: bool,
    allowance: Arc<Allowance>,
    counters: Option<Arc<Mutex<KeyCounters>>>,
) -> KeyState {
    let fingerprint: Arc<str> = config.key.fingerprint().into();
    KeyState {
        secret: config.key.expose().into(),
        name: config
            .name
            .as_deref()
            .map_or_else(|| Arc::clone(&fingerprint), Arc::from),
        org: config.org.clone().unwrap_or_else(|| format!("org-{fingerprint}")),
        fingerprint,
        configured,
        profile: config.provider.as_deref().and_then(profile::by_id),
        config,
        allowance,
        counters: counters.unwrap_or_default(),
    }
}
