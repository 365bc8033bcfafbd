//! Who may call: tokens, hosts, and what a browser must not be tricked into.

use serde_json::json;

use crate::accepting;
use crate::support::{CHAT, Call, GEMINI, MESSAGES, key};

const TOKEN: &str = "gw-token-5f1d3c0a9b";

#[test]
fn the_token_is_taken_from_any_of_its_places_and_never_goes_upstream() {
    let (upstream, gateway) = accepting(json!({ "gateway": { "auth": { "token": TOKEN } } }));
    for (format, provider) in [(CHAT, "openai"), (MESSAGES, "anthropic"), (GEMINI, "google")] {
        let bearer = format!("Bearer {TOKEN}");
        let calls = [
            format.call().header("authorization", &bearer),
            format.call().header("x-api-key", TOKEN),
            format.call().header("x-goog-api-key", TOKEN),
            Call::post(&format!("{}?key={TOKEN}", format.path), format.body),
            // One valid place is enough.
            format
                .call()
                .header("authorization", "Bearer wrong")
                .header("x-api-key", TOKEN),
        ];
        for call in calls {
            let before = upstream.seen().len();
            assert_eq!(call.send(gateway.address).status, 200, "{}", format.name());
            let seen = &upstream.seen()[before];
            assert_eq!(seen.key(), key(provider, "a"));
            assert!(!format!("{seen:?}").contains(TOKEN), "{seen:?}");
        }
    }
}

#[test]
fn without_the_token_only_health_and_readiness_answer() {
    let (upstream, gateway) = accepting(json!({ "gateway": { "auth": { "token": TOKEN } } }));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(Call::get(path).send(gateway.address).status, 200, "{path}");
    }
    let calls = || {
        [
            CHAT.call(),
            MESSAGES.call(),
            GEMINI.call(),
            Call::get("/v1/models"),
            Call::get("/status"),
            Call::get("/metrics"),
            Call::get("/proxy/openai/v1/models"),
            Call::get("/nowhere"),
            Call::get("/v1/chat/completions"),
        ]
    };
    for call in calls() {
        assert_eq!(call.send(gateway.address).status, 401);
    }
    for call in calls() {
        let heard = call
            .header("authorization", "Bearer gw-token-5f1d3c0a9")
            .send(gateway.address);
        assert_eq!(heard.status, 401);
        assert!(!heard.text().contains(TOKEN));
    }
    let heard = MESSAGES.call().send(gateway.address);
    assert_eq!(heard.json()["error"]["type"], "authentication_error");
    let heard = GEMINI.call().send(gateway.address);
    assert_eq!(heard.json()["error"]["status"], "UNAUTHENTICATED");
    assert!(upstream.seen().is_empty());
}

#[test]
fn without_a_token_only_loopback_names_are_served() {
    let (upstream, gateway) = accepting(json!({ "gateway": { "allowedHosts": ["devbox.example"] } }));
    let port = gateway.address.port();
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("devbox.example:{port}"), 200),
        ("DEVBOX.example".to_owned(), 200),
        (format!("evil.example:{port}"), 403),
        ("127.0.0.1.evil.example".to_owned(), 403),
        ("localhost.evil.example".to_owned(), 403),
    ] {
        let heard = CHAT.call().header("host", &host).send(gateway.address);
        assert_eq!(heard.status, status, "{host}");
        let heard = Call::get("/status").header("host", &host).send(gateway.address);
        assert_eq!(heard.status, status, "{host}");
    }
    assert_eq!(upstream.seen().len(), 5);
}

#[test]
fn pages_of_other_sites_are_refused_even_with_the_token() {
    for token in [None, Some(TOKEN)] {
        let mut config = json!({ "gateway": { "allowedOrigins": ["https://app.example"] } });
        if let Some(token) = token {
            config["gateway"]["auth"]["token"] = json!(token);
        }
        let (upstream, gateway) = accepting(config);
        let port = gateway.address.port();
        let bearer = format!("Bearer {}", token.unwrap_or("any"));
        let call = || CHAT.call().header("authorization", &bearer);
        for (headers, status) in [
            (vec![("origin", format!("http://127.0.0.1:{port}"))], 200),
            (vec![("origin", format!("http://localhost:{port}"))], 200),
            (vec![("origin", "https://app.example".to_owned())], 200),
            (
                vec![
                    ("origin", "https://app.example".to_owned()),
                    ("sec-fetch-site", "cross-site".to_owned()),
                ],
                200,
            ),
            (vec![("sec-fetch-site", "same-origin".to_owned())], 200),
            (vec![("origin", "null".to_owned())], 403),
            (vec![("origin", "https://evil.example".to_owned())], 403),
            (vec![("origin", format!("https://127.0.0.1:{port}"))], 403),
            (vec![("origin", "http://127.0.0.1:1".to_owned())], 403),
            (vec![("origin", "http://app.example".to_owned())], 403),
            (
                vec![("origin", "https://app.example.evil.example".to_owned())],
                403,
            ),
            (vec![("sec-fetch-site", "cross-site".to_owned())], 403),
        ] {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let before = upstream.seen().len();
            let heard = call().headers(&headers).send(gateway.address);
            assert_eq!(heard.status, status, "{headers:?}");
            assert_eq!(
                upstream.seen().len() - before,
                usize::from(status == 200),
                "{headers:?}"
            );
        }
        // The `host` header is no proof of the gateway's own origin.
        if token.is_some() {
            let heard = call()
                .header("host", "evil.example")
                .header("origin", "http://evil.example")
                .send(gateway.address);
            assert_eq!(heard.status, 403);
        }
    }
}

#[test]
fn the_preflight_of_an_allowed_origin_needs_no_token_and_its_answers_may_be_read() {
    let config =
        json!({ "gateway": { "auth": { "token": TOKEN }, "allowedOrigins": ["https://app.example"] } });
    let (upstream, gateway) = accepting(config);
    let preflight = |origin: &str| {
        Call::new("OPTIONS", "/v1/messages")
            .headers(&[
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "x-api-key,anthropic-version"),
            ])
            .send(gateway.address)
    };
    let heard = preflight("https://app.example");
    assert_eq!(heard.status, 204);
    assert_eq!(
        heard.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(
        heard.header("access-control-allow-headers"),
        Some("x-api-key,anthropic-version")
    );
    assert!(
        heard
            .header("access-control-allow-methods")
            .is_some_and(|methods| methods.contains("POST"))
    );
    let heard = preflight("https://evil.example");
    assert_eq!(heard.status, 403);
    assert_eq!(heard.header("access-control-allow-origin"), None);
    let heard = MESSAGES
        .call()
        .headers(&[("origin", "https://app.example"), ("x-api-key", TOKEN)])
        .send(gateway.address);
    assert_eq!(heard.status, 200);
    assert_eq!(
        heard.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert!(heard.header("vary").is_some_and(|vary| vary.contains("origin")));
    // A refusal may be read as well: the page must be able to tell its user why.
    let heard = MESSAGES
        .call()
        .header("origin", "https://app.example")
        .send(gateway.address);
    assert_eq!(heard.status, 401);
    assert_eq!(
        heard.header("access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(upstream.seen().len(), 1);
}
