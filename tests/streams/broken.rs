//! A provider that breaks off: before the head a 502 or 504, after the commit a connection that breaks off too.

use coderclaw::emulator::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::dialogue::{DIALOGUES, STREAM};
use crate::support::{
    CHAT, Ending, FORMATS, Format, Gate, Rig, Scripted, Step, TestGateway, chunk, chunked_head, head, key,
};

/// A gateway with one key of the format's provider.
pub(crate) fn one_key(format: Format, upstream: &Scripted, config: Value) -> TestGateway {
    let secret = key(format.provider, "a");
    TestGateway::with_config(&upstream.url(), &[(format.variable, &secret)], config)
}

#[test]
fn a_chunked_stream_that_is_cut_is_cut_for_the_caller() {
    for dialogue in DIALOGUES {
        for last in [Step::Close, Step::Reset] {
            let what = format!("{} {last:?}", dialogue.format.name());
            let text = format!("{}{}", dialogue.lifecycle, dialogue.meaning);
            let gate = Gate::default();
            let (of_upstream, sent) = (gate.clone(), text.clone());
            let upstream = Scripted::start(move |_, _| {
                vec![
                    Step::Send(chunked_head("200 OK", STREAM)),
                    Step::Send(chunk(&sent)),
                    Step::Wait(of_upstream.clone()),
                    last.clone(),
                ]
            });
            let gateway = one_key(dialogue.format, &upstream, json!({}));
            let mut live = dialogue.format.stream().open(gateway.address);
            live.until(dialogue.meaning);
            gate.open();
            let heard = live.finish();
            assert_eq!(heard.status, 200, "{what}");
            assert_eq!(heard.text(), text, "{what}");
            assert_eq!(heard.ending, Ending::Cut, "{what}");
        }
    }
}

#[test]
fn a_stream_that_ends_with_its_connection_is_whole_only_if_its_last_frame_came() {
    for dialogue in DIALOGUES {
        let lead = format!("{}{}", dialogue.lifecycle, dialogue.meaning);
        for (text, ending) in [
            (format!("{lead}{}", dialogue.end), Ending::Whole),
            (lead, Ending::Cut),
        ] {
            let what = format!("{} {ending:?}", dialogue.format.name());
            let wire = [head("200 OK", STREAM), text.clone().into_bytes()].concat();
            let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
            let gateway = one_key(dialogue.format, &upstream, json!({}));
            let heard = dialogue.format.stream().send(gateway.address);
            assert_eq!(heard.text(), text, "{what}");
            assert_eq!(heard.ending, ending, "{what}");
        }
    }
}

#[test]
fn a_body_shorter_than_its_length_never_looks_whole() {
    for content_type in [
        "text/event-stream",
        "application/json",
        "application/octet-stream",
    ] {
        // More than is held back, so that it has been committed when it breaks off.
        let part = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n".repeat(2000);
        let headers = [("content-type", content_type), ("content-length", "1000000")];
        let wire = [head("200 OK", &headers), part.into_bytes()].concat();
        let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
        let gateway = one_key(CHAT, &upstream, json!({}));
        let heard = CHAT.stream().send(gateway.address);
        assert_eq!(heard.status, 200, "{content_type}");
        assert_eq!(heard.ending, Ending::Cut, "{content_type}");
        assert_eq!(heard.header("content-length"), Some("1000000"), "{content_type}");
        assert!(heard.body.len() < 1_000_000, "{content_type}");
    }
}

#[test]
fn a_small_json_answer_that_breaks_off_is_a_502_since_nothing_has_gone_out() {
    for format in FORMATS {
        let headers = [("content-type", "application/json"), ("content-length", "1000")];
        let wire = [head("200 OK", &headers), b"{\"id\":".to_vec()].concat();
        let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
        let gateway = one_key(format, &upstream, json!({}));
        let heard = format.call().send(gateway.address);
        assert_eq!(heard.status, 502, "{}: {}", format.name(), heard.text());
        assert!(heard.text().contains(format.provider), "{}", heard.text());
        assert_eq!(heard.header("content-type"), Some("application/json"));
    }
}

#[test]
fn no_answer_is_a_502_that_names_the_provider_and_what_failed() {
    for format in FORMATS {
        for fault in [
            FaultKind::CloseBeforeHead,
            FaultKind::TruncatedHead,
            FaultKind::UnparseableHead,
        ] {
            for reset in [false, true] {
                let what = format!("{} {} reset: {reset}", format.name(), fault.as_str());
                let rig = Rig::new(format, &["first", "second"]);
                let mut fault = Fault::new(fault);
                fault.reset = reset;
                rig.fault(fault);
                let heard = rig.stream();
                assert_eq!(heard.status, 502, "{what}: {}", heard.text());
                let body = heard.json();
                let message = body.pointer("/error/message").and_then(Value::as_str);
                let message = message.unwrap_or_else(|| panic!("{what}: {body}"));
                assert!(
                    message.contains(&format!("provider `{}` gave no answer: ", format.provider)),
                    "{what}: {message}"
                );
                assert_eq!(
                    rig.requests(),
                    [1, 0],
                    "{what}: no retry after the request went out"
                );
            }
        }
    }
}

#[test]
fn a_provider_that_is_not_there_is_a_502() {
    // A port that was just free and that nobody listens on.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free");
    for format in FORMATS {
        let secret = key(format.provider, "a");
        let gateway = TestGateway::start(&format!("http://{nowhere}"), &[(format.variable, &secret)]);
        let heard = format.call().send(gateway.address);
        assert_eq!(heard.status, 502, "{}", format.name());
        assert!(heard.text().contains("could not connect"), "{}", heard.text());
        assert!(heard.text().contains(format.provider), "{}", heard.text());
    }
}

#[test]
fn a_provider_without_tls_where_tls_is_wanted_is_a_502() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address");
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the gateway comes");
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer).expect("it hears this");
        std::io::copy(&mut stream, &mut std::io::sink()).ok();
    });
    let secret = key("openai", "a");
    let gateway = TestGateway::start(&format!("https://{address}"), &[("OPENAI_API_KEY", &secret)]);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 502);
    assert!(heard.text().contains("openai"), "{}", heard.text());
    plain.join().expect("it ends well");
}

#[test]
fn a_provider_that_never_ends_the_handshake_is_a_502_that_names_the_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address");
    let silent = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the gateway comes");
        std::io::copy(&mut stream, &mut std::io::sink()).ok();
    });
    let secret = key("openai", "a");
    let config = json!({ "gateway": { "timeouts": { "connect": "100ms" } } });
    let gateway = TestGateway::with_config(
        &format!("https://{address}"),
        &[("OPENAI_API_KEY", &secret)],
        config,
    );
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 502);
    let what = "could not connect: not within 0.1 s (`gateway.timeouts.connect`)";
    assert!(heard.text().contains(what), "{}", heard.text());
    silent.join().expect("the gateway hung up");
}

#[test]
fn silence_before_the_head_is_a_504_and_the_provider_is_hung_up_on() {
    for format in FORMATS {
        let hung_up = Gate::default();
        let gate = hung_up.clone();
        let upstream = Scripted::start(move |_, _| vec![Step::Hang(gate.clone())]);
        let config = json!({ "gateway": { "timeouts": { "firstByte": "100ms" } } });
        let gateway = one_key(format, &upstream, config);
        let heard = format.call().send(gateway.address);
        assert_eq!(heard.status, 504, "{}", format.name());
        assert!(heard.text().contains(format.provider), "{}", heard.text());
        hung_up.wait();
    }
}

#[test]
fn a_timeout_rotates_where_the_config_says_so() {
    let good = crate::support::reply(
        "200 OK",
        &[("content-type", "application/json")],
        r#"{"choices":[]}"#,
    );
    let upstream = Scripted::start(move |_, place| {
        if place == 0 {
            vec![Step::Hang(Gate::default())]
        } else {
            vec![Step::Send(good.clone())]
        }
    });
    let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
    let gateway = TestGateway::with_config(
        &upstream.url(),
        &[("OPENAI_API_KEYS", &keys)],
        json!({
            "gateway": { "timeouts": { "firstByte": "1s" } },
            "auth": { "rotation": { "on": ["timeout"] } },
        }),
    );
    let heard = CHAT.call().send(gateway.address);
    assert_eq!((heard.status, heard.attempts()), (200, 2));
}

#[test]
fn silence_in_the_middle_of_a_stream_cuts_it() {
    for dialogue in DIALOGUES {
        let hung_up = Gate::default();
        let gate = hung_up.clone();
        let text = format!("{}{}", dialogue.lifecycle, dialogue.meaning);
        let sent = text.clone();
        let upstream = Scripted::start(move |_, _| {
            vec![
                // In one piece, so that nothing but the silence lasts.
                Step::Send([chunked_head("200 OK", STREAM), chunk(&sent)].concat()),
                Step::Hang(gate.clone()),
            ]
        });
        let config = json!({ "gateway": { "timeouts": { "idle": "500ms" } } });
        let gateway = one_key(dialogue.format, &upstream, config);
        let heard = dialogue.format.stream().send(gateway.address);
        assert_eq!(heard.text(), text, "{}", dialogue.format.name());
        assert_eq!(heard.ending, Ending::Cut, "{}", dialogue.format.name());
        hung_up.wait();
    }
}

#[test]
fn a_stream_that_lasts_too_long_is_cut() {
    let rig = Rig::with(
        CHAT,
        &["only"],
        coderclaw::emulator::EmulatorConfig {
            behaviour: coderclaw::emulator::Behaviour {
                chunk_delay_ms: Some(20),
                reply_tokens: Some(2_000),
                ..coderclaw::emulator::Behaviour::default()
            },
            ..coderclaw::emulator::EmulatorConfig::default()
        },
        json!({ "gateway": { "timeouts": { "total": "2s" } } }),
    );
    let heard = rig.send(CHAT.stream());
    assert_eq!((heard.status, heard.ending), (200, Ending::Cut));
    assert!(!heard.body.is_empty());
}

#[test]
fn the_emulators_cuts_are_cuts_in_every_format() {
    for format in FORMATS {
        for reset in [false, true] {
            let rig = Rig::new(format, &["only"]);
            let mut fault = Fault::new(FaultKind::CutMidStream).after_chunks(3);
            fault.reset = reset;
            rig.fault(fault);
            let heard = rig.stream();
            let what = format!("{} reset: {reset}", format.name());
            assert_eq!(heard.status, 200, "{what}");
            assert_eq!(heard.ending, Ending::Cut, "{what}");
            assert!(!heard.body.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_throttle_whose_body_breaks_off_or_stalls_is_a_throttle() {
    let headers = [
        ("content-type", "application/json"),
        ("retry-after", "20"),
        ("content-length", "1000"),
    ];
    let start = br#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded""#;
    for last in [Step::Close, Step::Reset, Step::Hang(Gate::default())] {
        let what = format!("{last:?}");
        let wire = [head("429 Too Many Requests", &headers), start.to_vec()].concat();
        let good = crate::support::reply(
            "200 OK",
            &[("content-type", "application/json")],
            r#"{"choices":[]}"#,
        );
        let upstream = Scripted::start(move |_, place| {
            if place == 0 {
                vec![Step::Send(wire.clone()), last.clone()]
            } else {
                vec![Step::Send(good.clone())]
            }
        });
        let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
        let gateway = TestGateway::with_config(
            &upstream.url(),
            &[("OPENAI_API_KEYS", &keys)],
            json!({ "gateway": { "timeouts": { "hold": "100ms" } } }),
        );
        let heard = CHAT.call().send(gateway.address);
        assert_eq!(
            (heard.status, heard.attempts()),
            (200, 2),
            "{what}: {}",
            heard.text()
        );
        assert_eq!(
            CHAT.call().send(gateway.address).attempts(),
            1,
            "{what}: the first key rests"
        );
    }
}

#[test]
fn the_last_keys_throttle_that_breaks_off_tells_when_to_come_back() {
    let headers = [("retry-after", "20"), ("content-length", "1000")];
    let wire = [head("429 Too Many Requests", &headers), b"{".to_vec()].concat();
    let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
    let gateway = one_key(CHAT, &upstream, json!({}));
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 502, "{}", heard.text());
    assert_eq!(heard.header("retry-after"), Some("20"));
}

#[test]
fn a_refusal_that_breaks_off_is_a_502_if_no_key_could_mend_it() {
    let headers = [("content-type", "application/json"), ("content-length", "1000")];
    let wire = [
        head("500 Internal Server Error", &headers),
        b"{\"error\":".to_vec(),
    ]
    .concat();
    let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
    let gateway = one_key(CHAT, &upstream, json!({}));
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 502, "{}", heard.text());
    assert!(heard.text().contains("openai"), "{}", heard.text());
}
