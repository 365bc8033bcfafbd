//! Pools: which credentials, in which order.

use std::collections::BTreeMap;
use std::path::Path;

use coderclaw::config::ProfileFacts;
use coderclaw::credentials::environment::{Discovered, Variables, discover, places_looked};
use coderclaw::credentials::pool::{self, Order, Pool, PoolSources};
use coderclaw_actors::domain::credential::{
    AuthProfile, CredentialKind, CredentialLimits, ProfileId, ProviderId, Secret,
};

use super::{expected, found, ids, values, vector_environment, vectors};

fn profile(id: &str, value: &str) -> AuthProfile {
    AuthProfile {
        id: ProfileId::new(id),
        kind: CredentialKind::ApiKey,
        secret: Secret::new(value.to_owned()),
        expires_at: None,
        source: "stored".into(),
        owner: None,
        limits: CredentialLimits::default(),
    }
}

/// A pool of `openai` with everything but what a test is about left at its default.
struct Sources {
    provider: ProviderId,
    stored: Vec<AuthProfile>,
    environment: Discovered,
    config_key: Option<&'static str>,
    order: Option<Vec<ProfileId>>,
    limits: CredentialLimits,
    facts: BTreeMap<ProfileId, ProfileFacts>,
}

impl Sources {
    fn of(pairs: &[(&str, &str)]) -> Self {
        Self {
            provider: ProviderId::new("openai"),
            stored: Vec::new(),
            environment: found("openai", pairs),
            config_key: None,
            order: None,
            limits: CredentialLimits::default(),
            facts: BTreeMap::new(),
        }
    }

    fn pool(self) -> Pool {
        pool::build(PoolSources {
            provider: &self.provider,
            stored: self.stored,
            excluded: Vec::new(),
            environment: self.environment,
            config_key: self.config_key.map(|key| Secret::new(key.to_owned())),
            order: self.order.map(|ids| Order {
                ids,
                place: "auth.order.openai".to_owned(),
            }),
            limits: self.limits,
            facts: &self.facts,
        })
    }
}

#[test]
fn vectors_of_pools() {
    for vector in vectors("pool") {
        let provider = vector["input"]["provider"].as_str().unwrap();
        let stored = vector["input"]["stored_profile_key"].as_str().unwrap();
        let pool = Sources {
            stored: vec![profile("openai:default", stored)],
            environment: discover(provider, &vector_environment(&vector)),
            ..Sources::of(&[])
        }
        .pool();
        assert_eq!(values(&pool.members), expected(&vector), "{}", vector["id"]);
    }
}

#[test]
fn a_pool_is_stored_profiles_then_the_environment_then_the_config() {
    let pool = Sources {
        stored: vec![profile("openai:work", "p0")],
        config_key: Some("c0"),
        ..Sources::of(&[("OPENAI_API_KEYS", "k1,p0,k1"), ("OPENAI_API_KEY", "k2")])
    }
    .pool();
    assert_eq!(
        ids(&pool.members),
        [
            "openai:work",
            "openai:env:OPENAI_API_KEYS#1",
            "openai:env:OPENAI_API_KEY",
            "openai:config"
        ]
    );
    assert_eq!(&*pool.members[3].source, "config: models.providers.openai.apiKey");
}

#[test]
fn an_order_names_exactly_the_members() {
    let pool = Sources {
        config_key: Some("c0"),
        order: Some(vec![
            ProfileId::new("openai:config"),
            ProfileId::new("openai:env:OPENAI_API_KEY_TWO"),
            // The second name of a secret that the pool would otherwise know by its first.
            ProfileId::new("openai:env:OPENAI_API_KEY_COPY"),
        ]),
        ..Sources::of(&[
            ("OPENAI_API_KEY", "k1"),
            ("OPENAI_API_KEY_COPY", "k1"),
            ("OPENAI_API_KEY_2", "k2"),
        ])
    }
    .pool();
    assert_eq!(
        ids(&pool.members),
        ["openai:config", "openai:env:OPENAI_API_KEY_COPY"]
    );
    let warning = pool.warnings[0].to_string();
    assert!(warning.contains("openai:env:OPENAI_API_KEY_TWO"), "{warning}");
    assert!(warning.contains("did you mean"), "{warning}");
}

#[test]
fn the_override_stands_alone_whatever_the_order_says() {
    let pool = Sources {
        stored: vec![profile("openai:work", "p0")],
        config_key: Some("c0"),
        order: Some(vec![ProfileId::new("openai:work")]),
        ..Sources::of(&[("CODERCLAW_LIVE_OPENAI_KEY", "live"), ("OPENAI_API_KEY", "k")])
    }
    .pool();
    assert_eq!(ids(&pool.members), ["openai:env:CODERCLAW_LIVE_OPENAI_KEY"]);
}

#[test]
fn facts_add_to_a_member_and_make_none() {
    let limit = |number| std::num::NonZeroU32::new(number);
    let facts = |kind, rpm| ProfileFacts {
        kind,
        limits: CredentialLimits {
            rpm,
            concurrency: None,
        },
    };
    let pool = Sources {
        limits: CredentialLimits {
            rpm: limit(10),
            concurrency: limit(2),
        },
        facts: BTreeMap::from([
            (
                ProfileId::new("openai:env:OPENAI_API_KEY"),
                facts(Some(CredentialKind::Token), limit(60)),
            ),
            (ProfileId::new("openai:absent"), facts(None, limit(1))),
        ]),
        ..Sources::of(&[("OPENAI_API_KEY", "k1"), ("OPENAI_API_KEY_1", "k2")])
    }
    .pool();
    let seen: Vec<_> = pool
        .members
        .iter()
        .map(|member| (member.kind, member.limits.rpm, member.limits.concurrency))
        .collect();
    assert_eq!(
        seen,
        [
            (CredentialKind::Token, limit(60), limit(2)),
            (CredentialKind::ApiKey, limit(10), limit(2)),
        ]
    );
}

#[test]
fn the_places_that_were_looked_in_are_all_named() {
    let looked = places_looked(
        "Google",
        Path::new("/s"),
        Path::new("/s/coderclaw.json"),
        (Path::new("/s/auth-profiles.json"), Some("work")),
    );
    let places = looked.places.join("\n");
    for name in [
        "CODERCLAW_LIVE_GEMINI_KEY",
        "GEMINI_API_KEYS",
        "GEMINI_API_KEY_*",
        "GEMINI_API_KEY_FILE",
        "GOOGLE_API_KEY",
        "/s/.env",
        "/s/coderclaw.json",
        "models.providers.google.apiKey",
    ] {
        assert!(places.contains(name), "{name} is missing in {places}");
    }
    assert!(looked.hint.contains("GEMINI_API_KEY"));
}

#[test]
fn ten_thousand_keys_make_one_pool_in_order() {
    let numbered: Vec<(String, String)> = (1..=10_000)
        .map(|number| {
            (
                format!("OPENAI_API_KEY_{number}"),
                format!("sk-proj-{number:048}"),
            )
        })
        .collect();
    let map: BTreeMap<String, String> = numbered.into_iter().collect();
    let discovered = discover("openai", &Variables::of(&map));
    let pool = Sources {
        environment: discovered,
        ..Sources::of(&[])
    }
    .pool();
    assert_eq!(pool.members.len(), 10_000);
    assert_eq!(pool.members[9_999].id.as_str(), "openai:env:OPENAI_API_KEY_10000");
}
