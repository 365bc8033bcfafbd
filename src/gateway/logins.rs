//! OAuth logins while the gateway runs: renewed ahead of their end, and for a request that finds its token over.

mod plan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{AgentId, AuthProfile, CredentialKind, ProviderId};
use coderclaw_actors::{Renewal, Renewed, SharedClock, Timestamp};
use futures_util::stream::{self, StreamExt as _};
use parking_lot::Mutex;

use super::worker::Shared;
use crate::config::{OauthProvider, Settings};
use crate::credentials::oauth::{FOLDER, Keeper, RenewError, Standing};
use crate::credentials::store::{AgentLogins, MAIN_AGENT};
use crate::credentials::stored::LoginId;
use crate::upstream::token_endpoint::TokenEndpoint;
use plan::Plan;

/// So many logins are looked after at once: after a night's sleep all may be due.
const AT_ONCE_MAX: usize = 8;

/// Timers stand still while the machine sleeps, tokens do not: so often is looked which of them are about to end.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Renews logins for requests.
#[derive(Clone, Debug)]
pub struct KeptLogins {
    keepers: Arc<Keepers>,
}

/// A keeper for the own store of each agent that has logins there. One that was needed once stays: a refresh may be
/// under way that must not be broken off.
#[derive(Debug)]
struct Keepers {
    state_dir: PathBuf,
    endpoint: TokenEndpoint,
    clock: SharedClock,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    providers: BTreeMap<ProviderId, OauthProvider>,
    /// By the agent; that of the store which every agent reads is under none.
    keepers: BTreeMap<Option<AgentId>, Arc<Keeper>>,
}

impl Keepers {
    /// The keeper of the store of `owner`.
    fn of(&self, owner: Option<&AgentId>) -> Arc<Keeper> {
        let mut kept = self.kept.lock();
        let Kept { providers, keepers } = &mut *kept;
        let new = || {
            let agent = owner.map_or(MAIN_AGENT, AgentId::as_str);
            Arc::new(Keeper::new(
                Arc::new(AgentLogins::of(&self.state_dir, agent)),
                providers.clone(),
                self.state_dir.join(FOLDER),
                self.endpoint.clone(),
                SharedClock::clone(&self.clock),
            ))
        };
        Arc::clone(keepers.entry(owner.cloned()).or_insert_with(new))
    }

    fn all(&self) -> Vec<Arc<Keeper>> {
        self.kept.lock().keepers.values().cloned().collect()
    }
}

impl KeptLogins {
    /// Keeps the logins of all agents of `settings`.
    ///
    /// # Errors
    /// If there can't be an HTTP client.
    pub fn of(settings: &Settings, clock: SharedClock) -> io::Result<Self> {
        let kept = Kept {
            providers: providers(settings),
            keepers: BTreeMap::new(),
        };
        let keepers = Keepers {
            state_dir: settings.state_dir.clone(),
            endpoint: TokenEndpoint::new()?,
            clock,
            kept: Mutex::new(kept),
        };
        Ok(Self {
            keepers: Arc::new(keepers),
        })
    }

    /// Follows a reload.
    pub fn follow(&self, settings: &Settings) {
        let providers = providers(settings);
        let mut kept = self.keepers.kept.lock();
        for keeper in kept.keepers.values() {
            keeper.set_providers(providers.clone());
        }
        kept.providers = providers;
    }

    /// Gives the store what a crash kept from it; says whether there was anything, or a login that has ended.
    pub async fn recover(&self, settings: &Settings) -> bool {
        let standings = settings.renewable.iter().map(|LoginId { owner, profile }| async move {
            let standing = self.keepers.of(owner.as_ref()).recover(profile).await;
            if let Err(error) = &standing {
                tracing::warn!(target: "coderclaw", %profile, error = %error, "the login can't be looked after");
            }
            matches!(standing, Ok(Standing::Waiting { .. } | Standing::NeedsLogin(_)))
        });
        let standings = stream::iter(standings).buffer_unordered(AT_ONCE_MAX);
        standings.fold(false, async |any, one| any | one).await
    }

    /// Renews every login ahead of its end, until it is dropped.
    pub async fn keep_ahead(self, shared: &Shared) -> Infallible {
        let mut plan = Plan::default();
        loop {
            let now = shared.clock.now();
            plan.follow(logins(&shared.live().settings), now);
            let due = plan.due(now);
            if due.is_empty() {
                let wait = plan.next().map_or(LOOK_AGAIN_AFTER, |at| at.since(now));
                tokio::select! {
                    () = tokio::time::sleep(wait.min(LOOK_AGAIN_AFTER)) => {}
                    () = shared.reloads.applied() => {}
                }
                continue;
            }
            let renewals = due.into_iter().map(|login| async {
                let keeper = self.keepers.of(login.owner.as_ref());
                let outcome = keeper.renew(&login.profile, &login.access).await;
                (login, outcome)
            });
            let mut renewals = stream::iter(renewals).buffer_unordered(AT_ONCE_MAX);
            while let Some((login, outcome)) = renewals.next().await {
                plan.settle(&login, outcome, shared.clock.now());
            }
            // What the store holds now is in force at once, not when the file is seen to have changed.
            let _reloaded = shared.reloads.ask().await;
        }
    }

    /// Waits until no refresh is under way.
    pub async fn rest(&self) {
        for keeper in self.keepers.all() {
            keeper.rest().await;
        }
    }
}

impl Renewal for KeptLogins {
    async fn renew(&self, profile: &AuthProfile) -> Renewed {
        let keeper = self.keepers.of(profile.owner.as_ref());
        let renewed = keeper.renew(&profile.id, &profile.secret.fingerprint()).await;
        match renewed {
            Ok(renewed) => Renewed::Fresh(AuthProfile {
                secret: renewed.access,
                expires_at: Some(Timestamp::from_unix_ms(renewed.expires_at_ms)),
                ..profile.clone()
            }),
            Err(error @ (RenewError::NeedsLogin(_) | RenewError::NotRefreshable(_))) => {
                Renewed::LoginNeeded(Cow::Owned(error.to_string()))
            }
            Err(error) => Renewed::NotNow(Cow::Owned(error.to_string())),
        }
    }
}

/// The logins that serve and renew themselves.
fn logins(settings: &Settings) -> impl Iterator<Item = &AuthProfile> {
    let members = settings.members().map(|(_, member)| member);
    let logins = members.filter(|member| member.kind == CredentialKind::Oauth);
    logins.filter(|member| settings.renews(member.owner.as_ref(), &member.id))
}

fn providers(settings: &Settings) -> BTreeMap<ProviderId, OauthProvider> {
    let providers = settings.providers.iter();
    providers
        .filter_map(|provider| Some((provider.id.clone(), provider.oauth.clone()?)))
        .collect()
}
