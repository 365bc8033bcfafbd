//! The truths of supervision: whatever panics, the next lease succeeds and nobody in flight is lost.

mod reload;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::domain::cooldown::SettleTerms;
use crate::domain::credential::{ModelClass, ProfileId};
use crate::domain::credential_state::StateName;
use crate::domain::lease::{LeaseError, LeaseRequest, Tried};
use crate::domain::outcome::{Cooldown, ErrorClass, Outcome, Scope, ScopeOwner, Verdict};
use crate::domain::plan::RotationPolicy;
use crate::domain::selection::Selection;
use crate::provider::Lease;
use crate::renewal::NoRenewal;
use crate::router::{Dispatch, Dispatched, End};
use crate::testing::{Memory, clock, in_system, spec};

fn plane() -> ControlPlane {
    plane_with(RestartPolicy::default())
}

fn plane_with(restart: RestartPolicy) -> ControlPlane {
    let specs = vec![spec("openai", &["a", "b"]), spec("anthropic", &["c"])];
    ControlPlane::start(specs, clock(), &SavedState::default(), restart).unwrap()
}

fn openai(plane: &ControlPlane) -> ProviderHandle {
    plane.provider("openai").unwrap()
}

fn lease(provider: &ProviderHandle) -> Result<Lease, LeaseError> {
    provider.lease(&LeaseRequest {
        class: &ModelClass::new("gpt-5"),
        tried: &Tried::default(),
        selection: Selection::Any,
        agent: None,
        terms: SettleTerms::default(),
    })
}

fn throttled() -> Outcome {
    Outcome::Failed(Verdict {
        class: ErrorClass::RateLimit,
        scope: Scope::of(ScopeOwner::Key),
        cooldown: Cooldown::hinted(Duration::from_mins(1)),
        hint: Some("retry-after"),
    })
}

/// Returns once a living actor has answered.
async fn answers(provider: &ProviderHandle) -> Result<bool, HandleError> {
    provider.clear(&ProfileId::new("nobody")).await
}

fn request(provider: &ProviderHandle) -> Dispatch<()> {
    Dispatch {
        provider: provider.clone(),
        class: ModelClass::new("gpt-5"),
        selection: Selection::Any,
        agent: None,
        request: (),
        replayable: true,
        may_disable: true,
        rotation: std::sync::Arc::new(RotationPolicy::default()),
    }
}

fn is_served(ended: &Dispatched<String>) -> bool {
    matches!(ended.end, End::Committed { .. })
}

/// Yields until `holds`; the test's own deadline ends a wait for what never comes.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn supervision_a_panic_in_a_handler_is_recovered() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        provider.kill();
        assert!(lease(&provider).is_ok(), "the book goes on leasing meanwhile");
        assert_eq!(answers(&provider).await, Ok(false));
        assert_eq!(provider.restarts(), 1);
        assert!(lease(&provider).is_ok());
        plane.shutdown().await;
    });
}

#[test]
fn supervision_panics_in_started_and_in_the_factory_are_recovered() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        provider.crash_in_started(2);
        provider.kill();
        until(|| provider.restarts() == 3 && provider.is_running()).await;
        assert_eq!(answers(&provider).await, Ok(false));
        provider.crash_in_factory(2);
        provider.kill();
        until(|| provider.restarts() == 6 && provider.is_running()).await;
        assert_eq!(answers(&provider).await, Ok(false));
        assert!(lease(&provider).is_ok());
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_panic_under_the_lock_is_recovered() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let held = lease(&provider).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| provider.crash_book())).is_err());
        assert!(lease(&provider).is_ok());
        assert_eq!(provider.in_flight(), 1);
        held.settle(Outcome::Success);
        assert_eq!(provider.in_flight(), 0);
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_hundred_in_flight_at_a_panic_all_end_well() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        let upstream = Memory::hanging();
        let slot = plane.router_slot(upstream.clone(), NoRenewal);
        let requests = join_all((0..100).map(|_| slot.dispatch(request(&provider))));
        let chaos = async {
            until(|| upstream.calls().len() == 100).await;
            provider.kill();
            slot.kill();
            plane.kill_supervisor();
            assert!(catch_unwind(AssertUnwindSafe(|| provider.crash_book())).is_err());
            until(|| plane.status().supervisor.restarts == 1).await;
            upstream.open();
        };
        let (ended, ()) = tokio::join!(requests, chaos);
        assert!(ended.iter().all(is_served));
        assert_eq!(provider.in_flight(), 100);
        drop(ended);
        assert_eq!(provider.in_flight(), 0);
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_panic_storm_escalates_and_the_others_serve() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        provider.crash_in_started(u32::MAX);
        provider.kill();
        while !matches!(answers(&provider).await, Err(HandleError::Unavailable(_))) {
            provider.kill();
        }
        assert!(matches!(
            lease(&provider),
            Err(LeaseError::ProviderUnavailable { .. })
        ));
        assert!(!provider.snapshot().available);
        let status = plane.status();
        assert!(status.providers["openai"].escalated);
        assert!(!status.providers["anthropic"].escalated);
        let other = plane.provider("anthropic").unwrap();
        assert_eq!(answers(&other).await, Ok(false));
        assert!(lease(&other).is_ok());
        plane.shutdown().await;
    });
}

#[test]
fn supervision_cooldowns_survive_a_restart_of_the_actor() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        lease(&provider).unwrap().settle(throttled());
        provider.kill();
        answers(&provider).await.unwrap();
        let snapshot = provider.snapshot();
        assert_eq!(snapshot.restarts, 1);
        assert_eq!(snapshot.credentials[0].state, StateName::Cooling);
        assert_eq!(lease(&provider).unwrap().profile().id.as_str(), "openai:b");
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_stream_in_flight_survives_the_crash_of_every_actor() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let slot = plane.router_slot(Memory::default(), NoRenewal);
        let End::Committed { lease: stream, .. } = slot.dispatch(request(&provider)).await.end else {
            panic!("it is served");
        };
        answers(&provider).await.unwrap();
        let mut changes = provider.changes();
        changes.mark_unchanged();
        provider.kill();
        slot.kill();
        plane.kill_supervisor();
        until(|| plane.status().supervisor.restarts == 1).await;
        stream.settle(throttled());
        changes.changed().await.unwrap();
        assert_eq!(provider.in_flight(), 0);
        assert_eq!(provider.snapshot().credentials[0].state, StateName::Cooling);
        assert_eq!(end_of(&slot.dispatch(request(&provider)).await), "ok:b");
        plane.shutdown().await;
    });
}

fn end_of(ended: &Dispatched<String>) -> &str {
    match &ended.end {
        End::Committed { answer, .. } => answer,
        _ => "not served",
    }
}

#[test]
fn supervision_notices_wait_for_the_actor_that_follows() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        let mut changes = provider.changes();
        changes.mark_unchanged();
        provider.crash_in_started(4);
        provider.kill();
        lease(&provider).unwrap().settle(throttled());
        changes.changed().await.unwrap();
        assert_eq!(answers(&provider).await, Ok(false));
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_dead_router_is_replaced_in_place_and_counted() {
    in_system(async {
        let plane = plane_with(RestartPolicy {
            restarts_max: 3,
            ..RestartPolicy::default()
        });
        let provider = openai(&plane);
        let slot = plane.router_slot(Memory::default(), NoRenewal);
        for death in 0..5 {
            assert!(is_served(&slot.dispatch(request(&provider)).await));
            assert_eq!(plane.status().routers[0].restarts, death);
            slot.kill();
        }
        assert!(is_served(&slot.dispatch(request(&provider)).await));
        until(|| plane.status().routers[0].escalated).await;
        assert!(is_served(&slot.dispatch(request(&provider)).await));
        plane.shutdown().await;
    });
}

#[test]
fn supervision_a_supervisor_that_crashed_still_restarts_the_others() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        for n in 1..=3 {
            plane.kill_supervisor();
            until(|| plane.status().supervisor.restarts == n && plane.status().supervisor.alive).await;
            provider.kill();
            until(|| provider.restarts() == n && provider.is_running()).await;
            assert_eq!(answers(&provider).await, Ok(false));
        }
        plane.shutdown().await;
    });
}

#[test]
fn supervision_no_request_fails_while_actors_are_killed_at_random() {
    const REQUESTS: usize = 4_000;
    in_system(async {
        let plane = plane_with(RestartPolicy {
            restarts_max: u32::MAX,
            delay_longest: Duration::from_millis(2),
            ..RestartPolicy::default()
        });
        let provider = openai(&plane);
        let slot = plane.router_slot(Memory::default(), NoRenewal);
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..REQUESTS / 200 {
            let requests = join_all((0..200).map(|_| async {
                let ended = slot.dispatch(request(&provider)).await;
                tokio::task::yield_now().await;
                ended
            }));
            let victim = random.u8(..4);
            let chaos = async {
                match victim {
                    0 => provider.kill(),
                    1 => slot.kill(),
                    2 => plane.kill_supervisor(),
                    _ => drop(catch_unwind(AssertUnwindSafe(|| provider.crash_book()))),
                }
            };
            let (ended, ()) = tokio::join!(requests, chaos);
            assert!(ended.iter().all(is_served));
        }
        assert_eq!(provider.in_flight(), 0);
        assert_eq!(answers(&provider).await, Ok(false));
        plane.shutdown().await;
    });
}

#[test]
fn a_shutdown_ends_the_actors_but_no_lease() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        answers(&provider).await.unwrap();
        let held = lease(&provider).unwrap();
        plane.shutdown().await;
        plane.shutdown().await;
        assert!(matches!(answers(&provider).await, Err(HandleError::Stopped(_))));
        held.settle(Outcome::Success);
        assert_eq!(provider.in_flight(), 0);
        assert_eq!(plane.export().0["openai"].0[0].standing, None);
    });
}

#[test]
fn a_provider_configured_twice_is_refused() {
    let specs = vec![spec("openai", &["a"]), spec("openai", &["b"])];
    let started = ControlPlane::start(specs, clock(), &SavedState::default(), RestartPolicy::default());
    assert!(matches!(started, Err(StartError::DuplicateProvider(_))));
}
