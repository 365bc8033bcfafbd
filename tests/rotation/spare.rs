//! A primary and the one model that stands in for it, in any format, each at an upstream of its own.

use std::sync::Arc;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, RunningEmulator};
use coderclaw_actors::{Clock as _, SharedClock, SystemClock, TestClock};
use serde_json::{Value, json};

use crate::support::{Format, Heard, RESPONSES, TestGateway, key, merge};

/// The model that stands in.
pub(crate) const SPARE: &str = "spare/spare-model";

/// The gateway stops first.
pub(crate) struct Pair {
    pub(crate) gateway: TestGateway,
    pub(crate) primary: RunningEmulator,
    pub(crate) spare: RunningEmulator,
    pub(crate) format: Format,
}

/// The config whose default is the model that `format`'s requests name, and [`SPARE`] at `spare` stands in for it.
pub(crate) fn config(format: Format, spare: &str, more: Value) -> Value {
    let (api, root) = match (format.provider, format.path == RESPONSES.path) {
        ("anthropic", _) => ("anthropic-messages", spare.to_owned()),
        ("google", _) => ("google-generative-ai", spare.to_owned()),
        (_, true) => ("openai-responses", format!("{spare}/v1")),
        (_, false) => ("openai-completions", format!("{spare}/v1")),
    };
    let mut whole = json!({
        "models": { "providers": { "spare": { "baseUrl": root, "api": api, "apiKey": key("openai", "spare") } } },
        "agents": { "defaults": { "model": {
            "primary": format!("{}/{}", format.provider, format.model),
            "fallbacks": [SPARE],
        } } },
    });
    merge(&mut whole, more);
    whole
}

impl Pair {
    pub(crate) fn new(format: Format, more: Value) -> Self {
        Self::on(format, more, Arc::new(SystemClock::start()))
    }

    /// The same, on a clock that the test steps.
    pub(crate) fn with_clock(format: Format, more: Value) -> (Self, Arc<TestClock>) {
        let clock = TestClock::at(SystemClock::start().now());
        let rig = Self::on(format, more, Arc::clone(&clock) as SharedClock);
        (rig, clock)
    }

    fn on(format: Format, more: Value, clock: SharedClock) -> Self {
        let start = || {
            let config = EmulatorConfig {
                echo_key: true,
                ..EmulatorConfig::default()
            };
            Emulator::start(config).expect("the emulator starts")
        };
        let (primary, spare) = (start(), start());
        let config = config(format, &spare.base_url(), more);
        let secret = key(format.provider, "a");
        let keys = [(format.variable, secret.as_str())];
        let gateway = TestGateway::try_with_clock(&primary.base_url(), &keys, config, clock);
        let gateway = gateway.expect("the gateway starts");
        Self {
            gateway,
            primary,
            spare,
            format,
        }
    }

    /// The same, with a fault at the primary.
    pub(crate) fn faulty(format: Format, fault: Fault, more: Value) -> Self {
        let rig = Self::new(format, more);
        rig.primary.add_fault(fault).expect("the fault makes sense");
        rig
    }

    pub(crate) fn ask(&self, stream: bool) -> Heard {
        let call = if stream {
            self.format.stream()
        } else {
            self.format.call()
        };
        call.send(self.gateway.address)
    }

    /// How many requests came to the primary, and to the spare.
    pub(crate) fn calls(&self) -> (usize, usize) {
        (self.primary.log(100).len(), self.spare.log(100).len())
    }

    /// The primary, as headers name it.
    pub(crate) fn primary_name(&self) -> String {
        format!("{}/{}", self.format.provider, self.format.model)
    }
}
