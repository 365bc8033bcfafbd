//! The demo's requests: sent, and shown with what came of them.

use std::net::SocketAddr;
use std::time::Duration;

use anstyle::Style;
use bytes::Bytes;
use coderclaw_actors::{CredentialSnapshot, StateName, Timestamp};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::cli::printer::{BAD, GOOD, Printer, WAITING};
use crate::cli::span;
use crate::cli::table::Rows;
use crate::gateway::worker::Shared;
use crate::upstream::control::{ControlError, GatewayClient, WholeAnswer};

pub(super) const OPENAI_MODEL: &str = "gpt-5";
pub(super) const ANTHROPIC_MODEL: &str = "claude-sonnet-4-5";
pub(super) const GOOGLE_MODEL: &str = "gemini-2.5-flash";

const ANTHROPIC_VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");
const TIMEOUT: Duration = Duration::from_secs(30);
const HEADINGS: [&str; 6] = [
    "REQUEST",
    "STATUS",
    "ATTEMPTS",
    "LATENCY",
    "KEY",
    "WHAT IT CAME TO",
];
const NUMBERS: [usize; 3] = [1, 2, 3];

/// One request.
#[derive(Clone, Debug)]
pub(super) struct DemoRequest {
    provider: &'static str,
    /// The end of the path, which says what is asked for.
    call: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
    streams: bool,
}

/// Why the requests could not be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    #[error(transparent)]
    Gateway(#[from] ControlError),
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

/// What one request came to.
struct Shown {
    answer: WholeAnswer,
    took: Duration,
    /// Keys in the order of their attempts, as they are afterwards.
    tried: Vec<CredentialSnapshot>,
    at: Timestamp,
}

/// Enough of each format that every way a key can fail is met.
pub(super) fn script() -> Vec<DemoRequest> {
    let pair = |of: fn(bool) -> DemoRequest| [of(false), of(true), of(true), of(false)];
    [openai, anthropic, google].into_iter().flat_map(pair).collect()
}

/// A plain and a streaming one of each format.
pub(super) fn to_paste(requests: &[DemoRequest]) -> impl Iterator<Item = &DemoRequest> {
    let (plain, streaming) = ([0, 4, 8], [1, 5, 9]);
    plain
        .into_iter()
        .zip(streaming)
        .flat_map(|(plain, streaming)| [plain, streaming])
        .filter_map(|index| requests.get(index))
}

fn openai(streams: bool) -> DemoRequest {
    let body = json!({
        "model": OPENAI_MODEL,
        "stream": streams,
        "messages": [{ "role": "user", "content": "hello" }],
    });
    DemoRequest {
        provider: "openai",
        call: "chat/completions",
        path: "/v1/chat/completions".to_owned(),
        headers: Vec::new(),
        body,
        streams,
    }
}

fn anthropic(streams: bool) -> DemoRequest {
    let body = json!({
        "model": ANTHROPIC_MODEL,
        "max_tokens": 64,
        "stream": streams,
        "messages": [{ "role": "user", "content": "hello" }],
    });
    DemoRequest {
        provider: "anthropic",
        call: "messages",
        path: "/v1/messages".to_owned(),
        headers: vec![ANTHROPIC_VERSION],
        body,
        streams,
    }
}

fn google(streams: bool) -> DemoRequest {
    let (call, query) = if streams {
        ("streamGenerateContent", "?alt=sse")
    } else {
        ("generateContent", "")
    };
    DemoRequest {
        provider: "google",
        call,
        path: format!("/v1beta/models/{GOOGLE_MODEL}:{call}{query}"),
        headers: Vec::new(),
        body: json!({ "contents": [{ "role": "user", "parts": [{ "text": "hello" }] }] }),
        streams,
    }
}

impl DemoRequest {
    /// What it is, for people.
    pub(super) fn title(&self) -> String {
        let how = if self.streams { ", streaming" } else { "" };
        format!("{}'s format{how}", self.provider)
    }

    /// A command that sends it.
    pub(super) fn curl(&self, address: SocketAddr) -> String {
        let how = if self.streams { "-sN" } else { "-sw '\\n'" };
        let path = &self.path;
        let more: String = self
            .headers
            .iter()
            .flat_map(|(name, value)| [" -H '", name, ": ", value, "'"])
            .collect();
        let body = &self.body;
        format!(
            "curl {how} 'http://{address}{path}' -H 'content-type: application/json'{more} \\\n  -d '{body}'"
        )
    }

    async fn send(&self, client: &GatewayClient, shared: &Shared) -> Result<Shown, ControlError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body = Bytes::from(self.body.to_string());
        let before = self.pool(shared);
        let began = shared.clock.now();
        let answer = client
            .ask(Method::POST, &self.path, headers, body, TIMEOUT)
            .await?;
        let at = shared.clock.now();
        let after = self.pool(shared);
        // Nobody else calls yet, so the keys that have served one more request are this one's, in pool order.
        let tried = after
            .into_iter()
            .zip(before)
            .filter(|(after, before)| after.requests > before.requests);
        Ok(Shown {
            answer,
            took: at.since(began),
            tried: tried.map(|(after, _)| after).collect(),
            at,
        })
    }

    fn pool(&self, shared: &Shared) -> Vec<CredentialSnapshot> {
        let provider = shared.control.provider(self.provider);
        provider
            .map(|provider| provider.snapshot().credentials)
            .unwrap_or_default()
    }
}

/// Sends every request and prints what came of each.
pub(super) async fn show(
    requests: &[DemoRequest],
    client: &GatewayClient,
    shared: &Shared,
    printer: &mut Printer,
) -> Result<(), ShowError> {
    let mut rows = Rows::new(&HEADINGS).right(&NUMBERS);
    for request in requests {
        let shown = request.send(client, shared).await?;
        shown.fill(request, &mut rows);
    }
    rows.print(printer)?;
    Ok(())
}

impl Shown {
    /// One row for each key that was tried; the request stands in the first.
    fn fill(&self, request: &DemoRequest, rows: &mut Rows) {
        let how = if request.streams { " (stream)" } else { "" };
        let mut first = vec![
            format!("{} {}{how}", request.provider, request.call),
            self.answer.status.as_u16().to_string(),
            self.tried.len().to_string(),
            format!("{} ms", self.took.as_millis()),
        ];
        for (index, key) in self.tried.iter().enumerate() {
            let is_last = index + 1 == self.tried.len();
            let (style, outcome) = self.outcome(key, is_last);
            let mut cells = std::mem::replace(&mut first, vec![String::new(); NUMBERS.len() + 1]);
            cells.extend([key.profile.to_string(), outcome]);
            rows.push(style, cells);
        }
    }

    fn outcome(&self, key: &CredentialSnapshot, is_last: bool) -> (Style, String) {
        if is_last && self.answer.status.is_success() {
            return (GOOD, self.served());
        }
        let of_model = key
            .models
            .iter()
            .map(|model| (model.state, model.reason, model.until_ms));
        let of_all = std::iter::once((key.state, key.reason, key.until_ms));
        let rest = of_all
            .chain(of_model)
            .find(|(state, ..)| *state != StateName::Available);
        match rest {
            Some((state, reason, until)) => {
                let reason = reason.map_or("failed", |reason| reason.as_str());
                let left = until.map(|until| until.saturating_sub(self.at.as_unix_ms()));
                let left = left
                    .map(|ms| format!(" for {}", span::short(ms)))
                    .unwrap_or_default();
                (WAITING, format!("{reason}: {}{left}", state.as_str()))
            }
            None => (BAD, "failed".to_owned()),
        }
    }

    fn served(&self) -> String {
        let body = &self.answer.body;
        let events = memchr::memmem::find_iter(body, "data:").count();
        if self.is_stream() {
            format!("served: {events} events, {} bytes", body.len())
        } else {
            format!("served: {} bytes", body.len())
        }
    }

    fn is_stream(&self) -> bool {
        let kind = self.answer.headers.get(CONTENT_TYPE);
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    }
}
