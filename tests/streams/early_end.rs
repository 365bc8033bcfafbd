//! Answers that end before they mean anything: nothing has gone out yet, so the caller can still be told.

use serde_json::json;

use crate::broken::one_key;
use crate::dialogue::{DIALOGUES, STREAM};
use crate::support::{CHAT, Ending, LAST_CHUNK, Scripted, Step, chunk, chunked_head, head};

#[test]
fn a_stream_that_breaks_off_before_it_means_anything_is_a_502() {
    for dialogue in DIALOGUES {
        let wire = [chunked_head("200 OK", STREAM), chunk(dialogue.lifecycle)].concat();
        let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
        let gateway = one_key(dialogue.format, &upstream, json!({}));
        let heard = dialogue.format.stream().send(gateway.address);
        assert_eq!(heard.status, 502, "{}: {}", dialogue.format.name(), heard.text());
        assert!(
            heard.text().contains(dialogue.format.provider),
            "{}",
            heard.text()
        );
    }
}

/// Such an end looks like a break, and nothing has gone out: a clean 200 would hide it from every SDK.
#[test]
fn a_connection_that_ends_before_its_stream_means_anything_is_a_502() {
    for dialogue in DIALOGUES {
        for text in ["", dialogue.lifecycle] {
            let wire = [head("200 OK", STREAM), text.as_bytes().to_vec()].concat();
            let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
            let gateway = one_key(dialogue.format, &upstream, json!({}));
            let heard = dialogue.format.stream().send(gateway.address);
            let what = format!("{} {text:?}: {}", dialogue.format.name(), heard.text());
            assert_eq!(heard.status, 502, "{what}");
            assert!(heard.text().contains(dialogue.format.provider), "{what}");
            let credential = &gateway.credentials(dialogue.format.provider)[0];
            assert_eq!(credential.state.as_str(), "available", "{what}");
        }
    }
}

#[test]
fn a_json_answer_that_ends_with_its_connection_and_not_with_its_brace_is_a_502() {
    let json = [("content-type", "application/json")];
    for text in [
        "{\"id\":\"x\",\"obj",
        "{\"choices\":[",
        "[",
        "{\"error\":{\"message\":\"x",
    ] {
        let wire = [head("200 OK", &json), text.as_bytes().to_vec()].concat();
        let upstream = Scripted::start(move |_, _| vec![Step::Send(wire.clone()), Step::Close]);
        let gateway = one_key(CHAT, &upstream, json!({}));
        let heard = CHAT.call().send(gateway.address);
        assert_eq!(heard.status, 502, "{text}: {}", heard.text());
    }
}

#[test]
fn a_stream_that_ends_before_it_means_anything_passes_as_it_came() {
    for dialogue in DIALOGUES {
        let wire = [
            chunked_head("200 OK", STREAM),
            chunk(dialogue.lifecycle),
            LAST_CHUNK.to_vec(),
        ];
        let upstream = Scripted::answering(wire.concat());
        let gateway = one_key(dialogue.format, &upstream, json!({}));
        let heard = dialogue.format.stream().send(gateway.address);
        assert_eq!(heard.status, 200, "{}", dialogue.format.name());
        assert_eq!(heard.text(), dialogue.lifecycle, "{}", dialogue.format.name());
        assert_eq!(heard.ending, Ending::Whole, "{}", dialogue.format.name());
        let credential = &gateway.credentials(dialogue.format.provider)[0];
        assert_eq!(
            credential.state.as_str(),
            "available",
            "{}",
            dialogue.format.name()
        );
    }
}
