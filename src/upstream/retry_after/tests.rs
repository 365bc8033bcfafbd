use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// 2026-11-22T08:20:00Z.
const NOW: Timestamp = Timestamp::from_unix_ms(1_795_335_600_000);

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn from_headers(pairs: &[(&str, &str)]) -> Option<(u128, &'static str)> {
    wait_hint(&map(pairs), None, "", NOW).map(|hint| (hint.wait.as_millis(), hint.source))
}

fn from_body(body: &Value) -> Option<u128> {
    wait_hint(&HeaderMap::new(), Some(body), "", NOW).map(|hint| hint.wait.as_millis())
}

fn from_words(text: &str) -> Option<u128> {
    wait_hint(&HeaderMap::new(), None, text, NOW).map(|hint| hint.wait.as_millis())
}

#[test]
fn retry_after_in_its_forms() {
    for (value, expected) in [
        ("37", Some(37_000)),
        ("37.5", Some(37_500)),
        (" 3 ", Some(3_000)),
        ("0", Some(0)),
        ("Sun, 22 Nov 2026 08:20:30 GMT", Some(30_000)),
        ("Sun, 22 Nov 2026 08:00:00 GMT", Some(0)),
        ("1795335630", Some(30_000)),
        ("20s", Some(20_000)),
        ("-1", None),
        ("NaN", None),
        ("inf", None),
        ("1e300", None),
        ("999999999", None),
        ("soon", None),
        ("", None),
    ] {
        let got = from_headers(&[("retry-after", value)]).map(|(wait, _)| wait);
        assert_eq!(got, expected, "retry-after: {value}");
    }
}

#[test]
fn an_http_date_relates_to_the_provider_s_own() {
    let pairs = [
        ("date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("retry-after", "Sun, 22 Nov 2026 10:00:07 GMT"),
    ];
    assert_eq!(from_headers(&pairs), Some((7_000, "retry-after")));
}

#[test]
fn the_more_exact_hint_comes_first() {
    assert_eq!(
        from_headers(&[("retry-after", "3"), ("retry-after-ms", "2200")]),
        Some((2200, "retry-after-ms"))
    );
    assert_eq!(
        from_headers(&[("retry-after", "3"), ("retry-after-ms", "-5")]),
        Some((3000, "retry-after"))
    );
    let exhausted = map(&[
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "58s"),
    ]);
    let hint = wait_hint(&exhausted, None, "please try again in 2.2s.", NOW).unwrap();
    assert_eq!(hint.wait, Duration::from_millis(2200));
}

#[test]
fn only_exhausted_dimensions_count_and_the_longest_of_them() {
    let both = [
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "2m59.56s"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "7.66s"),
    ];
    assert_eq!(from_headers(&both), Some((179_560, "x-ratelimit-reset-requests")));
    assert_eq!(from_headers(&both[2..]), Some((7660, "x-ratelimit-reset-tokens")));
    assert_eq!(
        from_headers(&[
            ("x-ratelimit-remaining-tokens", "4"),
            ("x-ratelimit-reset-tokens", "7s")
        ]),
        None
    );
    assert_eq!(from_headers(&[("x-ratelimit-reset-tokens", "7s")]), None);
    assert_eq!(
        from_headers(&[("x-ratelimit-reset", "2")]),
        Some((2000, "x-ratelimit-reset"))
    );
}

#[test]
fn resets_in_every_vendor_s_form() {
    for (name, remaining, value, expected) in [
        (
            "x-ratelimit-reset-requests",
            "x-ratelimit-remaining-requests",
            "6m0s",
            360_000,
        ),
        (
            "x-ratelimit-reset-requests",
            "x-ratelimit-remaining-requests",
            "17ms",
            17,
        ),
        (
            "x-ratelimit-reset-tokens-minute",
            "x-ratelimit-remaining-tokens-minute",
            "11.382867",
            11_382,
        ),
        (
            "x-ratelimit-reset",
            "x-ratelimit-remaining",
            "1795335660000",
            60_000,
        ),
        ("x-ratelimit-reset", "x-ratelimit-remaining", "1795335660", 60_000),
        (
            "anthropic-ratelimit-input-tokens-reset",
            "anthropic-ratelimit-input-tokens-remaining",
            "2026-11-22T08:20:45Z",
            45_000,
        ),
    ] {
        let got = from_headers(&[(name, value), (remaining, "0")]).map(|(wait, _)| wait);
        assert_eq!(got, Some(expected), "{name}: {value}");
    }
}

#[test]
fn sentinels_are_no_resets() {
    assert_eq!(
        from_headers(&[
            ("x-ratelimit-limit-tokens", "-1"),
            ("x-ratelimit-remaining-tokens", "-1"),
            ("x-ratelimit-reset-tokens", "0"),
        ]),
        None
    );
    assert_eq!(
        from_headers(&[
            ("x-ratelimit-limit-tokens", "-1"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "9"),
        ]),
        None
    );
    assert_eq!(
        from_headers(&[("anthropic-ratelimit-unified-reset", "1795345200")]),
        None,
        "a subscription's window is no minute's limit"
    );
}

#[test]
fn fields_of_the_body() {
    for (body, expected) in [
        (
            json!({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.5s"}]}}),
            Some(38_500),
        ),
        (json!([{"error":{"details":[{"retryDelay":"3s"}]}}]), Some(3_000)),
        (json!({"error":{"resets_at":1_795_335_660}}), Some(60_000)),
        (
            json!({"error":{"resets_at":1_795_335_000, "resets_in_seconds": 90}}),
            Some(90_000),
        ),
        (json!({"error":{"resets_in_seconds":"90"}}), Some(90_000)),
        (
            json!({"error":{"metadata":{"retry_after_seconds":17}}}),
            Some(17_000),
        ),
        (
            json!({"error":{"metadata":{"headers":{"Retry-After":"12"}}}}),
            Some(12_000),
        ),
        (
            json!({"error":{"metadata":{"headers":{"X-RateLimit-Remaining":0,"X-RateLimit-Reset":1_795_335_660_000_u64}}}}),
            Some(60_000),
        ),
        (json!({"retry_after":1.5}), Some(1_500)),
        (json!({"retry_after_ms":250}), Some(250)),
        (json!({"error":{"retry_after":-3}}), None),
        (json!({"error":{"resets_at":"never"}}), None),
        (json!({"error":"x"}), None),
    ] {
        assert_eq!(from_body(&body), expected, "{body}");
    }
}

#[test]
fn waits_in_words() {
    for (text, expected) in [
        ("please try again in 20s. visit", Some(20_000)),
        ("please try again in 1m2.5s.", Some(62_500)),
        ("please try again in 7m12.48s. need more", Some(432_480)),
        ("please try again in 120ms.", Some(120)),
        ("please retry in 52.1s.", Some(52_100)),
        ("please retry after 86400 seconds.", Some(86_400_000)),
        ("try again in 2 minutes and 5 seconds", Some(125_000)),
        ("try again in 1h30m", Some(5_400_000)),
        ("quota will reset after 8h12m3s.", Some(29_523_000)),
        ("please wait 30 sec before", Some(30_000)),
        ("retry-after: 30", Some(30_000)),
        ("please wait before trying again.", None),
        ("try again in 2026 or so", None),
        ("wait 3 turns", None),
        ("try again later", None),
    ] {
        assert_eq!(from_words(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_the_wait_is_bounded(
        name in prop::sample::select(vec!["retry-after", "retry-after-ms", "x-ratelimit-reset", "date", "ratelimit-reset"]),
        value in "[ -~]{0,20}",
        number in any::<f64>(),
        text in "(try again in |wait )?[0-9a-zµ. ]{0,20}",
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
        let body = json!({"error": {"retry_after": number, "resets_at": value, "resets_in_seconds": value, "reset_at": number}});
        for body in [None, Some(&body)] {
            if let Some(hint) = wait_hint(&headers, body, &text, NOW) {
                prop_assert!(hint.wait <= WAIT_MAX);
            }
        }
    }

    #[test]
    fn go_durations_read_back(hours in 0_u32..99, minutes in 0_u32..60, ms in 0_u32..60_000) {
        let text = format!("{hours}h{minutes}m{}.{:03}s", ms / 1000, ms % 1000);
        let expected = u128::from(hours) * 3_600_000 + u128::from(minutes) * 60_000 + u128::from(ms);
        let wait = duration::leading(&text).unwrap();
        prop_assert!(wait.as_millis().abs_diff(expected) <= 1, "{} is {:?}", text, wait);
    }
}

#[test]
fn a_body_may_hold_more_headers_than_any_map_of_them() {
    let headers: serde_json::Map<String, Value> =
        (0..40_000).map(|n| (format!("x-{n}"), Value::from(1))).collect();
    let body = json!({"error": {"headers": headers}});
    assert_eq!(body::stated(&body, Timestamp::from_unix_ms(0)), None);
}
