//! What is known of the gateway, its models, its providers and their credentials. `/status`, `coderclaw status` and
//! `coderclaw models status` all tell this one [`Report`].
//!
//! Names of fields that the older tools have too are theirs, so that scripts go on working; where those showed a
//! piece of a secret, this shows its fingerprint.

mod agents;
mod auth;
mod check;
mod credential;
mod expiry;
mod falling_back;
mod gateway;
mod probes;
mod provider;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use coderclaw_actors::domain::credential::{AgentId, ProviderId};
use coderclaw_actors::{LeaseBook, PoolSnapshot, SavedState, SharedClock, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{Settings, Warning};
use crate::credentials::store::agent_dir;
use crate::gateway::server::specs;
use crate::gateway::worker::Shared;

pub use agents::{AgentPoolReport, AgentReport, AgentReports};
pub use auth::{AuthReport, ShellEnvironment, Unusable, UnusableKind};
pub use check::Check;
pub use credential::{CredentialReport, ModelReport};
pub use expiry::{Expiries, Expiry, ProviderExpiry};
pub use falling_back::FallingBack;
pub use gateway::GatewayReport;
pub use probes::{ProbeOptions, ProbeResult, ProbeSource, ProbeStatus, Probes};
pub use provider::{Effective, EffectiveKind, FoundKey, ProfileCounts, ProviderReport, UnusableReport};

/// Everything there is to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Who tells it.
    pub source: Source,
    /// The gateway's process.
    pub gateway: GatewayReport,
    /// The state folder.
    pub state_dir: PathBuf,
    /// The config file.
    pub config_path: PathBuf,
    /// Whether there is such a file; without one everything has its default.
    pub config_exists: bool,
    /// The agent whose pools and models these are: the default one, unless another was asked for.
    pub agent_id: String,
    /// Its folder.
    pub agent_dir: PathBuf,
    /// The default agent.
    pub default_agent_id: String,
    /// Every agent.
    pub agents: AgentReports,
    /// The agent's default model, as it is configured.
    pub default_model: Option<String>,
    /// The default model as `provider/model`; `None` if none is configured, or its provider is unknown.
    pub resolved_default: Option<String>,
    /// The fallbacks of the default model.
    pub fallbacks: Vec<String>,
    /// The models that others stand in for now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub falling_back: Vec<FallingBack>,
    /// The default model for images.
    pub image_model: Option<String>,
    /// The fallbacks of the default model for images.
    pub image_fallbacks: Vec<String>,
    /// Aliases and what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// The only models that are served; empty if all are.
    pub allowed: Vec<String>,
    /// Providers and credentials.
    pub auth: AuthReport,
    /// What is kept and ignored, or could not be used.
    pub warnings: Vec<WarningReport>,
}

/// Who tells a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A gateway that runs.
    Gateway,
    /// No gateway: the environment, the config and what the last gateway left.
    Environment,
}

/// Something that is kept and ignored, or could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarningReport {
    /// `file:line:column`, for one about the config file.
    pub place: Option<String>,
    /// What it is about: the path of a key, or `env: NAME`.
    pub subject: String,
    /// What is the matter, and what to do.
    pub message: String,
}

impl Report {
    /// The report of a running gateway on `agent`, or the default one.
    #[must_use]
    pub fn of_gateway(shared: &Shared, agent: Option<&AgentId>) -> Self {
        let now = shared.clock.now();
        let live = shared.live();
        let pools = shared.control.providers();
        let pools = pools.iter().map(|provider| provider.snapshot_of(agent));
        let outlook = |agent: &AgentId, provider: &ProviderId| {
            let provider = shared.control.provider(provider.as_str())?;
            Some(provider.outlook(Some(agent)))
        };
        let agents = AgentReports::of(&live.settings, outlook);
        let gateway = GatewayReport::of(shared, now);
        let watched = shared.stand_ins.all().into_iter();
        Self {
            falling_back: watched.map(|one| FallingBack::of(one, now)).collect(),
            ..Self::build(&live.settings, agent, (pools.collect(), agents), gateway, now)
        }
    }

    /// The report on `agent`, or the default one, where no gateway runs: what one would begin with that found `saved`
    /// in the state folder.
    #[must_use]
    pub fn of_settings(
        settings: &Settings,
        agent: Option<&AgentId>,
        saved: &SavedState,
        clock: &SharedClock,
    ) -> Self {
        let books = specs(settings).into_iter().map(|spec| {
            let saved = saved.0.get(&spec.id);
            let clock = SharedClock::clone(clock);
            LeaseBook::new(spec.id, spec.members, spec.strategy, spec.cooldowns, clock, saved)
        });
        let books: Vec<LeaseBook> = books.collect();
        let pools = books.iter().map(|book| book.snapshot_of(agent));
        let outlook = |agent: &AgentId, provider: &ProviderId| {
            let book = books.iter().find(|book| book.provider() == provider)?;
            Some(book.outlook(Some(agent)))
        };
        let agents = AgentReports::of(settings, outlook);
        let gateway = GatewayReport::none();
        Self::build(settings, agent, (pools.collect(), agents), gateway, clock.now())
    }

    fn build(
        settings: &Settings,
        agent: Option<&AgentId>,
        (pools, agents): (Vec<PoolSnapshot>, AgentReports),
        gateway: GatewayReport,
        now: Timestamp,
    ) -> Self {
        let catalogue = &settings.catalogue;
        let agent_id = settings.agent_id(agent).to_owned();
        let agent_dir = agent_dir(&settings.state_dir, &agent_id);
        let default = catalogue.default_model(agent);
        let fallbacks = catalogue.default_fallbacks(agent);
        let in_use = default
            .iter()
            .chain(&fallbacks)
            .map(|target| target.provider.clone())
            .collect::<Vec<_>>();
        let own = |(alias, model): (&str, &str)| (alias.to_owned(), model.to_owned());
        Self {
            source: if gateway.running {
                Source::Gateway
            } else {
                Source::Environment
            },
            gateway,
            state_dir: settings.state_dir.clone(),
            config_path: settings.config_path.clone(),
            config_exists: settings.config_exists,
            agent_id,
            default_agent_id: settings.default_agent.clone(),
            agents,
            default_model: catalogue.default_name(agent).map(str::to_owned),
            resolved_default: default.as_ref().map(ToString::to_string),
            fallbacks: fallbacks.iter().map(ToString::to_string).collect(),
            falling_back: Vec::new(),
            image_model: None,
            image_fallbacks: Vec::new(),
            aliases: catalogue.aliases().map(own).collect(),
            allowed: catalogue.allowed(),
            auth: AuthReport::of(settings, (agent, &agent_dir), pools, &in_use, now),
            agent_dir,
            warnings: settings.warnings.iter().map(WarningReport::of).collect(),
        }
    }
}

impl Report {
    /// The config file as people read it.
    #[must_use]
    pub fn config(&self) -> String {
        let path = self.config_path.display();
        if self.config_exists {
            path.to_string()
        } else {
            format!("{path} (there is none: everything has its default)")
        }
    }
}

impl WarningReport {
    fn of(warning: &Warning) -> Self {
        Self {
            place: warning.place.as_ref().map(ToString::to_string),
            subject: warning.subject.clone(),
            message: warning.message.clone(),
        }
    }
}

/// Milliseconds from `now` until an instant in Unix milliseconds; 0 once it has passed.
fn remaining_ms(until_ms: Option<u64>, now: Timestamp) -> Option<u64> {
    until_ms.map(|until| until.saturating_sub(now.as_unix_ms()))
}
