//! When no model serves: one error that tells of each why, and when to come back.

use coderclaw::emulator::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::spare::{Pair, SPARE, config};
use crate::support::{CHAT, FORMATS, Heard, TestGateway, key};

fn message(heard: &Heard) -> String {
    let body = heard.json();
    let message = body.pointer("/error/message").and_then(Value::as_str);
    message.unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// The gateway's own name for an error, where each dialect has it.
fn code(heard: &Heard) -> String {
    let body = heard.json();
    let place = if body.pointer("/error/details").is_some() {
        "/error/details/0/reason"
    } else {
        "/error/code"
    };
    let code = body.pointer(place).and_then(Value::as_str);
    code.unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn status(status: u16) -> Fault {
    let mut fault = Fault::new(FaultKind::Status);
    fault.status = Some(status);
    fault
}

fn failing(rig: &Pair, primary: Fault, spare: Fault) {
    rig.primary.add_fault(primary).expect("the fault makes sense");
    rig.spare.add_fault(spare).expect("the fault makes sense");
}

#[test]
fn every_model_is_named_in_the_callers_own_dialect() {
    for format in FORMATS {
        for stream in [false, true] {
            let what = format!("{} stream: {stream}", format.name());
            let rig = Pair::new(format, json!({}));
            failing(
                &rig,
                Fault::new(FaultKind::RateLimit).retry_after_ms(40_000),
                Fault::new(FaultKind::Overloaded),
            );
            let heard = rig.ask(stream);
            assert_eq!((heard.status, heard.attempts()), (429, 2), "{what}");
            assert_eq!(code(&heard), "all_models_failed", "{what}");
            let text = message(&heard);
            let primary = rig.primary_name();
            let expected = format!("All models failed (2): {primary}: rate limited, status 429 until ");
            assert!(text.starts_with(&expected), "{what}: {text}");
            assert!(
                text.contains(&format!(" (rate_limit) | {SPARE}: overloaded")),
                "{what}: {text}"
            );
            assert!(text.ends_with("(overloaded)"), "{what}: {text}");
            let wait: u64 = heard
                .header("retry-after")
                .expect("a wait")
                .parse()
                .expect("seconds");
            assert!((39..=40).contains(&wait), "{what}: {wait}");
            assert_eq!(heard.header("x-coderclaw-model"), Some(SPARE), "{what}");
            assert_eq!(rig.calls(), (1, 1), "{what}");

            // Now the primary rests, and is not asked.
            let heard = rig.ask(stream);
            assert_eq!((heard.status, heard.attempts()), (429, 1), "{what}");
            let text = message(&heard);
            let expected = format!("{primary}: no credential can be used: 1 cooling until ");
            assert!(text.contains(&expected), "{what}: {text}");
            assert_eq!(rig.calls(), (1, 2), "{what}");
            // The emulator repeats the key in each of its errors.
            for secret in [key(format.provider, "a"), key("openai", "spare")] {
                assert!(!text.contains(&secret[8..24]), "{what}: {text}");
            }
        }
    }
}

#[test]
fn the_soonest_recovery_of_any_model_is_told() {
    let rig = Pair::new(CHAT, json!({}));
    let throttled = |seconds: u64| Fault::new(FaultKind::RateLimit).retry_after_ms(seconds * 1000);
    failing(&rig, throttled(50), throttled(9));
    for _ in 0..2 {
        let heard = rig.ask(false);
        assert_eq!(heard.status, 429);
        let wait: u64 = heard
            .header("retry-after-ms")
            .expect("a wait")
            .parse()
            .expect("ms");
        assert!((5_000..=9_000).contains(&wait), "{wait}");
    }
    assert_eq!(rig.calls(), (1, 1));
}

#[test]
fn without_a_rest_the_status_says_what_kind_of_trouble_it_is() {
    let hangs = || Fault::new(FaultKind::HangBeforeHead);
    let closes = || Fault::new(FaultKind::CloseBeforeHead);
    for (primary, spare, expected, should_retry) in [
        (status(500), status(503), 503, None),
        (closes(), closes(), 502, None),
        (hangs(), hangs(), 504, None),
        (closes(), status(400), 503, None),
        (
            Fault::new(FaultKind::Unauthorized),
            Fault::new(FaultKind::Unauthorized),
            503,
            Some("false"),
        ),
    ] {
        let what = format!("{} {}", primary.fault.as_str(), spare.fault.as_str());
        let timeouts = json!({ "gateway": { "timeouts": { "fallback": "100ms", "firstByte": "200ms" } } });
        let rig = Pair::new(CHAT, timeouts);
        failing(&rig, primary, spare);
        let heard = rig.ask(false);
        assert_eq!(heard.status, expected, "{what}: {}", heard.text());
        assert_eq!(code(&heard), "all_models_failed", "{what}");
        assert_eq!(heard.header("x-should-retry"), should_retry, "{what}");
        assert_eq!(heard.header("retry-after"), None, "{what}");
        assert_eq!(rig.calls(), (1, 1), "{what}");
    }
}

#[test]
fn the_time_of_a_request_is_bounded_over_all_models() {
    let timeouts = json!({ "gateway": { "timeouts": { "fallback": "200ms", "total": "600ms" } } });
    let rig = Pair::new(CHAT, timeouts);
    failing(
        &rig,
        Fault::new(FaultKind::HangBeforeHead),
        Fault::new(FaultKind::HangBeforeHead),
    );
    let heard = rig.ask(false);
    assert_eq!(heard.status, 504, "{}", heard.text());
    let text = message(&heard);
    assert!(text.contains("no answer within 0.2 s (timeout)"), "{text}");
    assert!(
        text.ends_with("the time of the request was over (request_too_long)"),
        "{text}"
    );
    assert_eq!(rig.calls(), (1, 1));
}

#[test]
fn a_model_without_a_key_is_named_but_hides_nothing() {
    let more = json!({ "agents": { "defaults": { "model": { "fallbacks": ["mistral/nobody", SPARE] } } } });
    let rig = Pair::new(CHAT, more);
    failing(&rig, status(500), Fault::new(FaultKind::Overloaded));
    let text = message(&rig.ask(false));
    assert!(text.starts_with("All models failed (3): "), "{text}");
    assert!(
        text.ends_with(" | mistral/nobody: no credential (no_credential)"),
        "{text}"
    );
    // Where nobody holds a key for any stand-in, the primary's own error tells most.
    let only = json!({ "agents": { "defaults": { "model": { "fallbacks": ["mistral/nobody"] } } } });
    let config = config(CHAT, &rig.spare.base_url(), only);
    let secret = key("openai", "a");
    let gateway = TestGateway::with_config(&rig.primary.base_url(), &[(CHAT.variable, &secret)], config);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!((heard.status, heard.attempts()), (500, 1));
    assert!(!heard.text().contains("All models failed"), "{}", heard.text());
}
