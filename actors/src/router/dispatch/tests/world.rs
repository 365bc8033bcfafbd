//! A provider and an identity provider in memory.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::*;
use crate::domain::clock::{Clock, TestClock};
use crate::domain::credential::{AuthProfile, CredentialKind, Secret};
use crate::domain::outcome::{Cooldown, Scope, ScopeOwner};
use crate::provider::ProviderSpec;
use crate::renewal::{Renewal, Renewed};
use crate::testing::spec;

pub(super) const HOUR: Duration = Duration::from_hours(1);

/// What the provider says to a token that it does not take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    RunOut,
    Dead,
    Throttled,
}

/// How the identity provider answers for one login.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// The next token, which the provider takes.
    Good,
    /// The next token, which the provider refuses too.
    Bad,
    Same,
    NotNow,
    Over,
    Never,
}

/// A provider and an identity provider in memory; a token says itself how it will be taken.
#[derive(Clone, Default)]
pub(super) struct World {
    words: Arc<HashMap<String, Word>>,
    refusals: Arc<HashMap<String, Refusal>>,
    /// Name and token of every attempt.
    sent: Arc<Mutex<Vec<(String, String)>>>,
    /// The names of every renewal.
    renewed: Arc<Mutex<Vec<String>>>,
}

fn name(profile: &AuthProfile) -> String {
    profile.id.as_str().trim_start_matches("openai:").to_owned()
}

impl World {
    pub(super) fn new(words: &[(&str, Word)], refusals: &[(&str, Refusal)]) -> Self {
        let own = |name: &&str| (*name).to_owned();
        Self {
            words: Arc::new(words.iter().map(|(name, word)| (own(name), *word)).collect()),
            refusals: Arc::new(refusals.iter().map(|(name, said)| (own(name), *said)).collect()),
            ..Self::default()
        }
    }

    /// The names that attempts were made with, and how the token ended: `a:old`.
    pub(super) fn sent(&self) -> Vec<String> {
        let kind = |token: &str| token.rsplit('-').next().unwrap_or_default().to_owned();
        let sent = self.sent.lock();
        sent.iter()
            .map(|(name, token)| format!("{name}:{}", kind(token)))
            .collect()
    }

    pub(super) fn renewed(&self) -> Vec<String> {
        self.renewed.lock().clone()
    }
}

impl Upstream for World {
    type Request = ();
    type Answer = String;

    async fn attempt(&self, (): &(), profile: &AuthProfile) -> Attempted<String> {
        let (name, token) = (name(profile), profile.secret.expose().to_owned());
        let is_good = token.ends_with("-good") || !self.refusals.contains_key(&name);
        self.sent.lock().push((name.clone(), token));
        if is_good {
            return Attempted::Committed(format!("ok:{name}"));
        }
        let (class, text) = match self.refusals[&name] {
            Refusal::RunOut => (ErrorClass::AuthRefresh, "401 expired"),
            Refusal::Dead => (ErrorClass::AuthDead, "401 invalid"),
            Refusal::Throttled => (ErrorClass::RateLimit, "429"),
        };
        Attempted::Rejected {
            verdict: Verdict {
                class,
                scope: Scope::of(ScopeOwner::Key),
                cooldown: Cooldown::ClassDefault,
                hint: None,
            },
            answer: text.to_owned(),
        }
    }
}

impl Renewal for World {
    async fn renew(&self, profile: &AuthProfile) -> Renewed {
        self.renewed.lock().push(name(profile));
        let fresh = |end: &str| {
            Renewed::Fresh(AuthProfile {
                secret: Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.{}-{end}", name(profile))),
                expires_at: profile.expires_at.map(|at| at.after(HOUR + HOUR)),
                ..profile.clone()
            })
        };
        match self.words.get(&name(profile)).copied().unwrap_or(Word::Never) {
            Word::Good => fresh("good"),
            Word::Bad => fresh("bad"),
            Word::Same => Renewed::Fresh(profile.clone()),
            Word::NotNow => Renewed::NotNow("connection refused".into()),
            Word::Over => Renewed::LoginNeeded("invalid_grant".into()),
            Word::Never => Renewed::Never,
        }
    }
}

/// A login whose token ends `left` from now, or an hour ago.
pub(super) fn login(name: &str, clock: &TestClock, left: Option<Duration>) -> AuthProfile {
    let ago = Timestamp::from_unix_ms(clock.now().as_unix_ms() - 3_600_000);
    AuthProfile {
        kind: CredentialKind::Oauth,
        secret: Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.{name}-old")),
        expires_at: Some(left.map_or(ago, |left| clock.now().after(left))),
        ..profile("openai", name)
    }
}

pub(super) fn with(profiles: Vec<AuthProfile>, clock: &Arc<TestClock>) -> ProviderHandle {
    let spec = ProviderSpec {
        members: profiles.into(),
        ..spec("openai", &[])
    };
    ProviderHandle::new(spec, clock.clone(), None)
}

pub(super) async fn go(world: &World, provider: &ProviderHandle) -> Dispatched<String> {
    go_with(world, request(provider)).await
}

pub(super) async fn go_with(world: &World, request: Dispatch<()>) -> Dispatched<String> {
    dispatch(world.clone(), world.clone(), request).await
}

pub(super) fn states(provider: &ProviderHandle) -> Vec<StateName> {
    let credentials = provider.snapshot().credentials;
    credentials.iter().map(|credential| credential.state).collect()
}
