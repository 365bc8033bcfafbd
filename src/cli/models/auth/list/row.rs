//! One credential of the list.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use coderclaw_actors::domain::credential::{AuthProfile, Fingerprint, ProfileId, ProviderId, Secret};
use serde::Serialize;

use super::super::ranking::Rankings;
use super::super::reference;
use super::super::scope::{Scope, is_ambient};
use super::places::Places;
use crate::cli::exit::Failure;
use crate::config::normalise_provider_id;
use crate::credentials::health::{ExpiryStatus, Health, format_remaining};
use crate::credentials::store::{
    AuthStore, MAIN_AGENT, StoreFile, StoredCredential, StoredProfile, StoredSecret, Unknown,
};

/// What is shown of a credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    profile_id: ProfileId,
    pub(super) provider: ProviderId,
    /// As the store writes it, of types too that are not known.
    #[serde(rename = "type")]
    kind: String,
    /// Whether its type is understood; one that isn't is kept and not used.
    known: bool,
    /// Where the secret is: `store`, a reference, `env: NAME`; none if it is nowhere.
    secret: Option<String>,
    fingerprint: Option<Fingerprint>,
    status: Option<ExpiryStatus>,
    expires_at: Option<u64>,
    remaining_ms: Option<i64>,
    refreshable: bool,
    /// Its place in the order, from 1.
    position: Option<usize>,
    /// Why it can't be used as it is.
    unusable: Option<String>,
    /// What leaves it out.
    excluded_by: Option<String>,
    email: Option<String>,
    /// The agent whose store has it.
    agent_id: Option<String>,
    /// Whether that is another agent, whose store is read through.
    #[serde(skip)]
    inherited: bool,
}

/// The profiles of the agent's store, and those of `main` that it reads through.
pub(super) fn stored_rows(scope: &Scope) -> Result<Vec<Row>, Failure> {
    let own = scope.store.read()?;
    let mut rows = rows_of(&own, &scope.agent, Scope::now_ms());
    if scope.agent != MAIN_AGENT {
        let main = StoreFile::of_agent(&scope.settings.state_dir, MAIN_AGENT).read()?;
        let mut inherited = rows_of(&main, MAIN_AGENT, Scope::now_ms());
        for row in &mut inherited {
            row.inherited = true;
        }
        rows.extend(
            inherited
                .into_iter()
                .filter(|row| !own.holds(row.profile_id.as_str())),
        );
    }
    placed(rows, scope)
}

/// What the environment and the config hold.
pub(super) fn ambient_rows(scope: &Scope) -> Result<Vec<Row>, Failure> {
    let pools = scope.settings.providers.iter();
    let pools = pools.filter_map(|provider| scope.pool(&provider.id));
    let members = pools.flat_map(|pool| pool.members.iter().map(move |member| (&pool.provider, member)));
    let members = members.filter(|(_, member)| is_ambient(&member.id));
    let rows = members.map(|(provider, member)| Row::ambient(provider, member));
    placed(rows.collect(), scope)
}

fn rows_of(store: &AuthStore, agent: &str, now_ms: u64) -> Vec<Row> {
    let known = store
        .profiles()
        .map(|profile| Row::stored(profile, agent, now_ms));
    let unknown = store.unknown().map(|unknown| Row::unknown(unknown, agent));
    known.chain(unknown).collect()
}

/// The rows with their places, by provider and place.
fn placed(mut rows: Vec<Row>, scope: &Scope) -> Result<Vec<Row>, Failure> {
    let rankings = Rankings::read(scope)?;
    let mut of_provider: HashMap<ProviderId, Places> = HashMap::new();
    for row in rows.iter_mut().filter(|row| row.known) {
        let places = match of_provider.entry(row.provider.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Places::of(&row.provider, &rankings, scope)?),
        };
        row.place(places);
    }
    rows.sort_by(|a, b| a.rank().cmp(&b.rank()));
    Ok(rows)
}

impl Row {
    fn stored(profile: StoredProfile, agent: &str, now_ms: u64) -> Self {
        let credential = &profile.credential;
        let refreshable = matches!(credential, StoredCredential::Oauth(login) if login.refresh.is_some());
        let health = Health::of(credential.kind(), credential.expires_ms(), refreshable, now_ms);
        let (secret, fingerprint) = match &profile.credential {
            StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
                match secret {
                    StoredSecret::Here(secret) => (Some("store".to_owned()), Some(secret.fingerprint())),
                    StoredSecret::Elsewhere(value) => (Some(reference::describe(value)), None),
                    StoredSecret::Missing => (None, None),
                }
            }
            StoredCredential::Oauth(login) => {
                let secret = login.access.as_ref().or(login.refresh.as_ref());
                (
                    secret.map(|_| "store".to_owned()),
                    secret.map(Secret::fingerprint),
                )
            }
        };
        Self {
            kind: profile.credential.kind().as_str().to_owned(),
            known: true,
            secret,
            fingerprint,
            status: Some(health.status),
            expires_at: health.expires_at_ms,
            remaining_ms: health.remaining_ms,
            refreshable: health.refreshable,
            email: profile.email,
            ..Self::bare(profile.id, profile.provider, Some(agent))
        }
    }

    fn unknown(unknown: Unknown, agent: &str) -> Self {
        let provider = unknown
            .id
            .as_str()
            .split_once(':')
            .map_or("", |(provider, _)| provider);
        let provider = ProviderId::new(&normalise_provider_id(provider));
        Self {
            kind: unknown.kind.unwrap_or_default(),
            ..Self::bare(unknown.id, provider, Some(agent))
        }
    }

    fn ambient(provider: &ProviderId, member: &AuthProfile) -> Self {
        Self {
            kind: member.kind.as_str().to_owned(),
            known: true,
            secret: Some(member.source.to_string()),
            fingerprint: Some(member.secret.fingerprint()),
            status: Some(ExpiryStatus::Static),
            ..Self::bare(member.id.clone(), provider.clone(), None)
        }
    }

    fn bare(profile_id: ProfileId, provider: ProviderId, agent: Option<&str>) -> Self {
        Self {
            profile_id,
            provider,
            kind: String::new(),
            known: false,
            secret: None,
            fingerprint: None,
            status: None,
            expires_at: None,
            remaining_ms: None,
            refreshable: false,
            position: None,
            unusable: None,
            excluded_by: None,
            email: None,
            agent_id: agent.map(str::to_owned),
            inherited: false,
        }
    }

    /// Its place, and what its provider's pool made of it: the fingerprint of what a reference gave, or why it can't
    /// be used.
    fn place(&mut self, places: &Places) {
        match places.position(&self.profile_id) {
            Ok(position) => self.position = position,
            Err(excluded_by) => self.excluded_by = Some(excluded_by),
        }
        let fingerprint = self.fingerprint;
        self.fingerprint = fingerprint.or_else(|| places.fingerprint(&self.profile_id));
        self.unusable = places.unusable(&self.profile_id);
    }

    /// What rows are sorted by.
    pub(super) fn rank(&self) -> (&ProviderId, usize, &ProfileId) {
        (
            &self.provider,
            self.position.unwrap_or(usize::MAX),
            &self.profile_id,
        )
    }

    pub(super) fn status(&self) -> Option<ExpiryStatus> {
        self.status
    }

    /// Whether it is not used, whatever happens.
    pub(super) fn is_out(&self) -> bool {
        !self.known || self.excluded_by.is_some() || self.unusable.is_some()
    }

    /// The row as a table shows it.
    pub(super) fn cells(&self) -> Vec<String> {
        let kind = match (self.known, self.kind.is_empty()) {
            (true, _) => self.kind.clone(),
            (false, true) => "none: not used".to_owned(),
            (false, false) => format!("{}: not known, not used", self.kind),
        };
        let secret = match &self.secret {
            Some(secret) if self.inherited => format!("{secret} (of agent {MAIN_AGENT})"),
            Some(secret) => secret.clone(),
            None if self.known => "none".to_owned(),
            None => "-".to_owned(),
        };
        vec![
            self.profile_id.to_string(),
            kind,
            secret,
            self.fingerprint
                .map_or_else(|| "-".to_owned(), |print| print.to_string()),
            self.expires(),
            self.order(),
            self.email.clone().unwrap_or_default(),
        ]
    }

    fn expires(&self) -> String {
        match (self.status, self.remaining_ms) {
            (Some(ExpiryStatus::Expired), _) => "expired".to_owned(),
            _ if self.refreshable => "renews itself".to_owned(),
            (Some(ExpiryStatus::Missing), _) => "unknown".to_owned(),
            (_, Some(left)) => format!("in {}", format_remaining(left)),
            _ => "-".to_owned(),
        }
    }

    fn order(&self) -> String {
        match (&self.excluded_by, &self.unusable, self.position) {
            (Some(by), ..) => format!("left out by {by}"),
            (None, Some(why), _) => format!("not used: {why}"),
            (None, None, Some(position)) => position.to_string(),
            (None, None, None) => "-".to_owned(),
        }
    }
}
