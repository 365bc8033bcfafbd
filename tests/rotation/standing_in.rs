//! What another model stands in for and what not, in every format, streamed and whole: counted at both upstreams.

use coderclaw::emulator::{Fault, FaultKind, StreamError};
use coderclaw_actors::StateName;
use serde_json::json;

use crate::spare::{Pair, SPARE, config};
use crate::support::{
    CHAT, Call, Ending, FORMATS, Format, Heard, MESSAGES, Scripted, TestGateway, key, reply,
};

/// What no caller can mend.
const TROUBLES: [FaultKind; 11] = [
    FaultKind::RateLimit,
    FaultKind::TokenLimit,
    FaultKind::DayLimit,
    FaultKind::Quota,
    FaultKind::Unauthorized,
    FaultKind::Suspended,
    FaultKind::Overloaded,
    FaultKind::TruncatedHead,
    FaultKind::UnparseableHead,
    FaultKind::CloseBeforeHead,
    FaultKind::ErrorIn200,
];

fn status(status: u16, body: &str) -> Fault {
    let mut fault = Fault::new(FaultKind::Status);
    fault.status = Some(status);
    fault.body = Some(json!(body));
    fault
}

/// The spare serves, whole, after one call of each.
fn assert_stands_in(rig: &Pair, stream: bool, what: &str) {
    let heard = rig.ask(stream);
    assert_eq!(heard.status, 200, "{what}: {}", heard.text());
    assert_eq!(heard.ending, Ending::Whole, "{what}");
    assert_eq!(heard.header("x-coderclaw-model"), Some(SPARE), "{what}");
    assert_eq!(heard.header("x-coderclaw-provider"), Some("spare"), "{what}");
    assert_eq!(heard.attempts(), 2, "{what}");
    assert_eq!(rig.calls(), (1, 1), "{what}");
    assert_eq!(rig.spare.log(1)[0].model, "spare-model", "{what}");
    assert_eq!(rig.spare.log(1)[0].stream, stream, "{what}");
}

/// The primary's answer is the caller's, after one call of it and none of the spare.
fn assert_primary_alone(rig: &Pair, heard: &Heard, what: &str) {
    let primary = rig.primary_name();
    assert_eq!(
        heard.header("x-coderclaw-model"),
        Some(primary.as_str()),
        "{what}"
    );
    assert_eq!(rig.calls(), (1, 0), "{what}");
}

#[test]
fn whatever_no_caller_can_mend_is_served_by_the_next_model() {
    for format in FORMATS {
        for (trouble, stream) in TROUBLES.into_iter().zip([true, false].into_iter().cycle()) {
            let what = format!("{} {} stream: {stream}", format.name(), trouble.as_str());
            let rig = Pair::faulty(format, Fault::new(trouble), json!({}));
            // An error in a 200 is a body, which no stream has.
            let stream = stream && trouble != FaultKind::ErrorIn200;
            assert_stands_in(&rig, stream, &what);
        }
        for failed in [500, 502, 503] {
            let rig = Pair::faulty(format, status(failed, "<html>oops</html>"), json!({}));
            assert_stands_in(&rig, false, &format!("{} {failed}", format.name()));
        }
    }
}

#[test]
fn an_error_in_a_stream_before_its_first_word_is_served_by_the_next_model() {
    for format in FORMATS {
        for error in [
            StreamError::RateLimit,
            StreamError::Quota,
            StreamError::Overloaded,
            StreamError::Server,
        ] {
            let mut fault = Fault::new(FaultKind::ErrorBeforeContent);
            fault.error = Some(error);
            let rig = Pair::faulty(format, fault, json!({}));
            assert_stands_in(&rig, true, &format!("{} {error:?}", format.name()));
        }
    }
}

#[test]
fn after_the_first_word_nothing_is_sent_again_and_the_break_is_seen() {
    for format in FORMATS {
        for (kind, ending) in [
            (FaultKind::ErrorAfterContent, Ending::Whole),
            (FaultKind::CutMidStream, Ending::Cut),
        ] {
            let what = format!("{} {}", format.name(), kind.as_str());
            let rig = Pair::faulty(format, Fault::new(kind).after_chunks(2), json!({}));
            let heard = rig.ask(true);
            assert_eq!((heard.status, &heard.ending), (200, &ending), "{what}");
            assert_primary_alone(&rig, &heard, &what);
        }
    }
}

#[test]
fn a_provider_that_is_not_there_is_stood_in_for() {
    for format in FORMATS {
        let rig = Pair::new(format, json!({}));
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let closed = format!("http://{}", nobody.local_addr().expect("an address"));
        drop(nobody);
        let secret = key(format.provider, "a");
        let config = config(format, &rig.spare.base_url(), json!({}));
        let gateway = TestGateway::with_config(&closed, &[(format.variable, &secret)], config);
        for call in [format.call(), format.stream()] {
            let heard = call.send(gateway.address);
            assert_eq!(heard.status, 200, "{}: {}", format.name(), heard.text());
            assert_eq!(heard.header("x-coderclaw-model"), Some(SPARE));
            assert_eq!(heard.attempts(), 2);
        }
        let credential = &gateway.credentials(format.provider)[0];
        assert_eq!(
            credential.state,
            StateName::Available,
            "no key is to blame for it"
        );
        assert!(credential.models.is_empty(), "{credential:?}");
    }
}

#[test]
fn a_provider_that_hangs_is_left_after_the_time_that_the_config_says() {
    for format in FORMATS {
        for stream in [false, true] {
            let hangs = Fault::new(FaultKind::HangBeforeHead);
            let soon = json!({ "gateway": { "timeouts": { "fallback": "150ms" } } });
            let rig = Pair::faulty(format, hangs, soon);
            assert_stands_in(&rig, stream, &format!("{} stream: {stream}", format.name()));
            let credential = &rig.gateway.credentials(format.provider)[0];
            assert_eq!(credential.state, StateName::Available);
        }
    }
}

#[test]
fn a_primary_that_keeps_callers_waiting_is_left_alone_and_asked_again_in_time() {
    let soon = json!({ "gateway": { "timeouts": { "fallback": "150ms" } } });
    let (rig, clock) = Pair::with_clock(CHAT, soon);
    let hangs = Fault::new(FaultKind::HangBeforeHead).first(2);
    rig.primary.add_fault(hangs).expect("the fault makes sense");
    let calls_of_primary = || {
        let heard = rig.ask(true);
        assert_eq!(heard.status, 200, "{}", heard.text());
        rig.calls().0
    };
    // Once is chance; the second time in a row it is left alone.
    assert_eq!([(); 4].map(|()| calls_of_primary()), [1, 2, 2, 2]);
    clock.advance(std::time::Duration::from_secs(29));
    assert_eq!(calls_of_primary(), 2);
    clock.advance(std::time::Duration::from_secs(1));
    assert_eq!([(); 2].map(|()| calls_of_primary()), [3, 4], "it is well again");
    assert_eq!(rig.calls(), (4, 5));
}

#[test]
fn a_primary_that_is_left_alone_is_asked_when_no_other_serves() {
    let soon = json!({ "gateway": { "timeouts": { "fallback": "150ms" } } });
    let (rig, _clock) = Pair::with_clock(CHAT, soon);
    let hangs = Fault::new(FaultKind::HangBeforeHead).first(2);
    rig.primary.add_fault(hangs).expect("the fault makes sense");
    for _ in 0..2 {
        assert_eq!(rig.ask(true).status, 200);
    }
    rig.spare
        .add_fault(Fault::new(FaultKind::Overloaded))
        .expect("the fault makes sense");
    let heard = rig.ask(true);
    assert_eq!(heard.status, 200, "{}", heard.text());
    let primary = rig.primary_name();
    assert_eq!(heard.header("x-coderclaw-model"), Some(primary.as_str()));
    assert_eq!(rig.calls(), (3, 3));
}

#[test]
fn a_bad_request_is_the_callers_and_goes_back_as_the_provider_put_it() {
    let too_long = r#"{"error": {"message":"maximum context length is 128000 tokens",  "type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let bad =
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one"}}"#;
    for format in FORMATS {
        for (code, body) in [(400, too_long), (400, bad), (413, "too large"), (422, "{}")] {
            for stream in [false, true] {
                let rig = Pair::faulty(format, status(code, body), json!({}));
                let heard = rig.ask(stream);
                let what = format!("{} {code} stream: {stream}", format.name());
                assert_eq!((heard.status, heard.text().as_str()), (code, body), "{what}");
                assert_primary_alone(&rig, &heard, &what);
            }
        }
    }
}

#[test]
fn a_dead_key_is_disabled_and_every_request_after_it_is_served_too() {
    let rig = Pair::faulty(CHAT, Fault::new(FaultKind::Unauthorized), json!({}));
    assert_stands_in(&rig, false, "the first");
    assert_eq!(rig.gateway.credentials("openai")[0].state, StateName::Disabled);
    let heard = rig.ask(false);
    assert_eq!((heard.status, heard.attempts()), (200, 1));
    assert_eq!(rig.calls(), (1, 2));
}

#[test]
fn a_primary_that_nobody_holds_a_key_for_is_stood_in_for() {
    let rig = Pair::new(CHAT, json!({}));
    let config = config(CHAT, &rig.spare.base_url(), json!({}));
    let gateway = TestGateway::with_config(&rig.primary.base_url(), &[], config);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-model"), Some(SPARE));
    assert_eq!(rig.calls(), (0, 1));
}

#[test]
fn only_the_name_of_the_model_changes_in_what_is_sent_again() {
    let body =
        "{ \"stream\":false ,\"model\" : \"claude-test\",\n \"max_tokens\":1e1,\"x\":[1.50,\"\\u00e9\"] }";
    let primary = Scripted::answering(reply("529 Overloaded", &[], "{}"));
    let answer = r#"{"type":"message","content":[{"type":"text","text":"hi"}]}"#;
    let spare = Scripted::answering(reply("200 OK", &[("content-type", "application/json")], answer));
    let secret = key("anthropic", "a");
    let config = config(MESSAGES, &spare.url(), json!({}));
    let gateway = TestGateway::with_config(&primary.url(), &[("ANTHROPIC_API_KEY", &secret)], config);
    let call = Call::post(MESSAGES.path, body).header("anthropic-beta", "odd-2099-01-01");
    let heard = call.send(gateway.address);
    assert_eq!((heard.status, heard.text().as_str()), (200, answer));
    assert_eq!(primary.only().body, body.as_bytes());
    let seen = spare.only();
    let expected = body.replace("claude-test", "spare-model");
    assert_eq!(String::from_utf8_lossy(&seen.body), expected);
    assert_eq!(seen.header("anthropic-beta"), Some("odd-2099-01-01"));
    assert_eq!(
        seen.key(),
        key("openai", "spare"),
        "and the key is its own provider's"
    );
}

#[test]
fn embeddings_are_the_models_own() {
    let rig = Pair::faulty(CHAT, Fault::new(FaultKind::Overloaded), json!({}));
    let body = r#"{"model":"gpt-test","input":"hello"}"#;
    let heard = Call::post("/v1/embeddings", body).send(rig.gateway.address);
    assert_eq!(heard.status, 503, "{}", heard.text());
    assert_eq!(rig.calls(), (1, 0));
}

#[test]
fn many_at_once_are_all_served_while_the_primary_is_down() {
    let rig = Pair::faulty(CHAT, Fault::new(FaultKind::CloseBeforeHead), json!({}));
    let address = rig.gateway.address;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..40)
            .map(|place: usize| {
                let call = [CHAT.call(), CHAT.stream()][place % 2].clone();
                scope.spawn(move || call.send(address).status)
            })
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().expect("it ends"))
            .collect()
    });
    assert_eq!(statuses, [200; 40]);
    assert_eq!(rig.calls(), (40, 40));
}

/// The path that a fallback of Google's goes to names its own model.
#[test]
fn where_the_path_names_the_model_the_path_changes() {
    let format: Format = crate::support::GEMINI;
    let rig = Pair::faulty(format, Fault::new(FaultKind::Overloaded), json!({}));
    let heard = Call::post("/v1beta/models/auto:generateContent", format.body).send(rig.gateway.address);
    assert_eq!(heard.status, 200, "{}", heard.text());
    let path = |emulator: &coderclaw::emulator::RunningEmulator| emulator.log(1)[0].path.clone();
    assert_eq!(path(&rig.primary), "/v1beta/models/gemini-test:generateContent");
    assert_eq!(path(&rig.spare), "/v1beta/models/spare-model:generateContent");
}
