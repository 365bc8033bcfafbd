//! OAuth logins while the gateway runs: renewed ahead of their end, and for a request that finds its token over.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use coderclaw_actors::domain::credential::{AuthProfile, Fingerprint, ProfileId, ProviderId};
use coderclaw_actors::{Renewal, Renewed, SharedClock, Timestamp};
use futures_util::{StreamExt as _, stream};

use super::worker::Shared;
use crate::config::{OauthProvider, Settings};
use crate::credentials::oauth::{FOLDER, Keeper, RenewError, Standing, refresh_at};
use crate::credentials::store::AgentLogins;
use crate::upstream::token_endpoint::TokenEndpoint;

/// No login is renewed ahead sooner than this after the last look, however short its tokens live.
const AHEAD_SHORTEST: Duration = Duration::from_secs(1);
/// So many logins are renewed ahead at the same time.
const AT_ONCE_MAX: usize = 8;
/// How long a login is left alone that could not be renewed for a reason of our own, such as a full disk.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Renews logins for requests.
#[derive(Clone, Debug)]
pub struct KeptLogins(Arc<Keeper>);

impl KeptLogins {
    /// Keeps the logins of the default agent of `settings`.
    ///
    /// # Errors
    /// If there can't be an HTTP client.
    pub fn of(settings: &Settings, clock: SharedClock) -> io::Result<Self> {
        let store = AgentLogins::of(&settings.state_dir, &settings.default_agent);
        let folder = settings.state_dir.join(FOLDER);
        let endpoint = TokenEndpoint::new()?;
        let keeper = Keeper::new(Arc::new(store), providers(settings), folder, endpoint, clock);
        Ok(Self(Arc::new(keeper)))
    }

    /// Follows a reload.
    pub fn follow(&self, settings: &Settings) {
        self.0.set_providers(providers(settings));
    }

    /// Gives the store what a crash kept from it; says whether there was anything, or a login that has ended.
    pub async fn recover(&self, settings: &Settings) -> bool {
        let mut found = false;
        for id in &settings.renewable {
            match self.0.recover(id).await {
                Ok(Standing::Good) => {}
                Ok(Standing::Waiting { .. } | Standing::NeedsLogin(_)) => found = true,
                Err(error) => {
                    tracing::warn!(target: "coderclaw", profile = %id, error = %error, "the login can't be looked after");
                }
            }
        }
        found
    }

    /// Renews every login ahead of its end, until it is dropped.
    pub async fn keep_ahead(self, shared: &Shared) -> Infallible {
        let mut plan = Plan::default();
        loop {
            let now = shared.clock.now();
            plan.follow(&shared.live().settings, now);
            let due = plan.due(now);
            if due.is_empty() {
                let wait = plan.next().map_or(Duration::MAX, |at| at.since(now));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shared.reloads.applied() => {}
                }
                continue;
            }
            let renewals = due.into_iter().map(|login| async {
                let outcome = self.0.renew(&login.id, &login.access).await;
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
        self.0.rest().await;
    }
}

impl Renewal for KeptLogins {
    async fn renew(&self, profile: &AuthProfile) -> Renewed {
        let renewed = self.0.renew(&profile.id, &profile.secret.fingerprint()).await;
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

fn providers(settings: &Settings) -> BTreeMap<ProviderId, OauthProvider> {
    let providers = settings.providers.iter();
    providers
        .filter_map(|provider| Some((provider.id.clone(), provider.oauth.clone()?)))
        .collect()
}

/// A login and the access token that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Login {
    id: ProfileId,
    access: Fingerprint,
}

/// When each login is renewed ahead.
#[derive(Debug, Default)]
struct Plan(HashMap<ProfileId, (Login, Option<Timestamp>)>);

impl Plan {
    /// Plans for logins that are new or have another token, and forgets those that are gone.
    fn follow(&mut self, settings: &Settings, now: Timestamp) {
        let members = settings.pools.iter().flat_map(|pool| &pool.members);
        let mut next = HashMap::new();
        for member in members.filter(|member| settings.renewable.contains(&member.id)) {
            let login = Login {
                id: member.id.clone(),
                access: member.secret.fingerprint(),
            };
            let planned = self.0.remove(&member.id).filter(|(known, _)| *known == login);
            let planned = planned.unwrap_or_else(|| (login, member.expires_at.map(|end| ahead(end, now))));
            next.insert(member.id.clone(), planned);
        }
        self.0 = next;
    }

    fn due(&self, now: Timestamp) -> Vec<Login> {
        let due = self.0.values().filter(|(_, at)| at.is_some_and(|at| at <= now));
        due.map(|(login, _)| login.clone()).collect()
    }

    fn next(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|(_, at)| *at).min()
    }

    /// Plans on after a try, and tells of one that failed.
    fn settle(
        &mut self,
        login: &Login,
        outcome: Result<crate::credentials::oauth::Renewed, RenewError>,
        now: Timestamp,
    ) {
        let Some((_, at)) = self.0.get_mut(&login.id) else {
            return;
        };
        *at = match outcome {
            // The reload that follows brings the new token, and its end.
            Ok(_) => None,
            Err(RenewError::NeedsLogin(rejection)) => {
                tracing::error!(target: "coderclaw", profile = %login.id, code = rejection.code, "the login has ended: log in again");
                None
            }
            Err(error) => {
                tracing::warn!(target: "coderclaw", profile = %login.id, error = %error, "the login was not renewed ahead");
                match error {
                    RenewError::Trouble { retry_at_ms, .. } | RenewError::NotYet { retry_at_ms, .. } => {
                        Some(Timestamp::from_unix_ms(retry_at_ms).max(now.after(AHEAD_SHORTEST)))
                    }
                    RenewError::NotRefreshable(_) | RenewError::NotConfigured(_) => None,
                    _ => Some(now.after(AGAIN_AFTER)),
                }
            }
        };
    }
}

fn ahead(end: Timestamp, now: Timestamp) -> Timestamp {
    let at = refresh_at(now.as_unix_ms(), end.as_unix_ms(), fastrand::u64(..));
    Timestamp::from_unix_ms(at).max(now.after(AHEAD_SHORTEST))
}
