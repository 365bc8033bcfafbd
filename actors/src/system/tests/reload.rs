//! Reloads under requests that are under way.

use super::*;
use crate::domain::plan::Strategy;

fn names(provider: &ProviderHandle) -> Vec<String> {
    let credentials = provider.snapshot().credentials;
    credentials
        .iter()
        .map(|credential| credential.profile.to_string())
        .collect()
}

#[test]
fn a_reload_starts_keeps_and_ends_providers() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let gone = plane.provider("anthropic").unwrap();
        answers(&gone).await.unwrap();
        lease(&provider).unwrap().settle(throttled());
        plane
            .reload(vec![spec("openai", &["b", "a", "new"]), spec("google", &["g"])])
            .await
            .unwrap();
        let states: Vec<(String, StateName)> = openai(&plane)
            .snapshot()
            .credentials
            .iter()
            .map(|credential| (credential.profile.to_string(), credential.state))
            .collect();
        assert_eq!(
            states,
            [
                ("openai:b".to_owned(), StateName::Available),
                ("openai:a".to_owned(), StateName::Cooling),
                ("openai:new".to_owned(), StateName::Available),
            ]
        );
        assert_eq!(answers(&plane.provider("google").unwrap()).await, Ok(false));
        assert!(plane.provider("anthropic").is_none());
        until(|| matches!(gone.published(), Published::Stopped)).await;
        assert!(matches!(answers(&gone).await, Err(HandleError::Stopped(_))));
        plane.shutdown().await;
    });
}

#[test]
fn a_member_that_a_reload_removes_is_not_leased_again_and_its_live_lease_ends_well() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let held = lease(&provider).unwrap();
        assert_eq!(held.profile().id.as_str(), "openai:a");
        plane.reload(vec![spec("openai", &["b"])]).await.unwrap();
        assert_eq!(lease(&provider).unwrap().profile().id.as_str(), "openai:b");
        assert_eq!(provider.in_flight(), 1);
        held.settle(throttled());
        assert_eq!(provider.in_flight(), 0);
        plane.reload(vec![spec("openai", &["a", "b"])]).await.unwrap();
        let states = provider.snapshot().credentials;
        assert_eq!(
            states[0].state,
            StateName::Available,
            "what a stranger met is not kept"
        );
        assert!(states.iter().all(|credential| credential.in_flight == 0));
        plane.shutdown().await;
    });
}

#[test]
fn an_order_is_obeyed_by_the_next_lease() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        for order in [["b", "a"], ["a", "b"], ["b", "a"]] {
            plane.reload(vec![spec("openai", &order)]).await.unwrap();
            let first = lease(&provider).unwrap().profile().id.to_string();
            assert_eq!(first, format!("openai:{}", order[0]));
        }
        plane.shutdown().await;
    });
}

#[test]
fn a_provider_that_a_reload_removes_lets_its_requests_end_and_leases_no_more() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let upstream = Memory::hanging();
        let slot = plane.router_slot(upstream.clone(), NoRenewal);
        let requests = join_all((0..20).map(|_| slot.dispatch(request(&provider))));
        let reload = async {
            until(|| upstream.calls().len() == 20).await;
            plane.reload(vec![spec("google", &["g"])]).await.unwrap();
            assert!(matches!(lease(&provider), Err(LeaseError::NoCredentials { .. })));
            assert_eq!(provider.in_flight(), 20);
            let google = plane.provider("google").unwrap();
            assert!(lease(&google).is_ok(), "the new one serves at once");
            upstream.open();
        };
        let (ended, ()) = tokio::join!(requests, reload);
        assert!(ended.iter().all(is_served));
        drop(ended);
        assert_eq!(provider.in_flight(), 0);
        plane.shutdown().await;
    });
}

#[test]
fn reloads_at_the_same_time_follow_one_another() {
    in_system(async {
        let plane = plane();
        let mut reloads = plane.reloads();
        reloads.mark_unchanged();
        let one = plane.reload(vec![spec("openai", &["a"]), spec("x", &["x"])]);
        let other = plane.reload(vec![spec("openai", &["b"]), spec("y", &["y"])]);
        let (one, other) = tokio::join!(one, other);
        one.unwrap();
        other.unwrap();
        assert!(reloads.has_changed().unwrap());
        assert_eq!(names(&openai(&plane)), ["openai:b"]);
        let ids: Vec<String> = plane.providers().iter().map(|one| one.id().to_string()).collect();
        assert_eq!(ids, ["openai", "y"]);
        plane.shutdown().await;
    });
}

#[test]
fn no_request_fails_while_pools_are_reloaded_without_end() {
    const ROUNDS: usize = 200;
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let slot = plane.router_slot(Memory::default(), NoRenewal);
        for round in 0..ROUNDS {
            let order: &[&str] = if round % 2 == 0 {
                &["b", "c"]
            } else {
                &["c", "a", "b"]
            };
            let strategy = if round % 3 == 0 {
                Strategy::Balanced
            } else {
                Strategy::Priority
            };
            let next = ProviderSpec {
                strategy,
                ..spec("openai", order)
            };
            let requests = join_all((0..20).map(|_| slot.dispatch(request(&provider))));
            let (ended, reloaded) = tokio::join!(requests, plane.reload(vec![next]));
            reloaded.unwrap();
            assert!(ended.iter().all(is_served));
            drop(ended);
            let leased = lease(&provider).unwrap();
            assert!(
                order
                    .iter()
                    .any(|name| leased.profile().id.as_str().ends_with(name))
            );
        }
        assert_eq!(provider.in_flight(), 0);
        plane.shutdown().await;
    });
}

#[test]
fn a_clear_tells_whether_there_was_anything_to_clear() {
    in_system(async {
        let plane = plane();
        let provider = openai(&plane);
        let profile = ProfileId::new("openai:a");
        assert_eq!(provider.clear(&profile).await, Ok(false));
        lease(&provider).unwrap().settle(throttled());
        assert_eq!(provider.clear(&profile).await, Ok(true));
        assert_eq!(provider.clear(&profile).await, Ok(false));
        assert_eq!(lease(&provider).unwrap().profile().id, profile);
        assert_eq!(provider.clear(&ProfileId::new("openai:nobody")).await, Ok(false));
        plane.shutdown().await;
    });
}
