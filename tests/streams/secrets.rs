//! The key that a provider repeats becomes stars wherever it speaks of a failure or points elsewhere.

use crate::dialogue::{DIALOGUES, STREAM};
use crate::support::{
    CHAT, Ending, LAST_CHUNK, Scripted, Step, TestGateway, chunk, chunked_head, key, reply,
};

/// So that no chunk is larger than what is read at once.
const PIECE: usize = 32 * 1024;
/// Longer than any frame that is read, which is 1 MiB, by more than a piece.
const OVERSIZED: usize = 1024 * 1024 + 3 * PIECE;

fn starred(text: &str, secret: &str) -> String {
    text.replace(secret, &"*".repeat(secret.len()))
}

/// What a caller hears of a good beginning and then `error`, in chunks of `size` bytes.
fn heard_after_meaning(error: &str, size: usize, secret: &str) -> String {
    let dialogue = &DIALOGUES[0];
    let mut steps = vec![
        Step::Send(chunked_head("200 OK", STREAM)),
        Step::Send(chunk(dialogue.meaning)),
    ];
    for piece in error.as_bytes().chunks(size) {
        let piece = std::str::from_utf8(piece).expect("ASCII");
        steps.push(Step::Send(chunk(piece)));
    }
    steps.push(Step::Send(LAST_CHUNK.to_vec()));
    let upstream = Scripted::start(move |_, _| steps.clone());
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", secret)]);
    let heard = CHAT.stream().send(gateway.address);
    assert_eq!(heard.ending, Ending::Whole);
    let text = heard.text();
    text.strip_prefix(dialogue.meaning)
        .expect("the beginning passes")
        .to_owned()
}

#[test]
fn in_every_form_of_an_error_after_the_commit() {
    let secret = key("openai", "a");
    for error in [
        format!("data: {{\"error\":{{\"message\":\"bad {secret}\"}}}}\n\n"),
        format!("event: error\ndata: bad {secret}\n\n"),
        format!("event:error\ndata: {{\"message\":\"bad {secret}\"}}\n\n"),
        format!("data: {{\"choices\":[{{\"index\":0,\"error\":{{\"message\":\"bad {secret}\"}}}}]}}\n\n"),
    ] {
        for size in [7, PIECE] {
            assert_eq!(
                heard_after_meaning(&error, size, &secret),
                starred(&error, &secret),
                "{size}"
            );
        }
    }
}

#[test]
fn in_an_error_frame_too_long_to_be_read() {
    let secret = key("openai", "a");
    let padding = "x".repeat(OVERSIZED);
    let error =
        format!("data: {{\"error\":{{\"message\":\"{secret} {padding} {secret}\"}}}}\n\ndata: [DONE]\n\n");
    let heard = heard_after_meaning(&error, PIECE, &secret);
    assert!(heard == starred(&error, &secret), "{} bytes", heard.len());
}

#[test]
fn in_the_address_and_the_body_of_a_redirect() {
    let secret = key("openai", "a");
    let location = format!("https://elsewhere.example/login?key={secret}");
    let body = format!("<a href=\"{location}\">here</a>");
    for (status, body) in [
        ("307 Temporary Redirect", body.as_str()),
        ("304 Not Modified", ""),
    ] {
        let headers = [("location", location.as_str()), ("set-cookie", secret.as_str())];
        let upstream = Scripted::answering(reply(status, &headers, body));
        let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &secret)]);
        let heard = CHAT.call().send(gateway.address);
        let clean = starred(&location, &secret);
        assert_eq!(heard.header("location"), Some(clean.as_str()), "{status}");
        assert_eq!(
            heard.header("set-cookie"),
            Some(starred(&secret, &secret).as_str())
        );
        assert_eq!(heard.text(), starred(body, &secret), "{status}");
        assert_eq!(heard.ending, Ending::Whole, "{status}");
    }
}

#[test]
fn no_header_is_named_after_it() {
    let secret = format!("sk-proj-{}", "lowercase".repeat(3));
    let name = format!("x-{secret}");
    let upstream = Scripted::answering(reply("500 No", &[(&name, "1"), ("x-other", "2")], "{}"));
    let gateway = TestGateway::start(&upstream.url(), &[("OPENAI_API_KEY", &secret)]);
    let heard = CHAT.call().send(gateway.address);
    assert_eq!((heard.header(&name), heard.header("x-other")), (None, Some("2")));
}
