//! What the gateway answers itself: health, metrics, status, and a browser's preflight.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::access::Access;
use super::agent;
use super::completion::RequestId;
use super::respond::ErrorReply;
use super::routes::Route;
use super::worker::Shared;
use crate::status::Report;
use coderclaw_actors::StateName;

const STATES: [StateName; 4] = [
    StateName::Available,
    StateName::Cooling,
    StateName::Exhausted,
    StateName::Disabled,
];
/// How long a browser may remember that an origin is allowed, in seconds.
const PREFLIGHT_MAX_AGE_S: &str = "600";
/// Headers of ours and of providers that a page may read.
const EXPOSED_HEADERS: &str = "x-coderclaw-provider, x-coderclaw-model, x-coderclaw-profile, \
    x-coderclaw-attempts, x-coderclaw-overhead-us, x-coderclaw-request-id, x-coderclaw-retry-at, x-request-id, request-id, \
    retry-after, retry-after-ms";

/// Answers one of the gateway's own paths.
///
/// # Errors
/// If the query names an agent that there is not.
pub fn own(page: &Route, query: &str, shared: &Shared) -> Result<HttpResponse, ErrorReply> {
    Ok(match page {
        Route::Healthz => HttpResponse::Ok().json(serde_json::json!({ "ok": true })),
        Route::Readyz => readyz(shared),
        Route::Metrics => metrics(shared),
        _ => {
            let agent = agent::of_query(&shared.live().settings, query)?;
            HttpResponse::Ok().json(Report::of_gateway(shared, agent.as_ref()))
        }
    })
}

/// Ready means: not stopping, and no provider's actor has been given up.
fn readyz(shared: &Shared) -> HttpResponse {
    let draining = shared.in_flight.is_draining();
    let down: Vec<String> = shared
        .control
        .providers()
        .into_iter()
        .filter(|provider| !provider.is_available())
        .map(|provider| provider.id().to_string())
        .collect();
    let ready = !draining && down.is_empty();
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response.json(serde_json::json!({ "ready": ready, "draining": draining, "providersDown": down }))
}

fn metrics(shared: &Shared) -> HttpResponse {
    for provider in shared.control.providers() {
        let credentials = provider.snapshot_of_all().credentials;
        if credentials.is_empty() {
            continue;
        }
        for state in STATES {
            let count = credentials
                .iter()
                .filter(|credential| credential.state == state)
                .count();
            shared
                .metrics
                .set_credentials(provider.id(), state.as_str(), count);
        }
    }
    shared
        .metrics
        .set_process(restarts(shared), shared.in_flight.count());
    shared.metrics.set_sessions(shared.sessions.counts());
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(shared.metrics.text())
}

fn restarts(shared: &Shared) -> u64 {
    let status = shared.control.status();
    let providers = status.providers.values().map(|actor| actor.restarts);
    let routers = status.routers.iter().map(|actor| actor.restarts);
    providers.chain(routers).chain([status.supervisor.restarts]).sum()
}

/// Whether a browser asks what it may ask.
#[must_use]
pub fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to the preflight of an allowed origin: it needs no token, since it carries none.
#[must_use]
pub fn preflight(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response.insert_header((
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, POST, PUT, PATCH, DELETE",
    ));
    if let Some(asked) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()));
    }
    response.insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S));
    response.finish()
}

/// What every answer carries: the request's id, and for a page of an allowed origin the word that it may read it.
pub fn finish(response: &mut HttpResponse, request: &HttpRequest, id: RequestId, access: &Access) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static("x-coderclaw-request-id"), id);
    }
    if let Some(origin) = request.headers().get(header::ORIGIN)
        && let Ok(Some(_)) = access.browser(request.headers())
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}
