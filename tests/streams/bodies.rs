//! Bodies at the edges: none, huge, for HEAD, and redirects, which pass and are never followed.

use coderclaw::emulator::{Fault, FaultKind};
use serde_json::json;

use crate::support::{
    CHAT, Call, Ending, FORMATS, GEMINI, Gate, LAST_CHUNK, Rig, Scripted, Step, TestGateway, chunk,
    chunked_head, eventually, head, key, reply,
};

fn openai(upstream: &Scripted) -> TestGateway {
    TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &key("openai", "a"))])
}

#[test]
fn an_empty_body_stays_empty() {
    for format in FORMATS {
        let rig = Rig::new(format, &["only"]);
        for status in [200, 201, 204, 400, 500] {
            let mut fault = Fault::new(FaultKind::EmptyBody);
            fault.status = Some(status);
            rig.emulator.set_faults(vec![fault]).expect("it makes sense");
            let heard = rig.call();
            let what = format!("{} {status}", format.name());
            assert_eq!(heard.status, status, "{what}");
            assert_eq!(heard.text(), "", "{what}");
            assert_eq!(heard.ending, Ending::Whole, "{what}");
        }
    }
}

#[test]
fn a_redirect_passes_and_no_credential_follows_it() {
    let elsewhere = Scripted::answering(reply("200 OK", &[], "gotcha"));
    for format in FORMATS {
        for status in [
            "301 Moved",
            "302 Found",
            "303 See Other",
            "307 Temporary Redirect",
            "308 Permanent Redirect",
        ] {
            let location = format!("{}/v1/steal", elsewhere.url());
            let upstream = Scripted::answering(reply(status, &[("location", &location)], ""));
            let secret = key(format.provider, "a");
            let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &secret)]);
            let heard = format.call().send(gateway.address);
            assert_eq!(heard.status.to_string(), status[..3], "{}", format.name());
            assert_eq!(heard.header("location"), Some(location.as_str()));
            assert_eq!(upstream.seen().len(), 1);
        }
    }
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn an_answer_to_head_has_the_headers_and_no_body() {
    let upstream = Scripted::answering(head(
        "200 OK",
        &[
            ("content-type", "application/json"),
            ("content-length", "123"),
            ("x-request-id", "req_1"),
        ],
    ));
    let gateway = openai(&upstream);
    let heard = Call::new("HEAD", "/v1/models").send(gateway.address);
    assert_eq!(upstream.only().method, "HEAD");
    assert_eq!(heard.status, 200);
    assert_eq!(heard.header("x-request-id"), Some("req_1"));
    assert_eq!(heard.header("content-length"), Some("123"));
    assert_eq!(heard.ending, Ending::Whole);
}

#[test]
fn a_length_that_the_provider_stated_is_stated_to_the_caller() {
    let body = "x".repeat(300_000);
    for content_type in ["application/json", "audio/mpeg"] {
        let upstream = Scripted::answering(reply("200 OK", &[("content-type", content_type)], &body));
        let gateway = openai(&upstream);
        let heard = CHAT.call().send(gateway.address);
        assert_eq!(heard.header("content-length"), Some("300000"), "{content_type}");
        assert_eq!(heard.header("transfer-encoding"), None, "{content_type}");
        assert_eq!(heard.body.len(), body.len(), "{content_type}");
    }
}

#[test]
fn a_huge_answer_passes_whole() {
    let rig = Rig::new(GEMINI, &["only"]);
    let mut fault = Fault::new(FaultKind::HugeBody);
    fault.megabytes = Some(48);
    rig.fault(fault);
    let heard = rig.call();
    assert_eq!((heard.status, &heard.ending), (200, &Ending::Whole));
    assert_eq!(heard.body.len(), 48 * 1024 * 1024 + 2);
    assert_eq!(
        (heard.body.first(), heard.body.last()),
        (Some(&b'{'), Some(&b'}'))
    );
}

#[test]
fn a_reader_that_stops_reading_stops_the_provider() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 256;
    // What may lie in the sockets of both sides and in the gateway between them.
    const BUFFERED_PIECES_MAX: usize = 24;
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let piece_steps = |place: usize| -> Vec<u8> { vec![u8::try_from(place % 251).unwrap_or(0); PIECE] };
    let count = std::sync::Arc::clone(&sent);
    let length = (PIECE * PIECES).to_string();
    let upstream = crate::support::Scripted::counting(
        head(
            "200 OK",
            &[
                ("content-type", "application/octet-stream"),
                ("content-length", &length),
            ],
        ),
        (0..PIECES).map(piece_steps),
        count,
    );
    let gateway = openai(&upstream);
    let mut live = CHAT.call().open(gateway.address);
    assert_eq!(live.head().status, 200);
    let read = || sent.load(std::sync::atomic::Ordering::SeqCst);
    // The provider gets stuck: the count stands still, far from the end.
    let mut last = (0, 0);
    let stuck_at = eventually("the provider is stuck", || {
        last = if read() == last.0 {
            (last.0, last.1 + 1)
        } else {
            (read(), 0)
        };
        (last.1 > 200).then_some(last.0)
    });
    assert!(stuck_at <= BUFFERED_PIECES_MAX, "{stuck_at} MiB are buffered");
    let heard = live.finish();
    assert_eq!(heard.ending, Ending::Whole);
    assert_eq!(heard.body.len(), PIECE * PIECES);
}

#[test]
fn a_caller_who_leaves_closes_the_provider_before_the_head_and_in_the_stream() {
    for begun in [false, true] {
        let left = Gate::default();
        let gate = left.clone();
        let upstream = Scripted::start(move |_, _| {
            let mut steps = vec![Step::Hang(gate.clone())];
            if begun {
                steps.insert(
                    0,
                    Step::Send(head(
                        "200 OK",
                        &[("content-type", "text/plain"), ("content-length", "99")],
                    )),
                );
            }
            steps
        });
        let gateway = TestGateway::with_config(
            &upstream.url(),
            &[("OPENAI_API_KEY", &key("openai", "a"))],
            json!({}),
        );
        let mut live = CHAT.call().open(gateway.address);
        if begun {
            assert_eq!(live.head().status, 200);
        } else {
            eventually("the request is upstream", || {
                (!upstream.seen().is_empty()).then_some(())
            });
        }
        live.hang_up();
        left.wait();
        eventually("the lease is given back", || {
            (gateway.credentials("openai")[0].in_flight == 0).then_some(())
        });
        assert_eq!(gateway.credentials("openai")[0].state.as_str(), "available");
    }
}

#[test]
fn a_provider_that_closes_after_each_answer_costs_no_request() {
    let body = r#"{"choices":[]}"#;
    let headers = [("content-type", "application/json"), ("connection", "close")];
    let answer = reply("200 OK", &headers, body);
    let upstream = Scripted::start(move |_, _| vec![Step::Send(answer.clone()), Step::Close]);
    let gateway = openai(&upstream);
    for place in 0..40 {
        let heard = CHAT.call().send(gateway.address);
        assert_eq!(
            (heard.status, heard.text().as_str()),
            (200, body),
            "request {place}"
        );
    }
    assert_eq!(upstream.seen().len(), 40);
}

#[test]
fn early_hints_are_no_answer() {
    let body = r#"{"choices":[]}"#;
    let hints = head("103 Early Hints", &[("link", "</style.css>; rel=preload")]);
    let answer = reply("200 OK", &[("content-type", "application/json")], body);
    let upstream = Scripted::answering([hints, answer].concat());
    let gateway = openai(&upstream);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (200, body));
}

#[test]
fn an_answer_that_is_compressed_all_the_same_passes_as_it_is() {
    let bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV*I,IU\xb2R2T\xd2QP*.)\x06\x00";
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let length = bytes.len().to_string();
    let wire = head("200 OK", &[&headers[..], &[("content-length", &length)]].concat());
    let upstream = Scripted::answering([wire, bytes.to_vec()].concat());
    let gateway = openai(&upstream);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.header("content-encoding"), Some("gzip"));
    assert_eq!(heard.body, bytes);
}

#[test]
fn a_length_beside_chunks_is_void() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
    for length in ["5", "5000"] {
        let headers = [("content-type", "text/event-stream"), ("content-length", length)];
        let wire = [
            chunked_head("200 OK", &headers),
            chunk(event),
            LAST_CHUNK.to_vec(),
        ];
        let upstream = Scripted::answering(wire.concat());
        let gateway = openai(&upstream);
        let heard = CHAT.stream().send(gateway.address);
        assert_eq!(heard.header("content-length"), None, "{length}");
        assert_eq!(
            (heard.text().as_str(), heard.ending),
            (event, Ending::Whole),
            "{length}"
        );
    }
}

#[test]
fn a_switch_of_protocols_that_nobody_asked_for_is_no_answer() {
    let headers = [("upgrade", "other"), ("connection", "upgrade")];
    let upstream = Scripted::answering(head("101 Switching Protocols", &headers));
    let gateway = openai(&upstream);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 502);
    assert!(heard.text().contains("it answered 101"), "{}", heard.text());
}

#[test]
fn a_slow_drip_passes_whole_in_every_format() {
    for format in FORMATS {
        let rig = Rig::new(format, &["only"]);
        let good = rig.call();
        let mut fault = Fault::new(FaultKind::SlowDrip);
        (fault.bytes, fault.delay_ms) = (Some(64), Some(1));
        rig.fault(fault);
        for stream in [false, true] {
            let heard = if stream { rig.stream() } else { rig.call() };
            assert_eq!(
                (heard.status, &heard.ending),
                (200, &Ending::Whole),
                "{}",
                format.name()
            );
            assert!(!heard.body.is_empty(), "{}", format.name());
        }
        assert_eq!(good.status, 200);
    }
}
