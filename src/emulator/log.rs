//! The last requests that came, as they came; secrets by fingerprint only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_http::Method;
use actix_http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::secret::{FINGERPRINT_PREFIX, fingerprint, sha256_hex};

/// Stripes of the log.
const STRIPES: usize = 8;

/// Bodies up to this size are kept and hashed when someone asks; larger ones are hashed at once.
const KEPT_BODY_BYTES_MAX: usize = 8 * 1024;

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Place in the order of arrival, from 0.
    pub sequence: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// Number of the connection that it came on.
    pub connection: u64,
    /// HTTP method.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query as sent, but a `key` shows its fingerprint.
    pub query: Option<String>,
    /// Provider whose path it is; none for an unknown path.
    pub provider: Option<String>,
    /// Name of the key; none without one.
    pub key: Option<String>,
    /// Every place where a credential stood, with its fingerprint.
    pub credentials: Vec<CredentialSeen>,
    /// Model asked for.
    pub model: String,
    /// A stream was asked for.
    pub stream: bool,
    /// Headers in order; those that carry credentials show fingerprints.
    pub headers: Vec<(String, String)>,
    /// Size of the body.
    pub body_bytes: usize,
    /// SHA-256 of the body, in hex.
    pub body_sha256: String,
    /// Status of the answer; 0 for a hang or a broken head.
    pub status: u16,
    /// Fault that hit it.
    pub fault: Option<String>,
}

impl LogEntry {
    /// The value of a header (lower-case name).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A credential and where it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialSeen {
    /// `authorization`, `x-api-key`, `x-goog-api-key`, `api-key` or `?key`.
    pub place: String,
    /// First 8 hex digits of its SHA-256.
    pub fingerprint: String,
}

/// Places where a credential may stand.
pub(super) const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];

/// A request as it is kept until someone asks.
#[derive(Debug)]
pub(super) struct RawEntry {
    pub(super) at_ms: u64,
    pub(super) connection: u64,
    pub(super) method: Method,
    pub(super) path: Box<str>,
    pub(super) query: Option<Box<str>>,
    pub(super) provider: Option<&'static str>,
    pub(super) key: Option<Arc<str>>,
    pub(super) model: Box<str>,
    pub(super) stream: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: KeptBody,
    pub(super) status: u16,
    pub(super) fault: Option<&'static str>,
}

/// A body, or what is left of it.
#[derive(Debug)]
pub(super) enum KeptBody {
    Whole(Bytes),
    Hash { bytes: usize, sha256: String },
}

impl KeptBody {
    pub(super) fn of(body: &Bytes) -> Self {
        if body.len() <= KEPT_BODY_BYTES_MAX {
            Self::Whole(body.clone())
        } else {
            Self::Hash {
                bytes: body.len(),
                sha256: sha256_hex(body),
            }
        }
    }
}

/// The ring.
#[derive(Debug)]
pub(super) struct RequestLog {
    next: AtomicU64,
    capacity: usize,
    stripes: [Mutex<VecDeque<(u64, RawEntry)>>; STRIPES],
}

impl RequestLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            next: AtomicU64::new(0),
            capacity,
            stripes: Default::default(),
        }
    }

    pub(super) const fn is_off(&self) -> bool {
        self.capacity == 0
    }

    pub(super) fn push(&self, entry: RawEntry) {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let index = usize::try_from(sequence).unwrap_or(0) % STRIPES;
        if let Some(stripe) = self.stripes.get(index) {
            let mut stripe = stripe.lock();
            if stripe.len() >= self.capacity.div_ceil(STRIPES) {
                stripe.pop_front();
            }
            stripe.push_back((sequence, entry));
        }
    }

    /// The last `limit` requests, oldest first.
    pub(super) fn last(&self, limit: usize) -> Vec<LogEntry> {
        let mut entries: Vec<LogEntry> = self
            .stripes
            .iter()
            .flat_map(|stripe| {
                stripe
                    .lock()
                    .iter()
                    .map(|(at, raw)| raw.show(*at))
                    .collect::<Vec<_>>()
            })
            .collect();
        entries.sort_by_key(|entry| entry.sequence);
        let surplus = entries.len().saturating_sub(limit.min(self.capacity));
        entries.split_off(surplus)
    }

    pub(super) fn clear(&self) {
        for stripe in &self.stripes {
            stripe.lock().clear();
        }
        self.next.store(0, Ordering::Relaxed);
    }
}

impl RawEntry {
    fn show(&self, sequence: u64) -> LogEntry {
        let (body_bytes, body_sha256) = match &self.body {
            KeptBody::Whole(body) => (body.len(), sha256_hex(body)),
            KeptBody::Hash { bytes, sha256 } => (*bytes, sha256.clone()),
        };
        let mut credentials = Vec::new();
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes());
                (
                    name.to_string(),
                    shown_header(name.as_str(), &text, &mut credentials),
                )
            })
            .collect();
        let query = self
            .query
            .as_deref()
            .map(|query| shown_query(query, &mut credentials));
        LogEntry {
            sequence,
            at_ms: self.at_ms,
            connection: self.connection,
            method: self.method.to_string(),
            path: self.path.to_string(),
            query,
            provider: self.provider.map(str::to_owned),
            key: self.key.as_deref().map(str::to_owned),
            credentials,
            model: self.model.to_string(),
            stream: self.stream,
            headers,
            body_bytes,
            body_sha256,
            status: self.status,
            fault: self.fault.map(str::to_owned),
        }
    }
}

fn shown_header(name: &str, value: &str, credentials: &mut Vec<CredentialSeen>) -> String {
    if name == "cookie" || name == "proxy-authorization" {
        return format!("{FINGERPRINT_PREFIX}{}", fingerprint(value));
    }
    if !CREDENTIAL_HEADERS.contains(&name) {
        return value.to_owned();
    }
    let (scheme, secret) = value
        .split_once(' ')
        .filter(|_| name == "authorization")
        .map_or(("", value), |(scheme, secret)| (scheme, secret.trim()));
    let fingerprint = seen(name, secret, credentials);
    let space = if scheme.is_empty() { "" } else { " " };
    format!("{scheme}{space}{FINGERPRINT_PREFIX}{fingerprint}")
}

fn shown_query(query: &str, credentials: &mut Vec<CredentialSeen>) -> String {
    let pairs = query.split('&').map(|pair| {
        pair.strip_prefix("key=").map_or_else(
            || pair.to_owned(),
            |secret| format!("key={FINGERPRINT_PREFIX}{}", seen("?key", secret, credentials)),
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn seen(place: &str, secret: &str, credentials: &mut Vec<CredentialSeen>) -> String {
    let fingerprint = fingerprint(secret);
    credentials.push(CredentialSeen {
        place: place.to_owned(),
        fingerprint: fingerprint.clone(),
    });
    fingerprint
}
