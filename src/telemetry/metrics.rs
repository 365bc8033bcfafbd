//! What Prometheus reads at `/metrics`. Labels are few and ours: no caller can make a new one.

use std::fmt::{self, Write as _};
use std::time::Duration;

use coderclaw_actors::domain::credential::ProviderId;
use coderclaw_actors::domain::outcome::ErrorClass;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::config::Target;
use crate::gateway::completion::Ending;
use crate::gateway::session::SessionCounts;
use crate::wire::usage::Usage;

/// Upper bounds of the request durations, in seconds: from a cached answer to an hour of reasoning.
const DURATION_BUCKETS_S: [f64; 14] = [
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0,
];
/// Upper bounds of the gateway's own time, in seconds.
const OVERHEAD_BUCKETS_S: [f64; 9] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002_5, 0.01, 0.1, 1.0,
];

/// A provider as a label: shared, so that counting a request allocates nothing.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct ProviderLabel(ProviderId);

impl EncodeLabelValue for ProviderLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    provider: ProviderLabel,
    endpoint: &'static str,
    status: u16,
    ending: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AttemptLabels {
    provider: ProviderLabel,
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    provider: ProviderLabel,
}

/// Both are names of the config: no caller can make a new one.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FallbackLabels {
    from: String,
    to: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenLabels {
    provider: ProviderLabel,
    direction: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    provider: ProviderLabel,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CommandLabels {
    kind: &'static str,
}

/// One finished request, as the metrics see it.
#[derive(Debug)]
pub struct RequestSample<'a> {
    /// The endpoint.
    pub endpoint: &'static str,
    /// The provider, if it came so far.
    pub provider: Option<&'a ProviderId>,
    /// The status that the caller got.
    pub status: u16,
    /// How it ended.
    pub ending: Ending,
    /// Times that another credential of the same provider was tried.
    pub rotations: usize,
    /// From the first byte of the request to the last byte of the answer.
    pub took: Duration,
    /// The gateway's own share until the head of the answer.
    pub overhead: Duration,
    /// Tokens, where the answer told.
    pub usage: Option<Usage>,
}

/// The metrics of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// What stands for the provider of a request that came to none.
    no_provider: ProviderId,
    requests: Family<RequestLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    rotations: Family<ProviderLabels, Counter>,
    fallbacks: Family<FallbackLabels, Counter>,
    duration: Family<ProviderLabels, Histogram, fn() -> Histogram>,
    overhead: Histogram,
    tokens: Family<TokenLabels, Counter>,
    credentials: Family<StateLabels, Gauge>,
    restarts: Gauge,
    in_flight: Gauge,
    sessions: Gauge,
    pins: Gauge,
    commands: Family<CommandLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics that all stand at zero.
    #[must_use]
    pub fn new() -> Self {
        let duration: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS_S);
        let mut metrics = Self {
            registry: Registry::with_prefix("coderclaw"),
            no_provider: ProviderId::new("none"),
            requests: Family::default(),
            attempts: Family::default(),
            rotations: Family::default(),
            fallbacks: Family::default(),
            duration: Family::new_with_constructor(duration),
            overhead: Histogram::new(OVERHEAD_BUCKETS_S),
            tokens: Family::default(),
            credentials: Family::default(),
            restarts: Gauge::default(),
            in_flight: Gauge::default(),
            sessions: Gauge::default(),
            pins: Gauge::default(),
            commands: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests, by how they ended", self.requests.clone());
        registry.register(
            "attempts",
            "Upstream calls, by what they came to",
            self.attempts.clone(),
        );
        registry.register(
            "rotations",
            "Times that another credential was tried",
            self.rotations.clone(),
        );
        registry.register(
            "fallbacks",
            "Requests that another model served than the one asked for",
            self.fallbacks.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the request to the last byte of its answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register_with_unit(
            "overhead",
            "The gateway's own time until the head of the answer",
            Unit::Seconds,
            self.overhead.clone(),
        );
        registry.register(
            "tokens",
            "Tokens, as the providers count them",
            self.tokens.clone(),
        );
        registry.register("credentials", "Credentials, by state", self.credentials.clone());
        registry.register(
            "actor_restarts",
            "Actors that were restarted",
            self.restarts.clone(),
        );
        registry.register("requests_in_flight", "Requests under way", self.in_flight.clone());
        self.register_sessions();
    }

    fn register_sessions(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "sessions",
            "Sessions whose credential is remembered, counted once a provider",
            self.sessions.clone(),
        );
        registry.register(
            "session_pins",
            "Sessions that are pinned to a credential",
            self.pins.clone(),
        );
        registry.register(
            "chat_commands",
            "Commands of callers that the gateway answered itself, by kind",
            self.commands.clone(),
        );
    }

    /// Counts a finished request.
    pub fn request(&self, sample: &RequestSample<'_>) {
        let provider = ProviderLabel(sample.provider.unwrap_or(&self.no_provider).clone());
        let labels = ProviderLabels { provider };
        if sample.provider.is_some() {
            self.duration
                .get_or_create(&labels)
                .observe(sample.took.as_secs_f64());
            self.overhead.observe(sample.overhead.as_secs_f64());
            if sample.rotations > 0 {
                self.rotations
                    .get_or_create(&labels)
                    .inc_by(sample.rotations as u64);
            }
        }
        if let Some(usage) = sample.usage {
            for (direction, count) in [
                ("input", usage.input),
                ("output", usage.output),
                ("cached", usage.cached),
            ] {
                if count > 0 {
                    let provider = labels.provider.clone();
                    self.tokens
                        .get_or_create(&TokenLabels { provider, direction })
                        .inc_by(count);
                }
            }
        }
        self.requests
            .get_or_create(&RequestLabels {
                provider: labels.provider,
                endpoint: sample.endpoint,
                status: sample.status,
                ending: sample.ending.as_str(),
            })
            .inc();
    }

    /// Counts an upstream call; `None` is a commit.
    pub fn attempt(&self, provider: &ProviderId, class: Option<ErrorClass>) {
        let class = class.map_or("success", ErrorClass::as_str);
        self.attempts
            .get_or_create(&AttemptLabels {
                provider: ProviderLabel(provider.clone()),
                class,
            })
            .inc();
    }

    /// Counts a request that `to` served for `from`.
    pub fn fallback(&self, from: &Target, to: &Target) {
        self.fallbacks
            .get_or_create(&FallbackLabels {
                from: from.to_string(),
                to: to.to_string(),
            })
            .inc();
    }

    /// Sets what is read off at the moment of a scrape.
    pub fn set_credentials(&self, provider: &ProviderId, state: &'static str, count: usize) {
        let labels = StateLabels {
            provider: ProviderLabel(provider.clone()),
            state,
        };
        self.credentials
            .get_or_create(&labels)
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets the number of actor restarts so far, and of requests under way.
    pub fn set_process(&self, restarts: u64, in_flight: usize) {
        self.restarts.set(i64::try_from(restarts).unwrap_or(i64::MAX));
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
    }

    /// Sets the number of sessions and pins.
    pub fn set_sessions(&self, counts: SessionCounts) {
        self.sessions.set(i64::try_from(counts.held).unwrap_or(i64::MAX));
        self.pins.set(i64::try_from(counts.pinned).unwrap_or(i64::MAX));
    }

    /// Counts a command of a caller.
    pub fn command(&self, kind: &'static str) {
        self.commands.get_or_create(&CommandLabels { kind }).inc();
    }

    /// All metrics in the text format of `OpenMetrics`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a String can't fail; an empty page would hide it if it did.
            let _infallible = writeln!(text, "# the metrics could not be encoded");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_request_is_counted_under_its_provider() {
        let metrics = Metrics::new();
        let provider = ProviderId::new("openai");
        metrics.attempt(&provider, Some(ErrorClass::RateLimit));
        metrics.attempt(&provider, None);
        metrics.request(&RequestSample {
            endpoint: "chat",
            provider: Some(&provider),
            status: 200,
            ending: Ending::Complete,
            rotations: 1,
            took: Duration::from_millis(12),
            overhead: Duration::from_micros(80),
            usage: Some(Usage {
                input: 7,
                output: 3,
                cached: 0,
            }),
        });
        let text = metrics.text();
        for line in [
            r#"coderclaw_requests_total{provider="openai",endpoint="chat",status="200",ending="complete"} 1"#,
            r#"coderclaw_attempts_total{provider="openai",class="rate_limit"} 1"#,
            r#"coderclaw_rotations_total{provider="openai"} 1"#,
            r#"coderclaw_tokens_total{provider="openai",direction="output"} 3"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
