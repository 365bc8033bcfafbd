//! One request, from its head to the head of its answer.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::FutureExt;
use tracing::Instrument;

use super::agent;
use super::body::{BufferedBody, Intake, check_headers};
use super::candidates;
use super::command;
use super::completion::{Completion, RequestId};
use super::dialect::{Dialect, Trouble};
use super::exchange::exchange;
use super::forward::{self, Forward};
use super::live::Live;
use super::model_request::ModelRequest;
use super::orders;
use super::pages;
use super::reply::{Reply, ServedBy};
use super::respond::ErrorReply;
use super::routes::{self, ModelRoute, ModelTarget, Route};
use super::upload;
use super::worker::Worker;
use crate::upstream::request::RequestBody;
use crate::wire::Api;

/// Serves one request. A panic anywhere in it costs this request and no other.
pub async fn serve(request: HttpRequest, payload: web::Payload, worker: web::Data<Worker>) -> HttpResponse {
    let id = RequestId::random();
    let span = tracing::debug_span!(target: "coderclaw", "request", %id);
    let shared = &worker.shared;
    let live = shared.live();
    let mut completion = Completion::start(id, Arc::clone(&shared.metrics), Arc::clone(&shared.clock));
    let served = {
        // Pinned where it is made: every wrapper below would move all of it otherwise.
        let work = pin!(run(&request, payload, (&worker, &live), &mut completion));
        AssertUnwindSafe(work).catch_unwind().instrument(span).await
    };
    let served = served.unwrap_or_else(|_| Err(panicked()));
    let mut response = match served {
        Ok(reply) => reply.into_response(completion, live.streams, &shared.clock),
        Err(error) => {
            let dialect = routes::dialect_of_path(request.path(), request.headers());
            refuse(error, dialect, completion)
        }
    };
    pages::finish(&mut response, &request, id, &live.access);
    response
}

fn panicked() -> ErrorReply {
    let message = "the gateway failed on this request; no other request is affected";
    ErrorReply::new(Trouble::Internal, "panic", message)
}

fn refuse(error: ErrorReply, dialect: Dialect, mut completion: Completion) -> HttpResponse {
    completion.error = Some(error.code());
    let mut response = error.into_response(dialect);
    if let Some(served_by) = ServedBy::of(&completion) {
        served_by.put_on(&mut response);
    }
    Reply::Ready(response).settle(&mut completion)
}

/// Admits the request and sends it where it goes.
async fn run(
    request: &HttpRequest,
    payload: web::Payload,
    (worker, live): (&Worker, &Live),
    completion: &mut Completion,
) -> Result<Reply, ErrorReply> {
    let shared = &worker.shared;
    let limits = &live.settings.gateway.limits;
    let headers = request.headers();
    let allowed_origin = live.access.browser(headers)?;
    if allowed_origin.is_some() && pages::is_preflight(request) {
        return Ok(Reply::Ready(pages::preflight(request)));
    }
    let route = routes::find(request.method(), request.path(), headers);
    if !matches!(route, Ok(Route::Healthz | Route::Readyz)) {
        live.access.token(headers, request.query_string())?;
    }
    check_headers(headers, limits.header as u64)?;
    match route? {
        Route::Model(route) => {
            completion.endpoint = endpoint(&route);
            completion.hold(shared.in_flight.enter(limits.in_flight)?);
            let body = live.bodies.read(headers, payload).await?;
            of_model(request, &route, body, (worker, live), completion).await
        }
        Route::Proxy { provider, path } => {
            completion.endpoint = "proxy";
            completion.hold(shared.in_flight.enter(limits.in_flight)?);
            // Rare and large: it would make every other request's future larger.
            Box::pin(of_proxy(
                request,
                payload,
                (&provider, &path),
                (worker, live),
                completion,
            ))
            .await
        }
        Route::Reload => {
            completion.endpoint = "own";
            Ok(Reply::Ready(orders::reload(shared).await?))
        }
        Route::Clear => {
            completion.endpoint = "own";
            let body = live.bodies.read(headers, payload).await?;
            Ok(Reply::Ready(orders::clear(shared, &body.bytes).await?))
        }
        page => {
            completion.endpoint = "own";
            Ok(Reply::Ready(pages::own(&page, request.query_string(), shared)?))
        }
    }
}

async fn of_model(
    request: &HttpRequest,
    route: &ModelRoute,
    body: BufferedBody,
    (worker, live): (&Worker, &Live),
    completion: &mut Completion,
) -> Result<Reply, ErrorReply> {
    let shared = &worker.shared;
    let asked = ModelRequest::read(&live.settings, request, route, body.bytes.clone())?;
    let asked = asked.in_session(&shared.sessions, shared.clock.now())?;
    if let Some(command) = command::find(&asked) {
        return Ok(Box::pin(command.answer(&asked, shared, completion)).await);
    }
    let primary = asked.target()?;
    // A session that is pinned to one credential falls back to nothing.
    let may_fall_back = !asked.is_pinned_at(&primary.provider);
    candidates::serve(&asked, (primary, may_fall_back), (worker, live), completion).await
}

async fn of_proxy(
    request: &HttpRequest,
    payload: web::Payload,
    (provider, path): (&str, &str),
    (worker, live): (&Worker, &Live),
    completion: &mut Completion,
) -> Result<Reply, ErrorReply> {
    let (shared, settings) = (&worker.shared, &live.settings);
    // The body is the provider's own affair: only the header tells of a session.
    let headers = request.headers();
    let agent = agent::of_headers(settings, headers)?;
    let of_agent = settings.agent_id(agent.as_ref());
    let session = shared
        .sessions
        .of_request(headers, None, of_agent, shared.clock.now())?;
    let forward = |body: RequestBody| -> Result<Forward, ErrorReply> {
        let mut forward = forward::of_proxy(settings, request, (provider, path), agent.clone(), body)?;
        if let Some(session) = &session {
            let provider = forward.request.parts().provider.clone();
            forward.claim = Some(session.claim(settings, agent.as_ref(), &provider)?);
        }
        Ok(forward)
    };
    match live.bodies.take_in(request.headers(), payload).await? {
        Intake::Whole(body) => {
            let forward = forward(forward::buffered(body.bytes.clone()))?;
            exchange(forward, (worker, live), completion).await.reply
        }
        Intake::Larger { start, rest } => {
            let (body, upload) = upload::channel(start, rest, &live.bodies);
            let exchanged = upload.alongside(exchange(forward(body)?, (worker, live), completion));
            exchanged.await.reply
        }
    }
}

/// The endpoint as metrics name it.
fn endpoint(route: &ModelRoute) -> &'static str {
    match (&route.target, route.api) {
        (ModelTarget::Nowhere(_), _) => "models",
        (ModelTarget::Body("/chat/completions"), _) => "chat",
        (ModelTarget::Body("/completions"), _) => "completions",
        (ModelTarget::Body("/embeddings"), _) => "embeddings",
        (ModelTarget::Body("/messages/count_tokens"), _) => "count_tokens",
        (ModelTarget::Body(_), Api::OpenaiResponses) => "responses",
        (ModelTarget::Body(_), _) => "messages",
        (ModelTarget::Path { suffix, .. }, _) if suffix.is_empty() => "models",
        (ModelTarget::Path { suffix, .. }, _) if suffix.starts_with(":stream") => "stream_generate",
        (ModelTarget::Path { suffix, .. }, _) if suffix.starts_with(":generate") => "generate",
        (ModelTarget::Path { .. }, _) => "google_other",
    }
}
