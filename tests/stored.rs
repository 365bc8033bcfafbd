//! Stored credentials: their order, and how they stand to their ends, as the shared vectors have it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::path::Path;

use coderclaw::credentials::health::{ExpiryStatus, Health, format_remaining};
use coderclaw::credentials::order::{preferred_first, ranked, resting_last};
use coderclaw::credentials::store::{AuthStore, StoredCredential, StoredProfile, StoredSecret};
use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId};
use serde_json::{Value, json};
use vectors::vectors;

fn store(json: &Value) -> AuthStore {
    AuthStore::parse(&json.to_string(), Path::new("auth-profiles.json")).unwrap()
}

fn ids(list: &Value) -> Option<Vec<ProfileId>> {
    let ids = list.as_array()?.iter();
    Some(ids.map(|id| ProfileId::new(id.as_str().unwrap())).collect())
}

fn renews(profile: &StoredProfile) -> bool {
    matches!(&profile.credential, StoredCredential::Oauth(login) if login.refresh.is_some())
}

fn health(profile: &StoredProfile, now_ms: u64) -> Health {
    let credential = &profile.credential;
    Health::of(
        credential.kind(),
        credential.expires_ms(),
        renews(profile),
        now_ms,
    )
}

/// Whether a profile holds something to send now, or something to get it with.
fn is_usable(profile: &StoredProfile, now_ms: u64) -> bool {
    let has_secret = match &profile.credential {
        StoredCredential::ApiKey { key: secret } | StoredCredential::Token { token: secret, .. } => {
            *secret != StoredSecret::Missing
        }
        StoredCredential::Oauth(login) => login.access.is_some() || login.refresh.is_some(),
    };
    has_secret && health(profile, now_ms).status != ExpiryStatus::Expired
}

#[test]
fn vectors_of_profile_order() {
    for vector in vectors("profile_order") {
        let input = &vector["input"];
        let now_ms = input["nowMs"].as_u64().unwrap();
        let provider = ProviderId::new(input["provider"].as_str().unwrap());
        let store = store(&input["store"]);
        let profiles = store.profiles();
        let profiles = profiles.filter(|profile| profile.provider == provider && is_usable(profile, now_ms));
        let configured = || ids(&input["config"]["auth"]["order"][provider.as_str()]);
        let explicit = store.order(&provider).or_else(configured);
        let last_used = |profile: &StoredProfile| store.usage(&profile.id).last_used_ms;
        let rests_until = |id: &ProfileId| {
            let usage = store.usage(id);
            let until = usage.cooldown_until_ms.max(usage.disabled_until_ms);
            until.filter(|until| *until > now_ms)
        };
        let ranked = ranked(profiles.collect(), explicit.as_deref(), last_used);
        let mut ordered = resting_last(ranked, rests_until);
        if let Some(preferred) = input["preferred"].as_str() {
            ordered = preferred_first(ordered, &ProfileId::new(preferred));
        }
        let ordered: Vec<&str> = ordered.iter().map(|profile| profile.id.as_str()).collect();
        assert_eq!(json!(ordered), vector["expected"], "{}", vector["id"]);
    }
}

#[test]
fn a_preferred_profile_that_rests_goes_first_all_the_same_and_a_stranger_changes_nothing() {
    let store = store(&json!({ "version": 1, "profiles": {
        "a:one": { "type": "api_key", "provider": "a", "key": "1" },
        "a:two": { "type": "api_key", "provider": "a", "key": "2" },
    } }));
    let ordered = |preferred: &str| {
        let rests = |id: &ProfileId| (id.as_str() == "a:two").then_some(1);
        let profiles = resting_last(store.profiles().collect(), rests);
        let ordered = preferred_first(profiles, &ProfileId::new(preferred));
        let ids = ordered.iter().map(|profile| profile.id.to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ordered("a:two"), ["a:two", "a:one"]);
    assert_eq!(ordered("a:gone"), ["a:one", "a:two"]);
}

#[test]
fn vectors_of_auth_health() {
    for vector in vectors("auth_health") {
        let input = &vector["input"];
        let store = store(&json!({ "version": 1, "profiles": { "p:one": input["credential"] } }));
        let profile = store.profiles().next().unwrap();
        let health = health(&profile, input["nowMs"].as_u64().unwrap());
        let is_key = profile.credential.kind() == CredentialKind::ApiKey;
        let found = json!({
            "profile": health.status,
            "provider": Health::together([(is_key, health.status)]),
            "remainingMs": health.remaining_ms,
        });
        assert_eq!(found, vector["expected"], "{}", vector["id"]);
    }
}

#[test]
fn vectors_of_format_remaining() {
    for vector in vectors("format_remaining") {
        let ms = vector["input"]["ms"].as_i64().unwrap();
        assert_eq!(
            json!(format_remaining(ms)),
            vector["expected"],
            "{}",
            vector["id"]
        );
    }
}
