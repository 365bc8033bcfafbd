//! `/model` in a chat, answered by the gateway itself: which model and which credential serve the session.

mod act;
mod answer;
mod last_message;
mod line;
mod models;
mod scene;
mod status;

use actix_web::HttpResponse;
use actix_web::http::header;

use super::completion::Completion;
use super::model_request::ModelRequest;
use super::reply::Reply;
use super::routes::ModelTarget;
use super::worker::Shared;
use crate::config::ChatCommands;
use crate::wire::Api;
use act::{Deed, act};
use answer::{Answer, Shape};
use line::Command;
use scene::Scene;

/// What `/model` is told in the log and in metrics as its endpoint.
const ENDPOINT: &str = "command";

/// A request that is a command.
#[derive(Debug)]
pub struct Found {
    command: Command,
    shape: Shape,
}

/// The command that `asked` is, if its last message is exactly one and its caller may give it. Most requests are told
/// apart by a look at their headers; none but those with `/model` in them are read.
#[must_use]
pub fn find(asked: &ModelRequest<'_>) -> Option<Found> {
    let may = match asked.settings.gateway.chat_commands {
        ChatCommands::Session => asked
            .session
            .as_ref()
            .is_some_and(super::session::Session::is_by_header),
        ChatCommands::Always => true,
        ChatCommands::Off => false,
    };
    if !may || !line::may_be_in(&asked.body) {
        return None;
    }
    let shape = shape(asked)?;
    let text = last_message::of_user(asked.route.api, &asked.body)?;
    let command = Command::parse(&text)?;
    Some(Found { command, shape })
}

/// How an answer to `asked` looks; `None` where the endpoint is no chat.
fn shape(asked: &ModelRequest<'_>) -> Option<Shape> {
    let stream = asked.is_stream();
    match (&asked.route.target, asked.route.api) {
        (ModelTarget::Body("/chat/completions"), _) => Some(Shape::Chat { stream }),
        (ModelTarget::Body("/responses"), Api::OpenaiResponses) => Some(Shape::Responses { stream }),
        (ModelTarget::Body("/messages"), Api::AnthropicMessages) => Some(Shape::Messages { stream }),
        (ModelTarget::Path { suffix, .. }, Api::GoogleGenerativeAi) => match suffix.as_str() {
            ":generateContent" => Some(Shape::Gemini),
            ":streamGenerateContent" if asks_for_events(asked.request.query_string()) => {
                Some(Shape::GeminiEvents)
            }
            ":streamGenerateContent" => Some(Shape::GeminiList),
            _ => None,
        },
        _ => None,
    }
}

fn asks_for_events(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "alt" && value == "sse")
}

// === impl Found ===

impl Found {
    /// Does what it says and tells so.
    pub async fn answer(
        self,
        asked: &ModelRequest<'_>,
        shared: &Shared,
        completion: &mut Completion,
    ) -> Reply {
        completion.endpoint = ENDPOINT;
        let scene = Scene::of(asked, shared);
        let Deed {
            kind,
            mut text,
            choose,
        } = act(&scene, &self.command);
        if let (Some(chosen), Some(session)) = (choose, &asked.session) {
            completion.model = chosen.model.as_ref().map(ToString::to_string);
            completion.profile = chosen.pin.as_ref().map(|pin| pin.profile.clone());
            if let Err(error) = session.choose(chosen, scene.now).await {
                tracing::warn!(target: "coderclaw", id = %completion.id(), error, "a choice was not written");
                text = format!(
                    "{text}\n\nThis holds now, but could not be written down: {error}. It is lost when the gateway \
                     restarts."
                );
            }
        }
        shared.metrics.command(kind);
        completion.overhead = completion.elapsed();
        let body = Answer {
            text: &text,
            model: &asked.name,
            id: completion.id().as_str(),
            created_s: scene.now.as_unix_ms() / 1000,
        }
        .body(self.shape);
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CONTENT_TYPE, self.shape.content_type()));
        response.insert_header((header::CACHE_CONTROL, "no-cache"));
        response.insert_header(("x-coderclaw-attempts", "0"));
        Reply::Ready(response.body(body))
    }
}
