//! A gateway on a thread of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use coderclaw::config::Settings;
use coderclaw::gateway::logins::KeptLogins;
use coderclaw::gateway::server::{self, Gateway, StartError};
use coderclaw::gateway::worker::Shared;
use coderclaw_actors::{CredentialSnapshot, SavedState, SharedClock, SystemClock};
use serde_json::{Value, json};

/// A running gateway. Dropping it stops it.
pub(crate) struct TestGateway {
    pub(crate) address: SocketAddr,
    pub(crate) shared: Arc<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    _state: tempfile::TempDir,
}

impl TestGateway {
    /// A gateway whose providers openai, anthropic, google (and groq, mistral, ...) are all at `upstream`, with
    /// `env` as its whole environment.
    pub(crate) fn start(upstream: &str, env: &[(&str, &str)]) -> Self {
        Self::with_config(upstream, env, json!({}))
    }

    /// The same, with `config` merged over what points it at `upstream`.
    pub(crate) fn with_config(upstream: &str, env: &[(&str, &str)], config: Value) -> Self {
        Self::try_with_config(upstream, env, config).expect("the gateway starts")
    }

    pub(crate) fn try_with_config(
        upstream: &str,
        env: &[(&str, &str)],
        config: Value,
    ) -> Result<Self, StartError> {
        Self::try_with_clock(upstream, env, config, Arc::new(SystemClock::start()))
    }

    /// The same, on a clock that the test may step.
    pub(crate) fn try_with_clock(
        upstream: &str,
        env: &[(&str, &str)],
        config: Value,
        clock: SharedClock,
    ) -> Result<Self, StartError> {
        let mut whole = json!({
            "models": { "providers": {
                "openai": { "baseUrl": format!("{upstream}/v1") },
                "anthropic": { "baseUrl": upstream },
                "google": { "baseUrl": upstream },
            } },
            "gateway": { "workers": 2, "bind": "127.0.0.1" },
        });
        merge(&mut whole, config);
        let state = tempfile::tempdir().expect("a state folder");
        let path = state.path().join("coderclaw.json");
        std::fs::write(&path, whole.to_string()).expect("the config is written");
        let mut environment: BTreeMap<String, String> = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        environment.insert(
            "CODERCLAW_STATE_DIR".to_owned(),
            state.path().display().to_string(),
        );
        let mut settings = Settings::load(&environment).expect("the settings are right");
        settings.gateway.port = Some(settings.gateway.port.unwrap_or(0));
        Self::run(settings, state, clock)
    }

    fn run(settings: Settings, state: tempfile::TempDir, clock: SharedClock) -> Result<Self, StartError> {
        let logins = KeptLogins::of(&settings, SharedClock::clone(&clock)).expect("a client");
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let Gateway {
                    server,
                    shared,
                    addresses,
                    ..
                } = match server::start(settings, &SavedState::default(), logins, clock) {
                    Ok(gateway) => gateway,
                    Err(error) => return sender.send(Err(error)).expect("the test waits"),
                };
                let control = Arc::clone(&shared);
                sender
                    .send(Ok((addresses[0], shared, server.handle())))
                    .expect("the test waits");
                server.await.expect("the server ends well");
                control.control.shutdown().await;
            });
        });
        let (address, shared, handle) = receiver.recv().expect("the gateway's thread lives")?;
        Ok(Self {
            address,
            shared,
            handle,
            thread: Some(thread),
            _state: state,
        })
    }

    /// The credentials of a provider as the control plane has them.
    pub(crate) fn credentials(&self, provider: &str) -> Vec<CredentialSnapshot> {
        let provider = self.shared.control.provider(provider).expect("a provider");
        provider.snapshot().credentials
    }

    /// One of them, by its profile id.
    pub(crate) fn credential(&self, provider: &str, profile: &str) -> CredentialSnapshot {
        let credentials = self.credentials(provider);
        let mut found = credentials
            .iter()
            .filter(|credential| credential.profile.as_str() == profile);
        found
            .next()
            .unwrap_or_else(|| panic!("no {profile} among {credentials:?}"))
            .clone()
    }

    /// Attempts under way of `provider`: leases that are not settled.
    pub(crate) fn leases(&self, provider: &str) -> usize {
        self.shared
            .control
            .provider(provider)
            .expect("it is configured")
            .in_flight()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        // The stop is sent when it is asked for; awaiting it would only wait for the end, and join does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            if !std::thread::panicking() {
                joined.expect("the gateway's thread ends well");
            }
        }
    }
}

pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
