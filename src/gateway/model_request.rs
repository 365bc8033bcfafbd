//! A request that names a model: where it goes first, and what it becomes for each model that may stand in.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;
use coderclaw_actors::Timestamp;
use coderclaw_actors::domain::credential::{AgentId, ProviderId};
use percent_encoding::utf8_percent_encode;

use super::agent;
use super::forward::{self, Forward};
use super::respond::ErrorReply;
use super::routes::{ModelRoute, ModelTarget};
use super::session::{Session, Sessions};
use crate::config::{Catalogue, Settings, Target};
use crate::wire::model::{MODEL_IN_PATH, find_model, splice_model};

/// How Google's method for streams begins.
const STREAM: &str = ":stream";
/// Google's methods for embeddings.
const EMBEDDINGS: [&str; 2] = [":embedContent", ":batchEmbedContents"];

/// A request of a known format, with its body.
#[derive(Debug)]
pub struct ModelRequest<'a> {
    pub(super) settings: &'a Settings,
    pub(super) request: &'a HttpRequest,
    pub(super) route: &'a ModelRoute,
    pub(super) body: Bytes,
    /// The model as the caller names it; empty where the path needs none.
    pub(super) name: Cow<'a, str>,
    /// Where the name stands in the body.
    span: Range<usize>,
    /// Whose request it is; `None` is the default agent.
    agent: Option<AgentId>,
    /// Whether it asks for a stream.
    is_stream: bool,
    /// The session that the body tells of.
    session_in_body: Option<String>,
    /// The session that it belongs to, once that is known.
    pub(super) session: Option<Session<'a>>,
}

/// What a request says of the model and the session.
#[derive(Default)]
struct Named<'a> {
    model: Cow<'a, str>,
    span: Range<usize>,
    is_stream: bool,
    session: Option<String>,
}

impl<'a> ModelRequest<'a> {
    /// Finds the name of the model, and whose request it is.
    ///
    /// # Errors
    /// If the body should name a model and does not, or there is no such agent.
    pub fn read(
        settings: &'a Settings,
        request: &'a HttpRequest,
        route: &'a ModelRoute,
        body: Bytes,
    ) -> Result<Self, ErrorReply> {
        let named = match &route.target {
            ModelTarget::Body(_) => {
                let field = find_model(&body)?;
                Named {
                    model: field.name.into(),
                    span: field.span,
                    is_stream: field.stream,
                    session: field.session,
                }
            }
            ModelTarget::Path { model, suffix, .. } => Named {
                model: model.as_str().into(),
                is_stream: suffix.starts_with(STREAM),
                ..Named::default()
            },
            ModelTarget::Nowhere(_) => Named::default(),
        };
        let agent = agent::of_model(settings, request.headers(), route.api, &named.model)?;
        Ok(Self {
            settings,
            request,
            route,
            body,
            name: named.model,
            span: named.span,
            is_stream: named.is_stream,
            session_in_body: named.session,
            session: None,
            agent,
        })
    }

    /// Whose request it is; `None` is the default agent.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// The same request in its session.
    ///
    /// # Errors
    /// If its header can be no session's key.
    pub fn in_session(mut self, sessions: &'a Sessions, now: Timestamp) -> Result<Self, ErrorReply> {
        let in_body = self.session_in_body.take();
        let headers = self.request.headers();
        self.session = sessions.of_request(headers, in_body.as_deref(), self.agent_id(), now)?;
        Ok(self)
    }

    /// Where the request goes first.
    ///
    /// # Errors
    /// If the name means nothing, or nothing that this endpoint serves.
    pub fn target(&self) -> Result<Target, ErrorReply> {
        if matches!(self.route.target, ModelTarget::Nowhere(_)) {
            return Ok(Target {
                provider: ProviderId::new(Catalogue::own_provider(self.route.api)),
                model: String::new(),
            });
        }
        let catalogue = &self.settings.catalogue;
        if let Some(chosen) = self.session.as_ref().and_then(Session::model)
            && Catalogue::leaves_the_choice(&self.name)
        {
            catalogue.admits(self.route.api, chosen).map_err(|error| {
                ErrorReply::from(error).because(
                    "this model was chosen for the session by `/model`: \
                     choose another, or go back with `/model default`",
                )
            })?;
            return Ok(chosen.clone());
        }
        Ok(catalogue.resolve(self.route.api, self.agent(), &self.name)?)
    }

    /// Whether it asks for a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The id of the agent whose request it is, the default one's included.
    #[must_use]
    pub fn agent_id(&self) -> &str {
        let agent = self.agent.as_ref().map(AgentId::as_str);
        agent.unwrap_or(&self.settings.default_agent)
    }

    /// Whether its session is pinned to a credential of `provider`: no other one and no other model may serve then.
    #[must_use]
    pub fn is_pinned_at(&self, provider: &ProviderId) -> bool {
        let pin = self.session.as_ref().and_then(Session::pin);
        pin.is_some_and(|pin| pin.provider == *provider)
    }

    /// What may stand in for `target`, in order; nothing for a question about one model, nor for embeddings: those of
    /// two models can't be compared, and nobody would notice.
    #[must_use]
    pub fn fallbacks(&self, target: &Target) -> Vec<Target> {
        let is_of_one_model = match &self.route.target {
            ModelTarget::Body(path) => *path == "/embeddings",
            ModelTarget::Path { suffix, .. } => suffix.is_empty() || EMBEDDINGS.contains(&suffix.as_str()),
            ModelTarget::Nowhere(_) => true,
        };
        if is_of_one_model {
            return Vec::new();
        }
        self.settings
            .catalogue
            .fallbacks(self.route.api, self.agent(), &self.name, target)
    }

    /// The request as it goes to `target`; the head of its answer is waited for no longer than `first_byte`, where that is
    /// given.
    ///
    /// # Errors
    /// If no address can be made of it.
    pub fn forward(&self, target: &Target, first_byte: Option<Duration>) -> Result<Forward, ErrorReply> {
        let (path, body): (Cow<'_, str>, _) = match &self.route.target {
            ModelTarget::Body(path) if target.model == self.name => ((*path).into(), self.body.clone()),
            ModelTarget::Body(path) => (
                (*path).into(),
                splice_model(&self.body, &self.span, &target.model),
            ),
            ModelTarget::Path { prefix, suffix, .. } => {
                let model = utf8_percent_encode(&target.model, MODEL_IN_PATH);
                (format!("{prefix}{model}{suffix}").into(), self.body.clone())
            }
            ModelTarget::Nowhere(path) => ((*path).into(), self.body.clone()),
        };
        let content = (body, first_byte);
        let mut forward = forward::of_model(self.settings, self.request, self.route, target, &path, content)?;
        if let Some(session) = &self.session {
            forward.claim = Some(session.claim(self.settings, self.agent(), &target.provider)?);
        }
        Ok(Forward {
            agent: self.agent.clone(),
            ..forward
        })
    }
}
