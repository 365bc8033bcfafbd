//! The book against what its rules say: by example, and against a model of the rules under any interleaving.

mod logins;
mod model;
mod rules;
mod selection;
mod threads;
mod views;

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::clock::{Clock, TestClock};
use crate::domain::cooldown::SettleTerms;
use crate::domain::credential::{AgentId, CredentialKind, CredentialLimits, ModelClass, Secret};
use crate::domain::credential_state::StateName;
use crate::domain::lease::Tried;
use crate::domain::outcome::{Cooldown, ErrorClass, Scope, ScopeOwner, Verdict};
use crate::domain::selection::Selection;

/// Where the clock of a test stands at first.
const START_MS: u64 = 1_770_000_000_000;

fn profile(name: &str) -> AuthProfile {
    AuthProfile {
        id: ProfileId::new(&format!("openai:{name}")),
        kind: CredentialKind::ApiKey,
        secret: Secret::new(format!("sk-proj-Wq7nT2vLx9RbKc4MzYd8HfJ1sGpA6uEo3iVtNkB5-{name}")),
        expires_at: None,
        source: Arc::from("env: OPENAI_API_KEYS"),
        owner: None,
        limits: CredentialLimits::default(),
    }
}

fn limited(name: &str, rpm: Option<u32>, concurrency: Option<u32>) -> AuthProfile {
    AuthProfile {
        limits: CredentialLimits {
            rpm: rpm.and_then(NonZeroU32::new),
            concurrency: concurrency.and_then(NonZeroU32::new),
        },
        ..profile(name)
    }
}

fn book(profiles: Vec<AuthProfile>) -> (LeaseBook, Arc<TestClock>) {
    let clock = TestClock::at(Timestamp::from_unix_ms(START_MS));
    let book = LeaseBook::new(
        ProviderId::new("openai"),
        profiles,
        Strategy::Priority,
        CooldownPolicy::default(),
        clock.clone(),
        None,
    );
    (book, clock)
}

fn lease(book: &LeaseBook) -> Result<Ticket, LeaseError> {
    lease_for(book, "gpt-5", SettleTerms::default())
}

fn lease_for(book: &LeaseBook, class: &str, terms: SettleTerms) -> Result<Ticket, LeaseError> {
    book.lease(&LeaseRequest {
        class: &ModelClass::new(class),
        tried: &Tried::default(),
        selection: Selection::Any,
        agent: None,
        terms,
    })
}

fn failed(class: ErrorClass, cooldown: Cooldown) -> Outcome {
    Outcome::Failed(Verdict {
        class,
        scope: Scope::of(ScopeOwner::Key),
        cooldown,
        hint: Some("retry-after"),
    })
}

/// Who would be leased now; the lease is given back.
fn next(book: &LeaseBook) -> Option<String> {
    let ticket = lease(book).ok()?;
    book.settle(&ticket, &Outcome::Abandoned);
    ticket
        .profile()
        .id
        .as_str()
        .strip_prefix("openai:")
        .map(str::to_owned)
}

#[test]
fn concurrency_is_never_exceeded_and_is_given_back() {
    let (book, _) = book(vec![limited("a", None, Some(2)), limited("b", None, Some(1))]);
    let tickets: Vec<Ticket> = (0..3).filter_map(|_| lease(&book).ok()).collect();
    assert_eq!(tickets.len(), 3);
    let refused = lease(&book).expect_err("all are busy");
    assert!(refused.soonest().is_some());
    book.settle(&tickets[1], &Outcome::Success);
    assert_eq!(next(&book).as_deref(), Some("a"));
    book.settle(&tickets[1], &Outcome::Success);
    assert_eq!(
        book.in_flight(),
        2,
        "a second settle of one ticket counts nothing"
    );
}

#[test]
fn a_key_whose_requests_a_minute_are_used_up_waits_for_the_governor() {
    let (book, clock) = book(vec![limited("a", Some(2), None)]);
    assert!(lease(&book).is_ok());
    assert!(lease(&book).is_ok());
    let refused = lease(&book).expect_err("two a minute");
    assert_eq!(
        refused.soonest(),
        Some(clock.now().after(Duration::from_secs(30)))
    );
    clock.advance(Duration::from_millis(29_999));
    assert!(lease(&book).is_err());
    clock.advance(Duration::from_millis(1));
    assert!(lease(&book).is_ok());
}

#[test]
fn a_full_dimension_uses_up_no_other() {
    let (book, clock) = book(vec![limited("a", Some(2), Some(1))]);
    let ticket = lease(&book).expect("free");
    for _ in 0..10 {
        assert!(lease(&book).is_err());
    }
    book.settle(&ticket, &Outcome::Success);
    assert!(lease(&book).is_ok(), "the refused ones cost no request");
    clock.advance(Duration::from_secs(1));
}

#[test]
fn a_dead_key_is_disabled_unless_the_caller_may_have_provoked_it() {
    let (book, _) = book(vec![profile("a"), profile("b")]);
    let terms = SettleTerms {
        may_disable: false,
        may_exclude: false,
    };
    let provoked = lease_for(&book, "m", terms).expect("free");
    let dead = failed(ErrorClass::AuthDead, Cooldown::ClassDefault);
    assert_eq!(book.settle(&provoked, &dead), None);
    assert_eq!(next(&book).as_deref(), Some("a"));
    let ticket = lease(&book).expect("free");
    let transition = book.settle(&ticket, &dead).expect("it is disabled");
    assert_eq!(transition.state, StateName::Disabled);
    assert_eq!(next(&book).as_deref(), Some("b"));
    assert_eq!(book.clear(&ProfileId::new("openai:a")).len(), 1);
    assert_eq!(next(&book).as_deref(), Some("a"));
    assert_eq!(book.clear(&ProfileId::new("openai:a")), []);
}

#[test]
fn a_model_that_a_key_may_not_use_is_kept_from_it_only_where_that_rotates() {
    let (book, clock) = book(vec![profile("a")]);
    let denied = failed(ErrorClass::ModelAccess, Cooldown::ClassDefault);
    let ticket = lease_for(&book, "m", SettleTerms::default()).expect("free");
    assert_eq!(book.settle(&ticket, &denied), None);
    let terms = SettleTerms {
        may_exclude: true,
        ..SettleTerms::default()
    };
    let ticket = lease_for(&book, "m", terms).expect("free");
    assert!(book.settle(&ticket, &denied).is_some());
    assert!(lease_for(&book, "m", terms).is_err());
    assert!(lease_for(&book, "other", terms).is_ok());
    clock.advance(Duration::from_hours(1));
    assert!(lease_for(&book, "m", terms).is_ok());
}

#[test]
fn failures_of_others_never_change_a_state() {
    let (book, _) = book(vec![profile("a")]);
    for class in [
        ErrorClass::Overloaded,
        ErrorClass::TransientServer,
        ErrorClass::CallerFault,
        ErrorClass::RegionBlocked,
        ErrorClass::Timeout,
        ErrorClass::Unreachable,
        ErrorClass::Permission,
    ] {
        let ticket = lease(&book).expect("nothing rests it");
        let hinted = Cooldown::hinted(Duration::from_mins(1));
        assert_eq!(book.settle(&ticket, &failed(class, hinted)), None, "{class}");
    }
    let ticket = lease(&book).expect("nothing rests it");
    assert_eq!(book.settle(&ticket, &Outcome::Abandoned), None);
    let SavedPool(saved) = book.export();
    assert_eq!(saved[0].standing, None);
    assert!(saved[0].models.is_empty());
}

#[test]
fn a_resting_window_lets_exactly_one_request_an_hour_through() {
    let (book, clock) = book(vec![profile("a")]);
    let ticket = lease(&book).expect("free");
    let reset = clock.now().after(Duration::from_hours(5));
    let rejected = failed(ErrorClass::QuotaWindow, Cooldown::Until(reset));
    book.settle(&ticket, &rejected);
    let mut tests = 0;
    for _ in 0..(5 * 60 - 1) {
        clock.advance(Duration::from_mins(1));
        while let Ok(test) = lease(&book) {
            tests += 1;
            book.settle(&test, &rejected);
        }
    }
    assert_eq!(tests, 4);
    clock.advance(Duration::from_mins(1));
    let ticket = lease(&book).expect("the window is over");
    book.settle(&ticket, &rejected);
    clock.advance(Duration::from_hours(1));
    let test = lease(&book);
    assert!(test.is_ok(), "another window, another hour: {test:?}");
}

#[test]
fn a_successful_test_ends_the_window() {
    let (book, clock) = book(vec![profile("a")]);
    let ticket = lease(&book).expect("free");
    let reset = clock.now().after(Duration::from_hours(5));
    book.settle(&ticket, &failed(ErrorClass::QuotaWindow, Cooldown::Until(reset)));
    clock.advance(Duration::from_hours(1));
    let test = lease(&book).expect("the test of the hour");
    let transition = book.settle(&test, &Outcome::Success).expect("it is back");
    assert_eq!(transition.state, StateName::Available);
    assert!(lease(&book).is_ok());
}

#[test]
fn a_reload_keeps_leases_states_and_used_up_requests() {
    let (book, clock) = book(vec![limited("a", Some(1), None), profile("b"), profile("c")]);
    let held = lease(&book).expect("a");
    let other = lease(&book).expect("b");
    book.settle(&other, &failed(ErrorClass::AuthDead, Cooldown::ClassDefault));
    let third = lease(&book).expect("c");
    book.settle(&third, &failed(ErrorClass::RateLimit, Cooldown::ClassDefault));
    book.replace(
        vec![
            profile("new"),
            profile("c"),
            profile("b"),
            limited("a", Some(1), None),
        ],
        Strategy::Priority,
        CooldownPolicy::default(),
    );
    let snapshot = book.snapshot();
    let states: Vec<(&str, StateName, u32)> = snapshot
        .credentials
        .iter()
        .map(|credential| {
            (
                credential.profile.as_str(),
                credential.state,
                credential.in_flight,
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("openai:new", StateName::Available, 0),
            ("openai:c", StateName::Cooling, 0),
            ("openai:b", StateName::Disabled, 0),
            ("openai:a", StateName::Available, 1),
        ]
    );
    book.replace(
        vec![limited("a", Some(1), None)],
        Strategy::Priority,
        CooldownPolicy::default(),
    );
    assert!(lease(&book).is_err(), "its request of the minute is used up");
    book.settle(&held, &Outcome::Success);
    assert_eq!(book.in_flight(), 0);
    clock.advance(Duration::from_mins(1));
    assert!(lease(&book).is_ok());
}

#[test]
fn a_disabled_secret_under_another_id_gets_another_chance() {
    let (book, _) = book(vec![profile("a")]);
    let ticket = lease(&book).expect("free");
    book.settle(&ticket, &failed(ErrorClass::AuthDead, Cooldown::ClassDefault));
    let renamed = AuthProfile {
        id: ProfileId::new("openai:other"),
        ..profile("a")
    };
    book.replace(vec![renamed], Strategy::Priority, CooldownPolicy::default());
    assert!(lease(&book).is_ok());
}

#[test]
fn states_outlive_the_process() {
    let (before, clock) = book(vec![profile("a"), profile("b"), profile("c"), profile("d")]);
    let classes = [ErrorClass::AuthDead, ErrorClass::QuotaHard, ErrorClass::RateLimit];
    for class in classes {
        let ticket = lease(&before).expect("free");
        before.settle(&ticket, &failed(class, Cooldown::ClassDefault));
    }
    let saved = serde_json::to_string(&before.export()).expect("plain data");
    assert!(!saved.contains("sk-proj"), "{saved}");
    let saved: SavedPool = serde_json::from_str(&saved).expect("what was written");
    let after = LeaseBook::new(
        ProviderId::new("openai"),
        vec![profile("d"), profile("c"), profile("b"), profile("a")],
        Strategy::Priority,
        CooldownPolicy::default(),
        clock.clone(),
        Some(&saved),
    );
    let states: Vec<StateName> = after
        .snapshot()
        .credentials
        .iter()
        .map(|credential| credential.state)
        .collect();
    assert_eq!(
        states,
        [
            StateName::Available,
            StateName::Cooling,
            StateName::Exhausted,
            StateName::Disabled
        ]
    );
    clock.advance(Duration::from_secs(10));
    let dead = failed(ErrorClass::AuthDead, Cooldown::ClassDefault);
    after.settle(&lease(&after).expect("d"), &dead);
    let again = lease(&after).expect("c is back");
    let throttled = failed(ErrorClass::RateLimit, Cooldown::ClassDefault);
    let transition = after.settle(&again, &throttled).expect("it rests");
    let rest = transition.until.map(|until| until.since(clock.now()));
    assert_eq!(rest, Some(Duration::from_secs(20)), "the count went on");
}

#[test]
fn supervision_a_panic_while_the_lock_is_held_costs_nothing() {
    let (book, _) = book(vec![limited("a", None, Some(1)), profile("b")]);
    let held = lease(&book).expect("a");
    assert!(catch_unwind(AssertUnwindSafe(|| book.crash())).is_err());
    assert_eq!(
        next(&book).as_deref(),
        Some("b"),
        "a's one attempt is still under way"
    );
    book.settle(&held, &Outcome::Success);
    assert_eq!(next(&book).as_deref(), Some("a"));
    assert_eq!(book.in_flight(), 0);
}

#[test]
fn a_secret_is_nowhere_to_be_seen() {
    let (book, _) = book(vec![profile("a")]);
    let ticket = lease(&book).expect("free");
    let shown = format!(
        "{book:?} {ticket:?} {:?} {}",
        book.snapshot(),
        serde_json::to_string(&book.snapshot()).expect("plain data")
    );
    assert!(!shown.contains("Wq7nT2vL"), "{shown}");
}
