//! Every byte of a stream passes as it came and when it came.

use crate::dialogue::{DIALOGUES, STREAM};
use crate::support::{
    CHAT, Ending, FORMATS, Gate, LAST_CHUNK, Rig, Scripted, Step, TestGateway, chunk, chunked_head, key,
};

#[test]
fn events_comments_and_line_ends_pass_byte_for_byte() {
    for dialogue in DIALOGUES {
        let format = dialogue.format;
        let good = dialogue.good();
        let wire = [chunked_head("200 OK", STREAM), chunk(&good), LAST_CHUNK.to_vec()].concat();
        let upstream = Scripted::answering(wire);
        let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &key(format.provider, "a"))]);
        let heard = format.stream().send(gateway.address);
        assert_eq!(heard.status, 200, "{}", format.name());
        assert_eq!(heard.text(), good, "{}", format.name());
        assert_eq!(heard.ending, Ending::Whole, "{}", format.name());
        assert_eq!(
            heard.header("content-type"),
            Some(STREAM[0].1),
            "{}",
            format.name()
        );
        assert_eq!(
            heard.header("transfer-encoding"),
            Some("chunked"),
            "{}",
            format.name()
        );
    }
}

#[test]
fn a_stream_split_at_every_byte_is_the_same_stream() {
    for dialogue in DIALOGUES {
        let format = dialogue.format;
        let good = dialogue.good();
        let expected = good.clone();
        let upstream = Scripted::start(move |_, _| {
            let bytes = good.as_bytes();
            let pieces = bytes.iter().map(|byte| {
                let mut piece = b"1\r\n".to_vec();
                piece.push(*byte);
                piece.extend_from_slice(b"\r\n");
                Step::Send(piece)
            });
            std::iter::once(Step::Send(chunked_head("200 OK", STREAM)))
                .chain(pieces)
                .chain([Step::Send(LAST_CHUNK.to_vec())])
                .collect()
        });
        let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &key(format.provider, "a"))]);
        let heard = format.stream().send(gateway.address);
        assert_eq!(heard.text(), expected, "{}", format.name());
        assert_eq!(heard.ending, Ending::Whole, "{}", format.name());
    }
}

#[test]
fn each_piece_reaches_the_caller_before_the_next_one_is_there() {
    for dialogue in DIALOGUES {
        let format = dialogue.format;
        let (first, second) = (Gate::default(), Gate::default());
        let (of_first, of_second) = (first.clone(), second.clone());
        let upstream = Scripted::start(move |_, _| {
            vec![
                Step::Send(chunked_head("200 OK", STREAM)),
                Step::Send(chunk(dialogue.lifecycle)),
                Step::Send(chunk(dialogue.meaning)),
                Step::Wait(of_first.clone()),
                Step::Send(chunk(": in between\n\n")),
                Step::Wait(of_second.clone()),
                Step::Send(chunk(dialogue.end)),
                Step::Send(LAST_CHUNK.to_vec()),
            ]
        });
        let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &key(format.provider, "a"))]);
        let mut live = format.stream().open(gateway.address);
        let heard = live.until(dialogue.meaning);
        assert_eq!(
            heard.text(),
            format!("{}{}", dialogue.lifecycle, dialogue.meaning)
        );
        first.open();
        live.until(": in between\n\n");
        second.open();
        let heard = live.finish();
        assert!(heard.text().ends_with(dialogue.end), "{}", format.name());
        assert_eq!(heard.ending, Ending::Whole);
    }
}

#[test]
fn the_emulators_own_streams_pass_whole_in_every_format() {
    for format in FORMATS {
        let rig = Rig::new(format, &["only"]);
        let heard = rig.stream();
        assert_eq!(
            (heard.status, &heard.ending),
            (200, &Ending::Whole),
            "{}",
            format.name()
        );
        let direct = format
            .stream()
            .header("authorization", "Bearer sk-direct")
            .send(rig.emulator.addr());
        let frames = |text: &str| text.matches("data:").count();
        assert!(frames(&heard.text()) > 3, "{}: {}", format.name(), heard.text());
        assert_eq!(frames(&heard.text()), frames(&direct.text()), "{}", format.name());
        let stats = rig.emulator.stats();
        assert_eq!(
            stats.key("only").expect("it was used").streams_done,
            1,
            "{}",
            format.name()
        );
    }
}

#[test]
fn what_is_no_sse_and_no_json_passes_as_it_came() {
    let bodies = [
        (
            "text/event-stream",
            "data: {\"choices\":[{\"delta\":\n\nthis is no field\n\nevent\ndata: }{\n\n: \u{fffd}\n",
        ),
        (
            "text/event-stream",
            "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"cut in the mid",
        ),
        ("application/json", "{\"id\":\"chatcmpl-broken\",\"choices\":[{"),
        ("application/json", "]]]]"),
        ("application/json", "\"error\""),
        ("text/html", "<html>\u{1F600}</html>"),
        ("application/octet-stream", "\u{0}\u{1}\u{2}"),
    ];
    for (content_type, body) in bodies {
        for chunked in [true, false] {
            let headers = [("content-type", content_type)];
            let wire = if chunked {
                [chunked_head("200 OK", &headers), chunk(body), LAST_CHUNK.to_vec()].concat()
            } else {
                crate::support::reply("200 OK", &headers, body)
            };
            let upstream = Scripted::answering(wire);
            let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &key("openai", "a"))]);
            let heard = CHAT.stream().send(gateway.address);
            let what = format!("{content_type} {body:?} chunked: {chunked}");
            assert_eq!(heard.status, 200, "{what}");
            assert_eq!(heard.text(), body, "{what}");
            assert_eq!(heard.ending, Ending::Whole, "{what}");
            assert_eq!(heard.attempts(), 1, "{what}");
        }
    }
}
