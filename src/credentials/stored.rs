//! What the stores of the agents give the pools: profiles with their secrets and their order, and what is noted of
//! their use.

mod agent_store;
mod usable;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{AgentId, AuthProfile, Fingerprint, ProfileId, ProviderId};
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{SavedCredential, SavedPool, SavedStanding, SavedState, StateName};

use super::oauth::{self, rejection};
use super::order::ranked;
use super::pool::Order;
use super::reference::{Resolver, SecretRef};
use super::store::{MAIN_AGENT, StoreError, StoredCredential, StoredProfile, Usage, stored_oauth};
use crate::config::load::expand_home;
use crate::config::{OauthProvider, Warning};
use crate::gateway::memory::Memory;
use crate::nearest::did_you_mean;
use agent_store::AgentStore;

pub use usable::{Excluded, Exclusion, STORE_SOURCE};
use usable::{referred, usable};

/// Which login: profiles of two stores may have the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoginId {
    /// The agent whose own store holds it; `None` if that is the store that every agent reads.
    pub owner: Option<AgentId>,
    /// Its id there.
    pub profile: ProfileId,
}

/// A profile as a member of a pool, or why it can't be one.
type Member = Result<AuthProfile, Excluded>;

/// The profiles of each store by provider: those that can be used, and those that can't.
#[derive(Clone, Debug, Default)]
pub struct StoredMembers(Vec<BTreeMap<ProviderId, Vec<Member>>>);

impl StoredMembers {
    fn of(&self, store: usize, provider: &ProviderId) -> &[Member] {
        let members = self.0.get(store).and_then(|store| store.get(provider));
        members.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The stored credentials of the agents.
#[derive(Debug, Default)]
pub struct StoredCredentials {
    /// The store of `main` comes first: every agent reads it.
    stores: Vec<AgentStore>,
    /// When each was last used, in Unix milliseconds, as the last gateway remembered it.
    used: HashMap<(ProfileId, Fingerprint), u64>,
    /// Where it is written down how logins were renewed.
    journals: PathBuf,
}

impl StoredCredentials {
    /// Reads the stores of `agents`, and what the last gateway remembered of their use.
    ///
    /// # Errors
    /// If a store is there and can't be read or understood.
    pub fn read(state_dir: &Path, agents: &[String]) -> Result<Self, StoreError> {
        let others = agents.iter().map(String::as_str);
        let others = others.filter(|agent| *agent != MAIN_AGENT);
        let agents = std::iter::once(MAIN_AGENT).chain(others);
        let stores: Result<Vec<AgentStore>, StoreError> =
            agents.map(|agent| AgentStore::read(state_dir, agent)).collect();
        // A memory that can't be read is told of by whoever starts from it.
        let saved = Memory::of(state_dir).read().unwrap_or_default();
        let credentials = saved.0.into_values().flat_map(|pool| pool.0);
        let used = credentials.filter_map(|credential| {
            let key = (credential.profile, credential.fingerprint);
            Some((key, credential.last_used_ms?))
        });
        Ok(Self {
            stores: stores?,
            used: used.collect(),
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
        let stores = self.stores.iter().enumerate();
        let mut profiles = Vec::new();
        for (place, store) in stores.clone() {
            let keyed = store
                .profiles()
                .map(|profile| ((place, profile.id.clone()), profile));
            profiles.extend(keyed);
        }
        let mut found = referred(profiles.into_iter(), resolver);
        let mut member = |place: usize, store: &AgentStore, profile: &StoredProfile| {
            let found = found.remove(&(place, profile.id.clone()));
            let usable = usable(profile, store.owner(), found)?;
            self.logged_in(store, profile, oauth_of(&profile.provider))?;
            Ok(usable)
        };
        let mut of_store = |(place, store): (usize, &AgentStore)| {
            let pools = store.by_provider.iter().map(|(provider, profiles)| {
                let members = profiles.iter().map(|profile| member(place, store, profile));
                (provider.clone(), members.collect())
            });
            pools.collect()
        };
        StoredMembers(stores.map(&mut of_store).collect())
    }

    /// What an agent has of a provider: its own profiles, and those of `main` whose ids it does not have. Those that can
    /// be used, in the order of use, and those that can't.
    #[must_use]
    pub fn of(
        &self,
        members: &StoredMembers,
        agent: &str,
        provider: &ProviderId,
    ) -> (Vec<AuthProfile>, Vec<Excluded>) {
        let (mut usable, mut excluded) = (Vec::new(), Vec::new());
        let own = self.own(agent);
        for (place, _) in own.into_iter().chain(self.stores.first().map(|main| (0, main))) {
            for member in members.of(place, provider) {
                let id = match member {
                    Ok(member) => &member.id,
                    Err(one) => &one.id,
                };
                if place == 0 && own.is_some_and(|(_, own)| own.content.holds(id.as_str())) {
                    continue;
                }
                match member {
                    Ok(member) => usable.push(member.clone()),
                    Err(one) => excluded.push(one.clone()),
                }
            }
        }
        (ranked(usable, None, |member| self.last_used(member)), excluded)
    }

    /// The agent's own store, where that is not `main`'s, and its place.
    fn own(&self, agent: &str) -> Option<(usize, &AgentStore)> {
        let mut others = self.stores.iter().enumerate().skip(1);
        others.find(|(_, store)| store.agent.as_str() == agent)
    }

    /// Those of `providers` of which an agent has anything of its own, profiles or an order.
    pub fn providers_of_its_own<'p>(
        &self,
        agent: &str,
        providers: impl Iterator<Item = &'p ProviderId>,
    ) -> BTreeSet<ProviderId> {
        let (Some((_, own)), Some(main)) = (self.own(agent), self.stores.first()) else {
            return BTreeSet::new();
        };
        let with_profiles = own.providers(&main.content);
        let has_any = |id: &&ProviderId| with_profiles.contains(*id) || own.content.order(id).is_some();
        providers.filter(has_any).cloned().collect()
    }

    /// That nothing was written down against a login.
    fn logged_in(
        &self,
        store: &AgentStore,
        profile: &StoredProfile,
        provider: Option<&OauthProvider>,
    ) -> Result<(), Excluded> {
        let StoredCredential::Oauth(login) = &profile.credential else {
            return Ok(());
        };
        let stored = stored_oauth(profile, login.clone(), store.file.path());
        match rejection(&self.journals, &profile.id, &stored, provider) {
            None => Ok(()),
            Some(refusal) => Err(Excluded {
                id: profile.id.clone(),
                kind: profile.credential.kind(),
                fingerprint: Some(stored.access.fingerprint()),
                source: Arc::from(STORE_SOURCE),
                owner: store.owner().cloned(),
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
        self.stores.iter().flat_map(AgentStore::references)
    }

    /// The explicit order of an agent's credentials of a provider, where its own store or that of `main` has one.
    #[must_use]
    pub fn order(&self, agent: &str, provider: &ProviderId) -> Option<Order> {
        let own = self.own(agent).map(|(_, own)| own);
        let mut stores = own.into_iter().chain(self.stores.first());
        Some(Order {
            ids: stores.find_map(|store| store.content.order(provider))?,
            place: format!("order of {provider} of agent {agent}"),
        })
    }

    /// When a profile was last used, in Unix milliseconds.
    fn last_used(&self, member: &AuthProfile) -> Option<u64> {
        let key = (member.id.clone(), member.identity().fingerprint());
        self.used.get(&key).copied().or_else(|| {
            let mut stores = self.stores.iter();
            let store = stores.find(|store| store.owner() == member.owner.as_ref())?;
            store.content.usage(&member.id).last_used_ms
        })
    }

    /// The profiles that renew themselves.
    #[must_use]
    pub fn renewable(&self) -> BTreeSet<LoginId> {
        let renews = |profile: &&StoredProfile| match &profile.credential {
            StoredCredential::Oauth(login) => login.refresh.is_some(),
            _ => false,
        };
        let mut logins = BTreeSet::new();
        for store in &self.stores {
            logins.extend(store.profiles().filter(renews).map(|profile| LoginId {
                owner: store.owner().cloned(),
                profile: profile.id.clone(),
            }));
        }
        logins
    }

    /// What the older tools noted of profiles that rest.
    #[must_use]
    pub fn remembered(&self, members: &StoredMembers) -> SavedState {
        let mut saved = SavedState::default();
        for (store, pools) in self.stores.iter().zip(&members.0) {
            for (provider, members) in pools {
                let rests = members.iter().flatten().filter_map(|member| {
                    let standing = standing(&store.content.usage(&member.id))?;
                    Some(SavedCredential::resting(member, standing))
                });
                let rests: Vec<SavedCredential> = rests.collect();
                if !rests.is_empty() {
                    let SavedPool(known) = saved.0.entry(provider.clone()).or_default();
                    known.extend(rests);
                }
            }
        }
        saved
    }

    /// The stores, whether they are there or not, and the files that their profiles refer to, `~/` being `home`.
    #[must_use]
    pub fn files(&self, home: Option<&str>) -> Vec<PathBuf> {
        let referred = self.references().filter_map(|reference| match reference {
            SecretRef::File { path, .. } => Some(expand_home(&path, home.map(Path::new))),
            _ => None,
        });
        let stores = self.stores.iter().map(|store| store.file.path().to_owned());
        let files: BTreeSet<PathBuf> = stores.chain(referred).collect();
        files.into_iter().collect()
    }

    /// What people should know: stores that others may read, profiles of providers that are not `configured`.
    pub fn warnings(&self, configured: &[&ProviderId]) -> Vec<Warning> {
        let stores = self.stores.iter();
        let mut warnings: Vec<Warning> = stores.filter_map(|store| store.warning.clone()).collect();
        let pools = self.stores.iter().flat_map(|store| &store.by_provider);
        for (provider, profiles) in pools {
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
