//! What all threads of the emulator share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::clock::EmulatorClock;
use super::config::{Behaviour, ConfigError, EmulatorConfig};
use super::fault::{Fault, FaultRule};
use super::idp::Idp;
use super::keys::{KeyBook, KeyState};
use super::log::{LogEntry, RequestLog};
use super::secret::{FINGERPRINT_PREFIX, KeySecret};
use super::stats::Stats;
use super::tap::Connections;

/// A config at work.
pub(super) struct World {
    pub(super) config: EmulatorConfig,
    pub(super) keys: KeyBook,
}

impl World {
    /// How an answer to this key about this model behaves.
    pub(super) fn behaviour(&self, key: &KeyState, model: &str) -> Behaviour {
        let own = &key.config.behaviour;
        match self.config.models.get(model) {
            Some(of_model) => own.or(of_model).or(&self.config.behaviour),
            None => own.or(&self.config.behaviour),
        }
    }

    pub(super) fn knows_model(&self, model: &str) -> bool {
        self.config.allow_unknown_models || model.is_empty() || self.config.models.contains_key(model)
    }

    pub(super) fn models(&self) -> Vec<&str> {
        self.config.models.keys().map(String::as_str).collect()
    }
}

/// Everything that outlives a request.
pub(super) struct Shared {
    /// Port that is listened on.
    pub(super) port: u16,
    pub(super) world: ArcSwap<World>,
    pub(super) faults: ArcSwap<Vec<Arc<FaultRule>>>,
    pub(super) clock: Arc<dyn EmulatorClock>,
    pub(super) idp: Idp,
    pub(super) log: RequestLog,
    pub(super) connections: Arc<Connections>,
    pub(super) requests: AtomicU64,
    pub(super) without_key: AtomicU64,
    pub(super) unknown_paths: AtomicU64,
    next_fault: AtomicU64,
}

impl Shared {
    pub(super) fn new(config: EmulatorConfig, clock: Arc<dyn EmulatorClock>, port: u16) -> Self {
        let shared = Self {
            port,
            log: RequestLog::new(config.log_entries),
            faults: ArcSwap::default(),
            connections: Arc::default(),
            requests: AtomicU64::new(0),
            without_key: AtomicU64::new(0),
            unknown_paths: AtomicU64::new(0),
            next_fault: AtomicU64::new(1),
            idp: Idp::new(config.idp.clone()),
            world: ArcSwap::from_pointee(World {
                keys: KeyBook::new(&config, clock.now(), None),
                config,
            }),
            clock,
        };
        let faults = shared.world.load().config.faults.clone();
        shared.set_faults(faults);
        shared
    }

    pub(super) fn stats(&self) -> Stats {
        let faults = self.faults.load();
        Stats {
            requests: self.requests.load(Ordering::Relaxed),
            without_key: self.without_key.load(Ordering::Relaxed),
            unknown_paths: self.unknown_paths.load(Ordering::Relaxed),
            connections_opened: self.connections.opened(),
            connections_open: self.connections.open(),
            faults: faults.iter().map(|rule| (rule.id, rule.fired())).collect(),
            keys: self
                .world
                .load()
                .keys
                .all()
                .iter()
                .map(|key| key.stats())
                .collect(),
        }
    }

    pub(super) fn last_requests(&self, limit: usize) -> Vec<LogEntry> {
        self.log.last(limit)
    }

    /// Forgets everything that was seen; allowances are full again, faults begin again. Logins stay.
    pub(super) fn reset(&self) {
        let config = self.world.load().config.clone();
        self.world.store(Arc::new(World {
            keys: KeyBook::new(&config, self.clock.now(), None),
            config,
        }));
        let faults = self.faults.load().iter().map(|rule| rule.spec.clone()).collect();
        self.set_faults(faults);
        self.log.clear();
        for counter in [&self.requests, &self.without_key, &self.unknown_paths] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Another config from now on. Statistics of keys that stay are kept; allowances are full again.
    pub(super) fn set_config(&self, mut config: EmulatorConfig) -> Result<(), ConfigError> {
        let before = self.world.load();
        restore_secrets(&mut config, &before.config)?;
        config.check()?;
        self.set_faults(config.faults.clone());
        self.idp.book.lock().set_config(config.idp.clone());
        self.world.store(Arc::new(World {
            keys: KeyBook::new(&config, self.clock.now(), Some(&before.keys)),
            config,
        }));
        Ok(())
    }

    pub(super) fn set_faults(&self, faults: Vec<Fault>) -> Vec<u64> {
        let rules: Vec<Arc<FaultRule>> = faults.into_iter().map(|fault| self.rule(fault)).collect();
        let ids = rules.iter().map(|rule| rule.id).collect();
        self.faults.store(Arc::new(rules));
        ids
    }

    pub(super) fn add_faults(&self, faults: Vec<Fault>) -> Vec<u64> {
        let added: Vec<Arc<FaultRule>> = faults.into_iter().map(|fault| self.rule(fault)).collect();
        self.faults
            .rcu(|rules| rules.iter().chain(&added).map(Arc::clone).collect::<Vec<_>>());
        added.iter().map(|rule| rule.id).collect()
    }

    /// Removes one fault; false if there is none of this id.
    pub(super) fn remove_fault(&self, id: u64) -> bool {
        let before = self.faults.rcu(|rules| {
            rules
                .iter()
                .filter(|rule| rule.id != id)
                .map(Arc::clone)
                .collect::<Vec<_>>()
        });
        before.iter().any(|rule| rule.id == id)
    }

    fn rule(&self, fault: Fault) -> Arc<FaultRule> {
        let id = self.next_fault.fetch_add(1, Ordering::Relaxed);
        Arc::new(FaultRule::new(id, fault, self.world.load().config.seed))
    }
}

/// A config that was read from here names its keys by fingerprint; they stand for the keys that are known.
fn restore_secrets(config: &mut EmulatorConfig, before: &EmulatorConfig) -> Result<(), ConfigError> {
    for (index, key) in config.keys.iter_mut().enumerate() {
        let Some(fingerprint) = key.key.expose().strip_prefix(FINGERPRINT_PREFIX) else {
            continue;
        };
        let known = before
            .keys
            .iter()
            .find(|known| known.key.fingerprint() == fingerprint);
        let Some(known) = known else {
            return Err(ConfigError::Value {
                path: format!("keys[{index}].key"),
                message: "no known key has this fingerprint; give the key itself".to_owned(),
            });
        };
        key.key = known.key.clone();
    }
    super::idp::restore_secret(&mut config.idp, &before.idp);
    let stands_for = |token: &KeySecret| token.expose().starts_with(FINGERPRINT_PREFIX);
    if config.control_token.as_ref().is_some_and(stands_for) {
        config.control_token.clone_from(&before.control_token);
    }
    Ok(())
}
