//! `/proxy/{provider}/{path}`: any method, any path below the provider's origin, bodies of any size.

use serde_json::json;

use crate::accepting;
use crate::before;
use crate::support::{Call, Scripted, Step, eventually, key, reply};

#[test]
fn any_method_and_path_go_to_the_providers_origin_as_they_are() {
    let cases = [
        ("GET", "/v1/files?purpose=batch&after=a%2Fb", "openai"),
        ("POST", "/v1/audio/transcriptions", "openai"),
        ("DELETE", "/v1/files/file-1", "openai"),
        ("PUT", "/upload/x", "google"),
        ("PATCH", "/v1beta/cachedContents/1", "google"),
        ("OPTIONS", "/v1/messages", "anthropic"),
        ("GET", "/v1/messages/batches/", "anthropic"),
        ("GET", "/openai/v1/models/a:b@c,d;e=f(g)!$&'*+", "groq"),
        ("PURGE", "/", "openai"),
    ];
    for (method, path, provider) in cases {
        let (upstream, gateway) = accepting(json!({}));
        let heard = Call::new(method, &format!("/proxy/{provider}{path}"))
            .header("x-any", "1")
            .send(gateway.address);
        assert_eq!(heard.status, 200, "{method} {path}: {}", heard.text());
        let seen = upstream.only();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method, path));
        assert_eq!(seen.key(), key(provider, "a"));
        assert_eq!(seen.header("x-any"), Some("1"));
        assert_eq!(heard.header("x-coderclaw-provider"), Some(provider));
    }
}

#[test]
fn a_body_of_any_kind_passes_untouched() {
    let body = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nopenai/whisper\r\n--b--\r\n";
    let (upstream, gateway) = accepting(json!({}));
    let heard = Call::new("POST", "/proxy/openai/v1/audio/transcriptions")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body)
        .send(gateway.address);
    assert_eq!(heard.status, 200);
    let seen = upstream.only();
    assert_eq!(String::from_utf8_lossy(&seen.body), body);
    assert_eq!(
        seen.header("content-type"),
        Some("multipart/form-data; boundary=b")
    );
}

#[test]
fn paths_that_could_leave_the_origin_are_refused() {
    let (upstream, gateway) = accepting(json!({}));
    for path in [
        "/../secret",
        "/v1/../../x",
        "/./x",
        "/v1/..",
        "//evil.example/x",
        "/v1//x",
        "/%2e%2e/x",
        "/%2E/x",
        "/v1%2fx",
        "/v1%5cx",
        "/a\\b",
        "/%252e%252e/x",
        "/%00",
        "/http://evil.example/",
        "/https:/evil.example",
        "",
        "/%zz",
        "/a%0d%0ax",
    ] {
        let heard = Call::get(&format!("/proxy/openai{path}")).send(gateway.address);
        assert_eq!(heard.status, 400, "{path}: {}", heard.text());
        assert!(heard.json()["error"]["message"].is_string(), "{path}");
    }
    let heard = Call::get("/proxy/opnai/v1/models").send(gateway.address);
    assert_eq!(heard.status, 404);
    assert!(heard.text().contains("openai"), "{}", heard.text());
    assert_eq!(Call::get("/proxy/").send(gateway.address).status, 404);
    assert_eq!(Call::get("/proxy").send(gateway.address).status, 404);
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_throttle_rotates_on_the_proxy_path_too() {
    let upstream = Scripted::start(|_, place| {
        vec![Step::Send(if place == 0 {
            reply(
                "429 Too Many Requests",
                &[("content-type", "application/json"), ("retry-after", "9")],
                r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            )
        } else {
            reply("200 OK", &[], "fine")
        })]
    });
    let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
    let gateway = crate::support::TestGateway::start(&upstream.url(), &[("OPENAI_API_KEYS", &keys)]);
    let heard = Call::new("POST", "/proxy/openai/v1/images")
        .body("prompt")
        .send(gateway.address);
    assert_eq!(
        (heard.status, heard.attempts(), heard.text().as_str()),
        (200, 2, "fine")
    );
    assert!(upstream.seen().iter().all(|seen| seen.body == b"prompt"));
}

#[test]
fn a_body_beyond_the_buffer_streams_with_one_attempt() {
    let limit = json!({ "gateway": { "limits": { "body": "64KiB" } } });
    let upstream = Scripted::answering(reply(
        "429 Too Many Requests",
        &[("content-type", "application/json"), ("retry-after", "9")],
        r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
    ));
    let mut config = limit.clone();
    config["models"]["providers"]["openai"]["apiKey"] = json!(key("openai", "second"));
    let gateway = before(&upstream, config);
    let body: String = ('a'..='z').cycle().take(200_000).collect();
    let chunked: String = body
        .as_bytes()
        .chunks(7_777)
        .map(|piece| format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)))
        .chain(["0\r\n\r\n".to_owned()])
        .collect();
    let calls = [
        Call::new("POST", "/proxy/openai/v1/files").body(body.clone()),
        Call::new("POST", "/proxy/openai/v1/files")
            .header("transfer-encoding", "chunked")
            .body(chunked),
    ];
    for call in calls {
        let gateway = before(&upstream, limit.clone());
        let before = upstream.seen().len();
        let heard = call.send(gateway.address);
        assert_eq!((heard.status, heard.attempts()), (429, 1), "{}", heard.text());
        let seen = upstream.seen();
        assert_eq!(seen.len(), before + 1);
        assert!(seen[before].whole);
        assert!(
            seen[before].body == body.as_bytes(),
            "{} bytes",
            seen[before].body.len()
        );
    }
    drop(gateway);
}

#[test]
fn an_upload_that_breaks_off_never_looks_whole_to_the_provider() {
    let limit = json!({ "gateway": { "limits": { "body": "64KiB" } } });
    for framing in [("content-length", "1000000"), ("transfer-encoding", "chunked")] {
        let (upstream, gateway) = accepting(limit.clone());
        let piece = "x".repeat(100_000);
        let body = if framing.0 == "content-length" {
            piece
        } else {
            format!("{:x}\r\n{piece}\r\n", piece.len())
        };
        let live = Call::new("POST", "/proxy/openai/v1/files")
            .header(framing.0, framing.1)
            .body(body)
            .open(gateway.address);
        live.hang_up();
        eventually("the gateway has given the request up", || {
            let idle = gateway
                .credentials("openai")
                .iter()
                .all(|credential| credential.in_flight == 0);
            let over = gateway.shared.in_flight.count() == 0;
            (idle && over).then_some(())
        });
        // It may never have got there; if it did, it broke off there too.
        drop(gateway);
        for seen in upstream.seen() {
            assert!(!seen.whole, "{framing:?}: {} bytes looked whole", seen.body.len());
        }
    }
}
