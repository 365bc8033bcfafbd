//! The models that others stand in for now.

use coderclaw_actors::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gateway::stand_ins::Watched;

/// A model that others stand in for until it serves again. Every request still asks it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FallingBack {
    /// The agent whose model it is.
    pub agent_id: String,
    /// The model, as `provider/model`.
    pub primary: String,
    /// The model that served the last request instead.
    pub stand_in: String,
    /// Why the primary did not.
    pub reason: String,
    /// Since when, in Unix milliseconds.
    pub since_ms: u64,
    /// How long that has been.
    pub for_ms: u64,
    /// The requests that others served.
    pub requests: u64,
}

impl FallingBack {
    pub(super) fn of(watched: Watched, now: Timestamp) -> Self {
        let since = now.since(watched.since);
        Self {
            agent_id: watched.agent,
            primary: watched.primary.to_string(),
            stand_in: watched.by.to_string(),
            reason: watched.reason,
            since_ms: watched.since.as_unix_ms(),
            for_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            requests: watched.requests,
        }
    }
}
