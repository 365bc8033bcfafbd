//! Which credentials make a provider's pool, in which order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use coderclaw_actors::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, ProfileId, ProviderId, Secret,
};

use super::environment::{Discovered, kind_of};
use super::order::ranked;
use super::stored::Excluded;
use crate::config::{ProfileFacts, Warning};
use crate::nearest::did_you_mean;

/// Everything that a pool is made from.
#[derive(Debug)]
pub struct PoolSources<'a> {
    /// Whose pool it is.
    pub provider: &'a ProviderId,
    /// Stored profiles, in the order of use.
    pub stored: Vec<AuthProfile>,
    /// Stored profiles that can't be used.
    pub excluded: Vec<Excluded>,
    /// What the environment holds.
    pub environment: Discovered,
    /// `models.providers.<id>.apiKey`.
    pub config_key: Option<Secret>,
    /// The explicit order: exactly the members, if there is one.
    pub order: Option<Order>,
    /// What the config allows each credential.
    pub limits: CredentialLimits,
    /// What the config knows about single profiles.
    pub facts: &'a BTreeMap<ProfileId, ProfileFacts>,
}

/// An explicit order, which names exactly the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The members.
    pub ids: Vec<ProfileId>,
    /// Where it stands, for warnings: `auth.order.openai`.
    pub place: String,
}

/// A provider's credentials, each secret once, in the order of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Whose they are.
    pub provider: ProviderId,
    /// The credentials.
    pub members: Vec<AuthProfile>,
    /// Stored profiles that would be members if they could be used.
    pub excluded: Vec<Excluded>,
    /// The files of keys that the environment names.
    pub files: Vec<PathBuf>,
    /// Whether an explicit order names the members.
    pub is_ordered: bool,
    /// What could not be read, used or found.
    pub warnings: Vec<Warning>,
}

impl Pool {
    /// Orders the members as they stand in `earlier`, if they are the same.
    pub(crate) fn keep_rank(&mut self, earlier: &Self) {
        let ranks: HashMap<&ProfileId, usize> = earlier
            .members
            .iter()
            .enumerate()
            .map(|(rank, member)| (&member.id, rank))
            .collect();
        let same = self.members.len() == earlier.members.len()
            && self.members.iter().all(|member| ranks.contains_key(&member.id));
        if same {
            self.members.sort_by_key(|member| ranks.get(&member.id).copied());
        }
    }
}

/// Makes a pool.
#[must_use]
pub fn build(sources: PoolSources<'_>) -> Pool {
    let mut warnings = sources.environment.warnings;
    let mut excluded = sources.excluded;
    let is_ordered = sources.order.is_some();
    let mut members = if sources.environment.live {
        excluded.clear();
        sources.environment.profiles
    } else {
        let mut candidates = sources.stored;
        candidates.extend(sources.environment.profiles);
        candidates.extend(
            sources
                .config_key
                .map(|secret| config_profile(sources.provider, secret)),
        );
        match sources.order {
            Some(order) => {
                let wanted: HashSet<&ProfileId> = order.ids.iter().collect();
                excluded.retain(|one| wanted.contains(&one.id));
                ordered(&order, candidates, &excluded, &mut warnings)
            }
            None => candidates,
        }
    };
    let mut wanted = first_of_each(&members).into_iter();
    members.retain(|_| wanted.next().unwrap_or(false));
    for member in &mut members {
        let facts = sources.facts.get(&member.id);
        member.kind = facts.and_then(|facts| facts.kind).unwrap_or(member.kind);
        let own = facts.map(|facts| facts.limits).unwrap_or_default();
        member.limits = CredentialLimits {
            rpm: own.rpm.or(member.limits.rpm).or(sources.limits.rpm),
            concurrency: own
                .concurrency
                .or(member.limits.concurrency)
                .or(sources.limits.concurrency),
        };
    }
    Pool {
        provider: sources.provider.clone(),
        members,
        excluded,
        files: sources.environment.files,
        is_ordered,
        warnings,
    }
}

/// Which members have a secret that none before them has; blank ones have none, but a login may be about to get one.
fn first_of_each(members: &[AuthProfile]) -> Vec<bool> {
    let mut seen = HashSet::with_capacity(members.len());
    members
        .iter()
        .map(|member| match member.secret.expose().trim() {
            "" => member.kind == CredentialKind::Oauth,
            _ => seen.insert(&member.secret),
        })
        .collect()
}

/// The id of the credential that the config holds.
pub(crate) fn config_id(provider: &ProviderId) -> ProfileId {
    ProfileId::new(&format!("{provider}:config"))
}

fn config_profile(provider: &ProviderId, secret: Secret) -> AuthProfile {
    AuthProfile {
        id: config_id(provider),
        kind: kind_of(provider.as_str(), "apiKey", secret.expose()),
        secret,
        expires_at: None,
        source: Arc::from(format!("config: models.providers.{provider}.apiKey")),
        owner: None,
        limits: CredentialLimits::default(),
    }
}

/// The candidates that the order names, in its order. Duplicates are told apart later: the order may name a key by
/// the second of its ids.
fn ordered(
    order: &Order,
    candidates: Vec<AuthProfile>,
    excluded: &[Excluded],
    warnings: &mut Vec<Warning>,
) -> Vec<AuthProfile> {
    let known: BTreeSet<ProfileId> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
    let excluded: HashSet<&ProfileId> = excluded.iter().map(|one| &one.id).collect();
    for id in &order.ids {
        if !known.contains(id) && !excluded.contains(id) {
            let hint = did_you_mean(id.as_str(), known.iter().map(ProfileId::as_str));
            warnings.push(Warning::about(
                order.place.clone(),
                format!("there is no credential `{id}`{hint}"),
            ));
        }
    }
    ranked(candidates, Some(&order.ids), |_| None)
}
