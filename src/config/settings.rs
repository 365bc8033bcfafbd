//! What the program runs with: the config, the environment and the defaults as one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use coderclaw_actors::{CooldownPolicy, RotationPolicy, SavedState, Strategy};

use super::agents::{self, Agents};
use super::auth::{self, Auth, ProfileFacts};
use super::catalogue::Catalogue;
use super::document::{Field, Places, Reader, parse};
use super::env::{self, Env};
use super::gateway::{self, GatewaySettings};
use super::key::KeyInConfig;
use super::load;
use super::place::{ConfigError, Problem, Problems, Warning};
use super::providers::{self, Configured, Provider};
use super::secrets::{self, SecretProviders};
use crate::credentials::environment::{
    CredentialNames, Environment, Layer, PlacesLooked, ShellVariables, Variables, discover, dotenv_path,
    places_looked,
};
use crate::credentials::pool::{self, Order, Pool, PoolSources};
use crate::credentials::reference::Resolver;
use crate::credentials::store::StoreError;
use crate::credentials::stored::StoredCredentials;
use crate::nearest::did_you_mean;

/// The variable that holds the gateway's token.
const TOKEN: &str = "CODERCLAW_GATEWAY_TOKEN";

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
    /// The pool of every provider, in the order of `providers`; one without credentials is empty.
    pub pools: Vec<Pool>,
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
    /// What they were read from; files that are not there count too.
    pub files: Vec<PathBuf>,
    /// The profiles that renew themselves.
    pub renewable: BTreeSet<ProfileId>,
    /// What older tools noted in the stores of credentials that rest.
    pub remembered: SavedState,
    /// What is kept and ignored, or could not be used. Those of the pools are here too.
    pub warnings: Vec<Warning>,
}

/// The config file, checked.
#[derive(Debug, Default)]
struct Checked {
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
        let files = [config_path.clone(), dotenv_path(&state_dir)];
        let stored = |agent: &str| StoredCredentials::read(&state_dir, agent);
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
        let none = |_: &str| Ok(StoredCredentials::default());
        assemble(text, variables, state_dir, config_path, none)
    }

    /// Keeps the order of pools whose members stay: what was used since they were ranked is no reason to change it.
    pub(crate) fn keep_ranks(&mut self, before: &Self) {
        for pool in self.pools.iter_mut().filter(|pool| !pool.is_ordered) {
            let earlier = before.pool(pool.provider.as_str());
            if let Some(earlier) = earlier.filter(|earlier| !earlier.is_ordered) {
                pool.keep_rank(earlier);
            }
        }
    }

    /// A provider by its id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id.as_str() == id)
    }

    /// A provider's pool.
    #[must_use]
    pub fn pool(&self, id: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.provider.as_str() == id)
    }

    /// Where credentials of a provider were looked for, and how to add one.
    #[must_use]
    pub fn places_looked(&self, provider: &str) -> PlacesLooked {
        places_looked(provider, &self.state_dir, &self.config_path)
    }
}

/// Builds the settings; `stored` reads the stores of an agent.
fn assemble(
    text: Option<&str>,
    mut variables: Variables,
    state_dir: PathBuf,
    config_path: PathBuf,
    stored: impl FnOnce(&str) -> Result<StoredCredentials, StoreError>,
) -> Result<Settings, ConfigError> {
    let mut checked = check(text.unwrap_or_default(), &config_path).map_err(ConfigError::Refused)?;
    let mut warnings = std::mem::take(&mut checked.warnings);
    let vars = checked.env.vars.iter();
    variables.fill(
        Layer::ConfigVars,
        vars.map(|(name, value)| (name.as_str(), value.expose())),
    );
    let stored = stored(checked.agents.default_agent())?;
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

/// Text to checked values.
fn check(text: &str, path: &Path) -> Result<Checked, Problems> {
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

/// Checked values and the environment to settings.
fn build(
    checked: Checked,
    variables: &Variables,
    stored: &StoredCredentials,
    state_dir: PathBuf,
    config_path: PathBuf,
) -> Result<Settings, ConfigError> {
    let mut configured = checked.providers;
    configured.sort_by(|a, b| a.provider.id.cmp(&b.provider.id));
    let (catalogue, mut warnings) = Catalogue::build(&configured, &checked.agents);
    let resolver = Resolver::new(variables.clone(), checked.secrets);
    let mut gateway = checked.gateway;
    gateway.token = gateway_token(checked.token, variables, &resolver)?;
    apply_environment(&mut gateway, variables, &mut warnings)?;
    let rotation = RotationPolicy {
        attempts_max: checked.auth.attempts_max.unwrap_or(gateway.limits.attempts),
        ..checked.auth.rotation.clone()
    };
    warnings.extend(unknown_orders(&checked.auth, &configured));
    let known: Vec<&ProviderId> = configured.iter().map(|entry| &entry.provider.id).collect();
    warnings.extend(stored.warnings(&known));
    let pools = build_pools(&configured, &checked.auth, variables, &resolver, stored);
    warnings.extend(pools.iter().flat_map(|pool| pool.warnings.iter().cloned()));
    Ok(Settings {
        state_dir,
        config_path,
        config_exists: false,
        gateway,
        providers: configured.into_iter().map(|entry| entry.provider).collect(),
        pools,
        catalogue,
        rotation,
        strategy: checked.auth.strategy,
        cooldowns: checked.auth.cooldowns,
        default_agent: checked.agents.default_agent().to_owned(),
        shell_env: ShellVariables::default(),
        facts: checked.auth.profiles,
        files: stored.files().to_vec(),
        renewable: stored.renewable(),
        remembered: stored.remembered(&resolver),
        resolver: Arc::new(resolver),
        warnings,
    })
}

fn build_pools(
    configured: &[Configured],
    auth: &Auth,
    variables: &Variables,
    resolver: &Resolver,
    stored: &StoredCredentials,
) -> Vec<Pool> {
    let pool = |Configured { provider, api_key }: &Configured| {
        let environment = discover(provider.id.as_str(), variables);
        // A live key is the whole pool: no program need run for another.
        let key = api_key.as_ref().filter(|_| !environment.live);
        let (config_key, warning) = key.map_or((None, None), |key| config_key(key, resolver));
        let (usable, excluded) = stored.of_provider(&provider.id, resolver);
        let of_config = || {
            Some(Order {
                ids: auth.order.get(&provider.id)?.clone(),
                place: format!("auth.order.{}", provider.id),
            })
        };
        let mut pool = pool::build(PoolSources {
            provider: &provider.id,
            stored: usable,
            excluded,
            environment,
            config_key,
            order: stored.order(&provider.id).or_else(of_config),
            limits: provider.limits,
            facts: &auth.profiles,
        });
        pool.warnings.extend(warning);
        tell_reference(&mut pool, key);
        pool
    };
    configured.iter().map(pool).collect()
}

/// Adds to the source of the config's credential where the config found it.
fn tell_reference(pool: &mut Pool, key: Option<&KeyInConfig>) {
    let Some(KeyInConfig::Reference(placed)) = key else {
        return;
    };
    let id = pool::config_id(&pool.provider);
    for member in pool.members.iter_mut().filter(|member| member.id == id) {
        member.source = Arc::from(format!("{} ({})", member.source, placed.reference.describe()));
    }
}

/// The key that the config holds or refers to; a reference that fails is a warning.
fn config_key(key: &KeyInConfig, resolver: &Resolver) -> (Option<Secret>, Option<Warning>) {
    match key {
        KeyInConfig::Plain(secret) => (Some(secret.clone()), None),
        KeyInConfig::Reference(placed) => match resolver.resolve(&placed.reference) {
            Ok(secret) => (Some(secret), None),
            Err(error) => (None, Some(placed.warning(&error))),
        },
    }
}

/// The token that callers must show. One that can't be had is refused: without it everyone could call. Where the
/// environment brings one, that counts, and a reference is not followed.
fn gateway_token(
    token: Option<KeyInConfig>,
    variables: &Variables,
    resolver: &Resolver,
) -> Result<Option<Secret>, ConfigError> {
    match token {
        None => Ok(None),
        Some(KeyInConfig::Plain(secret)) => Ok(Some(secret)),
        Some(KeyInConfig::Reference(_)) if variables.find(TOKEN).is_some() => Ok(None),
        Some(KeyInConfig::Reference(placed)) => resolver
            .resolve(&placed.reference)
            .map(Some)
            .map_err(|error| ConfigError::Refused(Problems(vec![placed.problem(&error)]))),
    }
}

/// The variables that may hold a credential under this config, and those that the stores' references name.
fn credential_names(checked: &Checked, stored: &BTreeSet<String>) -> CredentialNames {
    let providers = checked.providers.iter().map(|entry| entry.provider.id.as_str());
    let keys = checked
        .providers
        .iter()
        .filter_map(|entry| entry.api_key.as_ref());
    let keys = keys.chain(&checked.token);
    let referenced = keys.filter_map(KeyInConfig::variable);
    CredentialNames::of(providers, referenced.chain(stored.iter().map(String::as_str)))
}

fn unknown_orders(auth: &Auth, configured: &[Configured]) -> Vec<Warning> {
    let known = || configured.iter().map(|entry| entry.provider.id.as_str());
    let is_unknown = |id: &&ProviderId| !known().any(|other| other == id.as_str());
    let unknown = auth.order.keys().filter(is_unknown);
    unknown
        .map(|id| {
            let hint = did_you_mean(id.as_str(), known());
            Warning::about(
                format!("auth.order.{id}"),
                format!("there is no provider `{id}`{hint}"),
            )
        })
        .collect()
}

/// `CODERCLAW_GATEWAY_PORT` and `CODERCLAW_GATEWAY_TOKEN` come before the file's values.
fn apply_environment(
    gateway: &mut GatewaySettings,
    variables: &Variables,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    const PORT: &str = "CODERCLAW_GATEWAY_PORT";

    let refused = |layer: Layer, name: &str, message: &str| {
        ConfigError::Refused(Problems(vec![Problem {
            place: None,
            key: layer.source(name).to_string(),
            message: message.to_owned(),
        }]))
    };
    if let Some((layer, text)) = variables.find(PORT) {
        let port = text.trim().parse().ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| refused(layer, PORT, "expected a port from 1 to 65535"))?;
        gateway.port = Some(port);
    }
    if let Some((layer, text)) = variables.find(TOKEN) {
        let value = crate::credentials::environment::clean(text);
        if !crate::credentials::environment::fits_a_header(&value) {
            let message = "the token has characters that no HTTP header can carry";
            return Err(refused(layer, TOKEN, message));
        }
        let token = Secret::new(value);
        if gateway.token.as_ref().is_some_and(|other| *other != token) {
            warnings.push(Warning::about(
                layer.source(TOKEN).as_ref(),
                "differs from gateway.auth.token of the config and is used instead of it",
            ));
        }
        gateway.token = Some(token);
    }
    Ok(())
}
