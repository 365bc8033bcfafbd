//! What is known of the gateway, its models, its providers and their credentials. `/status`, `coderclaw status` and
//! `coderclaw models status` all tell this one [`Report`].
//!
//! Names of fields that the older tools have too are theirs, so that scripts go on working; where those showed a
//! piece of a secret, this shows its fingerprint.

mod auth;
mod check;
mod credential;
mod expiry;
mod gateway;
mod probes;
mod provider;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use coderclaw_actors::{LeaseBook, PoolSnapshot, SavedState, SharedClock, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{Settings, Warning};
use crate::gateway::server::specs;
use crate::gateway::worker::Shared;

pub use auth::{AuthReport, ShellEnvironment, Unusable, UnusableKind};
pub use check::Check;
pub use credential::{CredentialReport, ModelReport};
pub use expiry::{Expiries, Expiry, ProviderExpiry};
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
    /// The default agent.
    pub agent_id: String,
    /// The folder of the default agent.
    pub agent_dir: PathBuf,
    /// The default model, as it is configured.
    pub default_model: Option<String>,
    /// The default model as `provider/model`; `None` if none is configured, or its provider is unknown.
    pub resolved_default: Option<String>,
    /// The fallbacks of the default model.
    pub fallbacks: Vec<String>,
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
    /// The report of a running gateway.
    #[must_use]
    pub fn of_gateway(shared: &Shared) -> Self {
        let now = shared.clock.now();
        let providers = shared.control.providers();
        let pools = providers.iter().map(coderclaw_actors::ProviderHandle::snapshot);
        Self::build(
            &shared.live().settings,
            pools.collect(),
            GatewayReport::of(shared, now),
            now,
        )
    }

    /// The report where no gateway runs: what one would begin with that found `saved` in the state folder.
    #[must_use]
    pub fn of_settings(settings: &Settings, saved: &SavedState, clock: &SharedClock) -> Self {
        let pools = specs(settings).into_iter().map(|spec| {
            let saved = saved.0.get(&spec.id);
            let clock = SharedClock::clone(clock);
            LeaseBook::new(
                spec.id,
                spec.profiles,
                spec.strategy,
                spec.cooldowns,
                clock,
                saved,
            )
            .snapshot()
        });
        Self::build(settings, pools.collect(), GatewayReport::none(), clock.now())
    }

    fn build(settings: &Settings, pools: Vec<PoolSnapshot>, gateway: GatewayReport, now: Timestamp) -> Self {
        let catalogue = &settings.catalogue;
        let agent_dir = settings
            .state_dir
            .join("agents")
            .join(&settings.default_agent)
            .join("agent");
        let default = catalogue.default_model();
        let fallbacks = catalogue.default_fallbacks();
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
            agent_id: settings.default_agent.clone(),
            default_model: catalogue.default_name().map(str::to_owned),
            resolved_default: default.as_ref().map(ToString::to_string),
            fallbacks: fallbacks.iter().map(ToString::to_string).collect(),
            image_model: None,
            image_fallbacks: Vec::new(),
            aliases: catalogue.aliases().map(own).collect(),
            allowed: catalogue.allowed(),
            auth: AuthReport::of(settings, &agent_dir, pools, &in_use, now),
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
