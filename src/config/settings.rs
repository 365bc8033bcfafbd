//! What the program runs with: the config, the environment and the defaults as one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use coderclaw_actors::{CooldownPolicy, RotationPolicy, Strategy};

use super::agents::{self, Agents};
use super::auth::{self, Auth, ProfileFacts};
use super::catalogue::Catalogue;
use super::document::{Field, Places, Reader, Section, parse};
use super::gateway::{self, GatewaySettings};
use super::load;
use super::place::{ConfigError, Problem, Problems, Warning};
use super::providers::{self, Configured, Provider};
use crate::credentials::environment::{Environment, Layer, PlacesLooked, Variables, discover, places_looked};
use crate::credentials::pool::{self, Pool, PoolSources};
use crate::nearest::did_you_mean;

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
    /// What the config knows about auth profiles.
    pub facts: BTreeMap<ProfileId, ProfileFacts>,
    /// The id of the default agent.
    pub default_agent: String,
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
    vars: Vec<(String, Secret)>,
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
        let mut settings = Self::assemble(text.as_deref(), variables, state_dir, config_path)?;
        warnings.append(&mut settings.warnings);
        settings.warnings = warnings;
        Ok(settings)
    }

    /// Builds the settings from the text of a config, if there is one, without reading or writing a file.
    ///
    /// `config_path` is what messages call the text.
    ///
    /// # Errors
    /// If values are refused; all of them are told.
    pub fn assemble(
        text: Option<&str>,
        mut variables: Variables,
        state_dir: PathBuf,
        config_path: PathBuf,
    ) -> Result<Self, ConfigError> {
        let mut checked = check(text.unwrap_or_default(), &config_path).map_err(ConfigError::Refused)?;
        let mut warnings = std::mem::take(&mut checked.warnings);
        let vars = checked.vars.iter();
        variables.fill(
            Layer::ConfigVars,
            vars.map(|(name, value)| (name.as_str(), value.expose())),
        );
        let mut settings = build(checked, &variables, state_dir, config_path)?;
        settings.config_exists = text.is_some();
        warnings.append(&mut settings.warnings);
        settings.warnings = warnings;
        Ok(settings)
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
        checked.gateway = gateway::read(&mut root, &mut reader);
        checked.providers = providers::read(&mut root, &mut reader);
        checked.agents = agents::read(&mut root, &mut reader);
        checked.auth = auth::read(&mut root, &mut reader);
        checked.vars = env_vars(&mut root, &mut reader);
        root.ignore(&["$schema"]);
        root.finish(&mut reader);
    }
    checked.warnings = reader.finish()?;
    Ok(checked)
}

/// `env.vars`, after the variables that stand in `env` itself, as the older tools allow; blank values are absent.
fn env_vars(root: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<(String, Secret)> {
    let mut read = Vec::new();
    let Some(mut env) = root.section("env", reader) else {
        return read;
    };
    let is_variable = |name: &str| {
        let mut bytes = name.bytes();
        bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let inline: Vec<(&str, Field<'_>)> = env
        .entries()
        .filter(|(name, _)| is_variable(name))
        .map(|(name, field)| (name, field.clone()))
        .collect();
    for (name, field) in inline {
        env.accept(name);
        read.extend(env_var(name, &field, reader));
    }
    if let Some(vars) = env.section("vars", reader) {
        for (name, field) in vars.entries() {
            read.extend(env_var(name, field, reader));
        }
    }
    env.not_in_effect(&["shellEnv"], reader);
    env.finish(reader);
    read
}

fn env_var(name: &str, field: &Field<'_>, reader: &mut Reader<'_>) -> Option<(String, Secret)> {
    if name.is_empty() || name.contains(['=', '\0']) {
        reader.refuse(field, "expected the name of an environment variable");
        return None;
    }
    let Some(text) = field.value.as_string_lit() else {
        reader.expected_unseen(field, "a value as text");
        return None;
    };
    let value = text.value.as_ref();
    (!value.trim().is_empty()).then(|| (name.to_owned(), Secret::new(value.to_owned())))
}

/// Checked values and the environment to settings.
fn build(
    checked: Checked,
    variables: &Variables,
    state_dir: PathBuf,
    config_path: PathBuf,
) -> Result<Settings, ConfigError> {
    let mut configured = checked.providers;
    configured.sort_by(|a, b| a.provider.id.cmp(&b.provider.id));
    let (catalogue, mut warnings) = Catalogue::build(&configured, &checked.agents);
    let mut gateway = checked.gateway;
    apply_environment(&mut gateway, variables, &mut warnings)?;
    let rotation = RotationPolicy {
        attempts_max: checked.auth.attempts_max.unwrap_or(gateway.limits.attempts),
        ..checked.auth.rotation.clone()
    };
    warnings.extend(unknown_orders(&checked.auth, &configured));
    let pools = build_pools(&configured, &checked.auth, variables);
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
        facts: checked.auth.profiles,
        warnings,
    })
}

fn build_pools(configured: &[Configured], auth: &Auth, variables: &Variables) -> Vec<Pool> {
    configured
        .iter()
        .map(|Configured { provider, api_key }| {
            pool::build(PoolSources {
                provider: &provider.id,
                stored: Vec::new(),
                environment: discover(provider.id.as_str(), variables),
                config_key: api_key.clone(),
                order: auth.order.get(&provider.id).map(Vec::as_slice),
                limits: provider.limits,
                facts: &auth.profiles,
            })
        })
        .collect()
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
    const TOKEN: &str = "CODERCLAW_GATEWAY_TOKEN";

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
