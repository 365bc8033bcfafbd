//! What every subcommand works on: an agent, its store, and the config.

use std::collections::BTreeSet;
use std::path::PathBuf;

use coderclaw_actors::Clock as _;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use super::AuthOptions;
use super::name;
use crate::cli::exit::Failure;
use crate::cli::inquiry::find_agent;
use crate::cli::options::GlobalOptions;
use crate::config::{Provider, Settings, normalise_provider_id};
use crate::credentials::environment::Environment;
use crate::credentials::pool::Pool;
use crate::credentials::store::{AgentProfiles, StoreFile, agent_dir};

/// An agent and everything around it.
pub(super) struct Scope {
    pub(super) settings: Settings,
    /// The agent.
    pub(super) agent: String,
    /// Its store.
    pub(super) store: StoreFile,
    /// Whether what is printed is for programs.
    pub(super) json: bool,
    /// The environment of this command.
    pub(super) environment: Box<dyn Environment>,
}

impl Scope {
    /// Reads the config and finds the agent; writes nothing.
    pub(super) fn open(options: &GlobalOptions, auth: &AuthOptions) -> Result<Self, Failure> {
        let environment = options.environment()?;
        let settings = Settings::load(&environment)?;
        let agent = match &auth.agent {
            None => settings.default_agent.clone(),
            Some(typed) => find_agent(&settings, typed)?.as_str().to_owned(),
        };
        Ok(Self {
            store: StoreFile::of_agent(&settings.state_dir, &agent),
            agent,
            settings,
            json: auth.json,
            environment: Box::new(environment),
        })
    }

    /// The agent's pool of a provider.
    pub(super) fn pool(&self, provider: &ProviderId) -> Option<&Pool> {
        let agent = self.settings.other_agent(&self.agent);
        self.settings.pool_of(agent.as_ref(), provider.as_str())
    }

    /// The agent's folder.
    pub(super) fn agent_dir(&self) -> PathBuf {
        agent_dir(&self.settings.state_dir, &self.agent)
    }

    /// The profiles that the agent has, its own and those of `main`.
    pub(super) fn profiles(&self) -> Result<AgentProfiles, Failure> {
        Ok(AgentProfiles::read(&self.settings.state_dir, &self.agent)?)
    }

    /// A provider to which a credential can be added.
    pub(super) fn provider(&self, typed: &str) -> Result<&Provider, Failure> {
        let id = normalise_provider_id(typed);
        self.settings.provider(&id).ok_or_else(|| {
            let known = self
                .settings
                .providers
                .iter()
                .map(|provider| provider.id.as_str());
            Failure::new(
                name::unknown("provider", typed, known),
                format!(
                    "give a built-in provider, or one that `models.providers` of {} describes",
                    self.settings.config_path.display()
                ),
            )
        })
    }

    /// A provider that is known, or of which the agent has a profile.
    pub(super) fn any_provider(&self, typed: &str) -> Result<ProviderId, Failure> {
        let id = ProviderId::new(&normalise_provider_id(typed));
        let profiles = self.profiles()?.profiles().into_iter();
        let mut known: BTreeSet<ProviderId> = profiles.map(|profile| profile.provider).collect();
        known.extend(self.settings.providers.iter().map(|provider| provider.id.clone()));
        if known.contains(&id) {
            return Ok(id);
        }
        Err(Failure::new(
            name::unknown("provider", typed, known.iter().map(ProviderId::as_str)),
            "`coderclaw models auth list` shows the profiles that there are",
        ))
    }

    /// The ids of what the environment and the config hold for a provider, as far as it is in use.
    pub(super) fn ambient(&self, provider: &ProviderId) -> impl Iterator<Item = &ProfileId> {
        let members = self.pool(provider).into_iter().flat_map(|pool| &pool.members);
        members.map(|member| &member.id).filter(|id| is_ambient(id))
    }

    /// The key of `CODERCLAW_LIVE_<P>_KEY`, beside which no other credential of the provider counts.
    pub(super) fn live(&self, provider: &ProviderId) -> Option<&ProfileId> {
        let mut ambient = self.ambient(provider);
        ambient.find(|id| id.as_str().contains(":env:CODERCLAW_LIVE_"))
    }

    /// Now, in Unix milliseconds.
    pub(super) fn now_ms() -> u64 {
        coderclaw_actors::SystemClock::start().now().as_unix_ms()
    }
}

/// Whether a credential is not stored, but stands in the environment or the config.
pub(super) fn is_ambient(id: &ProfileId) -> bool {
    let name = id.as_str().split_once(':').map_or("", |(_, name)| name);
    name.starts_with("env:") || name == "config"
}
