use proptest::prelude::prop;
use proptest::{prop_assert_eq, proptest};

use std::time::Duration;

use super::*;
use crate::domain::cooldown::SettleTerms;
use crate::domain::credential::{CredentialKind, CredentialLimits, ProfileId, Secret};
use crate::domain::credential_state::LeaseOrder;
use crate::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};

fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_770_000_000_000 + ms)
}

fn profile(name: &str, secret: &str) -> AuthProfile {
    AuthProfile {
        id: ProfileId::new(&format!("openai:{name}")),
        kind: CredentialKind::ApiKey,
        secret: Secret::new(format!("sk-proj-{secret}")),
        expires_at: None,
        source: Arc::from("test"),
        owner: None,
        limits: CredentialLimits::default(),
    }
}

fn pool(size: usize, strategy: Strategy) -> KeyPool {
    let profiles: Vec<_> = (0..size)
        .map(|n| profile(&n.to_string(), &n.to_string()))
        .collect();
    KeyPool::new(profiles, strategy, CooldownPolicy::default(), at(0))
}

fn throttle(pool: &mut KeyPool, index: usize, class: &str, rest: Duration, now: Timestamp) {
    let verdict = Verdict {
        class: ErrorClass::RateLimit,
        scope: Scope::per_model(ScopeOwner::Key),
        cooldown: Cooldown::For(rest),
        hint: None,
    };
    let failure = Failure {
        class: &ModelClass::new(class),
        verdict: &verdict,
        terms: SettleTerms::default(),
        lease: LeaseOrder { id: 1, next_id: 2 },
        secret: pool.members()[index].profile.secret.fingerprint(),
        counted: true,
    };
    pool.fail(index, &failure, now);
}

fn lease(pool: &mut KeyPool, class: &str, now: Timestamp) -> Option<usize> {
    let class = ModelClass::new(class);
    pool.wake(now);
    let index = pool.choose(
        Some(&class),
        &Tried::default(),
        super::super::selection::Selection::Any,
        Whose::Default,
    )?;
    pool.take(index, Whose::Default, &class, now)?;
    pool.release(index, now);
    Some(index)
}

#[test]
fn a_secret_that_comes_twice_is_one_member_at_its_first_place() {
    let profiles = vec![
        profile("a", "one"),
        profile("b", "two"),
        profile("c", "one"),
        profile("d", "three"),
    ];
    let pool = KeyPool::new(profiles, Strategy::Priority, CooldownPolicy::default(), at(0));
    let ids: Vec<&str> = pool
        .members()
        .iter()
        .map(|member| member.profile.id.as_str())
        .collect();
    assert_eq!(ids, ["openai:a", "openai:b", "openai:d"]);
}

#[test]
fn priority_stays_with_the_first_that_is_free() {
    let mut pool = pool(3, Strategy::Priority);
    assert_eq!(lease(&mut pool, "m", at(0)), Some(0));
    assert_eq!(lease(&mut pool, "m", at(0)), Some(0));
    throttle(&mut pool, 0, "m", Duration::from_secs(5), at(0));
    assert_eq!(lease(&mut pool, "m", at(0)), Some(1));
    assert_eq!(lease(&mut pool, "other", at(0)), Some(0), "another class is free");
    assert_eq!(lease(&mut pool, "m", at(4_999)), Some(1));
    assert_eq!(lease(&mut pool, "m", at(5_000)), Some(0));
}

#[test]
fn balanced_takes_the_least_recently_used() {
    let mut pool = pool(130, Strategy::Balanced);
    let first_round: Vec<_> = (0..130).filter_map(|_| lease(&mut pool, "m", at(0))).collect();
    assert_eq!(first_round, (0..130).collect::<Vec<_>>());
    throttle(&mut pool, 1, "m", Duration::from_secs(5), at(0));
    let next: Vec<_> = (0..3).filter_map(|_| lease(&mut pool, "m", at(1))).collect();
    assert_eq!(next, [0, 2, 3]);
}

#[test]
fn nothing_is_remembered_for_a_class_once_it_is_over() {
    let mut pool = pool(2, Strategy::Priority);
    throttle(&mut pool, 0, "m", Duration::from_secs(5), at(0));
    assert_eq!(pool.classes().len(), 1);
    lease(&mut pool, "m", at(5_000));
    assert_eq!(pool.classes().len(), 0);
}

#[test]
fn more_classes_than_the_limit_rest_the_whole_credential() {
    let mut pool = pool(2, Strategy::Priority);
    for n in 0..CLASSES_MAX {
        throttle(&mut pool, 0, &format!("m{n}"), Duration::from_mins(1), at(0));
    }
    assert_eq!(lease(&mut pool, "free", at(0)), Some(0));
    throttle(&mut pool, 0, "one-more", Duration::from_secs(5), at(0));
    assert_eq!(pool.classes().len(), CLASSES_MAX);
    assert_eq!(lease(&mut pool, "free", at(0)), Some(1));
    assert_eq!(lease(&mut pool, "free", at(5_000)), Some(0));
}

#[test]
fn the_heap_of_wakes_stays_bounded() {
    let mut pool = pool(10, Strategy::Priority);
    for n in 0..100_000_u64 {
        throttle(&mut pool, 3, "m", Duration::from_secs(60 + n), at(n));
    }
    assert!(pool.wakes.len() <= 128, "{} wakes", pool.wakes.len());
    assert_eq!(lease(&mut pool, "m", at(0)), Some(0));
}

#[test]
fn refusals_are_counted_once_and_the_soonest_is_exact() {
    let mut pool = pool(10_000, Strategy::Priority);
    for index in 0..10_000 {
        let rest = Duration::from_millis(10_000 + index as u64);
        throttle(&mut pool, index, "m", rest, at(0));
    }
    assert_eq!(lease(&mut pool, "m", at(0)), None);
    let class = ModelClass::new("m");
    let refusals = pool.refusals(Whose::Default, &class, at(0));
    assert_eq!(refusals.cooling, 10_000);
    assert_eq!(refusals.soonest, Some(at(10_000)));
    assert_eq!(pool.refusals(Whose::Default, &class, at(9_999)), refusals);
    assert_eq!(lease(&mut pool, "m", at(10_000)), Some(0));
    assert_eq!(lease(&mut pool, "m", at(15_000)), Some(0));
}

proptest! {
    #[test]
    fn deduplication_is_idempotent(secrets in prop::collection::vec(0_u8..12, 0..40)) {
        let profiles: Vec<AuthProfile> = secrets
            .iter()
            .enumerate()
            .map(|(n, secret)| profile(&n.to_string(), &secret.to_string()))
            .collect();
        let once = KeyPool::new(profiles, Strategy::Priority, CooldownPolicy::default(), at(0));
        let members: Vec<AuthProfile> = once
            .members()
            .iter()
            .map(|member| AuthProfile::clone(&member.profile))
            .collect();
        let twice = KeyPool::new(members.clone(), Strategy::Priority, CooldownPolicy::default(), at(0));
        let again: Vec<AuthProfile> = twice
            .members()
            .iter()
            .map(|member| AuthProfile::clone(&member.profile))
            .collect();
        prop_assert_eq!(&members, &again);
        let mut distinct = secrets.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(members.len(), distinct.len());
    }
}
