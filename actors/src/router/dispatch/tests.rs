mod any_pool;
mod renewals;
mod world;

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::*;
use crate::domain::credential_state::StateName;
use crate::domain::outcome::ErrorClass;
use crate::domain::selection::Selection;
use crate::renewal::NoRenewal;
use crate::testing::{Memory, profile, provider};

/// Dispatches one request over `keys`, of which some fail with a text.
async fn run(keys: &[&str], failures: &[(&str, &str)]) -> (Dispatched<String>, ProviderHandle, Memory) {
    let provider = provider("openai", keys);
    let upstream = Memory::failing(failures);
    let ended = dispatch(upstream.clone(), NoRenewal, request(&provider)).await;
    (ended, provider, upstream)
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
        rotation: Arc::new(RotationPolicy::default()),
    }
}

/// What the caller gets, in the words of the vectors.
fn end_of(ended: &Dispatched<String>) -> String {
    match &ended.end {
        End::Committed { answer, .. } | End::Rejected { answer, .. } => answer.clone(),
        End::Unavailable { error } => error.to_string(),
    }
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Rotation {
    id: String,
    input: RotationInput,
    expected: RotationExpected,
}

#[derive(Deserialize)]
struct RotationInput {
    keys: Vec<String>,
    failures: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RotationExpected {
    value: Option<String>,
    error: Option<String>,
    calls: Vec<String>,
}

#[tokio::test]
async fn rotation_is_as_the_vectors_say() {
    let vectors = include_str!("../../../../tests/fixtures/vectors.json");
    let vectors: Vectors = serde_json::from_str(vectors).unwrap();
    let rotations: Vec<Rotation> = vectors
        .vectors
        .into_iter()
        .filter(|vector| vector["group"] == "rotation")
        .map(|vector| serde_json::from_value(vector).unwrap())
        .collect();
    assert!(!rotations.is_empty());
    for Rotation { id, input, expected } in rotations {
        let keys: Vec<&str> = input
            .keys
            .iter()
            .map(|key| key.trim())
            .filter(|key| !key.is_empty())
            .collect();
        let failures: Vec<(&str, &str)> = input
            .failures
            .iter()
            .map(|(key, failure)| (key.as_str(), failure.as_str()))
            .collect();
        let (ended, _, upstream) = run(&keys, &failures).await;
        assert_eq!(upstream.calls(), expected.calls, "{id}");
        assert_eq!(Some(end_of(&ended)), expected.value.or(expected.error), "{id}");
        let recorded: Vec<&str> = ended
            .attempts
            .iter()
            .map(|attempt| attempt.profile.as_str().trim_start_matches("openai:"))
            .collect();
        assert_eq!(recorded, expected.calls, "{id}");
    }
}

#[tokio::test]
async fn the_last_failure_goes_out_with_the_soonest_recovery() {
    let (ended, provider, _) = run(&["a", "b"], &[("a", "429"), ("b", "429")]).await;
    let End::Rejected {
        verdict, recovery, ..
    } = ended.end
    else {
        panic!("{ended:?}");
    };
    assert_eq!(verdict.class, ErrorClass::RateLimit);
    let soonest = provider.clock().now().after(Duration::from_secs(10));
    assert_eq!(recovery.soonest, Some(soonest));
    let again = dispatch(Memory::default(), NoRenewal, request(&provider)).await;
    let End::Unavailable { error } = again.end else {
        panic!("{again:?}");
    };
    assert_eq!(error.soonest(), Some(soonest));
    assert!(again.attempts.is_empty());
}

#[tokio::test]
async fn nobody_to_ask_is_said_so() {
    let (ended, ..) = run(&[], &[]).await;
    assert!(matches!(
        ended.end,
        End::Unavailable {
            error: LeaseError::NoCredentials { .. }
        }
    ));
}

#[tokio::test]
async fn a_request_that_cannot_be_replayed_has_one_attempt() {
    let provider = provider("openai", &["a", "b"]);
    let upstream = Memory::failing(&[("a", "429")]);
    let once = Dispatch {
        replayable: false,
        ..request(&provider)
    };
    let ended = dispatch(upstream.clone(), NoRenewal, once).await;
    assert!(matches!(ended.end, End::Rejected { .. }));
    assert_eq!(upstream.calls(), ["a"]);
}

#[tokio::test]
async fn attempts_end_at_the_limit() {
    let most = RotationPolicy::DEFAULT_ATTEMPTS_MAX.get();
    let keys: Vec<String> = (0..=most).map(|n| n.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let failures: Vec<(&str, &str)> = keys.iter().map(|key| (*key, "429")).collect();
    let (ended, ..) = run(&keys, &failures).await;
    assert_eq!(ended.attempts.len(), most);
    let provider = provider("openai", &keys);
    let few = Dispatch {
        rotation: Arc::new(RotationPolicy {
            attempts_max: NonZeroUsize::MIN.saturating_add(2),
            ..RotationPolicy::default()
        }),
        ..request(&provider)
    };
    let ended = dispatch(Memory::failing(&failures), NoRenewal, few).await;
    assert_eq!(ended.attempts.len(), 3);
}

#[tokio::test]
async fn the_config_can_widen_what_rotates() {
    let provider = provider("openai", &["a", "b"]);
    let mut rotation = RotationPolicy::default();
    rotation.on.insert(ErrorClass::TransientServer);
    let widened = Dispatch {
        rotation: Arc::new(rotation),
        ..request(&provider)
    };
    let ended = dispatch(Memory::failing(&[("a", "500 boom")]), NoRenewal, widened).await;
    assert_eq!(end_of(&ended), "ok:b");
    drop(ended);
    let states: Vec<StateName> = provider
        .snapshot()
        .credentials
        .iter()
        .map(|credential| credential.state)
        .collect();
    assert_eq!(
        states,
        [StateName::Available, StateName::Available],
        "an outage rests nobody"
    );
}

#[tokio::test]
async fn a_dead_key_is_left_alone_where_the_caller_could_have_provoked_it() {
    let provider = provider("openai", &["a"]);
    let provoked = Dispatch {
        may_disable: false,
        ..request(&provider)
    };
    dispatch(Memory::failing(&[("a", "401")]), NoRenewal, provoked).await;
    assert_eq!(provider.snapshot().credentials[0].state, StateName::Available);
    dispatch(Memory::failing(&[("a", "401")]), NoRenewal, request(&provider)).await;
    assert_eq!(provider.snapshot().credentials[0].state, StateName::Disabled);
}

#[tokio::test]
async fn the_lease_of_a_stream_lives_as_long_as_the_stream() {
    let (ended, provider, _) = run(&["a"], &[]).await;
    assert_eq!(provider.in_flight(), 1);
    let End::Committed { lease, .. } = ended.end else {
        panic!("{:?}", ended.attempts);
    };
    lease.settle(Outcome::Success);
    assert_eq!(provider.in_flight(), 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_credential_back() {
    let provider = provider("openai", &["a"]);
    let stuck = dispatch(Memory::hanging(), NoRenewal, request(&provider));
    tokio::select! {
        biased;
        ended = stuck => panic!("{ended:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(provider.in_flight(), 0);
    assert_eq!(provider.snapshot().credentials[0].state, StateName::Available);
    assert_eq!(provider.snapshot().credentials[0].requests, 1);
}

#[tokio::test]
async fn an_upstream_that_panics_gives_its_credential_back() {
    let provider = provider("openai", &["a"]);
    let attempt = dispatch(Memory::failing(&[("a", "panic")]), NoRenewal, request(&provider));
    let joined = tokio::task::LocalSet::new()
        .run_until(async { tokio::task::spawn_local(attempt).await })
        .await;
    assert!(joined.is_err());
    assert_eq!(provider.in_flight(), 0);
}

#[test]
fn profiles_of_the_tests_look_real() {
    assert!(profile("openai", "a").secret.expose().len() > 40);
}
