//! What the report says of one thing.

use coderclaw_actors::domain::credential::Fingerprint;
use serde::Serialize;

/// What becomes of one thing of the older tool's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is taken as it is.
    Taken,
    /// It is taken in another form.
    Changed,
    /// It is left where it is.
    Left,
    /// We have the same already.
    Present,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Changed => "changed",
            Self::Left => "left",
            Self::Present => "present",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The kind of thing: `auth profile`, `alias`.
    pub what: &'static str,
    /// Which: `openai:work`, `opus`.
    pub name: String,
    /// Whose, where agents have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// How or why, for people. Never holds a secret.
    pub why: String,
    /// Their secret, as far as it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// Ours, where both have the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<Fingerprint>,
}

impl Line {
    pub(super) fn new(
        what: &'static str,
        name: impl Into<String>,
        verdict: Verdict,
        why: impl Into<String>,
    ) -> Self {
        Self {
            what,
            name: name.into(),
            agent: None,
            verdict,
            why: why.into(),
            fingerprint: None,
            ours: None,
        }
    }

    pub(super) fn of_agent(mut self, agent: &str) -> Self {
        self.agent = Some(agent.to_owned());
        self
    }

    pub(super) const fn with_theirs(mut self, fingerprint: Option<Fingerprint>) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    pub(super) const fn with_ours(mut self, fingerprint: Option<Fingerprint>) -> Self {
        self.ours = fingerprint;
        self
    }
}
