use coderclaw_actors::LeaseError;
use coderclaw_actors::domain::credential::ProviderId;
use coderclaw_actors::domain::outcome::ErrorClass;

use super::*;
use crate::gateway::dialect::Dialect;

const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);

fn failed(model: &str, failure: Failure) -> Failed {
    let target = Target {
        provider: ProviderId::new("openai"),
        model: model.to_owned(),
    };
    Failed { target, failure }
}

fn attempt(class: ErrorClass, wait_ms: u64) -> Failure {
    Failure::Attempt {
        class,
        status: None,
        what: None,
        soonest: Some(Timestamp::from_unix_ms(NOW.as_unix_ms() + wait_ms)),
    }
}

fn keyless() -> Failure {
    let provider = ProviderId::new("openai");
    Failure::NoLease(LeaseError::NoCredentials { provider })
}

/// The status, `retry-after-ms` and `x-should-retry` of the error for these failures.
fn told(failures: Vec<Failure>) -> (u16, Option<String>, Option<String>) {
    let failures: Vec<Failed> = failures.into_iter().map(|failure| failed("m", failure)).collect();
    let response = all_failed(&failures, NOW).into_response(Dialect::OpenAi);
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let status = response.status().as_u16();
    (status, header("retry-after-ms"), header("x-should-retry"))
}

#[test]
fn a_rest_that_ends_is_told_and_the_soonest_counts() {
    let some = |text: &str| Some(text.to_owned());
    let rest = |seconds: u64| attempt(ErrorClass::RateLimit, seconds * 1000);
    assert_eq!(told(vec![rest(20), rest(7)]), (429, some("7000"), None));
    assert_eq!(told(vec![keyless(), rest(7)]), (429, some("7000"), None));
    assert_eq!(
        told(vec![rest(3600), rest(7200)]),
        (429, some("60000"), some("false"))
    );
    // Hours of rest of one are no reason to wait for hours, where another may be well in a moment.
    let outage = attempt(ErrorClass::Overloaded, 0);
    assert_eq!(told(vec![outage, rest(3600)]), (429, some("60000"), None));
}

#[test]
fn without_a_rest_the_kind_of_trouble_decides() {
    use ErrorClass::{AuthDead, CallerFault, Overloaded, Timeout, TransientServer, Unreachable};

    let of = |classes: &[ErrorClass]| {
        let (status, wait, should_retry) = told(classes.iter().map(|class| attempt(*class, 0)).collect());
        assert_eq!(wait, None);
        (status, should_retry.is_none())
    };
    assert_eq!(of(&[Timeout, Timeout]), (504, true));
    assert_eq!(of(&[Unreachable, Unreachable]), (502, true));
    assert_eq!(of(&[Unreachable, Timeout]), (503, true));
    assert_eq!(of(&[Overloaded, TransientServer]), (503, true));
    assert_eq!(of(&[Overloaded, CallerFault]), (503, true));
    assert_eq!(of(&[AuthDead, CallerFault]), (503, false));
    assert_eq!(told(vec![keyless(), keyless()]).0, 503);
}

#[test]
fn each_model_is_named_with_its_reason() {
    let failures = [
        failed("big", attempt(ErrorClass::RateLimit, 20_000)),
        failed("small", attempt(ErrorClass::Timeout, 0)),
        failed("nobody", keyless()),
    ];
    assert_eq!(
        message(&failures),
        "All models failed (3): openai/big: rate limited until 2026-02-02T02:40:20Z (rate_limit) | \
         openai/small: no answer in time (timeout) | openai/nobody: no credential (no_credential)"
    );
}

#[test]
fn many_models_do_not_flood_the_message() {
    let failure = attempt(ErrorClass::Unreachable, 0);
    let failures: Vec<Failed> = (0..33)
        .map(|_| failed(&"long-name-".repeat(60), failure.clone()))
        .collect();
    let message = message(&failures);
    assert!(message.len() < 2 * MESSAGE_BYTES_MAX, "{}", message.len());
    assert!(
        message.starts_with("All models failed (33): openai/long-name-"),
        "{message}"
    );
    assert!(message.ends_with(" more"), "{message}");
}
