//! What the user said last, where that is a text and nothing else: pure. Of all the messages only the last is read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::wire::Api;

/// The text of the last message of a body, if it is the user's and one text is all of it.
#[must_use]
pub(super) fn of_user(api: Api, body: &[u8]) -> Option<Cow<'_, str>> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    match api {
        Api::OpenaiCompletions | Api::AnthropicMessages => text_of(last_of(body.messages?)?, "text"),
        Api::OpenaiResponses => {
            let input = body.input?;
            match text(input) {
                Some(whole) => Some(whole),
                None => text_of(last_of(input)?, "input_text"),
            }
        }
        Api::GoogleGenerativeAi => {
            let content: Content<'_> = serde_json::from_str(last_of(body.contents?)?.get()).ok()?;
            if content.role.is_some_and(|role| role != "user") {
                return None;
            }
            text(only(content.parts?)?.text?)
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    contents: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Google's message.
#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    parts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

/// The text of a message; `kind` is what the format calls a part that is one.
fn text_of<'a>(message: &'a RawValue, kind: &str) -> Option<Cow<'a, str>> {
    let message: Message<'a> = serde_json::from_str(message.get()).ok()?;
    if message.role != "user" || message.kind.is_some_and(|kind| kind != "message") {
        return None;
    }
    if let Some(whole) = text(message.content) {
        return Some(whole);
    }
    let part = only(message.content)?;
    if part.kind? != kind {
        return None;
    }
    text(part.text?)
}

fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text)
}

/// The one part of a message that has one.
fn only(parts: &RawValue) -> Option<Part<'_>> {
    let Ends { last, count } = serde_json::from_str(parts.get()).ok()?;
    serde_json::from_str(last.filter(|_| count == 1)?.get()).ok()
}

fn last_of(list: &RawValue) -> Option<&RawValue> {
    let ends: Ends<'_> = serde_json::from_str(list.get()).ok()?;
    ends.last
}

/// The last element of a list, and how many there are.
struct Ends<'a> {
    last: Option<&'a RawValue>,
    count: usize,
}

impl<'de> Deserialize<'de> for Ends<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EndsVisitor)
    }
}

struct EndsVisitor;

impl<'de> Visitor<'de> for EndsVisitor {
    type Value = Ends<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut ends = Ends { last: None, count: 0 };
        while let Some(element) = list.next_element()? {
            ends.last = Some(element);
            ends.count += 1;
        }
        Ok(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: Api = Api::OpenaiCompletions;
    const RESPONSES: Api = Api::OpenaiResponses;
    const MESSAGES: Api = Api::AnthropicMessages;
    const GEMINI: Api = Api::GoogleGenerativeAi;

    fn check(cases: &[(Api, &str, Option<&str>)]) {
        for (api, body, expected) in cases {
            assert_eq!(
                of_user(*api, body.as_bytes()).as_deref(),
                *expected,
                "{api} {body}"
            );
        }
    }

    #[test]
    fn a_text_or_one_part_of_text_is_what_the_user_said() {
        check(&[
            (
                CHAT,
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a\"b"}]}"#,
                Some("a\"b"),
            ),
            (
                CHAT,
                r#"{"messages":[{"content":[{"type":"text","text":"hi"}],"role":"user","name":"n"}]}"#,
                Some("hi"),
            ),
            (
                MESSAGES,
                r#"{"messages":[{"role":"user","content":"hi"}]}"#,
                Some("hi"),
            ),
            (
                MESSAGES,
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]}"#,
                Some("hi"),
            ),
            (RESPONSES, r#"{"input":"hi"}"#, Some("hi")),
            (
                RESPONSES,
                r#"{"input":[{"role":"user","content":"hi"}]}"#,
                Some("hi"),
            ),
            (
                RESPONSES,
                r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]}"#,
                Some("hi"),
            ),
            (GEMINI, r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#, Some("hi")),
            (
                GEMINI,
                r#"{"contents":[{"role":"model","parts":[{"text":"x"}]},{"role":"user","parts":[{"text":"hi"}]}]}"#,
                Some("hi"),
            ),
        ]);
    }

    #[test]
    fn whatever_else_comes_last_is_not() {
        check(&[
            (CHAT, r#"{"messages":[]}"#, None),
            (CHAT, r#"{"messages":"hi"}"#, None),
            (
                CHAT,
                r#"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hi"}]}"#,
                None,
            ),
            (
                CHAT,
                r#"{"messages":[{"role":"tool","tool_call_id":"c","content":"hi"}]}"#,
                None,
            ),
            (
                CHAT,
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
                None,
            ),
            (
                CHAT,
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{}}]}]}"#,
                None,
            ),
            (
                MESSAGES,
                r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"hi"}]}]}"#,
                None,
            ),
        ]);
    }

    #[test]
    fn nor_is_it_in_the_formats_that_call_messages_otherwise() {
        check(&[
            (
                RESPONSES,
                r#"{"input":[{"type":"function_call_output","call_id":"c","output":"hi"}]}"#,
                None,
            ),
            (
                RESPONSES,
                r#"{"input":[{"role":"assistant","content":"hi"}]}"#,
                None,
            ),
            (
                RESPONSES,
                r#"{"messages":[{"role":"user","content":"hi"}]}"#,
                None,
            ),
            (
                GEMINI,
                r#"{"contents":[{"role":"model","parts":[{"text":"hi"}]}]}"#,
                None,
            ),
            (
                GEMINI,
                r#"{"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f"}}]}]}"#,
                None,
            ),
            (
                GEMINI,
                r#"{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]}]}"#,
                None,
            ),
            (
                CHAT,
                r#"{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}"#,
                None,
            ),
            (CHAT, "[]", None),
            (CHAT, "{", None),
        ]);
    }
}
