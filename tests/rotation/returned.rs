//! Errors that another key would not mend go to the caller as they came, but for the secret.

use serde_json::json;

use crate::support::{CHAT, Call, FORMATS, GEMINI, MESSAGES, Scripted, TestGateway, key, reply};

const ERRORS: [(&str, &str); 9] = [
    (
        "400 Bad Request",
        r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
    ),
    (
        "403 Forbidden",
        "{\"error\" :  {\"message\":\"no access \\u2028\",\n\t\"type\":\"permission_error\"}}\r\n",
    ),
    (
        "404 Not Found",
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-test"},"request_id":"req_011"}"#,
    ),
    ("408 Request Timeout", ""),
    ("409 Conflict", "conflict"),
    ("413 Payload Too Large", "<html><body>too large</body></html>"),
    (
        "422 Unprocessable Entity",
        r#"{"detail":[{"loc":["body"],"msg":"x"}]}"#,
    ),
    ("500 Internal Server Error", "\u{feff}{broken"),
    (
        "529 Site Overloaded",
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    ),
];

#[test]
fn status_headers_and_body_pass_byte_for_byte_after_one_attempt() {
    for format in FORMATS {
        for (status, body) in ERRORS {
            let what = format!("{} {status}", format.name());
            let headers = [
                ("content-type", "application/vnd.some+json; charset=UTF-8"),
                ("retry-after", "3600"),
                ("x-should-retry", "true"),
                ("request-id", "req_011CTest"),
                ("anthropic-ratelimit-requests-remaining", "7"),
                ("x-ratelimit-reset-tokens", "6m0s"),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
                ("x-unknown", "what ever; it=says"),
            ];
            let upstream = Scripted::answering(reply(status, &headers, body));
            let keys = format!("{},{}", key(format.provider, "a"), key(format.provider, "b"));
            let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &keys)]);
            let heard = format.call().send(gateway.address);
            assert_eq!(heard.status.to_string(), status[..3], "{what}");
            assert_eq!(heard.text(), body, "{what}");
            assert_eq!(heard.attempts(), 1, "{what}");
            for (name, value) in headers {
                assert!(
                    heard
                        .headers
                        .iter()
                        .any(|(known, told)| known == name && told == value),
                    "{what}: {name}: {value} is missing from {:?}",
                    heard.headers
                );
            }
            assert_eq!(upstream.seen().len(), 1, "{what}");
        }
    }
}

#[test]
fn runs_of_the_key_in_an_error_become_stars_and_nothing_else_changes() {
    for format in [CHAT, MESSAGES, GEMINI] {
        let secret = key(format.provider, "leaky");
        let part = &secret[10..18];
        let short = &secret[10..17];
        let body = |whole: &str, part: &str| {
            format!(
                r#"{{"error":{{"message":"key {whole} or {part} is bad, {short} is short","code":"bad"}}}}"#
            )
        };
        let answer = reply(
            "400 Bad Request",
            &[
                ("content-type", "application/json"),
                ("x-echo", &format!("got {secret}")),
            ],
            &body(&secret, part),
        );
        let upstream = Scripted::answering(answer);
        let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &secret)]);
        let heard = format.call().send(gateway.address);
        let stars = "*".repeat(secret.len());
        assert_eq!(heard.text(), body(&stars, "********"), "{}", format.name());
        assert_eq!(heard.header("x-echo"), Some(format!("got {stars}").as_str()));
    }
}

#[test]
fn a_large_error_is_scrubbed_as_it_streams() {
    let secret = key("openai", "leaky");
    let padding = "x".repeat(200_000);
    let body = format!("{padding}{secret}{padding}");
    let upstream = Scripted::answering(reply("400 Bad Request", &[("content-type", "text/plain")], &body));
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &secret)]);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 400);
    let clean = body.replace(&secret, &"*".repeat(secret.len()));
    assert!(heard.body == clean.as_bytes(), "{} bytes", heard.body.len());
}

#[test]
fn each_class_that_the_config_names_rotates_and_no_other() {
    let cases = [
        ("overloaded", "529 Overloaded", ERRORS[8].1, 2),
        ("overloaded", "500 Internal Server Error", "{}", 1),
        ("transient_server", "500 Internal Server Error", "{}", 2),
        ("transient_server", "529 Overloaded", ERRORS[8].1, 1),
        ("transient_server", "400 Bad Request", ERRORS[0].1, 1),
    ];
    for (class, status, body, attempts) in cases {
        let upstream = Scripted::answering(reply(status, &[("content-type", "application/json")], body));
        let keys = format!("{},{}", key("anthropic", "a"), key("anthropic", "b"));
        let gateway = TestGateway::with_config(
            &upstream.url(),
            &[("ANTHROPIC_API_KEYS", &keys)],
            json!({ "auth": { "rotation": { "on": [class] } } }),
        );
        let heard = MESSAGES.call().send(gateway.address);
        assert_eq!(heard.attempts(), attempts, "{class} {status}");
        assert_eq!(heard.text(), body, "{class} {status}");
        for credential in gateway.credentials("anthropic") {
            assert_eq!(credential.state.as_str(), "available", "{class} {status}");
        }
    }
}

#[test]
fn an_answer_that_only_mentions_an_error_is_no_error() {
    let body = r#"{"id":"x","object":"chat.completion","error":null,"choices":[{"index":0,"message":{"role":"assistant","content":"{\"error\":{\"code\":\"rate_limit_exceeded\"}}"},"finish_reason":"stop"}]}"#;
    let upstream = Scripted::answering(reply("200 OK", &[("content-type", "application/json")], body));
    let secret = key("openai", "first");
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &secret)]);
    let heard = Call::post(CHAT.path, CHAT.body).send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (200, body));
}
