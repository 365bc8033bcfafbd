//! The `model` of a request, found and replaced without touching any other byte of the body.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::session_key::{SESSION_KEY_BYTES_MAX, session_key};

#[cfg(test)]
mod tests;

/// Bytes of the JSON string that a session's key is at most: each of its bytes may be escaped in six.
const RAW_KEY_BYTES_MAX: usize = 6 * SESSION_KEY_BYTES_MAX + 2;

/// No model has a longer name: 512 bytes. Names are kept with cooldowns and shown in status and logs.
pub const NAME_BYTES_MAX: usize = 512;

/// Characters of a model id that stand in a path as they are.
pub const MODEL_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// Whether a model can have this name, as far as its form tells.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

/// Where a body names its model, and what else routing needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelField {
    /// The bytes of the JSON string in the body, quotes included.
    pub span: Range<usize>,
    /// The name, its escapes decoded.
    pub name: String,
    /// Whether the body asks for a stream: `"stream": true`.
    pub stream: bool,
    /// The session that the body tells of: the first of `user`, `metadata.user_id`, `prompt_cache_key` and
    /// `session_id` that can be a session's key. They are the provider's fields, so what can't be one is no error.
    pub session: Option<String>,
}

/// Why a body names no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelFieldError {
    /// The body does not parse.
    #[error("the request body is not JSON (line {line}, column {column}): {reason}")]
    NotJson {
        /// 1-based.
        line: usize,
        /// 1-based; 0 at the start of a line.
        column: usize,
        /// What the parser found there; no word of the body itself.
        reason: String,
    },
    /// The body is JSON, but an array or a bare value.
    #[error("the request body is not a JSON object; send an object with a `model` member")]
    NotAnObject,
    /// There is no `model`.
    #[error("the request body has no `model`; name one, e.g. \"provider/model\"")]
    Missing,
    /// `model` is a number, a list or the like.
    #[error("`model` in the request body is not a string; name one, e.g. \"provider/model\"")]
    NotAString,
    /// `model` is longer than any name, or holds line breaks or the like.
    #[error("`model` in the request body is longer than {NAME_BYTES_MAX} bytes or holds control characters")]
    BadName,
    /// `model` stands there twice, and readers of JSON disagree on which one counts.
    #[error("`model` stands twice in the request body; keep one")]
    Duplicate,
}

/// Finds the top-level `model` of a JSON body.
pub fn find_model(body: &[u8]) -> Result<ModelField, ModelFieldError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => Err(ModelFieldError::NotAnObject),
            Err(error) => Err(not_json(&error)),
        };
    }
    let members: Members<'_> = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    if members.models > 1 {
        return Err(ModelFieldError::Duplicate);
    }
    let raw = members.model.ok_or(ModelFieldError::Missing)?.get();
    let name: String = serde_json::from_str(raw).map_err(|_| ModelFieldError::NotAString)?;
    if !is_name(&name) {
        return Err(ModelFieldError::BadName);
    }
    // The raw value borrows from the body, so the distance of the two addresses is its place there.
    let start = raw.as_ptr().addr().saturating_sub(body.as_ptr().addr());
    Ok(ModelField {
        span: start..start.saturating_add(raw.len()),
        name,
        stream: members.stream,
        session: members.session(),
    })
}

/// The body with the JSON string at `span` replaced by `new`; every other byte stays as it is, and so does the
/// whole body where `span` is not a part of it.
pub fn splice_model(body: &Bytes, span: &Range<usize>, new: &str) -> Bytes {
    let (Some(before), Some(after)) = (body.get(..span.start), body.get(span.end..)) else {
        return body.clone();
    };
    let quoted = serde_json::Value::from(new).to_string();
    let mut spliced = BytesMut::with_capacity(before.len() + quoted.len() + after.len());
    spliced.extend_from_slice(before);
    spliced.extend_from_slice(quoted.as_bytes());
    spliced.extend_from_slice(after);
    spliced.freeze()
}

fn not_json(error: &serde_json::Error) -> ModelFieldError {
    let text = error.to_string();
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    ModelFieldError::NotJson {
        line: error.line(),
        column: error.column(),
        reason: reason.to_owned(),
    }
}

/// The members of a body that routing reads.
#[derive(Default)]
struct Members<'a> {
    model: Option<&'a RawValue>,
    models: usize,
    stream: bool,
    user: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    prompt_cache_key: Option<&'a RawValue>,
    session_id: Option<&'a RawValue>,
}

/// What a `metadata` tells of the session.
#[derive(serde::Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
}

impl Members<'_> {
    fn session(&self) -> Option<String> {
        let metadata = self
            .metadata
            .and_then(|metadata| serde_json::from_str::<Metadata<'_>>(metadata.get()).ok());
        let user_id = metadata.and_then(|metadata| metadata.user_id);
        [self.user, user_id, self.prompt_cache_key, self.session_id]
            .into_iter()
            .flatten()
            .find_map(key_in)
    }
}

/// The session's key that a member's value is, if it is one.
fn key_in(value: &RawValue) -> Option<String> {
    let raw = value.get();
    if !raw.starts_with('"') || raw.len() > RAW_KEY_BYTES_MAX {
        return None;
    }
    let text: String = serde_json::from_str(raw).ok()?;
    session_key(&text).ok().flatten().map(str::to_owned)
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key()? {
            match name {
                MemberName::Model => {
                    members.model = Some(map.next_value()?);
                    members.models += 1;
                }
                MemberName::Stream => members.stream = map.next_value::<&RawValue>()?.get() == "true",
                MemberName::User => members.user = Some(map.next_value()?),
                MemberName::Metadata => members.metadata = Some(map.next_value()?),
                MemberName::PromptCacheKey => members.prompt_cache_key = Some(map.next_value()?),
                MemberName::SessionId => members.session_id = Some(map.next_value()?),
                MemberName::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

enum MemberName {
    Model,
    Stream,
    User,
    Metadata,
    PromptCacheKey,
    SessionId,
    Other,
}

impl<'de> Deserialize<'de> for MemberName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MemberNameVisitor)
    }
}

struct MemberNameVisitor;

impl Visitor<'_> for MemberNameVisitor {
    type Value = MemberName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<MemberName, E> {
        Ok(match name {
            "model" => MemberName::Model,
            "stream" => MemberName::Stream,
            "user" => MemberName::User,
            "metadata" => MemberName::Metadata,
            "prompt_cache_key" => MemberName::PromptCacheKey,
            "session_id" => MemberName::SessionId,
            _ => MemberName::Other,
        })
    }

    fn visit_bytes<E: serde::de::Error>(self, name: &[u8]) -> Result<MemberName, E> {
        self.visit_str(std::str::from_utf8(name).map_err(E::custom)?)
    }
}
