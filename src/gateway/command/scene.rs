//! What a command is given in.

use coderclaw_actors::domain::credential::AgentId;
use coderclaw_actors::{ControlPlane, Timestamp};

use super::super::model_request::ModelRequest;
use super::super::session::Session;
use super::super::worker::Shared;
use crate::config::{Catalogue, Settings, Target};
use crate::wire::Api;

/// What a command may look at.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The settings in force.
    pub(super) settings: &'a Settings,
    /// The providers and their credentials.
    pub(super) control: &'a ControlPlane,
    /// The format of the endpoint.
    pub(super) api: Api,
    /// Whose session it is: the agent's id, and the agent itself unless it is the default one.
    pub(super) agent_id: &'a str,
    pub(super) agent: Option<&'a AgentId>,
    /// The session; none where no key came.
    pub(super) session: Option<&'a Session<'a>>,
    /// The model that the request names.
    pub(super) asked_for: &'a str,
    /// The instant.
    pub(super) now: Timestamp,
}

// === impl Scene ===

impl<'a> Scene<'a> {
    /// What `asked` is given in.
    #[must_use]
    pub(super) fn of(asked: &'a ModelRequest<'a>, shared: &'a Shared) -> Self {
        Self {
            settings: asked.settings,
            control: &shared.control,
            api: asked.route.api,
            agent_id: asked.agent_id(),
            agent: asked.agent(),
            session: asked.session.as_ref(),
            asked_for: &asked.name,
            now: shared.clock.now(),
        }
    }

    /// The catalogue.
    #[must_use]
    pub(super) fn catalogue(&self) -> &'a Catalogue {
        &self.settings.catalogue
    }

    /// The agent's default model.
    #[must_use]
    pub(super) fn default_model(&self) -> Option<Target> {
        self.catalogue().default_of(self.api, self.agent_id)
    }

    /// The model that was chosen for the session.
    #[must_use]
    pub(super) fn chosen_model(&self) -> Option<&Target> {
        self.session.and_then(Session::model)
    }

    /// The model that serves the session's next request, if it is like this one.
    #[must_use]
    pub(super) fn current(&self) -> Option<Target> {
        if !Catalogue::leaves_the_choice(self.asked_for) {
            return self
                .catalogue()
                .resolve(self.api, self.agent, self.asked_for)
                .ok();
        }
        self.chosen_model().cloned().or_else(|| self.default_model())
    }

    /// What to know where the request names a model of its own.
    #[must_use]
    pub(super) fn note(&self) -> Option<String> {
        (!Catalogue::leaves_the_choice(self.asked_for)).then(|| {
            format!(
                "Note: this program asks for `{}` by name, and that stands. A model chosen here serves requests for \
                 `coderclaw`, `coderclaw:<agent>` or `auto`; a pinned credential serves whatever goes to its provider.",
                self.asked_for
            )
        })
    }
}
