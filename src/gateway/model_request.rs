//! A request that names a model: where it goes first, and what it becomes for each model that may stand in.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;
use coderclaw_actors::domain::credential::{AgentId, ProviderId};
use percent_encoding::utf8_percent_encode;

use super::agent;
use super::forward::{self, Forward};
use super::respond::ErrorReply;
use super::routes::{ModelRoute, ModelTarget};
use crate::config::{Catalogue, Settings, Target};
use crate::wire::model::{MODEL_IN_PATH, find_model, splice_model};

/// How Google's method for streams begins.
const STREAM: &str = ":stream";
/// Google's methods for embeddings.
const EMBEDDINGS: [&str; 2] = [":embedContent", ":batchEmbedContents"];

/// A request of a known format, with its body.
#[derive(Debug)]
pub struct ModelRequest<'a> {
    settings: &'a Settings,
    request: &'a HttpRequest,
    route: &'a ModelRoute,
    body: Bytes,
    /// The model as the caller names it; empty where the path needs none.
    name: Cow<'a, str>,
    /// Where the name stands in the body.
    span: Range<usize>,
    /// Whose request it is; `None` is the default agent.
    agent: Option<AgentId>,
    /// Whether it asks for a stream.
    is_stream: bool,
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
        let (name, span, is_stream): (Cow<'_, str>, _, _) = match &route.target {
            ModelTarget::Body(_) => {
                let field = find_model(&body)?;
                (field.name.into(), field.span, field.stream)
            }
            ModelTarget::Path { model, suffix, .. } => {
                (model.as_str().into(), 0..0, suffix.starts_with(STREAM))
            }
            ModelTarget::Nowhere(_) => ("".into(), 0..0, false),
        };
        let agent = agent::of_model(settings, request.headers(), route.api, &name)?;
        Ok(Self {
            settings,
            request,
            route,
            body,
            name,
            span,
            agent,
            is_stream,
        })
    }

    /// Whose request it is; `None` is the default agent.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
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
        let forward = forward::of_model(self.settings, self.request, self.route, target, &path, content)?;
        Ok(Forward {
            agent: self.agent.clone(),
            ..forward
        })
    }
}
