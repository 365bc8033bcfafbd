use proptest::prelude::*;

use super::*;

fn tapped(api: Api, stream: &str, size: usize) -> TapReport {
    let mut tap = StreamTap::new(Some(api), Framing::Sse);
    for chunk in stream.as_bytes().chunks(size) {
        tap.push(chunk);
    }
    tap.finish();
    tap.report()
}

const fn usage(input: u64, output: u64, cached: u64) -> Usage {
    Usage {
        input,
        output,
        cached,
    }
}

const CHAT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\"}}],\"usage\":null}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n\
    data: [DONE]\n\n";
const GROQ: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":1}}}\n\ndata: [DONE]\n\n";
const MESSAGES: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":5,\"cache_read_input_tokens\":10,\"output_tokens\":1}}}\n\n\
    event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const RESPONSES: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null,\"error\":null}}\n\n\
    event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"error\":null,\"usage\":{\"input_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":2},\"output_tokens\":8}}}\n\n";
const GEMINI: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}],\"usageMetadata\":{\"promptTokenCount\":4}}\r\n\r\n\
    data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":6,\"thoughtsTokenCount\":2,\"cachedContentTokenCount\":1}}\r\n\r\n";

#[test]
fn usage_and_end_are_seen_in_every_format() {
    for (api, stream, expected) in [
        (Api::OpenaiCompletions, CHAT, usage(9, 3, 4)),
        (Api::OpenaiCompletions, GROQ, usage(2, 1, 0)),
        (Api::AnthropicMessages, MESSAGES, usage(40, 15, 10)),
        (Api::OpenaiResponses, RESPONSES, usage(7, 8, 2)),
        (Api::GoogleGenerativeAi, GEMINI, usage(4, 8, 1)),
    ] {
        for size in [1, 13, stream.len()] {
            let report = tapped(api, stream, size);
            assert_eq!(report.usage, Some(expected), "{stream}");
            assert!(report.finished, "{stream}");
            assert_eq!(report.failure, None, "{stream}");
        }
        let cut = stream.trim_end().rsplit_once("\n\n").map_or("", |(head, _)| head);
        if api != Api::GoogleGenerativeAi {
            assert!(
                !tapped(api, cut, 64).finished,
                "a stream that is cut short has not finished: {cut}"
            );
        }
    }
}

#[test]
fn a_failure_after_the_commit_is_seen() {
    for (api, error, status, finished) in [
        (
            Api::OpenaiCompletions,
            r#"{"error":{"code":429,"message":"x"}}"#,
            Some(429),
            false,
        ),
        (
            Api::AnthropicMessages,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            None,
            false,
        ),
        (
            Api::OpenaiResponses,
            r#"{"type":"response.failed","response":{"error":{"code":"x"}}}"#,
            None,
            true,
        ),
        (
            Api::OpenaiResponses,
            r#"{"type":"error","code":"x","message":"y"}"#,
            None,
            false,
        ),
        (
            Api::GoogleGenerativeAi,
            r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#,
            Some(503),
            false,
        ),
    ] {
        let report = tapped(api, &format!("data: {error}\n\n"), 5);
        let failure = report.failure.expect(error);
        assert_eq!(failure.body.as_ref(), error.as_bytes());
        assert_eq!((failure.status, report.finished), (status, finished), "{error}");
    }
}

#[test]
fn an_error_is_told_before_its_words_come_wherever_the_network_cuts() {
    let good = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"error\\\"\"}}],\"error\":null}\n\n";
    let errors = [
        (
            Framing::Sse,
            r#"data: {"error":{"message":"WORDS","type":"server_error"}}"#,
        ),
        (
            Framing::Sse,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"WORDS\"}}",
        ),
        (
            Framing::Sse,
            r#"data: {"type":"response.failed","response":{"error":{"message":"WORDS"}}}"#,
        ),
        (Framing::Sse, "event:error\ndata: {\"message\":\"WORDS\"}"),
        (Framing::Sse, "event: error\ndata: WORDS"),
        (
            Framing::Sse,
            r#"data: {"choices":[{"index":0,"error":{"message":"WORDS"}}]}"#,
        ),
        (
            Framing::Json,
            r#"[{"candidates":[]},{"error" : {"message":"WORDS"}}]"#,
        ),
    ];
    for (framing, error) in errors {
        let (before, after) = if framing == Framing::Sse {
            (good, "\n\n")
        } else {
            ("", "")
        };
        let whole = format!("{before}{error}{after}");
        let words = whole.find("WORDS").unwrap()..whole.find("WORDS").unwrap() + 5;
        for size in 1..whole.len() {
            let mut tap = StreamTap::new(None, framing);
            let mut at = 0;
            for chunk in whole.as_bytes().chunks(size) {
                tap.push(chunk);
                let has_words = at < words.end && at + chunk.len() > words.start;
                assert!(!has_words || tap.tells_error(), "{error}, {size} at {at}");
                at += chunk.len();
                if at == before.len() {
                    assert!(!tap.tells_error(), "{before}");
                }
            }
            assert!(tap.tells_error());
        }
    }
}

#[test]
fn whole_json_tells_its_usage() {
    let body = br#"{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":99}"}}], "usage" : {"prompt_tokens":1,"completion_tokens":2,"x":"}\"{"}}"#;
    assert_eq!(usage_of_json(body), Some(usage(1, 2, 0)));
    assert_eq!(usage_of_json(br#"{"usage":null}"#), None);
    let mut tap = StreamTap::new(None, Framing::Json);
    for chunk in body.chunks(1) {
        tap.push(chunk);
    }
    assert_eq!(tap.report().usage, Some(usage(1, 2, 0)));
    assert!(tap.report().finished);
    let embeddings = br#"{"data":[{"embedding":"AAAA"}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    assert_eq!(usage_of_json(embeddings), Some(usage(8, 0, 0)));
}

#[test]
fn a_tap_is_small() {
    assert!(size_of::<StreamTap>() <= 320, "{}", size_of::<StreamTap>());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..50) {
        for framing in [Framing::Sse, Framing::Json, Framing::Opaque] {
            let mut tap = StreamTap::new(None, framing);
            bytes.chunks(size).for_each(|chunk| tap.push(chunk));
            tap.finish();
        }
    }
}
