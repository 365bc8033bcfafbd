//! Google's `generateContent` family.

use super::openai::{list, vector};
use super::{Content, Form, Reply, Script};
use crate::emulator::asked::Asked;
use crate::emulator::error::escaped;
use crate::emulator::ids::request_id;

fn usage(reply: &Reply, output_tokens: u64) -> String {
    format!(
        r#"{{"promptTokenCount":{},"candidatesTokenCount":{output_tokens},"totalTokenCount":{},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{}}}]}}"#,
        reply.prompt_tokens,
        reply.prompt_tokens + output_tokens,
        reply.prompt_tokens,
    )
}

const fn finish(reply: &Reply) -> &'static str {
    if reply.cut { "MAX_TOKENS" } else { "STOP" }
}

fn part(reply: &Reply) -> String {
    match &reply.content {
        Content::Text(text) => format!(r#"{{"text":"{}"}}"#, escaped(text)),
        Content::Tool { name, arguments, .. } => {
            format!(
                r#"{{"functionCall":{{"name":"{}","args":{arguments}}}}}"#,
                escaped(name)
            )
        }
    }
}

/// One answer with this part.
fn answer(reply: &Reply, id: &str, part: &str, finished: bool) -> String {
    let finish = if finished {
        format!(r#""finishReason":"{}","#, finish(reply))
    } else {
        String::new()
    };
    format!(
        r#"{{"candidates":[{{"content":{{"parts":[{part}],"role":"model"}},{finish}"index":0}}],"usageMetadata":{},"modelVersion":"{}","responseId":"{id}"}}"#,
        usage(reply, reply.completion_tokens),
        reply.model,
    )
}

/// A whole answer.
pub(in crate::emulator) fn whole(reply: &Reply) -> String {
    answer(reply, &request_id(""), &part(reply), true)
}

/// A streamed answer, as server-sent events or as one JSON array.
pub(in crate::emulator) fn stream(reply: &Reply, sse: bool) -> Script {
    let id = request_id("");
    let (open, close) = if sse { ("data: ", "\r\n\r\n") } else { ("", "") };
    let lead = if sse { Vec::new() } else { vec!["[".to_owned()] };
    let last = match &reply.content {
        Content::Text(_) => answer(reply, &id, r#"{"text":""}"#, true),
        // A call is never sent in pieces.
        Content::Tool { .. } => answer(reply, &id, &part(reply), true),
    };
    let separator = if sse { "" } else { ",\r\n" };
    let called = matches!(reply.content, Content::Tool { .. });
    let mut tail = vec![format!(
        "{}{open}{last}{close}",
        if called { "" } else { separator }
    )];
    if !sse {
        tail.push("]".to_owned());
    }
    let whole = answer(reply, &id, "\u{0}", false);
    let (before, after) = whole.split_once('\u{0}').unwrap_or_default();
    Script {
        lead,
        form: Form {
            before: format!(r#"{open}{before}{{"text":""#),
            after: format!(r#""}}{after}{close}"#),
            separator,
            ..Form::default()
        },
        tail,
    }
}

/// An error in a stream.
pub(in crate::emulator) fn error_frame(body: &str, sse: bool, begun: bool) -> String {
    match (sse, begun) {
        (true, _) => format!("data: {body}\r\n\r\n"),
        (false, true) => format!(",\r\n{body}]"),
        (false, false) => format!("{body}]"),
    }
}

/// The answer of `countTokens`.
pub(in crate::emulator) fn token_count(tokens: u64) -> String {
    format!(
        r#"{{"totalTokens":{tokens},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{tokens}}}]}}"#
    )
}

/// The answer of `embedContent`, or of `batchEmbedContents`.
pub(in crate::emulator) fn embeddings(asked: &Asked, seed: u64, batch: bool) -> String {
    let one = |index| format!(r#"{{"values":{}}}"#, list(&vector(seed, index, asked.dimensions)));
    if batch {
        let all: Vec<String> = (0..asked.inputs).map(one).collect();
        format!(r#"{{"embeddings":[{}]}}"#, all.join(","))
    } else {
        format!(r#"{{"embedding":{}}}"#, one(0))
    }
}
