//! Which credentials make a provider's pool, in which order.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{AuthProfile, CredentialLimits, ProfileId, ProviderId, Secret};

use super::environment::{Discovered, kind_of};
use crate::config::{ProfileFacts, Warning};
use crate::nearest::did_you_mean;

/// Everything that a pool is made from.
#[derive(Debug)]
pub struct PoolSources<'a> {
    /// Whose pool it is.
    pub provider: &'a ProviderId,
    /// Stored profiles, in their order.
    pub stored: Vec<AuthProfile>,
    /// What the environment holds.
    pub environment: Discovered,
    /// `models.providers.<id>.apiKey`.
    pub config_key: Option<Secret>,
    /// The explicit order: exactly the members, if there is one.
    pub order: Option<&'a [ProfileId]>,
    /// What the config allows each credential.
    pub limits: CredentialLimits,
    /// What the config knows about single profiles.
    pub facts: &'a BTreeMap<ProfileId, ProfileFacts>,
}

/// A provider's credentials, each secret once, in the order of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Whose they are.
    pub provider: ProviderId,
    /// The credentials.
    pub members: Vec<AuthProfile>,
    /// What could not be read, used or found.
    pub warnings: Vec<Warning>,
}

/// Makes a pool.
#[must_use]
pub fn build(sources: PoolSources<'_>) -> Pool {
    let mut warnings = sources.environment.warnings;
    let mut members = if sources.environment.live {
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
            Some(order) => ordered(sources.provider, order, &candidates, &mut warnings),
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
        warnings,
    }
}

/// Which members have a secret that none before them has; blank ones have none.
fn first_of_each(members: &[AuthProfile]) -> Vec<bool> {
    let mut seen = HashSet::with_capacity(members.len());
    members
        .iter()
        .map(|member| !member.secret.expose().trim().is_empty() && seen.insert(&member.secret))
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
        source: Arc::from(format!("config: models.providers.{provider}.apiKey")),
        limits: CredentialLimits::default(),
    }
}

/// The candidates that the order names, in its order. Duplicates are told apart later: the order may name a key by
/// the second of its ids.
fn ordered(
    provider: &ProviderId,
    order: &[ProfileId],
    candidates: &[AuthProfile],
    warnings: &mut Vec<Warning>,
) -> Vec<AuthProfile> {
    let by_id: BTreeMap<&ProfileId, &AuthProfile> = candidates
        .iter()
        .rev()
        .map(|candidate| (&candidate.id, candidate))
        .collect();
    let mut members = Vec::with_capacity(order.len());
    for id in order {
        if let Some(candidate) = by_id.get(id) {
            members.push((*candidate).clone());
        } else {
            let hint = did_you_mean(id.as_str(), by_id.keys().map(|id| id.as_str()));
            warnings.push(Warning::about(
                format!("auth.order.{provider}"),
                format!("there is no credential `{id}`{hint}"),
            ));
        }
    }
    members
}
