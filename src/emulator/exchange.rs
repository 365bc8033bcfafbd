//! One request: what it is, what it gets, what is noted of it. No waiting happens here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_http::header::{HeaderMap, HeaderName};
use actix_http::{HttpMessage as _, Request, StatusCode};
use bytes::Bytes;
use tokio::time::Instant;

use super::answer::{Answer, JSON};
use super::asked::Asked;
use super::clock::{millis, wall_now};
use super::config::Behaviour;
use super::error::{self, Cause, ErrorAnswer, Facts};
use super::fault::{Fault, FaultRule, Target};
use super::idp::Bearer;
use super::keys::KeyState;
use super::log::{CREDENTIAL_HEADERS, KeptBody, RawEntry};
use super::profile::{Dialect, Profile, WaitHeaders};
use super::rate_headers;
use super::reply::catalogue;
use super::route::{self, Endpoint, NoRoute, Route};
use super::shared::{Shared, World};
use super::stats::Flight;

/// A request with everything around it.
pub(super) struct Exchange<'a> {
    pub(super) shared: &'a Shared,
    pub(super) world: &'a World,
    pub(super) request: &'a Request,
    pub(super) body: &'a Bytes,
    pub(super) connection: u64,
}

/// A request that found its endpoint and has a key.
pub(super) struct Call<'a> {
    pub(super) route: Route<'a>,
    pub(super) profile: &'static Profile,
    pub(super) key: Arc<KeyState>,
    pub(super) asked: Asked,
    pub(super) behaviour: Behaviour,
    credential: Credential,
}

/// What a request came with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credential {
    Key,
    Token(Bearer),
    /// An access token in the place of a key, where it is nothing.
    Misplaced,
}

impl Exchange<'_> {
    /// The answer; it is counted and logged.
    pub(super) fn answer(&self) -> Answer {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let uri = self.request.uri();
        let found = route::find(
            self.request.method(),
            uri.path(),
            uri.query(),
            self.request.headers(),
        );
        let route = match found {
            Ok(route) => route,
            Err(none) => return self.no_route(none),
        };
        let Some((secret, is_bearer)) = credential(self.request) else {
            self.shared.without_key.fetch_add(1, Ordering::Relaxed);
            let answer = self.refuse(
                route.profile,
                None,
                Cause::NoKey,
                &Facts::default(),
                HeaderMap::new(),
            );
            self.note(&answer, Some(route.profile), None, &Asked::default());
            return answer;
        };
        let key = self
            .world
            .keys
            .get(&secret, &self.world.config, self.shared.clock.now());
        key.counters.lock().arrived(Instant::now(), millis(wall_now()));
        let flight = Flight::new(Arc::clone(&key.counters));
        let profile = key
            .profile
            .filter(|own| !route.mounted && own.dialect == route.dialect)
            .unwrap_or(route.profile);
        let (asked, problem) = self.asked(&route);
        let behaviour = self.world.behaviour(&key, &asked.model);
        let bearer = self.shared.idp.bearer(&secret, &*self.shared.clock);
        let call = Call {
            route,
            profile,
            key,
            asked,
            behaviour,
            credential: match bearer {
                Some(bearer) if is_bearer => Credential::Token(bearer),
                Some(_) => Credential::Misplaced,
                None => Credential::Key,
            },
        };
        let answer = self.decide(&call, problem.as_deref(), flight);
        call.key
            .counters
            .lock()
            .answered(answer.status_seen(), answer.fault);
        self.note(&answer, Some(profile), Some(&call.key), &call.asked);
        answer
    }

    /// What is asked for, and what is wrong with it.
    fn asked(&self, route: &Route<'_>) -> (Asked, Option<String>) {
        match Asked::read(route, self.body) {
            Ok(asked) if route.endpoint == Endpoint::Models => {
                let query = self.request.uri().query();
                (asked, catalogue::problem(route.dialect, query))
            }
            Ok(asked) => (asked, None),
            Err(message) => (Asked::default(), Some(message)),
        }
    }

    fn decide(&self, call: &Call<'_>, problem: Option<&str>, mut flight: Flight) -> Answer {
        let fault = self.fault_of(call);
        if let Some(rule) = &fault
            && let Some(answer) = self.instead(call, &rule.spec, &mut flight)
        {
            return answer.at_fault(rule.spec.fault, flight);
        }
        let is_unknown = call.credential == Credential::Key
            && !call.key.configured
            && !self.world.config.allow_unknown_keys;
        let cause = if call.key.config.dead || is_unknown || call.credential == Credential::Misplaced {
            Some((Cause::Unauthorized, ""))
        } else if call.credential == Credential::Token(Bearer::Ended) {
            Some((Cause::TokenExpired, ""))
        } else if call.key.config.suspended {
            Some((Cause::Suspended, ""))
        } else if let Some(message) = problem {
            Some((Cause::BadRequest, message))
        } else {
            (!self.world.knows_model(&call.asked.model)).then_some((Cause::UnknownModel, ""))
        };
        if let Some((cause, message)) = cause {
            let facts = Facts {
                message,
                ..call.facts()
            };
            flight.finish();
            return self.refuse(call.profile, Some(&call.key), cause, &facts, HeaderMap::new());
        }
        self.serve(call, fault.as_deref().map(|rule| &rule.spec), flight)
    }

    fn fault_of(&self, call: &Call<'_>) -> Option<Arc<FaultRule>> {
        let rules = self.shared.faults.load();
        if rules.is_empty() {
            return None;
        }
        let target = Target {
            secret: &call.key.secret,
            name: &call.key.name,
            fingerprint: &call.key.fingerprint,
            model: &call.asked.model,
            provider: call.profile.id,
            path: self.request.path(),
            stream: call.asked.stream,
        };
        rules.iter().find(|rule| rule.fires(&target)).map(Arc::clone)
    }

    /// An error in the provider's words, with its headers.
    pub(super) fn refuse(
        &self,
        profile: &'static Profile,
        key: Option<&KeyState>,
        cause: Cause,
        facts: &Facts<'_>,
        mut headers: HeaderMap,
    ) -> Answer {
        let ErrorAnswer { status, mut body } = error::word(profile, cause, facts);
        if let Some(wait) = facts
            .wait
            .filter(|_| cause.is_limit() || cause == Cause::Overloaded)
        {
            rate_headers::wait(&mut headers, profile, wait);
            if let Some(key) = key.filter(|_| states_wait(profile)) {
                key.counters.lock().silent_until = Some(Instant::now() + wait);
            }
        }
        if cause == Cause::Overloaded && profile.dialect == Dialect::Anthropic {
            rate_headers::put(&mut headers, HeaderName::from_static("x-should-retry"), "true");
        }
        if let Some(key) = key.filter(|key| self.world.config.echo_key || key.config.echo_key) {
            body = error::echo_key(&body, &key.secret);
            rate_headers::put(
                &mut headers,
                HeaderName::from_static("x-request-credential"),
                &key.secret,
            );
        }
        Answer::new(status, JSON, body)
            .with_headers(headers)
            .identified(profile)
    }

    fn no_route(&self, none: NoRoute) -> Answer {
        self.shared.unknown_paths.fetch_add(1, Ordering::Relaxed);
        let request = self.request;
        let message = format!("{} {}", request.method(), request.path());
        let facts = Facts {
            message: &message,
            ..Facts::default()
        };
        let mut headers = HeaderMap::new();
        let upgrade = request.headers().contains_key("upgrade") && request.path().ends_with("/responses");
        let cause = match none.allow {
            // Codex tries a WebSocket first; 426 sends it to plain HTTP at once.
            Some(_) if upgrade => Cause::Status(StatusCode::UPGRADE_REQUIRED.as_u16()),
            Some(allow) => {
                rate_headers::put(&mut headers, HeaderName::from_static("allow"), allow);
                Cause::Method
            }
            None => Cause::UnknownPath,
        };
        let answer = self.refuse(none.profile, None, cause, &facts, headers);
        self.note(&answer, None, None, &Asked::default());
        answer
    }

    fn note(
        &self,
        answer: &Answer,
        profile: Option<&'static Profile>,
        key: Option<&KeyState>,
        asked: &Asked,
    ) {
        if self.shared.log.is_off() {
            return;
        }
        let request = self.request;
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        self.shared.log.push(RawEntry {
            at_ms: millis(wall_now()),
            connection: self.connection,
            method: request.method().clone(),
            path: request.path().into(),
            query: request.uri().query().map(Box::from),
            provider: profile.map(|profile| profile.id),
            key: key.map(|key| Arc::clone(&key.name)),
            model: asked.model.as_str().into(),
            stream: asked.stream,
            headers,
            body: KeptBody::of(self.body),
            status: answer.status_seen(),
            fault: answer.fault,
        });
    }
}

impl Call<'_> {
    /// Names for the errors of this call.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            model: &self.asked.model,
            org: &self.key.org,
            key: &self.key.secret,
            ..Facts::default()
        }
    }

    /// Time until the first byte.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_millis(self.behaviour.latency_ms.unwrap_or(0))
    }

    /// Time between two pieces of a stream of `pieces`.
    pub(super) fn pace(&self, tokens: u64, pieces: usize) -> Duration {
        match (self.behaviour.chunk_delay_ms, self.behaviour.tokens_per_second) {
            (Some(ms), _) => Duration::from_millis(ms),
            (None, Some(rate)) if rate > 0 => {
                let nanos = u128::from(tokens) * 1_000_000_000 / u128::from(rate);
                let each = nanos / u128::try_from(pieces.max(1)).unwrap_or(1);
                Duration::from_nanos(u64::try_from(each).unwrap_or(u64::MAX))
            }
            _ => Duration::ZERO,
        }
    }

    pub(super) const fn is_sse_array(&self) -> bool {
        matches!(self.route.endpoint, Endpoint::GenerateStream { sse: false })
    }
}

/// The wait of a fault that states one.
pub(super) fn fault_wait(fault: &Fault) -> Option<Duration> {
    match fault.retry_after_ms {
        Some(0) => None,
        Some(ms) => Some(Duration::from_millis(ms)),
        None => Some(Duration::from_secs(20)),
    }
}

/// Whether a caller can know the wait.
const fn states_wait(profile: &Profile) -> bool {
    !matches!(profile.wait, WaitHeaders::None) || matches!(profile.dialect, Dialect::Google)
}

/// The key, from any of the places where one may stand, and whether it is a bearer.
fn credential(request: &Request) -> Option<(String, bool)> {
    for name in CREDENTIAL_HEADERS {
        let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok()) else {
            continue;
        };
        let bearer = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let secret = bearer.map_or(value, |(_, secret)| secret).trim();
        if !secret.is_empty() {
            return Some((secret.to_owned(), bearer.is_some() && name == "authorization"));
        }
    }
    let query = request.uri().query()?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("key="))
        .filter(|secret| !secret.is_empty())
        .map(|secret| (secret.to_owned(), false))
}
