//! Bodies that providers send and no fixture has: other wordings, other shapes, other providers.

use super::*;

/// The entries of `tests/fixtures/bodies/<table>.json`.
fn cases(table: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/bodies/{table}.json"));
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(!cases.is_empty(), "{table} is empty");
    cases
}

fn verdict_on(case: &Value) -> Verdict {
    let body = match &case["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    classify(&Failure {
        provider: case["provider"].as_str().unwrap(),
        status: case["status"]
            .as_u64()
            .map(|status| u16::try_from(status).unwrap()),
        headers: &headers(&case["headers"]),
        body: body.as_bytes(),
        now: NOW,
    })
}

/// Judges every body of a table; its `expect` is the class and the scope.
fn check(table: &str) {
    let cases = cases(table);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let got = verdict_on(case);
            let told = format!("{} {}", got.class, got.scope);
            (case["expect"] != told).then(|| format!("{case}\n   got {told}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn limits_of_the_moment() {
    check("limits_of_the_moment");
}

#[test]
fn longer_windows() {
    check("longer_windows");
}

#[test]
fn money_and_allowances_that_ran_out() {
    check("money");
}

#[test]
fn credentials() {
    check("credentials");
}

#[test]
fn words_that_the_caller_put_into_a_refusal() {
    check("echoes");
}

#[test]
fn models() {
    check("models");
}

#[test]
fn the_provider_s_own_trouble() {
    check("provider_trouble");
}

#[test]
fn the_caller_s_own_fault() {
    check("caller_fault");
}

#[test]
fn stated_rests() {
    for case in cases("stated_rests") {
        let got = verdict_on(&case);
        let expect = &case["expect"];
        let expected = match (expect["for_ms"].as_u64(), expect["until_unix_ms"].as_u64()) {
            (Some(ms), _) => Cooldown::For(Duration::from_millis(ms)),
            (_, Some(ms)) => Cooldown::Until(Timestamp::from_unix_ms(ms)),
            _ => Cooldown::ClassDefault,
        };
        assert_eq!(got.cooldown, expected, "{case}: {got:?}");
        assert_eq!(
            got.hint.is_some(),
            expected != Cooldown::ClassDefault,
            "{case}: {got:?}"
        );
    }
}

#[test]
fn google_s_day_ends_at_midnight_in_los_angeles_in_summer_too() {
    let body = br#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"RequestsPerDay","quotaValue":"50"}]}]}}"#;
    let at = |instant: &str| {
        let instant: jiff::Timestamp = instant.parse().unwrap();
        Timestamp::from_unix_ms(u64::try_from(instant.as_millisecond()).unwrap())
    };
    for (now, midnight) in [
        ("2026-07-01T06:59:00Z", "2026-07-01T07:00:00Z"),
        ("2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"),
        ("2026-11-01T07:30:00Z", "2026-11-02T08:00:00Z"),
    ] {
        let verdict = classify(&Failure {
            provider: "google",
            status: Some(429),
            headers: &HeaderMap::new(),
            body,
            now: at(now),
        });
        assert_eq!(verdict.cooldown, Cooldown::Until(at(midnight)), "at {now}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_comes_gets_a_bounded_verdict(
        status in proptest::option::of(100_u16..700),
        body in r#"[\[{]?("error"|"message"|"code"|"type"|:|,|429|"rate limit"|"try again in 9s"|[ -~]|[}\]]){0,30}"#,
        header in "[ -~]{0,12}",
    ) {
        let pairs = json!({"retry-after": header, "content-type": "application/json"});
        let got = classify(&Failure {
            provider: "openai",
            status,
            headers: &headers(&pairs),
            body: body.as_bytes(),
            now: NOW,
        });
        if let Cooldown::For(wait) = got.cooldown {
            proptest::prop_assert!(wait >= Cooldown::SHORTEST && wait <= Cooldown::LONGEST);
        }
    }
}
