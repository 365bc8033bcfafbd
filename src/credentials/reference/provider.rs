//! The config's `secrets.providers`, asked.

use std::path::{Path, PathBuf};

use super::resolver::Resolver;
use super::{ProvidedBy, Why, exec, file, trust};
use crate::config::load::expand_home;
use crate::config::{EnvProvider, ExecProvider, FileProvider, SecretProvider, SecretProviders};
use crate::credentials::command::ExternalCommand;
use crate::credentials::environment::Environment;
use crate::nearest::did_you_mean;

/// The provider of a reference that names none, if the config doesn't say another.
const DEFAULT: &str = "default";

/// The id for the whole of a file.
const WHOLE: &str = "value";

/// Refuses a variable that the provider's list doesn't name. The default provider of variables need not be configured.
pub(super) fn may_read(providers: &SecretProviders, named: Option<&str>, variable: &str) -> Result<(), Why> {
    let default = providers.default_env.as_deref().unwrap_or(DEFAULT);
    let name = named.unwrap_or(default);
    match providers.by_name.get(name) {
        None if name == default || name == DEFAULT => Ok(()),
        None => Err(unknown(providers, name)),
        Some(SecretProvider::Env(EnvProvider { allowed: None })) => Ok(()),
        Some(SecretProvider::Env(EnvProvider {
            allowed: Some(allowed),
        })) => {
            if allowed.contains(variable) {
                Ok(())
            } else {
                Err(Why::Provider(format!(
                    "the variable is not on secrets.providers.{name}.allowlist"
                )))
            }
        }
        Some(other) => Err(another(name, other, "env")),
    }
}

/// What a provider of files or programs has for `id`, not yet cleaned.
pub(super) fn ask(
    resolver: &Resolver,
    source: ProvidedBy,
    named: Option<&str>,
    id: &str,
) -> Result<String, Why> {
    let providers = resolver.providers();
    let default = match source {
        ProvidedBy::File => &providers.default_file,
        ProvidedBy::Exec => &providers.default_exec,
    };
    let name = named.or(default.as_deref()).unwrap_or(DEFAULT);
    match (source, providers.by_name.get(name)) {
        (_, None) => Err(unknown(providers, name)),
        (_, Some(SecretProvider::Foreign(reason))) => Err(Why::Provider(reason.clone())),
        (ProvidedBy::File, Some(SecretProvider::File(provider))) => ask_file(resolver, provider, id),
        (ProvidedBy::Exec, Some(SecretProvider::Exec(provider))) => ask_program(resolver, name, provider, id),
        (source, Some(other)) => Err(another(name, other, source.as_str())),
    }
}

fn unknown(providers: &SecretProviders, name: &str) -> Why {
    let hint = did_you_mean(name, providers.by_name.keys().map(String::as_str));
    Why::Provider(format!("the config has no secrets.providers.{name}{hint}"))
}

fn another(name: &str, provider: &SecretProvider, wanted: &str) -> Why {
    Why::Provider(format!(
        "secrets.providers.{name} has source `{}`, not `{wanted}`",
        provider.source()
    ))
}

fn ask_file(resolver: &Resolver, provider: &FileProvider, id: &str) -> Result<String, Why> {
    let path = at_home(resolver, &provider.path);
    if !provider.insecure_allowed {
        trust::private_file(&path)?;
    }
    let text = file::read(&path, provider.bytes_max)?;
    match (provider.single_value, id) {
        (true, WHOLE) => exec::one_line(&text).map(str::to_owned),
        (true, _) => Err(Why::Provider(
            "the provider's file holds a single value, so the id must be `value`".to_owned(),
        )),
        (false, WHOLE) => Err(Why::Provider(
            "the provider's file is JSON, so the id must be a pointer; or set `mode: \"singleValue\"`"
                .to_owned(),
        )),
        (false, pointer) => file::pointed(&text, pointer),
    }
}

fn ask_program(resolver: &Resolver, name: &str, provider: &ExecProvider, id: &str) -> Result<String, Why> {
    let program = trust::program(at_home(resolver, &provider.command), provider)?;
    let Some(path) = program.to_str() else {
        return Err(Why::NotText);
    };
    let variables = resolver.variables();
    let passed = provider.passed.iter();
    let passed = passed.filter_map(|name| Some((name.clone(), variables.get(name)?.to_owned())));
    let own = provider.environment.iter();
    let own = own.map(|(name, value)| (name.clone(), value.expose().to_owned()));
    let command = ExternalCommand {
        folder: program.parent().map(Path::to_owned),
        input: Some(exec::question(name, id)),
        time_max: provider.time_max,
        output_bytes_max: provider.output_bytes_max,
        ..ExternalCommand::new(path, provider.arguments.clone(), passed.chain(own).collect())
    };
    let read = |output: &_| exec::answer(output, id, provider.json_only);
    resolver.cache().read(&command, read)
}

/// A path with `~/` expanded.
pub(super) fn at_home(resolver: &Resolver, path: &str) -> PathBuf {
    expand_home(path, resolver.variables().get("HOME").map(Path::new))
}
