//! Every fault, seen from the wire.

use std::io::{ErrorKind, Read as _};
use std::net::Shutdown;

use coderclaw::emulator::{
    Behaviour, Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator, StreamError,
};
use serde_json::json;

use crate::client::{Ask, KEY, chat, generate, messages, until};

fn with(fault: Fault) -> RunningEmulator {
    let config = EmulatorConfig {
        keys: vec![KeyConfig::new("first", KEY)],
        faults: vec![fault],
        ..EmulatorConfig::default()
    };
    Emulator::start(config).expect("starts")
}

fn of(kind: FaultKind) -> RunningEmulator {
    with(Fault::new(kind))
}

#[test]
fn limits_come_with_a_wait_and_without() {
    let usual = chat(false).send(&of(FaultKind::RateLimit));
    assert_eq!(
        (
            usual.status,
            usual.header("retry-after"),
            usual.header("retry-after-ms")
        ),
        (429, Some("20"), Some("20000"))
    );
    let exact = chat(false).send(&with(Fault::new(FaultKind::TokenLimit).retry_after_ms(1500)));
    assert_eq!(
        (exact.header("retry-after"), exact.header("retry-after-ms")),
        (Some("2"), Some("1500"))
    );
    let silent = chat(false).send(&with(Fault::new(FaultKind::RateLimit).retry_after_ms(0)));
    assert_eq!(
        (
            silent.status,
            silent.header("retry-after"),
            silent.header("retry-after-ms")
        ),
        (429, None, None)
    );
    assert!(!silent.body.contains("try again in"));
    let google =
        generate("generateContent").send(&with(Fault::new(FaultKind::DayLimit).retry_after_ms(52_100)));
    assert!(
        google.body.contains("PerDay")
            && google.body.contains(r#""retryDelay":"53s""#)
            && google.body.contains("retry in 52.1s")
    );
}

#[test]
fn quota_keys_and_overload_speak_as_the_provider_does() {
    assert!(
        chat(false)
            .send(&of(FaultKind::Quota))
            .body
            .contains("insufficient_quota")
    );
    assert_eq!(messages(false).send(&of(FaultKind::Unauthorized)).status, 401);
    assert_eq!(
        generate("generateContent").send(&of(FaultKind::Suspended)).status,
        403
    );
    let overloaded = messages(false).send(&of(FaultKind::Overloaded));
    assert_eq!(
        (overloaded.status, overloaded.header("x-should-retry")),
        (529, Some("true"))
    );
    assert_eq!(chat(false).send(&of(FaultKind::Overloaded)).status, 503);
}

#[test]
fn any_status_can_be_had() {
    for status in [400, 402, 500, 502, 503, 504, 529] {
        let fault = Fault {
            status: Some(status),
            ..Fault::new(FaultKind::Status)
        };
        let answer = chat(false).send(&with(fault));
        assert_eq!(answer.status, status);
        assert!(answer.json()["error"]["message"].is_string());
    }
    let mut html = Fault {
        status: Some(502),
        body: Some(json!("<html>bad gateway</html>")),
        ..Fault::new(FaultKind::Status)
    };
    html.headers.insert("content-type".into(), "text/html".into());
    let html = chat(false).send(&with(html));
    assert_eq!(
        (html.header("content-type"), html.body.as_str()),
        (Some("text/html"), "<html>bad gateway</html>")
    );
}

#[test]
fn a_hang_before_the_head_is_noticed_when_the_caller_leaves() {
    let emulator = of(FaultKind::HangBeforeHead);
    let stream = chat(false).open(&emulator);
    until("the request is there", || {
        emulator
            .stats()
            .key("first")
            .is_some_and(|key| key.in_flight == 1)
    });
    stream.shutdown(Shutdown::Both).expect("closes");
    drop(stream);
    until("the caller's leaving is seen", || {
        emulator
            .stats()
            .key("first")
            .is_some_and(|key| key.requests_aborted == 1 && key.in_flight == 0)
    });
}

#[test]
fn a_hang_in_a_stream_is_noticed_too() {
    let emulator = with(Fault::new(FaultKind::HangMidStream).after_chunks(3));
    let mut stream = chat(true).open(&emulator);
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while seen.matches(r#""delta":{"content":"#).count() < 3 {
        let read = stream.read(&mut buffer).expect("bytes");
        assert!(read > 0);
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    stream
        .set_read_timeout(Some(std::time::Duration::from_millis(100)))
        .expect("set");
    assert!(matches!(
        stream.read(&mut buffer).expect_err("silence").kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    drop(stream);
    until("the caller's leaving is seen", || {
        emulator
            .stats()
            .key("first")
            .is_some_and(|key| key.streams_aborted == 1 && key.in_flight == 0)
    });
}

#[test]
fn a_cut_stream_has_its_pieces_and_no_end() {
    let emulator = with(Fault::new(FaultKind::CutMidStream).after_chunks(4));
    let cut = chat(true).send(&emulator);
    assert_eq!(
        cut.body.matches(r#""delta":{"content":"#).count(),
        4,
        "{}",
        cut.body
    );
    assert!(!cut.whole && !cut.body.contains("[DONE]"));
    let plain = chat(false).send(&emulator);
    assert!(!plain.whole && plain.status == 200);
    let reset = with(Fault {
        reset: true,
        ..Fault::new(FaultKind::CutMidStream)
    });
    let (_, end) = chat(true).raw(&reset);
    assert_eq!(end.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
}

#[test]
fn errors_come_before_content_after_the_lifecycle() {
    let fault = |error| Fault {
        error: Some(error),
        ..Fault::new(FaultKind::ErrorBeforeContent)
    };
    let emulator = with(fault(StreamError::Quota));
    let openai = chat(true).send(&emulator);
    let events = openai.events();
    assert_eq!((openai.status, events.len()), (200, 2));
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[1]["error"]["type"], "insufficient_quota");
    let body = json!({"model": "gpt-test", "stream": true, "input": "hi"});
    let responses = Ask::post("/v1/responses", &body).key(KEY).send(&emulator);
    assert!(responses.body.contains("event: response.created\n"));
    let last = responses.events().pop().expect("an error");
    assert_eq!(
        (last["type"].as_str(), last["code"].as_str()),
        (Some("error"), Some("insufficient_quota"))
    );
    let anthropic = messages(true).send(&with(fault(StreamError::Overloaded)));
    assert!(
        anthropic.body.starts_with("event: message_start\n")
            && !anthropic.body.contains("content_block_delta")
    );
    assert!(
        anthropic
            .body
            .contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"")
    );
    let google = generate("streamGenerateContent?alt=sse").send(&with(fault(StreamError::RateLimit)));
    assert_eq!(google.events()[0]["error"]["status"], "RESOURCE_EXHAUSTED");
    let array = generate("streamGenerateContent").send(&with(fault(StreamError::RateLimit)));
    assert_eq!(array.json()[0]["error"]["code"], 429);
    assert_eq!(chat(false).send(&emulator).status, 200);
}

#[test]
fn errors_come_after_content_and_end_the_stream() {
    let fault = Fault {
        error: Some(StreamError::Server),
        ..Fault::new(FaultKind::ErrorAfterContent).after_chunks(2)
    };
    let emulator = with(fault);
    let openai = chat(true).send(&emulator);
    let events = openai.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events[3]["error"]["type"], "server_error");
    assert!(openai.whole);
    let body = json!({"model": "gpt-test", "stream": true, "input": "hi"});
    let last = Ask::post("/v1/responses", &body)
        .key(KEY)
        .send(&emulator)
        .events()
        .pop()
        .expect("an error");
    assert_eq!(
        (last["type"].as_str(), last["response"]["status"].as_str()),
        (Some("response.failed"), Some("failed"))
    );
    let array = generate("streamGenerateContent").send(&emulator).json();
    assert_eq!(
        (
            array.as_array().unwrap().len(),
            array[2]["error"]["code"].as_u64()
        ),
        (3, Some(500))
    );
    let path = "/openrouter/api/v1/chat/completions";
    let openrouter = Ask::post(path, &crate::client::chat_body(true))
        .key(KEY)
        .send(&emulator);
    assert!(openrouter.body.starts_with(": OPENROUTER PROCESSING\n\n"));
    let last = openrouter.events().pop().expect("an error");
    assert_eq!(last["choices"][0]["finish_reason"], "error");
    assert!(last["error"]["code"].is_number());
}

#[test]
fn a_drip_delivers_everything_slowly() {
    let config = EmulatorConfig {
        behaviour: Behaviour {
            reply_tokens: Some(1),
            ..Behaviour::default()
        },
        faults: vec![Fault {
            bytes: Some(40),
            delay_ms: Some(2),
            ..Fault::new(FaultKind::SlowDrip)
        }],
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start(config).expect("starts");
    let begun = std::time::SystemTime::now();
    let answer = chat(false).send(&emulator);
    assert_eq!((answer.status, answer.whole), (200, true));
    assert!(answer.json()["choices"].is_array());
    assert!(begun.elapsed().unwrap().as_millis() >= 20);
    assert!(chat(true).send(&emulator).body.ends_with("data: [DONE]\n\n"));
}

#[test]
fn bodies_can_be_huge_broken_or_empty() {
    let huge = chat(false).send(&with(Fault {
        megabytes: Some(3),
        ..Fault::new(FaultKind::HugeBody)
    }));
    assert_eq!((huge.body.len(), huge.whole), (3 * 1024 * 1024 + 2, true));
    assert_eq!(huge.json(), json!({}));
    let malformed = chat(false).send(&of(FaultKind::MalformedJson));
    assert_eq!(malformed.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&malformed.body).is_err());
    let sse = chat(true).send(&of(FaultKind::MalformedSse));
    assert_eq!(
        sse.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    let empty = chat(false).send(&with(Fault {
        status: Some(429),
        ..Fault::new(FaultKind::EmptyBody)
    }));
    assert_eq!((empty.status, empty.body.as_str()), (429, ""));
    let fault = Fault {
        error: Some(StreamError::Quota),
        ..Fault::new(FaultKind::ErrorIn200)
    };
    let good = chat(false).send(&with(fault));
    assert_eq!(
        (good.status, good.json()["error"]["code"].as_str()),
        (200, Some("insufficient_quota"))
    );
}

#[test]
fn heads_can_be_cut_garbled_or_missing() {
    let (cut, _) = chat(false).raw(&with(Fault {
        bytes: Some(12),
        ..Fault::new(FaultKind::TruncatedHead)
    }));
    assert_eq!(cut, b"HTTP/1.1 200");
    let (garbled, _) = chat(false).raw(&of(FaultKind::UnparseableHead));
    assert!(garbled.starts_with(b"\x16\x03\x01") && garbled.ends_with(b"\r\n\r\n"));
    let closed = of(FaultKind::CloseBeforeHead);
    let (nothing, _) = chat(false).raw(&closed);
    assert_eq!(nothing, b"");
    assert_eq!(closed.stats().key("first").unwrap().statuses[&0], 1);
    let reset = with(Fault {
        reset: true,
        ..Fault::new(FaultKind::CloseBeforeHead)
    });
    let (_, end) = chat(false).raw(&reset);
    assert_eq!(end.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_redirect_points_elsewhere() {
    let fault = Fault {
        location: Some("http://127.0.0.1:9/v1/chat/completions".into()),
        ..Fault::new(FaultKind::Redirect)
    };
    let answer = chat(false).send(&with(fault));
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("http://127.0.0.1:9/v1/chat/completions"))
    );
}

#[test]
fn a_fault_ends_its_connection_and_the_next_one_is_served() {
    let drip = Fault {
        bytes: Some(100),
        ..Fault::new(FaultKind::SlowDrip).first(1)
    };
    let emulator = with(drip);
    assert_eq!(chat(false).send(&emulator).status, 200);
    assert_eq!(chat(false).send(&emulator).status, 200);
    until("both connections end", || emulator.stats().connections_open == 0);
    let stats = emulator.stats();
    assert_eq!(
        (stats.connections_opened, stats.key("first").unwrap().succeeded),
        (2, 1)
    );
}

#[test]
fn a_stream_holds_its_place_until_it_ends() {
    let limits = coderclaw::emulator::Limits {
        concurrency: Some(1),
        ..coderclaw::emulator::Limits::default()
    };
    let config = EmulatorConfig {
        keys: vec![KeyConfig::new("first", KEY).with_limits(limits)],
        faults: vec![Fault::new(FaultKind::HangMidStream).first(1)],
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start(config).expect("starts");
    let stream = chat(true).open(&emulator);
    until("the stream runs", || {
        emulator
            .stats()
            .key("first")
            .is_some_and(|key| key.streams_started == 1)
    });
    assert_eq!(chat(false).send(&emulator).status, 429);
    drop(stream);
    until("the place is free", || chat(false).send(&emulator).status == 200);
    assert_eq!(emulator.stats().key("first").unwrap().streams_aborted, 1);
}
