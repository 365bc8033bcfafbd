use std::time::Duration;

use super::*;
use crate::domain::cooldown::{Effect, SettleTerms, effect_of};
use crate::domain::outcome::{Cooldown, Scope, ScopeOwner, Verdict};

const NOW_MS: u64 = 1_770_000_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(NOW_MS + seconds * 1000)
}

/// A failure at `now` of the `id`th lease, when `next_id` leases have been given out.
fn evidence(class: ErrorClass, stated: Option<u64>, id: u64, next_id: u64) -> RestEvidence {
    RestEvidence {
        class,
        stated: stated.map(at),
        hint: stated.map(|_| "retry-after"),
        lease: LeaseOrder { id, next_id },
        random: 0.0,
    }
}

fn rested(standing: &Standing, evidence: &RestEvidence, now: u64) -> Standing {
    standing
        .rested(evidence, at(now), &CooldownPolicy::default())
        .expect("the evidence changes the standing")
}

fn until(standing: &Standing) -> u64 {
    match &standing.state {
        CredentialState::Cooling(rest) | CredentialState::Exhausted(rest) => {
            (rest.until.as_unix_ms() - NOW_MS) / 1000
        }
        other => panic!("no window: {other:?}"),
    }
}

/// Fails right after each window's end and lists how long each window is.
fn schedule(class: ErrorClass, failures: u64) -> Vec<u64> {
    let mut standing = Standing::default();
    let mut now = 0;
    (1..=failures)
        .map(|n| {
            standing = rested(&standing, &evidence(class, None, n, n + 1), now);
            let length = until(&standing) - now;
            now += length;
            length
        })
        .collect()
}

#[test]
fn an_unstated_throttle_doubles_from_10_s_to_5_min() {
    assert_eq!(
        schedule(ErrorClass::RateLimit, 7),
        [10, 20, 40, 80, 160, 300, 300]
    );
    assert_eq!(schedule(ErrorClass::QuotaWindow, 3), [10, 20, 40]);
}

#[test]
fn exhaustion_doubles_from_10_min_to_24_h() {
    let minutes: Vec<u64> = schedule(ErrorClass::QuotaHard, 11)
        .iter()
        .map(|seconds| seconds / 60)
        .collect();
    assert_eq!(minutes, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]);
}

#[test]
fn a_failure_of_a_lease_from_before_the_window_is_not_one_more_in_a_row() {
    let first = rested(
        &Standing::default(),
        &evidence(ErrorClass::RateLimit, None, 1, 101),
        0,
    );
    for id in 2..=100 {
        let late = evidence(ErrorClass::RateLimit, None, id, 101);
        assert_eq!(first.rested(&late, at(1), &CooldownPolicy::default()), None);
    }
    let straggler = rested(&first, &evidence(ErrorClass::RateLimit, None, 50, 101), 11);
    assert_eq!(until(&straggler) - 11, 10);
    let fresh = rested(&first, &evidence(ErrorClass::RateLimit, None, 101, 102), 11);
    assert_eq!(until(&fresh) - 11, 20);
}

#[test]
fn a_success_ends_only_what_began_before_its_lease() {
    let resting = rested(
        &Standing::default(),
        &evidence(ErrorClass::RateLimit, Some(60), 5, 9),
        0,
    );
    assert_eq!(resting.succeeded(8), None);
    assert_eq!(resting.succeeded(9), Some(Standing::default()));
}

#[test]
fn an_open_window_is_never_made_shorter_nor_longer_by_weaker_evidence() {
    let policy = CooldownPolicy::default();
    let window = rested(
        &Standing::default(),
        &evidence(ErrorClass::QuotaWindow, Some(7200), 1, 2),
        0,
    );
    for weaker in [
        evidence(ErrorClass::RateLimit, Some(9000), 1, 2),
        evidence(ErrorClass::QuotaWindow, None, 1, 2),
        evidence(ErrorClass::QuotaWindow, Some(60), 1, 2),
    ] {
        assert_eq!(window.rested(&weaker, at(1), &policy), None, "{weaker:?}");
    }
    assert_eq!(
        until(&rested(
            &window,
            &evidence(ErrorClass::QuotaWindow, Some(9000), 1, 2),
            1
        )),
        9000
    );
    let exhausted = rested(&window, &evidence(ErrorClass::QuotaHard, None, 1, 2), 1);
    assert_eq!(exhausted.name(at(1)), StateName::Exhausted);
    assert_eq!(
        until(&exhausted),
        7200,
        "the stronger class takes over, the end stays"
    );
}

#[test]
fn old_failures_are_forgotten() {
    let first = rested(
        &Standing::default(),
        &evidence(ErrorClass::RateLimit, None, 1, 2),
        0,
    );
    let day = 10 + 24 * 60 * 60;
    let within = rested(&first, &evidence(ErrorClass::RateLimit, None, 2, 3), day);
    assert_eq!(until(&within) - day, 20);
    let beyond = rested(&first, &evidence(ErrorClass::RateLimit, None, 2, 3), day + 1);
    assert_eq!(until(&beyond) - (day + 1), 10);
    let mut idle = first;
    assert!(!idle.forget(at(day), &CooldownPolicy::default()));
    assert!(idle.forget(at(day + 1), &CooldownPolicy::default()));
}

#[test]
fn a_long_stated_window_is_tested_once_an_hour() {
    let policy = CooldownPolicy::default();
    let mut window = rested(
        &Standing::default(),
        &evidence(ErrorClass::QuotaWindow, Some(3 * 3600), 1, 2),
        0,
    );
    assert_eq!(window.admission(at(3599)), Admission::No);
    assert_eq!(window.opens_at(at(1)), Some(at(3600)));
    assert_eq!(window.admission(at(3600)), Admission::Test);
    window.test_taken(at(3600), &policy);
    assert_eq!(window.admission(at(3600)), Admission::No);
    assert_eq!(window.admission(at(7199)), Admission::No);
    assert_eq!(window.admission(at(7200)), Admission::Test);
    assert_eq!(window.admission(at(3 * 3600)), Admission::Yes);
    let failed = window.rested(&evidence(ErrorClass::QuotaWindow, None, 2, 3), at(3601), &policy);
    assert_eq!(failed, None, "a failed test keeps the window");
    assert_eq!(window.succeeded(2), Some(Standing::default()));
}

#[test]
fn disabled_yields_to_nothing_but_a_clear() {
    let dead = Standing::default()
        .disabled(ErrorClass::AuthDead, refused())
        .expect("it was available");
    assert_eq!(dead.disabled(ErrorClass::AuthDead, refused()), None);
    assert_eq!(dead.succeeded(u64::MAX), None);
    let throttle = evidence(ErrorClass::RateLimit, Some(60), 1, 2);
    assert_eq!(dead.rested(&throttle, at(0), &CooldownPolicy::default()), None);
    assert_eq!(dead.opens_at(at(1_000_000)), None);
}

#[test]
fn jitter_only_lengthens_and_by_a_tenth_at_most() {
    let policy = CooldownPolicy {
        jitter_percent: 200,
        ..CooldownPolicy::default()
    };
    let mut most = evidence(ErrorClass::RateLimit, None, 1, 2);
    most.random = 1.0;
    let standing = Standing::default()
        .rested(&most, at(0), &policy)
        .expect("it was available");
    assert_eq!(until(&standing), 11);
    let mut stated = evidence(ErrorClass::RateLimit, Some(10), 1, 2);
    stated.random = 1.0;
    let standing = Standing::default()
        .rested(&stated, at(0), &policy)
        .expect("it was available");
    assert_eq!(until(&standing), 10);
}

#[test]
fn failures_that_are_not_the_credentials_do_nothing_to_it() {
    let verdict = |class, owner| Verdict {
        class,
        scope: Scope::of(owner),
        cooldown: Cooldown::hinted(Duration::from_secs(30)),
        hint: None,
    };
    let effect =
        |class, owner, terms| effect_of(&verdict(class, owner), terms, &CooldownPolicy::default(), at(0));
    let lenient = SettleTerms {
        may_disable: false,
        may_exclude: false,
    };
    for class in ErrorClass::ALL {
        let touches = matches!(
            class,
            ErrorClass::RateLimit | ErrorClass::QuotaWindow | ErrorClass::QuotaHard
        );
        let nothing = effect(class, ScopeOwner::Key, lenient) == Effect::Nothing;
        assert_eq!(!nothing, touches, "{class}");
        assert_eq!(
            effect(class, ScopeOwner::Provider, SettleTerms::default()),
            Effect::Nothing
        );
    }
    for class in [
        ErrorClass::AuthDead,
        ErrorClass::AuthRefresh,
        ErrorClass::CredentialUseForbidden,
    ] {
        assert_eq!(
            effect(class, ScopeOwner::Key, SettleTerms::default()),
            Effect::Disable { class }
        );
    }
}

#[test]
fn a_rest_from_a_clock_that_ran_ahead_is_tested_as_if_it_began_now() {
    const YEARS: u64 = 70 * 366 * 86_400;
    let policy = CooldownPolicy::default();
    for (class, longest) in [
        (ErrorClass::RateLimit, 600),
        (ErrorClass::QuotaWindow, 3600),
        (ErrorClass::QuotaHard, 86_400),
    ] {
        let ahead = rested(
            &Standing::default(),
            &evidence(class, Some(YEARS + 60), 1, 2),
            YEARS,
        );
        let bounded = ahead.clone().bounded(at(0), &policy);
        assert_eq!(bounded.admission(at(longest - 1)), Admission::No, "{class}");
        assert_eq!(bounded.admission(at(longest)), Admission::Test, "{class}");
        let in_time = ahead.clone().bounded(at(YEARS), &policy);
        assert_eq!(in_time, ahead, "{class}");
    }
}

#[test]
fn failures_in_a_row_beyond_all_counting_are_no_trouble() {
    let most = Streak {
        count: u32::MAX,
        rested_until: Timestamp::from_unix_nanos(u64::MAX),
        at_lease: 0,
    };
    let standing = Standing {
        throttles: most,
        exhaustions: most,
        ..Standing::default()
    };
    let policy = CooldownPolicy::default();
    assert!(standing.next_change(at(0), &policy).is_some());
    let bounded = standing.bounded(at(0), &policy);
    assert!(bounded.next_change(at(0), &policy) < Some(at(3 * 86_400)));
}

fn refused() -> Fingerprint {
    crate::domain::credential::Secret::new("sk-proj-Tz5cVb8NqLm2XwRf7HkJ3dPs".to_owned()).fingerprint()
}
