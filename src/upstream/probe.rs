//! One tiny real request with each credential, straight to its provider: what the provider says of it now.
//!
//! Nothing is remembered of it and no state changes: the pools of a running gateway do not learn of it.

pub(super) mod ask;
pub(super) mod judge;
mod targets;

use std::io;
use std::time::Duration;

use coderclaw_actors::SharedClock;
use coderclaw_actors::domain::credential::{AuthProfile, CredentialKind};
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::client::{self, Client};
use super::hear::{Unheard, hear};
use super::read::Read;
use super::request::UpstreamRequest;
use super::scrub::Scrubber;
use crate::status::{ProbeOptions, ProbeResult, ProbeSource, ProbeStatus, Probes};

use ask::Ask;
use judge::{Heard, Judged};
pub use targets::{Target, UnknownTarget, targets};

/// The list of a provider's models is smaller, and an answer of a few tokens much smaller: 8 MiB.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Makes probes.
#[derive(Clone, Debug)]
pub struct Prober {
    client: Client,
    clock: SharedClock,
    options: ProbeOptions,
}

/// A probe that came to an end.
struct Probed {
    asked: Option<Ask>,
    judged: Judged,
    latency: Option<Duration>,
}

impl Prober {
    /// A prober that does what `options` say.
    ///
    /// # Errors
    /// If the platform's certificates can't be read.
    pub fn new(options: ProbeOptions, clock: SharedClock) -> io::Result<Self> {
        let timeout = Duration::from_millis(options.timeout_ms);
        Ok(Self {
            client: client::build_unpooled(timeout)?,
            clock,
            options,
        })
    }

    /// Probes every target, so many at once as the options say. Takes at most the time-out for each round of so many.
    pub async fn probe(self, targets: Vec<Target<'_>>) -> Probes {
        let started = self.clock.now();
        let total_targets = targets.len();
        let probes = targets.into_iter().enumerate().map(|(place, target)| {
            let prober = &self;
            async move { (place, prober.result(&target).await) }
        });
        let probes = stream::iter(probes).buffer_unordered(self.options.concurrency.max(1));
        let mut results: Vec<(usize, ProbeResult)> = probes.collect().await;
        results.sort_by_key(|(place, _)| *place);
        let finished = self.clock.now();
        Probes {
            started_at: started.as_unix_ms(),
            finished_at: finished.as_unix_ms(),
            duration_ms: milliseconds(finished.since(started)),
            total_targets,
            options: self.options,
            results: results.into_iter().map(|(_, result)| result).collect(),
        }
    }

    async fn result(&self, target: &Target<'_>) -> ProbeResult {
        let provider = &target.provider.id;
        let (id, source, mode) = target.named();
        let (probed, label) = match target.credential {
            Ok(profile) => (
                self.one(target, profile).await,
                format!("{id}={}", profile.secret.fingerprint()),
            ),
            Err(excluded) => (
                Probed::unsent(ProbeStatus::Auth, excluded.why.to_string()),
                id.to_string(),
            ),
        };
        let (model, via) = match probed.asked {
            Some(Ask::Model(model)) => (Some(format!("{provider}/{model}")), None),
            Some(Ask::Unnamed(via)) => (None, Some(via.as_str().to_owned())),
            None => (None, None),
        };
        ProbeResult {
            provider: provider.clone(),
            model,
            via,
            profile_id: id.clone(),
            label,
            source: ProbeSource::of(source),
            mode,
            status: probed.judged.status,
            error: probed.judged.error,
            latency_ms: probed.latency.map(milliseconds),
        }
    }

    async fn one(&self, target: &Target<'_>, profile: &AuthProfile) -> Probed {
        if profile.is_expired(self.clock.now()) {
            let what = match profile.kind {
                CredentialKind::Oauth if target.renews => {
                    "its token has run out; it is renewed at the next request"
                }
                CredentialKind::Oauth => "its login has run out",
                CredentialKind::ApiKey | CredentialKind::Token => "it has expired",
            };
            return Probed::unsent(ProbeStatus::Auth, what.to_owned());
        }
        let ask = Ask::of(target);
        let request = match ask.request(target.provider, self.options.max_tokens) {
            Ok(request) => request,
            Err(error) => {
                let what = format!("no address can be made for it: {error}");
                return Probed::unsent(ProbeStatus::Format, what);
            }
        };
        let started = Instant::now();
        let judged = self.send(&request, profile).await;
        Probed {
            asked: Some(ask),
            judged: judged.scrubbed(&Scrubber::new(&profile.secret)),
            latency: Some(started.elapsed()),
        }
    }

    /// Sends one request and judges what comes back until the deadline.
    async fn send(&self, request: &UpstreamRequest, profile: &AuthProfile) -> Judged {
        let deadline = Instant::now() + Duration::from_millis(self.options.timeout_ms);
        let (head, read) = match hear(&self.client, request, profile, (ANSWER_BYTES_MAX, deadline)).await {
            Ok(heard) => heard,
            Err(Unheard::Broken(what)) => return Judged::new(ProbeStatus::Unknown, what),
            Err(Unheard::Late) => return self.late(),
        };
        let body = read.bytes();
        let answer = Heard::of(request, &head, &body, self.clock.now());
        match read {
            // Of a refusal the status alone says much.
            _ if answer.is_refusal() => answer.judge(),
            Read::Whole(_) => answer.judge(),
            Read::Cut { what, .. } => Judged::new(ProbeStatus::Unknown, what),
            Read::Part(start) if start.len() > ANSWER_BYTES_MAX => {
                let limit = bytesize::ByteSize::b(ANSWER_BYTES_MAX as u64);
                Judged::new(ProbeStatus::Unknown, format!("its answer is larger than {limit}"))
            }
            Read::Part(_) => self.late(),
        }
    }

    fn late(&self) -> Judged {
        let what = format!("no whole answer within {} ms", self.options.timeout_ms);
        Judged::new(ProbeStatus::Timeout, what)
    }
}

impl Probed {
    /// One that needed no request.
    fn unsent(status: ProbeStatus, what: String) -> Self {
        Self {
            asked: None,
            judged: Judged::new(status, what),
            latency: None,
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
