use proptest::prelude::*;

use super::*;

const CHAT: Option<Api> = Some(Api::OpenaiCompletions);
const RESPONSES: Option<Api> = Some(Api::OpenaiResponses);
const MESSAGES: Option<Api> = Some(Api::AnthropicMessages);
const GEMINI: Option<Api> = Some(Api::GoogleGenerativeAi);

/// Pushes `frames` one by one; the number of the one that opened the gate, and what it said.
fn opened(api: Option<Api>, framing: Framing, frames: &[&str]) -> (usize, Gate) {
    let mut gate = CommitGate::new(api, framing);
    for (number, frame) in frames.iter().enumerate() {
        let said = gate.push(Bytes::copy_from_slice(frame.as_bytes()));
        if said != Gate::Hold {
            let held: Vec<u8> = gate.into_held().concat();
            assert_eq!(held, frames[..=number].concat().as_bytes(), "held bytes");
            return (number, said);
        }
    }
    (frames.len(), gate.end())
}

fn failed(body: &str, status: Option<u16>) -> Gate {
    Gate::Failed(StreamFailure {
        body: Bytes::copy_from_slice(body.as_bytes()),
        status,
    })
}

#[test]
fn chat_commits_at_the_first_word() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    for meaning in [
        r#"{"choices":[{"delta":{"content":"Hi"}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c"}]}}]}"#,
        r#"{"choices":[{"delta":{"refusal":"No"}}]}"#,
        r#"{"choices":[{"delta":{"reasoning_content":"Hm"}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"text":"Hi"}]}"#,
        "[DONE]",
        "not json",
    ] {
        let frame = format!("data: {meaning}\n\n");
        let frames = [": OPENROUTER PROCESSING\n\n", role, role, &frame];
        assert_eq!(
            opened(CHAT, Framing::Sse, &frames),
            (3, Gate::Commit),
            "{meaning}"
        );
    }
}

#[test]
fn an_error_before_the_first_word_is_a_failure() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n";
    for (error, status) in [
        (
            r#"{"error":{"message":"Rate limit","type":"tokens","code":"rate_limit_exceeded"}}"#,
            None,
        ),
        (
            r#"{"error":{"code":429,"message":"x"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            Some(429),
        ),
        (
            r#"{"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":"502"}}]}"#,
            Some(502),
        ),
        (
            r#"{"object":"error","message":"busy","type":"x","code":3505}"#,
            None,
        ),
        (
            r#"{"id":"x","choices":[{"delta":{}}],"x_groq":{"error":"over capacity"}}"#,
            None,
        ),
    ] {
        let frame = format!("data: {error}\r\n\r\n");
        assert_eq!(
            opened(CHAT, Framing::Sse, &[role, &frame]),
            (1, failed(error, status)),
            "{error}"
        );
    }
}

#[test]
fn messages_hold_life_signs_and_empty_blocks() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n";
    let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    let block = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    let thinking = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n";
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n";
    let tool = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n";
    let error = r#"{"type":"error","error":{"type":"rate_limit_error","message":"x"}}"#;
    let error_frame = format!("event: error\ndata: {error}\n\n");
    assert_eq!(
        opened(MESSAGES, Framing::Sse, &[start, ping, block, thinking, delta]),
        (4, Gate::Commit)
    );
    assert_eq!(opened(MESSAGES, Framing::Sse, &[start, tool]), (1, Gate::Commit));
    assert_eq!(
        opened(MESSAGES, Framing::Sse, &[start, ping, block, &error_frame]),
        (3, failed(error, None))
    );
    assert_eq!(
        opened(None, Framing::Sse, &[start, ping, &error_frame]),
        (2, failed(error, None)),
        "the format shows itself"
    );
}

#[test]
fn responses_hold_created_and_added() {
    let created =
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\n";
    let added = "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\"}}\n\n";
    let incomplete = "data: {\"type\":\"response.incomplete\",\"response\":{\"error\":null}}\n\n";
    let failed_event =
        r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"x"}}}"#;
    let frame = format!("event: response.failed\ndata: {failed_event}\n\n");
    assert_eq!(
        opened(RESPONSES, Framing::Sse, &[created, added, incomplete]),
        (2, Gate::Commit)
    );
    assert_eq!(
        opened(CHAT, Framing::Sse, &[created, added, &frame]),
        (2, failed(failed_event, None)),
        "a provider of chat speaks responses too"
    );
}

#[test]
fn gemini_holds_chunks_without_parts() {
    let usage = "data: {\"usageMetadata\":{\"promptTokenCount\":4}}\r\n\r\n";
    let word = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"H\"}]}}]}\r\n\r\n";
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n";
    let error = r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#;
    let frame = format!("data: {error}\r\n\r\n");
    assert_eq!(opened(GEMINI, Framing::Sse, &[usage, word]), (1, Gate::Commit));
    assert_eq!(opened(GEMINI, Framing::Sse, &[blocked]), (0, Gate::Commit));
    assert_eq!(
        opened(GEMINI, Framing::Sse, &[usage, &frame]),
        (1, failed(error, Some(503)))
    );
}

#[test]
fn json_is_judged_at_its_first_sign() {
    let error = r#"{"error":{"code":429,"message":"x"}}"#;
    for (frames, at, expected) in [
        (
            &["\n\n  ", "\n", r#"{"id":"x","choices":[{"#][..],
            2,
            Gate::Commit,
        ),
        (
            &["\n", r#"{"error":{"code":429,"#, r#""message":"x"}}"#],
            2,
            failed(error, Some(429)),
        ),
        (
            &[r#"{"id":"r","error":null,"#, r#""output":["#, "{"],
            2,
            Gate::Commit,
        ),
        (
            &[r#"{"choices":[],"#, r#""error":{"code":400}}"#],
            1,
            failed(r#"{"choices":[],"error":{"code":400}}"#, Some(400)),
        ),
        (
            &["[", r#"{"error":{"code":503}}"#],
            1,
            failed(r#"{"error":{"code":503}}"#, Some(503)),
        ),
        (&["[{", r#""candidates": [ {"#], 1, Gate::Commit),
        (&["[{\"usageMetadata\":{}}"], 0, Gate::Commit),
        (&["[1"], 0, Gate::Commit),
        (&["{}"], 0, Gate::Commit),
        (&["\"error\""], 0, Gate::Commit),
        (&[r#"{"nested":{"error":{"code":1}}}"#], 0, Gate::Commit),
        (&[r#"{"a\"error":1,"error":""}"#], 0, Gate::Commit),
        (
            &[r#"{"type":"error","error":{"type":"overloaded_error"}}"#],
            0,
            failed(r#"{"type":"error","error":{"type":"overloaded_error"}}"#, None),
        ),
        (&[r#"{"input_tokens":1"#], 0, Gate::Commit),
        (&[r#"{"error":{"code":429"#], 1, failed("", None)),
    ] {
        assert_eq!(opened(None, Framing::Json, frames), (at, expected), "{frames:?}");
    }
    assert_eq!(
        opened(None, Framing::Json, &[]),
        (0, Gate::Commit),
        "no body at all"
    );
}

#[test]
fn a_whole_json_is_judged_alike() {
    assert_eq!(judge_whole_json(br#"{"error":null,"output":[]}"#), None);
    assert_eq!(
        judge_whole_json(br#"{"error" : {"a":1},"choices":[{"message":{"content":"Hi"}}]}"#),
        None
    );
    assert_eq!(
        judge_whole_json(br#"{"choices":[{"message":{"content":"\"error\": {}"}}]}"#),
        None
    );
    assert_eq!(judge_whole_json(br#"{"data":[{"error":1}]}"#), None);
    let list = judge_whole_json(br#"[ {"error":{"code":429}} , {"x":1}]"#).unwrap();
    assert_eq!(
        (list.body.as_ref(), list.status),
        (&br#"{"error":{"code":429}}"#[..], Some(429))
    );
    assert!(judge_whole_json(br#"{"error":"no capacity"}"#).is_some());
}

#[test]
fn only_so_much_is_held() {
    let comment = format!(": {}\n\n", "x".repeat(1022));
    let frames = vec![comment.as_str(); 100];
    let (at, gate) = opened(CHAT, Framing::Sse, &frames);
    assert_eq!(gate, Gate::Commit);
    assert_eq!(
        at,
        HELD_BYTES_MAX / comment.len(),
        "the frame that passes the limit opens the gate"
    );
}

#[test]
fn a_stream_that_ends_before_it_began_is_a_failure() {
    assert_eq!(opened(CHAT, Framing::Sse, &[": hi\n\n"]), (1, failed("", None)));
    let error = r#"{"error":{"code":"x"}}"#;
    assert_eq!(
        opened(CHAT, Framing::Sse, &[&format!("data: {error}")]),
        (1, failed(error, None)),
        "an error without its blank line"
    );
    let bare = r#"{"error":{"code":429}}"#;
    assert_eq!(
        opened(CHAT, Framing::Sse, &[bare, "\n"]),
        (2, failed("{\"error\":{\"code\":429}}\n", Some(429))),
        "JSON that calls itself a stream"
    );
    assert_eq!(opened(CHAT, Framing::Opaque, &["x"]), (0, Gate::Commit));
}

#[test]
fn framing_follows_the_content_type() {
    for (content_type, framing) in [
        (Some("text/event-stream; charset=utf-8"), Framing::Sse),
        (Some("Application/JSON"), Framing::Json),
        (Some("application/problem+json"), Framing::Json),
        (Some("application/vnd.amazon.eventstream"), Framing::Opaque),
        (None, Framing::Opaque),
    ] {
        assert_eq!(Framing::of(content_type), framing, "{content_type:?}");
    }
}

fn decide(api: Option<Api>, framing: Framing, chunks: &[&[u8]]) -> Gate {
    let mut gate = CommitGate::new(api, framing);
    for chunk in chunks {
        let said = gate.push(Bytes::copy_from_slice(chunk));
        if said != Gate::Hold {
            return said;
        }
    }
    gate.end()
}

fn answer() -> impl Strategy<Value = String> {
    let frame = prop::sample::select(vec![
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\n",
        "data: {\"error\":{\"code\":429}}\n\n",
        ": ping\n\n",
        "data: [DONE]\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "[",
        "{\"error\":",
        "{\"code\":500}",
        "\"choices\":[",
        "}",
        "]",
        ",",
        " ",
        "\"\"",
    ]);
    prop::collection::vec(frame, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn a_split_anywhere_decides_the_same(text in answer(), size in 1_usize..9, json in any::<bool>()) {
        let framing = if json { Framing::Json } else { Framing::Sse };
        let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        prop_assert_eq!(decide(CHAT, framing, &chunks), decide(CHAT, framing, &single));
    }
}
