//! Credentials whose secrets change or run out: OAuth logins and pasted tokens.

use std::time::Duration;

use super::*;
use crate::domain::credential::Identity;

/// Access tokens look like this; `version` counts the renewals.
fn login(name: &str, version: u32) -> AuthProfile {
    AuthProfile {
        kind: CredentialKind::Oauth,
        secret: Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.Qm4xLw7ZtRb2VkYp-{name}-{version}")),
        ..profile(name)
    }
}

fn token(name: &str, clock: &TestClock, lifetime: Duration) -> AuthProfile {
    AuthProfile {
        kind: CredentialKind::Token,
        expires_at: Some(clock.now().after(lifetime)),
        ..profile(name)
    }
}

fn replace(book: &LeaseBook, profiles: Vec<AuthProfile>) {
    book.replace(profiles, Strategy::Priority, CooldownPolicy::default());
}

fn state(book: &LeaseBook) -> StateName {
    book.snapshot().credentials[0].state
}

fn dead() -> Outcome {
    failed(ErrorClass::AuthDead, Cooldown::ClassDefault)
}

fn restarted(book: &LeaseBook, profiles: Vec<AuthProfile>) -> LeaseBook {
    let saved = serde_json::to_string(&book.export()).expect("plain data");
    let saved: SavedPool = serde_json::from_str(&saved).expect("what was written");
    LeaseBook::new(
        ProviderId::new("openai"),
        profiles,
        Strategy::Priority,
        CooldownPolicy::default(),
        Arc::clone(book.clock()),
        Some(&saved),
    )
}

#[test]
fn a_login_is_told_by_its_id_and_everything_else_by_its_secret() {
    assert_eq!(login("a", 1).identity(), login("a", 2).identity());
    assert_ne!(login("a", 1).identity(), login("b", 1).identity());
    let renamed = AuthProfile {
        id: ProfileId::new("openai:other"),
        ..profile("a")
    };
    assert_eq!(profile("a").identity(), renamed.identity());
    let key = profile("a");
    assert_eq!(key.identity().fingerprint(), key.secret.fingerprint());
    let identities: [Identity; 2] = [login("a", 1).identity(), profile("a").identity()];
    assert_ne!(identities[0], identities[1]);
}

#[test]
fn a_renewal_keeps_cooldowns_counters_and_attempts_under_way() {
    let once = |version| AuthProfile {
        limits: limited("a", None, Some(2)).limits,
        ..login("a", version)
    };
    let (book, _) = book(vec![once(1), login("b", 1)]);
    let held = lease(&book).expect("free");
    let other = lease(&book).expect("two at once");
    book.settle(&other, &failed(ErrorClass::RateLimit, Cooldown::ClassDefault));
    replace(&book, vec![once(2), login("b", 1)]);
    let snapshot = book.snapshot();
    let kept = &snapshot.credentials[0];
    assert_eq!(kept.fingerprint, once(2).secret.fingerprint());
    assert_eq!(kept.state, StateName::Cooling);
    assert_eq!((kept.requests, kept.throttles, kept.in_flight), (2, 1, 1));
    assert_eq!(next(&book).as_deref(), Some("b"));
    book.settle(&held, &Outcome::Success);
    assert_eq!(book.in_flight(), 0);
    assert_eq!(book.snapshot().credentials[0].in_flight, 0);
}

#[test]
fn a_request_does_not_get_a_login_twice_because_its_token_changed() {
    let (book, _) = book(vec![login("a", 1)]);
    let mut tried = Tried::default();
    tried.push(&lease(&book).expect("free"));
    replace(&book, vec![login("a", 2)]);
    let again = book.lease(&LeaseRequest {
        class: &ModelClass::new("gpt-5"),
        tried: &tried,
        selection: Selection::Any,
        agent: None,
        terms: SettleTerms::default(),
    });
    assert!(again.is_err());
}

#[test]
fn a_login_that_is_refused_comes_back_with_another_token_and_no_sooner() {
    let (book, _) = book(vec![login("a", 1)]);
    let ticket = lease(&book).expect("free");
    let transition = book
        .settle(&ticket, &Outcome::LoginNeeded)
        .expect("it is disabled");
    assert_eq!(transition.class, Some(ErrorClass::AuthRefresh));
    replace(&book, vec![login("b", 1), login("a", 1)]);
    assert_eq!(book.snapshot().credentials[1].state, StateName::Disabled);
    let after = restarted(&book, vec![login("a", 1)]);
    assert_eq!(state(&after), StateName::Disabled);
    let fresh = restarted(&book, vec![login("a", 2)]);
    assert_eq!(state(&fresh), StateName::Available);
    replace(&book, vec![login("a", 2)]);
    assert_eq!(state(&book), StateName::Available);
}

#[test]
fn a_refused_old_token_says_nothing_of_the_one_that_is_held() {
    let (book, _) = book(vec![login("a", 1)]);
    let late = lease(&book).expect("free");
    replace(&book, vec![login("a", 2)]);
    assert_eq!(book.settle(&late, &dead()), None);
    assert_eq!(state(&book), StateName::Available);
}

#[test]
fn a_renewal_under_a_lease_reaches_the_next_one_at_once() {
    let (book, _) = book(vec![login("a", 1)]);
    let mut first = lease(&book).expect("free");
    let mut second = lease(&book).expect("free");
    assert_eq!(book.renew(&mut first, &login("a", 2)), None);
    assert_eq!(first.profile().secret, login("a", 2).secret);
    assert_eq!(lease(&book).expect("free").profile().secret, login("a", 2).secret);
    book.renew(&mut second, &login("a", 3));
    let held = &lease(&book).expect("free").profile().secret.clone();
    assert_eq!(
        *held,
        login("a", 2).secret,
        "renewed from a token that nobody holds"
    );
    book.settle(&first, &dead());
    assert_eq!(
        state(&book),
        StateName::Disabled,
        "the renewed one is refused too"
    );
    let after = restarted(&book, vec![login("a", 2)]);
    assert_eq!(state(&after), StateName::Disabled);
}

#[test]
fn a_renewal_brings_back_what_was_disabled_for_the_old_token() {
    let (book, _) = book(vec![login("a", 1)]);
    let mut slow = lease(&book).expect("free");
    let quick = lease(&book).expect("free");
    book.settle(&quick, &dead());
    let transition = book.renew(&mut slow, &login("a", 2)).expect("it is back");
    assert_eq!(transition.state, StateName::Available);
    assert_eq!(next(&book).as_deref(), Some("a"));
}

#[test]
fn a_token_serves_until_it_runs_out_and_not_a_nanosecond_longer() {
    const INSTANT: Duration = Duration::from_nanos(1);
    const ALMOST: Duration = Duration::from_mins(5);
    let clock = book(Vec::new()).1;
    let (book, clock) = book(vec![token("a", &clock, ALMOST + INSTANT), profile("b")]);
    assert_eq!(next(&book).as_deref(), Some("a"));
    clock.advance(ALMOST);
    assert_eq!(next(&book).as_deref(), Some("a"));
    clock.advance(INSTANT);
    assert_eq!(next(&book).as_deref(), Some("b"));
    let snapshot = book.snapshot();
    let gone = &snapshot.credentials[0];
    assert_eq!(gone.state, StateName::Disabled);
    assert_eq!(gone.reason, Some(ErrorClass::AuthRefresh));
    assert_eq!(gone.hint.as_deref(), Some("expired"));
    assert_eq!(gone.expires_at_ms, Some(clock.now().as_unix_ms()));
    assert!(
        book.clear(&gone.profile).is_empty(),
        "no word of ours makes it longer"
    );
    assert_eq!(next(&book).as_deref(), Some("b"));
}

#[test]
fn nobody_is_told_to_wait_for_a_token_that_will_have_run_out() {
    let clock = book(Vec::new()).1;
    let (book, clock) = book(vec![token("a", &clock, Duration::from_secs(30))]);
    let ticket = lease(&book).expect("free");
    let minute = Cooldown::hinted(Duration::from_mins(1));
    book.settle(&ticket, &failed(ErrorClass::RateLimit, minute));
    let refused = lease(&book).expect_err("it rests");
    assert_eq!(refused.soonest(), None);
    clock.advance(Duration::from_mins(2));
    let LeaseError::NoneAvailable { refusals, .. } = lease(&book).expect_err("it ran out") else {
        panic!("there is a credential");
    };
    assert_eq!((refusals.disabled, refusals.cooling), (1, 0));
}

#[test]
fn a_pasted_token_that_replaces_an_expired_one_serves() {
    let clock = book(Vec::new()).1;
    let (book, clock) = book(vec![token("a", &clock, Duration::from_secs(1))]);
    clock.advance(Duration::from_secs(1));
    assert!(lease(&book).is_err());
    replace(&book, vec![token("a", &clock, Duration::from_secs(1))]);
    assert!(lease(&book).is_ok(), "the same token with a later end");
}

#[test]
fn a_login_and_a_key_stay_leasable_when_their_secret_has_run_out() {
    let clock = book(Vec::new()).1;
    for kind in [CredentialKind::Oauth, CredentialKind::ApiKey] {
        let expired = AuthProfile {
            kind,
            ..token("a", &clock, Duration::ZERO)
        };
        let (book, _) = book(vec![expired]);
        assert!(lease(&book).is_ok(), "{kind:?}");
        assert_eq!(state(&book), StateName::Available);
    }
}
