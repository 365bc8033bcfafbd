//! What programs are asked and what they answer: one line, or the older tools' protocol.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Why;
use crate::credentials::command::{Output, complaint};

/// The version of the protocol.
const PROTOCOL: u64 = 1;

/// The answer of a program that speaks the protocol.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    protocol_version: u64,
    values: BTreeMap<String, Value>,
    #[serde(default)]
    errors: BTreeMap<String, Value>,
}

/// What a program reads that is asked for one id.
pub(super) fn question(provider: &str, id: &str) -> String {
    json!({ "protocolVersion": PROTOCOL, "provider": provider, "ids": [id] }).to_string()
}

/// The one line of an output.
pub(super) fn line(output: &Output) -> Result<String, Why> {
    one_line(output.text().ok_or(Why::NotText)?).map(str::to_owned)
}

/// The only line of a text that is not blank.
pub(super) fn one_line(text: &str) -> Result<&str, Why> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.count()) {
        (None, _) => Err(Why::Blank),
        (Some(line), 0) => Ok(line),
        (Some(_), more) => Err(Why::Lines(more + 1)),
    }
}

/// The value for `id` in an answer; if `json_only` is not set, the one line of an output that is no JSON.
pub(super) fn answer(output: &Output, id: &str, json_only: bool) -> Result<String, Why> {
    let text = output.text().ok_or(Why::NotText)?;
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return if json_only {
            Err(wrong(
                "it printed no JSON; set `jsonOnly: false` if it prints the secret alone",
            ))
        } else {
            line(output)
        };
    };
    match json {
        Value::String(value) if !json_only => Ok(value),
        // A secret of digits is JSON too.
        Value::Number(_) if !json_only => line(output),
        json => of_protocol(json, id),
    }
}

fn of_protocol(json: Value, id: &str) -> Result<String, Why> {
    let answer: Answer = serde_json::from_value(json)
        .map_err(|_| wrong("expected an answer with `protocolVersion`, `values` and perhaps `errors`"))?;
    if answer.protocol_version != PROTOCOL {
        return Err(wrong("expected `protocolVersion` 1 in its answer"));
    }
    if let Some(error) = answer.errors.get(id) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        return Err(wrong(&format!(
            "it has no value for the id{}",
            complaint(message.as_bytes(), b"", None)
        )));
    }
    match answer.values.get(id) {
        Some(Value::String(value)) => Ok(value.clone()),
        Some(_) => Err(wrong("its value for the id is no text")),
        None => Err(wrong("its answer has no value for the id")),
    }
}

fn wrong(what: &str) -> Why {
    Why::Provider(what.to_owned())
}
