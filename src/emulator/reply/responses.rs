//! `OpenAI`'s responses.

use super::{Content, Form, Reply, Script};
use crate::emulator::error::escaped;
use crate::emulator::ids::request_id;

/// The ids of one response.
struct Ids {
    response: String,
    item: String,
}

impl Ids {
    fn new(reply: &Reply) -> Self {
        Self {
            response: request_id("resp_"),
            item: request_id(match reply.content {
                Content::Text(_) => "msg_",
                Content::Tool { .. } => "fc_",
            }),
        }
    }
}

const fn status(reply: &Reply) -> &'static str {
    if reply.cut { "incomplete" } else { "completed" }
}

fn usage(reply: &Reply) -> String {
    format!(
        r#"{{"input_tokens":{},"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{}}}"#,
        reply.prompt_tokens,
        reply.completion_tokens,
        reply.total_tokens(),
    )
}

/// The output item, empty at its start or whole at its end.
fn item(reply: &Reply, ids: &Ids, done: bool) -> String {
    let state = if done { status(reply) } else { "in_progress" };
    match &reply.content {
        Content::Text(_) => {
            let content = if done { part(reply, true) } else { String::new() };
            format!(
                r#"{{"type":"message","id":"{}","status":"{state}","role":"assistant","content":[{content}]}}"#,
                ids.item
            )
        }
        Content::Tool { id, name, arguments } => format!(
            r#"{{"type":"function_call","id":"{}","status":"{state}","call_id":"{id}","name":"{}","arguments":"{}"}}"#,
            ids.item,
            escaped(name),
            if done { escaped(arguments) } else { String::new() },
        ),
    }
}

fn part(reply: &Reply, done: bool) -> String {
    let text = if done {
        escaped(reply.streamed())
    } else {
        String::new()
    };
    format!(r#"{{"type":"output_text","text":"{text}","annotations":[],"logprobs":[]}}"#)
}

fn response(reply: &Reply, ids: &Ids, status: &str, error: &str) -> String {
    let done = matches!(status, "completed" | "incomplete");
    let (output, usage) = if done {
        (item(reply, ids, true), usage(reply))
    } else {
        (String::new(), "null".to_owned())
    };
    let incomplete = if status == "incomplete" {
        r#"{"reason":"max_output_tokens"}"#
    } else {
        "null"
    };
    format!(
        r#"{{"id":"{}","object":"response","created_at":{},"status":"{status}","background":false,"error":{error},"incomplete_details":{incomplete},"instructions":null,"max_output_tokens":null,"model":"{}","output":[{output}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"store":true,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":{usage},"user":null,"metadata":{{}}}}"#,
        ids.response, reply.created, reply.model,
    )
}

/// A whole response.
pub(in crate::emulator) fn whole(reply: &Reply) -> String {
    response(reply, &Ids::new(reply), status(reply), "null")
}

fn event(name: &str, number: usize, rest: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":{number}{rest}}}\n\n")
}

/// A streamed response of `pieces` pieces.
pub(in crate::emulator) fn stream(reply: &Reply, pieces: usize) -> Script {
    let ids = Ids::new(reply);
    let begun = format!(r#","response":{}"#, response(reply, &ids, "in_progress", "null"));
    let mut lead = vec![
        event("response.created", 0, &begun),
        event("response.in_progress", 1, &begun),
        event(
            "response.output_item.added",
            2,
            &format!(r#","output_index":0,"item":{}"#, item(reply, &ids, false)),
        ),
    ];
    let place = format!(r#","item_id":"{}","output_index":0"#, ids.item);
    let name = match reply.content {
        Content::Text(_) => {
            lead.push(event(
                "response.content_part.added",
                3,
                &format!(r#"{place},"content_index":0,"part":{}"#, part(reply, false)),
            ));
            "response.output_text.delta"
        }
        Content::Tool { .. } => "response.function_call_arguments.delta",
    };
    let is_text = matches!(reply.content, Content::Text(_));
    let index = if is_text { r#","content_index":0"# } else { "" };
    let after = if is_text {
        "\",\"logprobs\":[]}\n\n"
    } else {
        "\"}\n\n"
    };
    let first = lead.len();
    Script {
        form: Form {
            before: format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":"),
            number: Some(first),
            middle: format!(r#"{place}{index},"delta":""#),
            after: after.to_owned(),
            separator: "",
        },
        tail: tail(reply, &ids, &place, first + pieces),
        lead,
    }
}

fn tail(reply: &Reply, ids: &Ids, place: &str, mut number: usize) -> Vec<String> {
    let mut tail = Vec::new();
    let mut push = |name: &str, rest: String| {
        tail.push(event(name, number, &rest));
        number += 1;
    };
    let whole = escaped(reply.streamed());
    match &reply.content {
        Content::Text(_) => {
            push(
                "response.output_text.done",
                format!(r#"{place},"content_index":0,"text":"{whole}","logprobs":[]"#),
            );
            push(
                "response.content_part.done",
                format!(r#"{place},"content_index":0,"part":{}"#, part(reply, true)),
            );
        }
        Content::Tool { name, .. } => push(
            "response.function_call_arguments.done",
            format!(r#"{place},"name":"{}","arguments":"{whole}""#, escaped(name)),
        ),
    }
    push(
        "response.output_item.done",
        format!(r#","output_index":0,"item":{}"#, item(reply, ids, true)),
    );
    let state = status(reply);
    push(
        &format!("response.{state}"),
        format!(r#","response":{}"#, response(reply, ids, state, "null")),
    );
    tail
}

/// An error in a stream: `error` before content, `response.failed` after.
pub(in crate::emulator) fn error_frame(
    reply: &Reply,
    code: &str,
    message: &str,
    number: usize,
    begun: bool,
) -> String {
    let (code, message) = (escaped(code), escaped(message));
    if begun {
        let error = format!(r#"{{"code":"{code}","message":"{message}"}}"#);
        let failed = response(reply, &Ids::new(reply), "failed", &error);
        return event("response.failed", number, &format!(r#","response":{failed}"#));
    }
    event(
        "error",
        number,
        &format!(r#","code":"{code}","message":"{message}","param":null"#),
    )
}
