//! What the stores of an agent give the pools: profiles with their secrets and their order, and what is noted of their
//! use.

mod usable;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{AuthProfile, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{SavedCredential, SavedPool, SavedStanding, SavedState, StateName};

use super::oauth::{self, rejection};
use super::order::ranked;
use super::pool::Order;
use super::reference::{Resolver, SecretRef};
use super::store::{
    AgentProfiles, MAIN_AGENT, StoreError, StoreFile, StoredCredential, StoredProfile, Usage, stored_oauth,
};
use crate::config::load::expand_home;
use crate::config::{OauthProvider, Warning};
use crate::gateway::memory::Memory;
use crate::nearest::did_you_mean;

pub use usable::{Excluded, Exclusion, STORE_SOURCE};
use usable::{reference, referred, usable};

/// The profiles of each provider: those that can be used, in the order of use, and those that can't.
#[derive(Clone, Debug, Default)]
pub struct StoredMembers(BTreeMap<ProviderId, (Vec<AuthProfile>, Vec<Excluded>)>);

impl StoredMembers {
    /// Those of one provider.
    #[must_use]
    pub fn of(&self, provider: &ProviderId) -> (Vec<AuthProfile>, Vec<Excluded>) {
        self.0.get(provider).cloned().unwrap_or_default()
    }
}

/// The stored credentials of one agent.
#[derive(Debug, Default)]
pub struct StoredCredentials {
    agent: String,
    profiles: AgentProfiles,
    by_provider: BTreeMap<ProviderId, Vec<StoredProfile>>,
    /// When each was last used, in Unix milliseconds, as the last gateway remembered it.
    used: HashMap<ProfileId, u64>,
    /// The agent's own store, and that of `main`.
    stores: [PathBuf; 2],
    /// Where it is written down how logins were renewed.
    journals: PathBuf,
    warnings: Vec<Warning>,
}

impl StoredCredentials {
    /// Reads the stores of `agent`, and what the last gateway remembered of their use.
    ///
    /// # Errors
    /// If a store is there and can't be read or understood.
    pub fn read(state_dir: &Path, agent: &str) -> Result<Self, StoreError> {
        let profiles = AgentProfiles::read(state_dir, agent)?;
        let mut by_provider: BTreeMap<ProviderId, Vec<StoredProfile>> = BTreeMap::new();
        for profile in profiles.profiles() {
            by_provider
                .entry(profile.provider.clone())
                .or_default()
                .push(profile);
        }
        // A memory that can't be read is told of by whoever starts from it.
        let saved = Memory::of(state_dir).read().unwrap_or_default();
        let credentials = saved.0.into_values().flat_map(|pool| pool.0);
        let stores = [agent, MAIN_AGENT].map(|agent| StoreFile::of_agent(state_dir, agent));
        let exposed = stores.iter().filter_map(|store| {
            let place = store.path().display().to_string();
            store.exposure().map(|what| Warning::about(place, what))
        });
        let mut warnings: Vec<Warning> = exposed.collect();
        warnings.dedup();
        Ok(Self {
            agent: agent.to_owned(),
            profiles,
            by_provider,
            used: credentials
                .filter_map(|credential| Some((credential.profile, credential.last_used_ms?)))
                .collect(),
            warnings,
            stores: stores.map(|store| store.path().to_owned()),
            journals: state_dir.join(oauth::FOLDER),
        })
    }

    /// Finds the secrets of all profiles, and the logins that are over; `oauth_of` has what the config says of a
    /// provider's.
    #[must_use]
    pub fn members<'c>(
        &self,
        resolver: &Resolver,
        oauth_of: impl Fn(&ProviderId) -> Option<&'c OauthProvider>,
    ) -> StoredMembers {
        let mut found = referred(self.by_provider.values().flatten(), resolver);
        let mut pools = BTreeMap::new();
        for (provider, profiles) in &self.by_provider {
            let (mut members, mut excluded) = (Vec::new(), Vec::new());
            for profile in profiles {
                let usable = usable(profile, found.remove(&profile.id));
                match usable.and_then(|member| self.logged_in(profile, oauth_of(provider)).map(|()| member)) {
                    Ok(member) => members.push(member),
                    Err(one) => excluded.push(one),
                }
            }
            let members = ranked(members, None, |id| self.last_used(id));
            pools.insert(provider.clone(), (members, excluded));
        }
        StoredMembers(pools)
    }

    /// That nothing was written down against a login.
    fn logged_in(&self, profile: &StoredProfile, provider: Option<&OauthProvider>) -> Result<(), Excluded> {
        let StoredCredential::Oauth(login) = &profile.credential else {
            return Ok(());
        };
        let [own, main] = &self.stores;
        let path = if self.profiles.owns(&profile.id) {
            own
        } else {
            main
        };
        let stored = stored_oauth(profile, login.clone(), path);
        match rejection(&self.journals, &profile.id, &stored, provider) {
            None => Ok(()),
            Some(refusal) => Err(Excluded {
                id: profile.id.clone(),
                kind: profile.credential.kind(),
                fingerprint: Some(stored.access.fingerprint()),
                source: Arc::from(STORE_SOURCE),
                why: Exclusion::LoginEnded(refusal.code),
            }),
        }
    }

    /// The variables that the profiles' references name.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let names = self.references().filter_map(|reference| match reference {
            SecretRef::Env { name, .. } => Some(name),
            _ => None,
        });
        names.collect()
    }

    fn references(&self) -> impl Iterator<Item = SecretRef> {
        let profiles = self.by_provider.values().flatten();
        profiles.filter_map(|profile| reference(profile)?.ok())
    }

    /// The explicit order of a provider's credentials, where a store has one.
    #[must_use]
    pub fn order(&self, provider: &ProviderId) -> Option<Order> {
        Some(Order {
            ids: self.profiles.order(provider)?,
            place: format!("order of {provider} of agent {}", self.agent),
        })
    }

    /// When a profile was last used, in Unix milliseconds.
    fn last_used(&self, id: &ProfileId) -> Option<u64> {
        let remembered = self.used.get(id).copied();
        remembered.or_else(|| self.profiles.usage(id).last_used_ms)
    }

    /// The profiles that renew themselves.
    #[must_use]
    pub fn renewable(&self) -> BTreeSet<ProfileId> {
        let renews = |profile: &&StoredProfile| match &profile.credential {
            StoredCredential::Oauth(login) => login.refresh.is_some(),
            _ => false,
        };
        let profiles = self.by_provider.values().flatten().filter(renews);
        profiles.map(|profile| profile.id.clone()).collect()
    }

    /// What the older tools noted of profiles that rest.
    #[must_use]
    pub fn remembered(&self, members: &StoredMembers) -> SavedState {
        let pools = members.0.iter().filter_map(|(provider, (members, _))| {
            let rests = members.iter().filter_map(|member| {
                let standing = standing(&self.profiles.usage(&member.id))?;
                Some(SavedCredential::resting(member, standing))
            });
            let pool = SavedPool(rests.collect());
            (!pool.0.is_empty()).then(|| (provider.clone(), pool))
        });
        SavedState(pools.collect())
    }

    /// The stores, whether they are there or not, and the files that their profiles refer to, `~/` being `home`.
    #[must_use]
    pub fn files(&self, home: Option<&str>) -> Vec<PathBuf> {
        let referred = self.references().filter_map(|reference| match reference {
            SecretRef::File { path, .. } => Some(expand_home(&path, home.map(Path::new))),
            _ => None,
        });
        let files: BTreeSet<PathBuf> = self.stores.iter().cloned().chain(referred).collect();
        files.into_iter().collect()
    }

    /// What people should know: stores that others may read, profiles of providers that are not `configured`.
    pub fn warnings(&self, configured: &[&ProviderId]) -> Vec<Warning> {
        let mut warnings = self.warnings.clone();
        for (provider, profiles) in &self.by_provider {
            if configured.contains(&provider) {
                continue;
            }
            let hint = did_you_mean(provider.as_str(), configured.iter().map(|id| id.as_str()));
            warnings.extend(profiles.iter().map(|profile| {
                let message = format!(
                    "its provider `{provider}` is not known{hint}; set `models.providers.{provider}.baseUrl` to use it"
                );
                Warning::about(format!("profile {}", profile.id), message)
            }));
        }
        warnings
    }
}

/// The rest that the older tools noted: a short one after throttling, a long one for want of money.
fn standing(usage: &Usage) -> Option<SavedStanding> {
    let cooling = usage
        .cooldown_until_ms
        .map(|until| (until, StateName::Cooling, ErrorClass::RateLimit));
    let exhausted = usage
        .disabled_until_ms
        .map(|until| (until, StateName::Exhausted, ErrorClass::QuotaHard));
    let (until, state, class) = cooling
        .into_iter()
        .chain(exhausted)
        .max_by_key(|(until, ..)| *until)?;
    Some(SavedStanding::until(state, until, class))
}
