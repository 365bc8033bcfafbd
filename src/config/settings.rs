//! What the program runs with: the config, the environment and the defaults as one.

mod agent_pools;
mod build;
mod pool_builder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{AgentId, AuthProfile, ProfileId, ProviderId};
use coderclaw_actors::{CooldownPolicy, RotationPolicy, SavedState, Strategy};

use super::agents::{self, Agents};
use super::auth::{self, Auth, ProfileFacts};
use super::catalogue::Catalogue;
use super::document::{Field, Places, Reader, parse};
use super::env::{self, Env};
use super::gateway::{self, GatewaySettings};
use super::key::KeyInConfig;
use super::load;
use super::place::{ConfigError, Problems, Warning};
use super::providers::{self, Configured, Provider};
use super::secrets::{self, SecretProviders};
use crate::credentials::environment::{
    Environment, Layer, PlacesLooked, ShellVariables, Variables, dotenv_path, places_looked,
};
use crate::credentials::pool::Pool;
use crate::credentials::reference::Resolver;
use crate::credentials::store::{StoreError, StoreFile};
use crate::credentials::stored::{LoginId, StoredCredentials};
pub use agent_pools::AgentPools;
pub(crate) use build::token_in;
use build::{build, credential_names};

/// Everything that is decided before the gateway starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The state folder; it need not exist.
    pub state_dir: PathBuf,
    /// The config file.
    pub config_path: PathBuf,
    /// Whether there is such a file; without one everything has its default.
    pub config_exists: bool,
    /// The gateway's own settings.
    pub gateway: GatewaySettings,
    /// Every provider, by id.
    pub providers: Vec<Provider>,
    /// The default agent's pool of every provider, in the order of `providers`; one without credentials is empty.
    pub pools: Vec<Pool>,
    /// The pools of other agents, as far as they differ.
    pub others: Vec<AgentPools>,
    /// What names mean.
    pub catalogue: Catalogue,
    /// When another credential is tried.
    pub rotation: RotationPolicy,
    /// How the next credential is chosen.
    pub strategy: Strategy,
    /// How long credentials rest.
    pub cooldowns: CooldownPolicy,
    /// What resolves references to secrets.
    pub resolver: Arc<Resolver>,
    /// What the login shell gave.
    pub shell_env: ShellVariables,
    /// What the config knows about auth profiles.
    pub facts: BTreeMap<ProfileId, ProfileFacts>,
    /// The id of the default agent.
    pub default_agent: String,
    /// The ids of all agents: those of the config, and `main`.
    pub agents: Vec<String>,
    /// `auth.order`: exactly the members of a provider's pool, unless the agent has an order of its own.
    pub orders: BTreeMap<ProviderId, Vec<ProfileId>>,
    /// What they were read from; files that are not there count too.
    pub files: Vec<PathBuf>,
    /// The profiles that renew themselves.
    pub renewable: BTreeSet<LoginId>,
    /// What older tools noted in the stores of credentials that rest.
    pub remembered: SavedState,
    /// What is kept and ignored, or could not be used. Those of the pools are here too.
    pub warnings: Vec<Warning>,
}

/// The config file, checked.
#[derive(Debug, Default)]
pub(super) struct Checked {
    gateway: GatewaySettings,
    providers: Vec<Configured>,
    agents: Agents,
    auth: Auth,
    env: Env,
    secrets: SecretProviders,
    /// `gateway.auth.token`.
    token: Option<KeyInConfig>,
    warnings: Vec<Warning>,
}

impl Settings {
    /// Reads the state folder's `.env` and the config file, and builds the settings.
    ///
    /// `process` is the process's environment: nothing else of it is read. Nothing is written.
    ///
    /// # Errors
    /// If there is no state folder, the file can't be read, or values are refused; all of them are told.
    pub fn load(process: &dyn Environment) -> Result<Self, ConfigError> {
        let state_dir = load::state_dir(process)?;
        let mut variables = Variables::of(process);
        let mut warnings = variables.fill_from_dotenv(&state_dir);
        let config_path = load::config_path(&variables, &state_dir);
        let text = load::read_file(&config_path)?;
        // A mistyped path would else silently bring every default.
        if text.is_none() && config_path != state_dir.join(load::CONFIG_FILE) {
            let message = "there is no such file: everything has its default";
            warnings.push(Warning::about(config_path.display().to_string(), message));
        }
        let files = [config_path.clone(), dotenv_path(&state_dir)];
        let stored = |agents: &[String]| StoredCredentials::read(&state_dir, agents);
        let mut settings = assemble(text.as_deref(), variables, state_dir.clone(), config_path, stored)?;
        warnings.append(&mut settings.warnings);
        settings.warnings = warnings;
        settings.files.extend(files);
        Ok(settings)
    }

    /// Builds the settings from the text of a config, if there is one, and the environment, without a store. Files are
    /// read only where the config asks for it: references are resolved, and the login shell is asked.
    ///
    /// `config_path` is what messages call the text.
    ///
    /// # Errors
    /// If values are refused; all of them are told.
    pub fn assemble(
        text: Option<&str>,
        variables: Variables,
        state_dir: PathBuf,
        config_path: PathBuf,
    ) -> Result<Self, ConfigError> {
        let none = |_: &[String]| Ok(StoredCredentials::default());
        assemble(text, variables, state_dir, config_path, none)
    }

    /// Keeps the order of pools whose members stay: what was used since they were ranked is no reason to change it.
    pub(crate) fn keep_ranks(&mut self, before: &Self) {
        let keep = |pool: &mut Pool, earlier: Option<&Pool>| {
            let earlier = earlier.filter(|earlier| !pool.is_ordered && !earlier.is_ordered);
            if let Some(earlier) = earlier {
                pool.keep_rank(earlier);
            }
        };
        for pool in &mut self.pools {
            keep(pool, before.pool(pool.provider.as_str()));
        }
        for AgentPools { agents, pools } in &mut self.others {
            let first = agents.first();
            for pool in pools {
                keep(pool, before.pool_of(first, pool.provider.as_str()));
            }
        }
    }

    /// A provider by its id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id.as_str() == id)
    }

    /// The default agent's pool of a provider.
    #[must_use]
    pub fn pool(&self, id: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.provider.as_str() == id)
    }

    /// The pool of `agent`, or of the default one.
    #[must_use]
    pub fn pool_of(&self, agent: Option<&AgentId>, provider: &str) -> Option<&Pool> {
        let own = agent.and_then(|agent| {
            let mut others = self.others.iter();
            others
                .find(|others| others.agents.contains(agent))?
                .pool(provider)
        });
        own.or_else(|| self.pool(provider))
    }

    /// The members of every agent's pools, with their providers; one that several agents have comes more than once.
    pub fn members(&self) -> impl Iterator<Item = (&ProviderId, &AuthProfile)> {
        let others = self.others.iter().flat_map(|others| &others.pools);
        let pools = self.pools.iter().chain(others);
        pools.flat_map(|pool| pool.members.iter().map(|member| (&pool.provider, member)))
    }

    /// The agent of that id as a request has it: `None` for the default one.
    #[must_use]
    pub fn other_agent(&self, id: &str) -> Option<AgentId> {
        (id != self.default_agent).then(|| AgentId::new(id))
    }

    /// The id of `agent`, or of the default one.
    #[must_use]
    pub fn agent_id<'a>(&'a self, agent: Option<&'a AgentId>) -> &'a str {
        agent.map_or(&self.default_agent, AgentId::as_str)
    }

    /// Whether a credential of a store renews itself.
    #[must_use]
    pub fn renews(&self, owner: Option<&AgentId>, profile: &ProfileId) -> bool {
        self.renewable.contains(&LoginId {
            owner: owner.cloned(),
            profile: profile.clone(),
        })
    }

    /// Where credentials of a provider were looked for, for `agent` or the default one, and how to add one.
    #[must_use]
    pub fn places_looked(&self, agent: Option<&AgentId>, provider: &str) -> PlacesLooked {
        let store = StoreFile::of_agent(&self.state_dir, self.agent_id(agent));
        let store = (store.path(), agent.map(AgentId::as_str));
        places_looked(provider, &self.state_dir, &self.config_path, store)
    }
}

/// Builds the settings; `stored` reads the stores of the agents.
fn assemble(
    text: Option<&str>,
    mut variables: Variables,
    state_dir: PathBuf,
    config_path: PathBuf,
    stored: impl FnOnce(&[String]) -> Result<StoredCredentials, StoreError>,
) -> Result<Settings, ConfigError> {
    let mut checked = check(text.unwrap_or_default(), &config_path).map_err(ConfigError::Refused)?;
    let mut warnings = std::mem::take(&mut checked.warnings);
    let vars = checked.env.vars.iter();
    variables.fill(
        Layer::ConfigVars,
        vars.map(|(name, value)| (name.as_str(), value.expose())),
    );
    let stored = stored(&checked.agents.ids())?;
    let names = credential_names(&checked, &stored.variables());
    let (shell, warning) = checked.env.shell.over(&variables);
    warnings.extend(warning);
    let (shell_env, warning) = variables.fill_from_shell(shell, &names);
    warnings.extend(warning);
    warnings.extend(variables.shadow_warnings(&names));
    let mut settings = build(checked, &variables, &stored, state_dir, config_path)?;
    settings.shell_env = shell_env;
    settings.config_exists = text.is_some();
    warnings.append(&mut settings.warnings);
    settings.warnings = warnings;
    Ok(settings)
}

/// What the names of models mean by a text alone, without the environment.
pub(super) fn catalogue(text: &str, path: &Path) -> Result<Catalogue, Problems> {
    let mut checked = check(text, path)?;
    checked
        .providers
        .sort_by(|a, b| a.provider.id.cmp(&b.provider.id));
    let (catalogue, _warnings) = Catalogue::build(&checked.providers, &checked.agents)?;
    Ok(catalogue)
}

/// Text to checked values.
pub(super) fn check(text: &str, path: &Path) -> Result<Checked, Problems> {
    let places = Places::new(text, path);
    let Some(value) = parse(&places)? else {
        return Ok(Checked {
            providers: providers::builtins(),
            ..Checked::default()
        });
    };
    let mut reader = Reader::new(places);
    let mut checked = Checked::default();
    if let Some(mut root) = reader.section(&Field::root(&value)) {
        (checked.gateway, checked.token) = gateway::read(&mut root, &mut reader);
        checked.providers = providers::read(&mut root, &mut reader);
        checked.agents = agents::read(&mut root, &mut reader);
        checked.auth = auth::read(&mut root, &mut reader);
        checked.env = env::read(&mut root, &mut reader);
        checked.secrets = secrets::read(&mut root, &mut reader);
        root.ignore(&["$schema"]);
        root.finish(&mut reader);
    }
    checked.warnings = reader.finish()?;
    Ok(checked)
}
