//! Headers on their way up and down.

use serde_json::json;

use crate::accepting;
use crate::before;
use crate::support::{CHAT, Call, FORMATS, MESSAGES, Scripted, key, reply};

#[test]
fn the_callers_credential_goes_upstream_from_none_of_its_four_places() {
    for format in FORMATS {
        let (upstream, gateway) = accepting(json!({}));
        let separator = if format.path.contains('?') { '&' } else { '?' };
        let heard = Call::post(
            &format!("{}{separator}key=callers-query-key", format.path),
            format.body,
        )
        .headers(&[
            ("authorization", "Bearer callers-bearer-key"),
            ("x-api-key", "callers-x-api-key"),
            ("x-goog-api-key", "callers-x-goog-key"),
        ])
        .send(gateway.address);
        assert_eq!(heard.status, 200, "{}", format.name());
        let seen = upstream.only();
        let told = format!(
            "{} {:?} {}",
            seen.target,
            seen.headers,
            String::from_utf8_lossy(&seen.body)
        );
        assert!(!told.contains("callers-"), "{told}");
        assert_eq!(seen.key(), key(format.provider, "a"));
    }
}

#[test]
fn headers_of_the_connection_and_of_the_gateway_stay_here() {
    let (upstream, gateway) = accepting(json!({}));
    let heard = CHAT
        .call()
        .headers(&[
            ("connection", "keep-alive, x-private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x-checksum"),
            ("proxy-authorization", "Basic eDp5"),
            ("proxy-connection", "keep-alive"),
            ("accept-encoding", "gzip, deflate, br, zstd"),
            ("x-coderclaw-session-key", "s1"),
            ("x-coderclaw-anything", "1"),
        ])
        .send(gateway.address);
    assert_eq!(heard.status, 200);
    let seen = upstream.only();
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "te",
        "trailer",
        "proxy-authorization",
        "proxy-connection",
        "x-coderclaw-session-key",
        "x-coderclaw-anything",
        "transfer-encoding",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("host"), Some(upstream.address.to_string().as_str()));
}

#[test]
fn every_other_header_passes_as_it_is() {
    let headers = [
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "some-beta-2099-01-01,other"),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("openai-organization", "org-x"),
        ("openai-beta", "assistants=v9"),
        ("user-agent", "Anthropic/Python 9.9.9"),
        ("x-stainless-timeout", "600"),
        ("x-app", "cli"),
        ("x-claude-code-session-id", "0b7c"),
        ("session-id", "abc"),
        ("originator", "codex"),
        ("accept", "text/event-stream"),
        ("cookie", "a=b; c=d"),
        ("x-goog-api-client", "google-genai-sdk/3.4"),
        ("idempotency-key", "k1"),
        ("x-unknown", "\"quoted\" , and  spaced"),
    ];
    for format in FORMATS {
        let (upstream, gateway) = accepting(json!({}));
        let heard = format
            .call()
            .headers(&headers)
            .header("x-twice", "1")
            .header("x-twice", "2")
            .send(gateway.address);
        assert_eq!(heard.status, 200);
        let seen = upstream.only();
        for (name, value) in headers {
            assert_eq!(seen.header(name), Some(value), "{}", format.name());
        }
        let twice: Vec<&str> = seen
            .headers
            .iter()
            .filter(|(name, _)| name == "x-twice")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(twice, ["1", "2"]);
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

#[test]
fn nothing_is_made_up_for_a_caller_who_sends_little() {
    let (upstream, gateway) = accepting(json!({}));
    MESSAGES.call().send(gateway.address);
    let seen = upstream.only();
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    // The client says `accept: */*`, which is what no `accept` means.
    names.retain(|name| *name != "accept");
    assert_eq!(
        names,
        [
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "x-api-key"
        ]
    );
}

#[test]
fn the_answers_headers_pass_and_the_gateway_tells_who_served() {
    let answer = reply(
        "200 OK",
        &[
            ("content-type", "application/json; charset=utf-8"),
            ("request-id", "req_1"),
            ("x-request-id", "req_2"),
            ("anthropic-ratelimit-tokens-remaining", "12"),
            ("x-ratelimit-reset-requests", "17ms"),
            ("openai-processing-ms", "5"),
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "b=2"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("server", "cloudflare"),
            ("connection", "keep-alive, x-private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("x-coderclaw-profile", "someone:else"),
            ("x-coderclaw-anything", "1"),
        ],
        "{}",
    );
    let upstream = Scripted::answering(answer);
    let gateway = before(&upstream, json!({}));
    let heard = CHAT.call().send(gateway.address);
    for (name, value) in [
        ("request-id", "req_1"),
        ("x-request-id", "req_2"),
        ("anthropic-ratelimit-tokens-remaining", "12"),
        ("x-ratelimit-reset-requests", "17ms"),
        ("openai-processing-ms", "5"),
        ("server", "cloudflare"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-coderclaw-provider", "openai"),
        ("x-coderclaw-profile", "openai:env:OPENAI_API_KEY"),
        ("x-coderclaw-attempts", "1"),
    ] {
        assert_eq!(heard.header(name), Some(value), "{name}");
    }
    let cookies = heard
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .count();
    assert_eq!(cookies, 2);
    for name in ["x-private", "keep-alive", "x-coderclaw-anything"] {
        assert_eq!(heard.header(name), None, "{name}");
    }
    let overhead: u64 = heard
        .header("x-coderclaw-overhead-us")
        .expect("it is told")
        .parse()
        .expect("microseconds");
    assert!(overhead < 5_000_000);
    assert!(
        heard
            .header("x-coderclaw-request-id")
            .is_some_and(|id| id.starts_with("req_"))
    );
}
