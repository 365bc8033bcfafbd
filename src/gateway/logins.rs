//! OAuth logins while the gateway runs: renewed ahead of their end, and for a request that finds its token over.

mod plan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{AuthProfile, ProviderId};
use coderclaw_actors::{Renewal, Renewed, SharedClock, Timestamp};
use futures_util::stream::{self, StreamExt as _};

use super::worker::Shared;
use crate::config::{OauthProvider, Settings};
use crate::credentials::oauth::{FOLDER, Keeper, OauthStore, RenewError, Standing};
use crate::credentials::store::AgentLogins;
use crate::upstream::token_endpoint::TokenEndpoint;
use plan::Plan;

/// So many logins are looked after at once: after a night's sleep all may be due.
const AT_ONCE_MAX: usize = 8;

/// Timers stand still while the machine sleeps, tokens do not: so often is looked which of them are about to end.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Renews logins for requests.
#[derive(Clone, Debug)]
pub struct KeptLogins {
    keeper: Arc<Keeper>,
    store: Arc<AgentLogins>,
}

impl KeptLogins {
    /// Keeps the logins of the default agent of `settings`.
    ///
    /// # Errors
    /// If there can't be an HTTP client.
    pub fn of(settings: &Settings, clock: SharedClock) -> io::Result<Self> {
        let store = Arc::new(AgentLogins::of(&settings.state_dir, &settings.default_agent));
        let folder = settings.state_dir.join(FOLDER);
        let endpoint = TokenEndpoint::new()?;
        let of_keeper: Arc<dyn OauthStore> = Arc::<AgentLogins>::clone(&store);
        let keeper = Arc::new(Keeper::new(
            of_keeper,
            providers(settings),
            folder,
            endpoint,
            clock,
        ));
        Ok(Self { keeper, store })
    }

    /// Follows a reload.
    pub fn follow(&self, settings: &Settings) {
        self.store.follow(&settings.state_dir, &settings.default_agent);
        self.keeper.set_providers(providers(settings));
    }

    /// Gives the store what a crash kept from it; says whether there was anything, or a login that has ended.
    pub async fn recover(&self, settings: &Settings) -> bool {
        let standings = settings.renewable.iter().map(|id| async move {
            let standing = self.keeper.recover(id).await;
            if let Err(error) = &standing {
                tracing::warn!(target: "coderclaw", profile = %id, error = %error, "the login can't be looked after");
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
                let outcome = self.keeper.renew(&login.id, &login.access).await;
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
        self.keeper.rest().await;
    }
}

impl Renewal for KeptLogins {
    async fn renew(&self, profile: &AuthProfile) -> Renewed {
        let renewed = self
            .keeper
            .renew(&profile.id, &profile.secret.fingerprint())
            .await;
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
    let members = settings.pools.iter().flat_map(|pool| &pool.members);
    members.filter(|member| settings.renewable.contains(&member.id))
}

fn providers(settings: &Settings) -> BTreeMap<ProviderId, OauthProvider> {
    let providers = settings.providers.iter();
    providers
        .filter_map(|provider| Some((provider.id.clone(), provider.oauth.clone()?)))
        .collect()
}
