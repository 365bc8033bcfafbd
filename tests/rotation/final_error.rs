//! When no key can serve: whose error the caller hears, and when it is told to come back.

use coderclaw::emulator::{Fault, FaultKind};
use serde_json::Value;

use crate::support::{
    CHAT, FORMATS, Format, GEMINI, Heard, MESSAGES, Rig, Scripted, Step, TestGateway, key, reply,
};

/// The rate-limit error as each dialect's SDK raises it.
fn assert_rate_limited(format: Format, heard: &Heard) {
    let body = heard.json();
    let (place, expected) = match format.provider {
        "google" => ("/error/status", "RESOURCE_EXHAUSTED"),
        _ => ("/error/type", "rate_limit_error"),
    };
    assert_eq!(heard.status, 429, "{}", format.name());
    assert_eq!(
        body.pointer(place).and_then(Value::as_str),
        Some(expected),
        "{}: {body}",
        format.name()
    );
    if format.provider == "anthropic" {
        assert_eq!(body["type"], "error");
    }
    if format.provider == "google" {
        // Gemini's own command line goes by the body, not by the header.
        let delay = body
            .pointer("/error/details/1/retryDelay")
            .and_then(Value::as_str);
        let header = heard.header("retry-after").expect("when to come back");
        assert_eq!(delay, Some(format!("{header}s").as_str()), "{body}");
    }
}

#[test]
fn the_last_providers_error_goes_out_with_the_soonest_recovery_of_any_key() {
    for format in FORMATS {
        let rig = Rig::new(format, &["first", "second", "third"]);
        for (name, seconds) in [("first", 40), ("second", 7), ("third", 25)] {
            rig.fault(
                Fault::new(FaultKind::RateLimit)
                    .for_key(name)
                    .retry_after_ms(seconds * 1000),
            );
        }
        let heard = rig.call();
        assert_eq!(heard.status, 429, "{}", format.name());
        assert_eq!(heard.attempts(), 3, "{}", format.name());
        assert_eq!(
            heard.header("x-coderclaw-profile"),
            Some(format.profile(3).as_str())
        );
        assert_eq!(heard.header("retry-after"), Some("7"), "{}", format.name());
        assert_eq!(heard.header("retry-after-ms"), Some("7000"), "{}", format.name());
        assert_eq!(heard.header("x-should-retry"), None, "{}", format.name());
        assert_eq!(heard.header("x-coderclaw-retry-at"), None, "{}", format.name());

        // Three seconds later none may be tried: the gateway says so itself, in the caller's own protocol.
        rig.advance(3);
        let heard = rig.call();
        assert_rate_limited(format, &heard);
        assert_eq!(heard.header("retry-after"), Some("4"), "{}", format.name());
        assert_eq!(heard.header("retry-after-ms"), Some("4000"), "{}", format.name());
        assert_eq!(rig.requests(), [1, 1, 1], "{}", format.name());
        rig.advance(4);
        assert_eq!(rig.call().status, 429, "{}", format.name());
        assert_eq!(rig.requests(), [1, 2, 1], "{}", format.name());
    }
}

#[test]
fn a_long_wait_is_told_where_no_sdk_obeys_it() {
    for format in FORMATS {
        let rig = Rig::new(format, &["first", "second"]);
        rig.fault(Fault::new(FaultKind::Quota));
        let expected = coderclaw_actors::Clock::now(&*rig.clock).as_unix_ms() + 600_000;
        for attempted in [true, false] {
            let heard = rig.call();
            let what = format!("{} attempted: {attempted}", format.name());
            if attempted {
                assert_eq!(heard.attempts(), 2, "{what}");
            } else {
                assert_rate_limited(format, &heard);
            }
            assert_eq!(heard.header("retry-after"), Some("60"), "{what}");
            assert_eq!(heard.header("retry-after-ms"), Some("60000"), "{what}");
            assert_eq!(heard.header("x-should-retry"), Some("false"), "{what}");
            let at = heard.header("x-coderclaw-retry-at").expect("the true time");
            let at: jiff::Timestamp = at.parse().expect("RFC 3339");
            assert_eq!(
                at.as_millisecond(),
                i64::try_from(expected).expect("a time"),
                "{what}"
            );
        }
        assert_eq!(rig.requests(), [1, 1], "{}", format.name());
    }
}

#[test]
fn a_short_wait_is_told_as_one_second() {
    let rig = Rig::new(CHAT, &["only"]);
    rig.fault(Fault::new(FaultKind::RateLimit).retry_after_ms(300));
    let heard = rig.call();
    assert_eq!(heard.header("retry-after"), Some("1"));
    assert_eq!(heard.header("retry-after-ms"), Some("1000"));
}

#[test]
fn the_last_error_is_the_providers_own_byte_for_byte() {
    let bodies = [
        r#"{"error" : {"message":"one","type":"requests","code":"rate_limit_exceeded"}}"#,
        "{\"error\" : {\"message\":\"two\",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}\n",
    ];
    let upstream = Scripted::start(move |_, place| {
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("x-request-id", "req_abc"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("retry-after", "86400"),
            ("retry-after-ms", "86400000"),
            ("x-should-retry", "true"),
        ];
        vec![Step::Send(reply(
            "429 Too Many Requests",
            &headers,
            bodies[place % 2],
        ))]
    });
    let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEYS", &keys)]);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 429);
    assert_eq!(heard.text(), bodies[1]);
    assert_eq!(
        heard.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(heard.header("x-request-id"), Some("req_abc"));
    assert_eq!(heard.header("x-ratelimit-remaining-tokens"), Some("0"));
    // No SDK is told to sleep for a day.
    assert_eq!(heard.header("retry-after"), Some("60"));
    assert_eq!(heard.header("retry-after-ms"), Some("60000"));
    assert_eq!(heard.header("x-should-retry"), Some("false"));
}

#[test]
fn a_key_out_of_money_keeps_the_providers_own_status() {
    // Anthropic says so with a 400, Google with a 402: what the provider sent is what the caller hears.
    for (format, status) in [(MESSAGES, 400), (GEMINI, 402), (CHAT, 429)] {
        let rig = Rig::new(format, &["first", "second"]);
        rig.fault(Fault::new(FaultKind::Quota));
        let heard = rig.call();
        assert_eq!(heard.status, status, "{}", format.name());
        assert_eq!(heard.attempts(), 2, "{}", format.name());
    }
}

#[test]
fn when_every_key_is_dead_the_caller_is_told_that_waiting_is_no_use() {
    let rig = Rig::new(CHAT, &["only"]);
    rig.fault(Fault::new(FaultKind::Unauthorized));
    assert_eq!(rig.call().status, 401);
    let heard = rig.call();
    assert_eq!(heard.status, 429);
    assert_eq!(heard.header("x-should-retry"), Some("false"));
    assert_eq!(heard.header("x-coderclaw-retry-at"), None);
    assert!(
        heard.text().contains("coderclaw models status"),
        "{}",
        heard.text()
    );
    assert_eq!(rig.requests(), [1]);
}
