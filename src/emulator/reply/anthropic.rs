//! Anthropic's messages.

use super::{Content, Form, Reply, Script};
use crate::emulator::error::escaped;
use crate::emulator::ids::request_id;

const fn stop_reason(reply: &Reply) -> &'static str {
    match (&reply.content, reply.cut) {
        (Content::Tool { .. }, _) => "tool_use",
        (Content::Text(_), true) => "max_tokens",
        (Content::Text(_), false) => "end_turn",
    }
}

fn usage(reply: &Reply, output_tokens: u64) -> String {
    format!(
        r#"{{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}},"output_tokens":{output_tokens},"service_tier":"standard"}}"#,
        reply.prompt_tokens
    )
}

/// Anthropic's ids of tool calls have a prefix of their own.
fn tool_id(id: &str) -> String {
    format!("toolu_{}", id.strip_prefix("call_").unwrap_or(id))
}

/// A whole message.
pub(in crate::emulator) fn whole(reply: &Reply) -> String {
    let block = match &reply.content {
        Content::Text(text) => format!(r#"{{"type":"text","text":"{}"}}"#, escaped(text)),
        Content::Tool { id, name, arguments } => format!(
            r#"{{"type":"tool_use","id":"{}","name":"{}","input":{arguments}}}"#,
            tool_id(id),
            escaped(name)
        ),
    };
    format!(
        r#"{{"id":"{}","type":"message","role":"assistant","model":"{}","content":[{block}],"stop_reason":"{}","stop_sequence":null,"usage":{}}}"#,
        request_id("msg_01"),
        reply.model,
        stop_reason(reply),
        usage(reply, reply.completion_tokens),
    )
}

fn event(name: &str, rest: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n")
}

/// A streamed message.
pub(in crate::emulator) fn stream(reply: &Reply) -> Script {
    let message = format!(
        r#","message":{{"id":"{}","type":"message","role":"assistant","model":"{}","content":[],"stop_reason":null,"stop_sequence":null,"usage":{}}}"#,
        request_id("msg_01"),
        reply.model,
        usage(reply, 1),
    );
    let (block, delta, field) = match &reply.content {
        Content::Text(_) => (r#"{"type":"text","text":""}"#.to_owned(), "text_delta", "text"),
        Content::Tool { id, name, .. } => (
            format!(
                r#"{{"type":"tool_use","id":"{}","name":"{}","input":{{}}}}"#,
                tool_id(id),
                escaped(name)
            ),
            "input_json_delta",
            "partial_json",
        ),
    };
    Script {
        lead: vec![
            event("message_start", &message),
            event(
                "content_block_start",
                &format!(r#","index":0,"content_block":{block}"#),
            ),
            event("ping", ""),
        ],
        form: Form {
            before: format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"{delta}\",\"{field}\":\""
            ),
            after: "\"}}\n\n".to_owned(),
            ..Form::default()
        },
        tail: vec![
            event("content_block_stop", r#","index":0"#),
            event(
                "message_delta",
                &format!(
                    r#","delta":{{"stop_reason":"{}","stop_sequence":null}},"usage":{}"#,
                    stop_reason(reply),
                    usage(reply, reply.completion_tokens)
                ),
            ),
            event("message_stop", ""),
        ],
    }
}

/// An error in a stream.
pub(in crate::emulator) fn error_frame(body: &str) -> String {
    format!("event: error\ndata: {body}\n\n")
}

/// The answer of `count_tokens`.
pub(in crate::emulator) fn token_count(tokens: u64) -> String {
    format!(r#"{{"input_tokens":{tokens}}}"#)
}
