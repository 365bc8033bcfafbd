use coderclaw_actors::domain::credential::ProviderId;

use super::*;

fn attempt(class: ErrorClass, status: Option<u16>, what: Option<&str>) -> Failure {
    Failure::Attempt {
        class,
        status,
        what: what.map(str::to_owned),
        soonest: Some(Timestamp::from_unix_ms(1_770_000_000_001)),
    }
}

fn none_available(refusals: Refusals) -> Failure {
    let provider = ProviderId::new("openai");
    Failure::NoLease(LeaseError::NoneAvailable { provider, refusals })
}

/// Every class: whether a primary's failure moves on, whether it is a rest that ends, whether an outage.
const CLASSES: [(ErrorClass, bool, bool, bool); 14] = [
    (ErrorClass::RateLimit, true, true, false),
    (ErrorClass::QuotaWindow, true, true, false),
    (ErrorClass::QuotaHard, true, true, false),
    (ErrorClass::AuthDead, true, false, false),
    (ErrorClass::AuthRefresh, true, false, false),
    (ErrorClass::CredentialUseForbidden, true, false, false),
    (ErrorClass::Permission, true, false, false),
    (ErrorClass::ModelAccess, true, false, false),
    (ErrorClass::Overloaded, true, false, true),
    (ErrorClass::TransientServer, true, false, true),
    (ErrorClass::CallerFault, false, false, false),
    (ErrorClass::RegionBlocked, true, false, false),
    (ErrorClass::Timeout, true, false, true),
    (ErrorClass::Unreachable, true, false, true),
];

#[test]
fn of_every_class_it_is_decided_whether_another_model_may_serve() {
    assert_eq!(CLASSES.map(|(class, ..)| class), ErrorClass::ALL);
    for (class, primary, rests, outage) in CLASSES {
        let failure = attempt(class, Some(500), None);
        assert_eq!(moves_on(class, Role::Primary), primary, "{class}");
        assert!(moves_on(class, Role::StandIn), "{class}");
        assert_eq!(failure.moves_on(Role::Primary), primary, "{class}");
        assert_eq!(failure.rests_until().is_some(), rests, "{class}");
        assert_eq!(failure.is_outage(), outage, "{class}");
        assert_eq!(failure.code(), class.as_str());
    }
}

#[test]
fn what_no_attempt_was_made_for_moves_on_unless_the_caller_wants_that_credential() {
    let provider = ProviderId::new("openai");
    for (failure, moves) in [
        (none_available(Refusals::default()), true),
        (
            Failure::NoLease(LeaseError::NoCredentials {
                provider: provider.clone(),
            }),
            true,
        ),
        (
            Failure::NoLease(LeaseError::ProviderUnavailable {
                provider: provider.clone(),
            }),
            true,
        ),
        (Failure::NoLease(LeaseError::PinGone { provider }), false),
        (Failure::NoProvider, true),
        (Failure::TooLong, false),
    ] {
        for role in [Role::Primary, Role::StandIn] {
            assert_eq!(failure.moves_on(role), moves, "{failure:?}");
        }
    }
}

#[test]
fn reasons_are_told_in_our_own_words() {
    let refusals = Refusals {
        cooling: 2,
        exhausted: 1,
        soonest: Some(Timestamp::from_unix_ms(1_770_000_000_001)),
        ..Refusals::default()
    };
    let disabled = Refusals {
        disabled: 1,
        ..Refusals::default()
    };
    for (failure, code, reason) in [
        (
            attempt(ErrorClass::RateLimit, Some(429), None),
            "rate_limit",
            "rate limited, status 429 until 2026-02-02T02:40:01Z",
        ),
        (
            attempt(ErrorClass::Overloaded, None, None),
            "overloaded",
            "overloaded",
        ),
        (
            attempt(
                ErrorClass::Unreachable,
                None,
                Some("could not connect: Connection refused"),
            ),
            "unreachable",
            "unreachable: could not connect: Connection refused",
        ),
        (
            none_available(refusals),
            "cooling",
            "no credential can be used: 2 cooling, 1 exhausted until 2026-02-02T02:40:01Z",
        ),
        (
            none_available(disabled),
            "disabled",
            "no credential can be used: 1 disabled",
        ),
        (
            none_available(Refusals::default()),
            "unavailable",
            "no credential is free",
        ),
        (
            Failure::TooLong,
            "request_too_long",
            "the time of the request was over",
        ),
    ] {
        assert_eq!((failure.code(), failure.reason().as_str()), (code, reason));
    }
}

#[test]
fn what_others_said_is_cut_and_holds_no_key() {
    let said = format!(
        "went away because of sk-proj-Qw7ErTyUi81OpAsDf {}",
        "x".repeat(1000)
    );
    let reason = attempt(ErrorClass::Unreachable, None, Some(&said)).reason();
    assert!(!reason.contains("Qw7ErTyUi"), "{reason}");
    assert!(reason.len() < 200, "{reason}");
}
