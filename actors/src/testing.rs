//! What the tests of several modules share: an upstream in memory, providers without a world.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::domain::clock::{TestClock, Timestamp};
use crate::domain::cooldown::CooldownPolicy;
use crate::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, ProfileId, ProviderId, Secret,
};
use crate::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};
use crate::domain::plan::Strategy;
use crate::provider::{ProviderHandle, ProviderSpec};
use crate::upstream::{Attempted, Upstream};

/// The credential `name` of `provider`, under a secret that looks real.
pub(crate) fn profile(provider: &str, name: &str) -> AuthProfile {
    AuthProfile {
        id: ProfileId::new(&format!("{provider}:{name}")),
        kind: CredentialKind::ApiKey,
        secret: Secret::new(format!(
            "sk-proj-Hn4xQe7WmZ1rTb9VuKc3YpJ6sDfL8gAoR2iXtNkB5EvM0yCw-{name}"
        )),
        expires_at: None,
        source: Arc::from("env: OPENAI_API_KEYS"),
        owner: None,
        limits: CredentialLimits::default(),
    }
}

pub(crate) fn spec(provider: &str, names: &[&str]) -> ProviderSpec {
    ProviderSpec {
        id: ProviderId::new(provider),
        members: names
            .iter()
            .map(|name| profile(provider, name))
            .collect::<Vec<_>>()
            .into(),
        strategy: Strategy::Priority,
        cooldowns: CooldownPolicy::default(),
    }
}

pub(crate) fn clock() -> Arc<TestClock> {
    TestClock::at(Timestamp::from_unix_ms(1_770_000_000_000))
}

/// A provider without an actor.
pub(crate) fn provider(id: &str, names: &[&str]) -> ProviderHandle {
    ProviderHandle::new(spec(id, names), clock(), None)
}

/// An upstream in memory. It serves with `ok:<name>`, unless that name is to fail with a text, from which it tells
/// the class itself.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    failures: Arc<HashMap<String, String>>,
    calls: Arc<Mutex<Vec<String>>>,
    /// An attempt passes once there is a permit.
    gate: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::failing(&[])
    }
}

impl Memory {
    pub(crate) fn failing(failures: &[(&str, &str)]) -> Self {
        Self {
            failures: Arc::new(
                failures
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                    .collect(),
            ),
            calls: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    /// Answers nobody until it is opened.
    pub(crate) fn hanging() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            ..Self::default()
        }
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// The names that attempts were made with, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().clone()
    }
}

impl Upstream for Memory {
    type Request = ();
    type Answer = String;

    async fn attempt(&self, (): &(), profile: &AuthProfile) -> Attempted<String> {
        let name = profile.id.as_str().split(':').next_back().unwrap_or_default();
        self.calls.lock().push(name.to_owned());
        let permit = self.gate.acquire().await;
        drop(permit);
        match self.failures.get(name) {
            None => Attempted::Committed(format!("ok:{name}")),
            Some(text) => Attempted::Rejected {
                verdict: verdict(text),
                answer: text.clone(),
            },
        }
    }
}

fn verdict(text: &str) -> Verdict {
    let class = match text.get(..3) {
        Some("429") => ErrorClass::RateLimit,
        Some("401") => ErrorClass::AuthDead,
        Some("500") => ErrorClass::TransientServer,
        _ => panic!("the upstream panics as it was told: {text}"),
    };
    Verdict {
        class,
        scope: Scope::per_model(ScopeOwner::Key),
        cooldown: Cooldown::ClassDefault,
        hint: None,
    }
}

/// Runs a test where actors can live, and ends it if it hangs.
pub(crate) fn in_system<T>(test: impl Future<Output = T>) -> T {
    const HANGS_AFTER: Duration = Duration::from_mins(1);
    actix_rt::System::new()
        .block_on(async { tokio::time::timeout(HANGS_AFTER, test).await })
        .expect("the test came to its end in time")
}
