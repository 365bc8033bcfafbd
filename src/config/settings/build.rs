//! From checked values, the environment and the stores to settings.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use coderclaw_actors::RotationPolicy;
use coderclaw_actors::domain::credential::{ProviderId, Secret};

use super::super::auth::Auth;
use super::super::catalogue::Catalogue;
use super::super::gateway::GatewaySettings;
use super::super::key::KeyInConfig;
use super::super::place::{ConfigError, Problem, Problems, Warning};
use super::super::providers::Configured;
use super::pool_builder::PoolBuilder;
use super::{AgentPools, Checked, Settings};
use crate::credentials::environment::{CredentialNames, Environment as _, Layer, ShellVariables, Variables};
use crate::credentials::pool::Pool;
use crate::credentials::reference::Resolver;
use crate::credentials::stored::StoredCredentials;
use crate::nearest::did_you_mean;

/// The variable that holds the gateway's token.
const TOKEN: &str = "CODERCLAW_GATEWAY_TOKEN";

/// Checked values and the environment to settings.
pub(super) fn build(
    checked: Checked,
    variables: &Variables,
    stored: &StoredCredentials,
    state_dir: PathBuf,
    config_path: PathBuf,
) -> Result<Settings, ConfigError> {
    let mut configured = checked.providers;
    configured.sort_by(|a, b| a.provider.id.cmp(&b.provider.id));
    let built = Catalogue::build(&configured, &checked.agents);
    let (catalogue, mut warnings) = built.map_err(ConfigError::Refused)?;
    let resolver = Resolver::new(variables.clone(), checked.secrets);
    let mut gateway = checked.gateway;
    gateway.token = gateway_token(checked.token, variables, &resolver)?;
    apply_environment(&mut gateway, variables, &mut warnings)?;
    let rotation = RotationPolicy {
        attempts_max: checked.auth.attempts_max.unwrap_or(gateway.limits.attempts),
        ..checked.auth.rotation.clone()
    };
    warnings.extend(unknown_orders(&checked.auth, &configured));
    warnings.extend(give_client_secrets(&mut configured, &resolver));
    let known: Vec<&ProviderId> = configured.iter().map(|entry| &entry.provider.id).collect();
    warnings.extend(stored.warnings(&known));
    let members = stored.members(&resolver, |id| {
        let entry = configured.iter().find(|entry| entry.provider.id == *id);
        entry.and_then(|entry| entry.provider.oauth.as_ref())
    });
    let agents = checked.agents.ids();
    let default_agent = checked.agents.default_agent();
    let builder = PoolBuilder::new(
        &configured,
        &checked.auth,
        (variables, &resolver),
        (stored, &members),
    );
    let others = AgentPools::build(&builder, default_agent, &agents);
    let pools = builder.pools(default_agent);
    let others = AgentPools::beside(others, &pools);
    tell_once(&mut warnings, &pools, &others);
    let mut files = stored.files(variables.get("HOME"));
    files.extend(pools.iter().flat_map(|pool| pool.files.iter().cloned()));
    Ok(Settings {
        state_dir,
        config_path,
        config_exists: false,
        gateway,
        providers: configured.into_iter().map(|entry| entry.provider).collect(),
        pools,
        others,
        catalogue,
        rotation,
        strategy: checked.auth.strategy,
        cooldowns: checked.auth.cooldowns,
        default_agent: default_agent.to_owned(),
        agents,
        orders: checked.auth.order,
        shell_env: ShellVariables::default(),
        facts: checked.auth.profiles,
        files,
        renewable: stored.renewable(),
        remembered: stored.remembered(&members),
        resolver: Arc::new(resolver),
        warnings,
    })
}

/// Adds what is to be told of the pools: of what several agents have, once.
fn tell_once(warnings: &mut Vec<Warning>, pools: &[Pool], others: &[AgentPools]) {
    let of_others = others.iter().flat_map(|others| &others.pools);
    let told = pools.iter().chain(of_others).flat_map(|pool| &pool.warnings);
    let mut seen = HashSet::new();
    let first = told.filter(|warning| seen.insert((&warning.subject, &warning.message)));
    warnings.extend(first.cloned());
}

/// Gives the providers the client secrets of their OAuth logins; a reference that fails is a warning.
fn give_client_secrets(configured: &mut [Configured], resolver: &Resolver) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for Configured {
        provider,
        oauth_secret,
        ..
    } in configured
    {
        if let (Some(oauth), Some(secret)) = (&mut provider.oauth, oauth_secret) {
            let (secret, warning) = config_key(secret, resolver);
            oauth.client_secret = secret;
            warnings.extend(warning);
        }
    }
    warnings
}

/// The key that the config holds or refers to; a reference that fails is a warning.
pub(super) fn config_key(key: &KeyInConfig, resolver: &Resolver) -> (Option<Secret>, Option<Warning>) {
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

/// The gateway's token that the environment holds, if it can be one.
pub(crate) fn token_in(variables: &Variables) -> Option<Secret> {
    let (_, text) = variables.find(TOKEN)?;
    let token = crate::credentials::environment::clean(text);
    let fits = !token.is_empty() && crate::credentials::environment::fits_a_header(&token);
    fits.then(|| Secret::new(token))
}

/// The variables that may hold a credential under this config, and those that the stores' references name.
pub(super) fn credential_names(checked: &Checked, stored: &BTreeSet<String>) -> CredentialNames {
    let providers = checked.providers.iter().map(|entry| entry.provider.id.as_str());
    let keys = checked
        .providers
        .iter()
        .flat_map(|entry| entry.api_key.iter().chain(&entry.oauth_secret));
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
    if let Some((layer, _)) = variables.find(TOKEN) {
        let message = "the token has characters that no HTTP header can carry";
        let token = token_in(variables).ok_or_else(|| refused(layer, TOKEN, message))?;
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
