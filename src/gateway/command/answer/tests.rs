use serde_json::Value;

use super::*;
use crate::wire::Api;
use crate::wire::gate::Framing;
use crate::wire::tap::StreamTap;

const TEXT: &str = "Current: `a/b`\n\n\"x\"\u{2028}\u{85}é";
const SHAPES: [(Shape, Api); 9] = [
    (Shape::Chat { stream: false }, Api::OpenaiCompletions),
    (Shape::Chat { stream: true }, Api::OpenaiCompletions),
    (Shape::Responses { stream: false }, Api::OpenaiResponses),
    (Shape::Responses { stream: true }, Api::OpenaiResponses),
    (Shape::Messages { stream: false }, Api::AnthropicMessages),
    (Shape::Messages { stream: true }, Api::AnthropicMessages),
    (Shape::Gemini, Api::GoogleGenerativeAi),
    (Shape::GeminiEvents, Api::GoogleGenerativeAi),
    (Shape::GeminiList, Api::GoogleGenerativeAi),
];

fn body(shape: Shape) -> String {
    let answer = Answer {
        text: TEXT,
        model: "coderclaw",
        id: "req_0123456789abcdef",
        created_s: 1_770_000_000,
    };
    answer.body(shape)
}

/// Every string in `value` that stands behind one of `names`.
fn texts(value: &Value, names: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if names.contains(&name.as_str()) => found.push(text.clone()),
                    other => texts(other, names, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| texts(one, names, found)),
        _ => {}
    }
}

#[test]
fn the_text_arrives_in_every_shape() {
    for (shape, _) in SHAPES {
        let body = body(shape);
        let documents: Vec<Value> = if shape.content_type().starts_with("text/event-stream") {
            let lines = body.lines().filter_map(|line| line.strip_prefix("data: "));
            let lines = lines.filter(|line| *line != "[DONE]");
            lines.map(|line| serde_json::from_str(line).unwrap()).collect()
        } else {
            vec![serde_json::from_str(&body).unwrap()]
        };
        let mut found = Vec::new();
        for document in &documents {
            texts(document, &["content", "text", "delta"], &mut found);
        }
        assert!(found.iter().any(|text| text == TEXT), "{shape:?}: {found:?}");
    }
}

#[test]
fn a_stream_ends_as_the_format_says_and_no_line_is_split() {
    for (shape, api) in SHAPES {
        let body = body(shape);
        assert!(!body.contains(['\u{2028}', '\u{85}']), "{shape:?}");
        if shape.content_type().starts_with("text/event-stream") {
            let mut tap = StreamTap::new(Some(api), Framing::Sse);
            tap.push(body.as_bytes());
            tap.finish();
            let report = tap.report();
            assert!(
                report.finished && report.failure.is_none(),
                "{shape:?}: {report:?}"
            );
        }
    }
}

#[test]
fn every_shape_is_as_it_was_looked_at() {
    for (shape, _) in SHAPES {
        let name = format!("{shape:?}")
            .replace([' ', '{', '}', ':'], "")
            .to_lowercase();
        insta::assert_snapshot!(name, body(shape));
    }
}
