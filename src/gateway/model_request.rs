//! A request that names a model: where it goes first, and what it becomes for each model that may stand in.

use std::borrow::Cow;
use std::ops::Range;

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
        let (name, span): (Cow<'_, str>, _) = match &route.target {
            ModelTarget::Body(_) => {
                let field = find_model(&body)?;
                (field.name.into(), field.span)
            }
            ModelTarget::Path { model, .. } => (model.as_str().into(), 0..0),
            ModelTarget::Nowhere(_) => ("".into(), 0..0),
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

    /// What may stand in for `target`, in order; nothing for a question about one model.
    #[must_use]
    pub fn fallbacks(&self, target: &Target) -> Vec<Target> {
        let asks_about_a_model = match &self.route.target {
            ModelTarget::Body(_) => false,
            ModelTarget::Path { suffix, .. } => suffix.is_empty(),
            ModelTarget::Nowhere(_) => true,
        };
        if asks_about_a_model {
            return Vec::new();
        }
        self.settings
            .catalogue
            .fallbacks(self.route.api, self.agent(), &self.name, target)
    }

    /// The request as it goes to `target`.
    ///
    /// # Errors
    /// If no address can be made of it.
    pub fn forward(&self, target: &Target) -> Result<Forward, ErrorReply> {
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
        let forward = forward::of_model(self.settings, self.request, self.route, target, &path, body)?;
        Ok(Forward {
            agent: self.agent.clone(),
            ..forward
        })
    }
}
