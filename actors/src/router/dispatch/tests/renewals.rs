//! Access tokens that run out: before an attempt, under it, and when nothing helps.

use super::world::{HOUR, Refusal, Word, World, go, go_with, login, states, with};
use super::*;
use crate::domain::clock::Clock;
use crate::domain::credential::AuthProfile;
use crate::renewal::{Renewal, Renewed};
use crate::router::dispatch::renewals::{NEAR_END, RENEWALS_MAX};
use crate::testing::clock;

#[tokio::test]
async fn a_token_that_has_run_out_is_renewed_before_anything_is_sent() {
    let clock = clock();
    let world = World::new(&[("a", Word::Good)], &[("a", Refusal::Dead)]);
    let provider = with(vec![login("a", &clock, None)], &clock);
    for _ in 0..2 {
        let ended = go(&world, &provider).await;
        assert_eq!(end_of(&ended), "ok:a");
        assert_eq!(ended.attempts.len(), 1);
        let End::Committed { lease, .. } = ended.end else {
            panic!("it was served");
        };
        assert!(lease.profile().secret.expose().ends_with("-good"));
    }
    assert_eq!(world.sent(), ["a:good", "a:good"]);
    assert_eq!(world.renewed(), ["a"], "the pool holds the new one");
}

#[tokio::test]
async fn a_token_that_the_provider_calls_run_out_is_renewed_and_the_same_credential_goes_again() {
    let clock = clock();
    for (refusal, left, mends) in [
        (Refusal::RunOut, HOUR, true),
        (Refusal::Dead, NEAR_END, true),
        (Refusal::Dead, NEAR_END + Duration::from_nanos(1), false),
        (Refusal::Throttled, Duration::from_secs(1), false),
    ] {
        let world = World::new(&[("a", Word::Good)], &[("a", refusal)]);
        let provider = with(vec![login("a", &clock, Some(left))], &clock);
        let ended = go(&world, &provider).await;
        assert_eq!(
            matches!(ended.end, End::Committed { .. }),
            mends,
            "{refusal:?} {left:?}"
        );
        let sent: &[&str] = if mends { &["a:old", "a:good"] } else { &["a:old"] };
        assert_eq!(world.sent(), sent, "{refusal:?} {left:?}");
        assert_eq!(ended.attempts.len(), sent.len());
        assert!(ended.attempts[0].class.is_some());
        assert_eq!(provider.snapshot().credentials[0].requests, 1, "one lease");
        drop(ended);
        assert_eq!(provider.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_too_disables_the_login() {
    let clock = clock();
    let world = World::new(&[("a", Word::Bad)], &[("a", Refusal::RunOut)]);
    let provider = with(
        vec![login("a", &clock, Some(HOUR)), profile("openai", "b")],
        &clock,
    );
    let ended = go(&world, &provider).await;
    assert_eq!(end_of(&ended), "401 expired", "as the provider sent it");
    assert_eq!(world.sent(), ["a:old", "a:bad"]);
    assert_eq!(world.renewed(), ["a"], "once a request");
    assert_eq!(states(&provider), [StateName::Disabled, StateName::Available]);
    assert_eq!(end_of(&go(&world, &provider).await), "ok:b");
}

#[tokio::test]
async fn a_login_that_is_over_is_passed_over_if_nothing_was_sent() {
    let clock = clock();
    for word in [Word::Over, Word::Never] {
        let world = World::new(&[("a", word)], &[]);
        let provider = with(vec![login("a", &clock, None), profile("openai", "b")], &clock);
        let ended = go(&world, &provider).await;
        assert_eq!(end_of(&ended), "ok:b", "{word:?}");
        assert_eq!(ended.attempts.len(), 1);
        assert_eq!(states(&provider), [StateName::Disabled, StateName::Available]);
        let snapshot = provider.snapshot();
        assert_eq!(snapshot.credentials[0].reason, Some(ErrorClass::AuthRefresh));
        go(&world, &provider).await;
        assert_eq!(world.renewed(), ["a"], "it is not asked for again");
    }
}

#[tokio::test]
async fn a_login_that_is_over_gives_the_caller_the_provider_s_word_if_something_was_sent() {
    let clock = clock();
    let world = World::new(&[("a", Word::Over)], &[("a", Refusal::RunOut)]);
    let provider = with(
        vec![login("a", &clock, Some(HOUR)), profile("openai", "b")],
        &clock,
    );
    assert_eq!(end_of(&go(&world, &provider).await), "401 expired");
    assert_eq!(states(&provider), [StateName::Disabled, StateName::Available]);
    assert_eq!(world.sent(), ["a:old"]);
}

#[tokio::test]
async fn an_identity_provider_that_is_away_changes_no_state() {
    let clock = clock();
    let world = World::new(&[("a", Word::NotNow)], &[("a", Refusal::RunOut)]);
    let two = with(vec![login("a", &clock, None), profile("openai", "b")], &clock);
    assert_eq!(end_of(&go(&world, &two).await), "ok:b");
    assert_eq!(states(&two), [StateName::Available, StateName::Available]);
    let one = with(vec![login("a", &clock, None)], &clock);
    let ended = go(&world, &one).await;
    assert!(matches!(ended.end, End::Unavailable { .. }), "{ended:?}");
    assert_eq!(states(&one), [StateName::Available]);
    let valid = with(vec![login("a", &clock, Some(HOUR))], &clock);
    assert_eq!(end_of(&go(&world, &valid).await), "401 expired");
    assert_eq!(states(&valid), [StateName::Available]);
    assert_eq!((one.in_flight(), valid.in_flight()), (0, 0));
}

#[tokio::test]
async fn what_nothing_renews_stands_as_the_provider_said_it() {
    let clock = clock();
    for word in [Word::Never, Word::Same] {
        let world = World::new(&[("a", word)], &[("a", Refusal::RunOut)]);
        let provider = with(vec![login("a", &clock, Some(HOUR))], &clock);
        let provoked = Dispatch {
            may_disable: false,
            ..request(&provider)
        };
        assert_eq!(end_of(&go_with(&world, provoked).await), "401 expired");
        assert_eq!(states(&provider), [StateName::Available], "{word:?}");
        assert_eq!(end_of(&go(&world, &provider).await), "401 expired");
        assert_eq!(states(&provider), [StateName::Disabled], "{word:?}");
        assert_eq!(world.sent(), ["a:old", "a:old"], "{word:?}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_go_again_still_leaves_a_renewed_login() {
    let clock = clock();
    let world = World::new(&[("a", Word::Good)], &[("a", Refusal::RunOut)]);
    let provider = with(vec![login("a", &clock, Some(HOUR))], &clock);
    let once = Dispatch {
        replayable: false,
        ..request(&provider)
    };
    assert_eq!(end_of(&go_with(&world, once).await), "401 expired");
    assert_eq!(states(&provider), [StateName::Available]);
    assert_eq!(end_of(&go(&world, &provider).await), "ok:a");
    assert_eq!(world.sent(), ["a:old", "a:good"]);
    let first = with(vec![login("a", &clock, None), profile("openai", "b")], &clock);
    let once = Dispatch {
        replayable: false,
        ..request(&first)
    };
    let away = World::new(&[("a", Word::NotNow)], &[]);
    assert_eq!(
        end_of(&go_with(&away, once).await),
        "ok:b",
        "nothing was sent before"
    );
}

#[tokio::test]
async fn a_request_waits_for_so_many_renewals_and_then_takes_who_needs_none() {
    let clock = clock();
    let names: Vec<String> = (0..RENEWALS_MAX + 3).map(|n| n.to_string()).collect();
    let words: Vec<(&str, Word)> = names.iter().map(|name| (name.as_str(), Word::NotNow)).collect();
    let world = World::new(&words, &[]);
    let mut profiles: Vec<AuthProfile> = names.iter().map(|name| login(name, &clock, None)).collect();
    let without = with(profiles.clone(), &clock);
    let few = Dispatch {
        rotation: Arc::new(RotationPolicy {
            attempts_max: NonZeroUsize::MIN,
            ..RotationPolicy::default()
        }),
        ..request(&without)
    };
    let ended = go_with(&world, few).await;
    let End::Unavailable { error } = ended.end else {
        panic!("{ended:?}");
    };
    assert_eq!(error.soonest(), Some(clock.now()));
    assert_eq!(
        world.renewed().len(),
        1,
        "no more are passed over than attempts allowed"
    );
    profiles.push(profile("openai", "key"));
    let provider = with(profiles, &clock);
    assert_eq!(end_of(&go(&world, &provider).await), "ok:key");
    assert_eq!(world.renewed().len(), 1 + RENEWALS_MAX);
    assert_eq!(provider.in_flight(), 0);
}

#[tokio::test]
async fn a_request_without_renewals_does_not_carry_their_size() {
    #[derive(Clone)]
    struct Bulky;
    impl Renewal for Bulky {
        async fn renew(&self, _: &AuthProfile) -> Renewed {
            let room = [1_u8; 4096];
            tokio::task::yield_now().await;
            Renewed::NotNow(format!("{room:?}").into())
        }
    }
    let provider = provider("openai", &["a"]);
    let slim = dispatch(Memory::default(), NoRenewal, request(&provider));
    let bulky = dispatch(Memory::default(), Bulky, request(&provider));
    assert_eq!(size_of_val(&slim), size_of_val(&bulky));
}
