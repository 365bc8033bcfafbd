//! Faults on demand: which requests one hits, how often, and what then happens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::profile;

mod rule;

pub(super) use rule::{FaultRule, Target};

/// Largest body that `huge_body` may be told to send, in MiB.
const MEGABYTES_MAX: u64 = 4096;

/// What happens instead of, or in the middle of, a good answer. The module documentation has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 of requests a minute.
    RateLimit,
    /// 429 of tokens a minute.
    TokenLimit,
    /// 429 of requests a day.
    DayLimit,
    /// The provider's out-of-money answer.
    Quota,
    /// The provider's invalid-key answer.
    Unauthorized,
    /// The provider's suspended-account answer.
    Suspended,
    /// The provider's overload answer (529, 503, 498).
    Overloaded,
    /// Any status with the provider's body for it, or with `body`.
    Status,
    /// The request is read and nothing is ever answered.
    HangBeforeHead,
    /// The stream stops after `afterChunks` pieces and stays open.
    HangMidStream,
    /// The connection breaks after `afterChunks` pieces: no last chunk; a reset with `reset`.
    CutMidStream,
    /// A stream that starts with its lifecycle frames and then carries an error.
    ErrorBeforeContent,
    /// A stream that carries an error after `afterChunks` pieces.
    ErrorAfterContent,
    /// The good answer, `bytes` at a time with `delayMs` between.
    SlowDrip,
    /// A body of `megabytes` MiB.
    HugeBody,
    /// A 200 with half a JSON document.
    MalformedJson,
    /// A stream of lines that are no SSE and events that are no JSON.
    MalformedSse,
    /// The connection closes in the middle of the head, after `bytes`.
    TruncatedHead,
    /// Bytes that are no HTTP.
    UnparseableHead,
    /// The connection closes, or resets, before any byte.
    CloseBeforeHead,
    /// A redirect to `location`.
    Redirect,
    /// 200 with the provider's error body (`error` chooses which).
    #[serde(rename = "error_in_200")]
    ErrorIn200,
    /// A status (200 if absent) with an empty body.
    EmptyBody,
}

impl FaultKind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 23] = [
        Self::RateLimit,
        Self::TokenLimit,
        Self::DayLimit,
        Self::Quota,
        Self::Unauthorized,
        Self::Suspended,
        Self::Overloaded,
        Self::Status,
        Self::HangBeforeHead,
        Self::HangMidStream,
        Self::CutMidStream,
        Self::ErrorBeforeContent,
        Self::ErrorAfterContent,
        Self::SlowDrip,
        Self::HugeBody,
        Self::MalformedJson,
        Self::MalformedSse,
        Self::TruncatedHead,
        Self::UnparseableHead,
        Self::CloseBeforeHead,
        Self::Redirect,
        Self::ErrorIn200,
        Self::EmptyBody,
    ];

    /// The name in configs and statistics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::TokenLimit => "token_limit",
            Self::DayLimit => "day_limit",
            Self::Quota => "quota",
            Self::Unauthorized => "unauthorized",
            Self::Suspended => "suspended",
            Self::Overloaded => "overloaded",
            Self::Status => "status",
            Self::HangBeforeHead => "hang_before_head",
            Self::HangMidStream => "hang_mid_stream",
            Self::CutMidStream => "cut_mid_stream",
            Self::ErrorBeforeContent => "error_before_content",
            Self::ErrorAfterContent => "error_after_content",
            Self::SlowDrip => "slow_drip",
            Self::HugeBody => "huge_body",
            Self::MalformedJson => "malformed_json",
            Self::MalformedSse => "malformed_sse",
            Self::TruncatedHead => "truncated_head",
            Self::UnparseableHead => "unparseable_head",
            Self::CloseBeforeHead => "close_before_head",
            Self::Redirect => "redirect",
            Self::ErrorIn200 => "error_in_200",
            Self::EmptyBody => "empty_body",
        }
    }

    /// Faults that only a streamed answer can have; other requests pass them by.
    pub(super) const fn needs_stream(self) -> bool {
        matches!(
            self,
            Self::HangMidStream | Self::ErrorBeforeContent | Self::ErrorAfterContent | Self::MalformedSse
        )
    }
}

/// Which error an error event, or an error body in a 200, tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamError {
    /// Requests a minute used up.
    RateLimit,
    /// Out of money.
    Quota,
    /// The key is invalid.
    Unauthorized,
    /// The provider is overloaded.
    #[default]
    Overloaded,
    /// The provider failed.
    Server,
}

/// One fault: what it does, and which requests it hits. All given selectors must match.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub fault: FaultKind,
    /// Selects one key: its secret, `name`, or fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Selects keys whose secret starts so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Selects a model; a trailing `*` matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Selects a provider (profile id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Selects paths that contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Selects streamed (true) or plain (false) requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Hits this share of the matching requests, 0 to 100; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// Leaves so many matching requests alone first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u64>,
    /// Hits at most so many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The wait that a limit error states, in ms. Absent: the provider's usual one (20 s). 0: none is stated at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Status of `status`, `redirect`, `empty_body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Body of `status`: a string as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// More headers of the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Pieces of content before the fault of a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_chunks: Option<u64>,
    /// Reset (RST) the connection instead of closing it (FIN).
    #[serde(default)]
    pub reset: bool,
    /// Milliseconds between two drips; 10 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Bytes of a drip (1) or of a truncated head (20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// Size of a huge body in MiB; 16 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub megabytes: Option<u64>,
    /// Where a redirect points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Which error an error event or a body in a 200 tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StreamError>,
}

impl Fault {
    /// A fault that hits every request.
    #[must_use]
    pub fn new(fault: FaultKind) -> Self {
        Self {
            fault,
            key: None,
            key_prefix: None,
            model: None,
            provider: None,
            path: None,
            stream: None,
            percent: None,
            skip: None,
            first: None,
            retry_after_ms: None,
            status: None,
            body: None,
            headers: BTreeMap::new(),
            after_chunks: None,
            reset: false,
            delay_ms: None,
            bytes: None,
            megabytes: None,
            location: None,
            error: None,
        }
    }

    /// The same fault, for one key (secret, name or fingerprint).
    #[must_use]
    pub fn for_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same fault, for the first `count` requests that match.
    #[must_use]
    pub const fn first(mut self, count: u64) -> Self {
        self.first = Some(count);
        self
    }

    /// The same fault, stating this wait (0: none).
    #[must_use]
    pub const fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The same fault, after `chunks` pieces of content.
    #[must_use]
    pub const fn after_chunks(mut self, chunks: u64) -> Self {
        self.after_chunks = Some(chunks);
        self
    }

    /// Refuses values that make no sense.
    pub(super) fn check(&self) -> Result<(), String> {
        if self
            .percent
            .is_some_and(|percent| !(0.0..=100.0).contains(&percent))
        {
            return Err("`percent` must be from 0 to 100".to_owned());
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` must be from 200 to 599".to_owned());
        }
        if self.megabytes.is_some_and(|megabytes| megabytes > MEGABYTES_MAX) {
            return Err(format!("`megabytes` must be at most {MEGABYTES_MAX}"));
        }
        if self.fault == FaultKind::Redirect && self.location.is_none() {
            return Err("a redirect needs a `location`".to_owned());
        }
        if self.fault == FaultKind::Status && self.status.is_none() {
            return Err("`status` is missing: the number to answer with".to_owned());
        }
        if let Some(name) = self
            .provider
            .as_deref()
            .filter(|name| profile::by_id(name).is_none())
        {
            return Err(format!("unknown provider `{name}`"));
        }
        Ok(())
    }
}
