//! `OpenAI`'s chat completions, completions and embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Content, Form, Reply, Script};
use crate::emulator::asked::Asked;
use crate::emulator::error::escaped;
use crate::emulator::ids::request_id;

/// Numbers of an embedding where the caller does not say.
const DIMENSIONS: u64 = 16;

/// Most numbers of an embedding.
const DIMENSIONS_MAX: u64 = 4096;

fn usage(reply: &Reply) -> String {
    format!(
        r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#,
        reply.prompt_tokens,
        reply.completion_tokens,
        reply.total_tokens(),
    )
}

const fn finish(reply: &Reply) -> &'static str {
    match (&reply.content, reply.cut) {
        (Content::Tool { .. }, _) => "tool_calls",
        (Content::Text(_), true) => "length",
        (Content::Text(_), false) => "stop",
    }
}

/// A whole chat completion.
pub(in crate::emulator) fn chat(reply: &Reply) -> String {
    let message = match &reply.content {
        Content::Text(text) => format!(
            r#"{{"role":"assistant","content":"{}","refusal":null,"annotations":[]}}"#,
            escaped(text)
        ),
        Content::Tool { id, name, arguments } => format!(
            r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"{id}","type":"function","function":{{"name":"{}","arguments":"{}"}}}}],"refusal":null,"annotations":[]}}"#,
            escaped(name),
            escaped(arguments)
        ),
    };
    format!(
        r#"{{"id":"{}","object":"chat.completion","created":{},"model":"{}","choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":"{}"}}],"usage":{},"service_tier":"default","system_fingerprint":"fp_emulator"}}"#,
        request_id("chatcmpl-"),
        reply.created,
        reply.model,
        finish(reply),
        usage(reply),
    )
}

/// A streamed chat completion.
pub(in crate::emulator) fn chat_stream(reply: &Reply) -> Script {
    let head = format!(
        r#"data: {{"id":"{}","object":"chat.completion.chunk","created":{},"model":"{}","service_tier":"default","system_fingerprint":"fp_emulator","choices":["#,
        request_id("chatcmpl-"),
        reply.created,
        reply.model,
    );
    let usage_field = if reply.include_usage {
        r#","usage":null"#
    } else {
        ""
    };
    let end = format!("]{usage_field}}}\n\n");
    let choice = |delta: &str, finish: &str| {
        format!(r#"{head}{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}{end}"#)
    };
    let (first, before, after) = match &reply.content {
        Content::Text(_) => (
            r#"{"role":"assistant","content":"","refusal":null}"#.to_owned(),
            r#"{"content":""#,
            r#""}"#,
        ),
        Content::Tool { id, name, .. } => (
            format!(
                r#"{{"role":"assistant","content":null,"tool_calls":[{{"index":0,"id":"{id}","type":"function","function":{{"name":"{}","arguments":""}}}}],"refusal":null}}"#,
                escaped(name)
            ),
            r#"{"tool_calls":[{"index":0,"function":{"arguments":""#,
            r#""}}]}"#,
        ),
    };
    let mut tail = vec![choice("{}", &format!("\"{}\"", finish(reply)))];
    if reply.include_usage {
        tail.push(format!("{head}],\"usage\":{}}}\n\n", usage(reply)));
    }
    tail.push("data: [DONE]\n\n".to_owned());
    Script {
        lead: vec![choice(&first, "null")],
        form: Form {
            before: format!(r#"{head}{{"index":0,"delta":{before}"#),
            after: format!(r#"{after},"logprobs":null,"finish_reason":null}}{end}"#),
            ..Form::default()
        },
        tail,
    }
}

/// A whole completion of the older kind.
pub(in crate::emulator) fn completion(reply: &Reply) -> String {
    format!(
        r#"{{"id":"{}","object":"text_completion","created":{},"model":"{}","choices":[{{"text":"{}","index":0,"logprobs":null,"finish_reason":"{}"}}],"usage":{}}}"#,
        request_id("cmpl-"),
        reply.created,
        reply.model,
        escaped(reply.streamed()),
        finish(reply),
        usage(reply),
    )
}

/// A streamed completion of the older kind.
pub(in crate::emulator) fn completion_stream(reply: &Reply) -> Script {
    let head = format!(
        r#"data: {{"id":"{}","object":"text_completion","created":{},"model":"{}","choices":["#,
        request_id("cmpl-"),
        reply.created,
        reply.model,
    );
    let mut tail = vec![format!(
        "{head}{{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"{}\"}}]}}\n\n",
        finish(reply)
    )];
    if reply.include_usage {
        tail.push(format!("{head}],\"usage\":{}}}\n\n", usage(reply)));
    }
    tail.push("data: [DONE]\n\n".to_owned());
    Script {
        lead: Vec::new(),
        form: Form {
            before: format!(r#"{head}{{"text":""#),
            after: "\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n".to_owned(),
            ..Form::default()
        },
        tail,
    }
}

/// Embeddings of every input, as numbers or as base64 of little-endian floats.
pub(in crate::emulator) fn embeddings(asked: &Asked, seed: u64) -> String {
    let items: Vec<String> = (0..asked.inputs)
        .map(|index| {
            let numbers = vector(seed, index, asked.dimensions);
            let shown = if asked.base64 {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                format!("\"{}\"", STANDARD.encode(bytes))
            } else {
                list(&numbers)
            };
            format!(r#"{{"object":"embedding","index":{index},"embedding":{shown}}}"#)
        })
        .collect();
    format!(
        r#"{{"object":"list","data":[{}],"model":"{}","usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#,
        items.join(","),
        escaped(&asked.model),
        tokens = asked.prompt_tokens,
    )
}

/// Numbers from -1 to 1, the same for the same input.
pub(super) fn vector(seed: u64, index: usize, dimensions: Option<u64>) -> Vec<f32> {
    let count = dimensions.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS_MAX);
    let mut random = fastrand::Rng::with_seed(seed ^ u64::try_from(index).unwrap_or(0).rotate_left(17));
    (0..count).map(|_| random.f32().mul_add(2.0, -1.0)).collect()
}

pub(super) fn list(numbers: &[f32]) -> String {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(","))
}

/// An error frame of a chat stream.
pub(in crate::emulator) fn error_frame(body: &str, openrouter: bool, model: &str) -> String {
    if openrouter {
        let error = body
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(r#""error":{"code":500}"#);
        return format!(
            "data: {{\"id\":\"{}\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"{}\",{error},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"\"}},\"finish_reason\":\"error\"}}]}}\n\n",
            request_id("gen-"),
            escaped(model),
        );
    }
    format!("data: {body}\n\n")
}
