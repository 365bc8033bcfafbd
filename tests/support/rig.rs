//! A gateway on a stepped clock, in front of an emulator that knows its keys by name.

use std::sync::Arc;
use std::time::Duration;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, KeyConfig, RunningEmulator};
use coderclaw_actors::{Clock as _, CredentialSnapshot, SharedClock, SystemClock, TestClock};
use serde_json::{Value, json};

use super::{Call, Format, Heard, TestGateway, key};

/// Both, and what belongs to them. The gateway stops first.
pub(crate) struct Rig {
    pub(crate) gateway: TestGateway,
    pub(crate) emulator: RunningEmulator,
    pub(crate) clock: Arc<TestClock>,
    format: Format,
    keys: Vec<String>,
}

impl Rig {
    /// With these keys, in this order.
    pub(crate) fn new(format: Format, keys: &[&str]) -> Self {
        Self::with(format, keys, EmulatorConfig::default(), json!({}))
    }

    /// The same, with an emulator and a gateway of this config.
    pub(crate) fn with(format: Format, keys: &[&str], mut emulator: EmulatorConfig, config: Value) -> Self {
        for name in keys {
            let secret = key(format.provider, name);
            if !emulator
                .keys
                .iter()
                .any(|known| known.name.as_deref() == Some(name))
            {
                emulator.keys.push(KeyConfig::new(name, &secret));
            }
        }
        let emulator = Emulator::start(emulator).expect("the emulator starts");
        let secrets: Vec<String> = keys.iter().map(|name| key(format.provider, name)).collect();
        let clock = TestClock::at(SystemClock::start().now());
        let gateway = TestGateway::try_with_clock(
            &emulator.base_url(),
            &[(format.variable, &secrets.join(","))],
            config,
            Arc::clone(&clock) as SharedClock,
        )
        .expect("the gateway starts");
        Self {
            gateway,
            emulator,
            clock,
            format,
            keys: keys.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.emulator.add_fault(fault).expect("the fault makes sense");
    }

    /// A plain request in the rig's format.
    pub(crate) fn call(&self) -> Heard {
        self.format.call().send(self.gateway.address)
    }

    /// A streamed one, to its end.
    pub(crate) fn stream(&self) -> Heard {
        self.format.stream().send(self.gateway.address)
    }

    pub(crate) fn send(&self, call: Call) -> Heard {
        call.send(self.gateway.address)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// How many requests came with each key, in the order of the pool.
    pub(crate) fn requests(&self) -> Vec<u64> {
        let stats = self.emulator.stats();
        self.keys
            .iter()
            .map(|name| stats.key(name).map_or(0, |key| key.requests))
            .collect()
    }

    /// The credential of this name, as the gateway has it.
    pub(crate) fn credential(&self, name: &str) -> CredentialSnapshot {
        let place = self
            .keys
            .iter()
            .position(|known| known == name)
            .expect("a key of the rig");
        self.gateway
            .credential(self.format.provider, &self.format.profile(place + 1))
    }
}
