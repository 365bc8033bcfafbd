//! `models auth order`: the agent's own order of a provider's credentials, which the running gateway obeys at once.

use std::io;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde_json::json;

use super::name;
use super::ranking::{Rankings, Says};
use super::scope::Scope;
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::told::{self, Told};

/// Get, set or clear an agent's own order of a provider's credentials
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct OrderCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the order, and what counts where there is none
    Get(ProviderOption),
    /// Set the order; credentials that are left out are not used
    Set {
        #[command(flatten)]
        provider: ProviderOption,
        /// The credentials, first one first
        #[arg(required = true, value_name = "PROFILE")]
        ids: Vec<String>,
    },
    /// Take the order away
    Clear(ProviderOption),
}

#[derive(Debug, Args)]
struct ProviderOption {
    /// The provider
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
}

impl OrderCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::Get(option) => {
                let provider = scope.any_provider(&option.provider)?;
                get(scope, &provider, printer)?;
            }
            Command::Set { provider, ids } => {
                let provider = scope.any_provider(&provider.provider)?;
                let ids = checked(scope, &provider, ids)?;
                set(scope, &provider, &ids, printer)?;
            }
            Command::Clear(option) => {
                let provider = scope.any_provider(&option.provider)?;
                clear(scope, &provider, printer)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn get(scope: &Scope, provider: &ProviderId, printer: &mut Printer) -> Result<(), Failure> {
    let rankings = Rankings::read(scope)?;
    let own = rankings.own(provider)?;
    if scope.json {
        return json(scope, provider, own.as_deref(), None, printer);
    }
    printer.line(format_args!("Agent: {}", scope.agent))?;
    printer.line(format_args!("Provider: {provider}"))?;
    printer.line(format_args!("Auth file: {}", scope.store.path().display()))?;
    printer.line(format_args!("Order override: {}", listed(own.as_deref())))?;
    let ranking = rankings.of(provider)?;
    if ranking.says != Says::Agent {
        printer.line(format_args!(
            "In effect: {} ({})",
            listed(Some(&ranking.ids)),
            ranking.says.words()
        ))?;
    }
    if let Some(live) = scope.live(provider) {
        printer.warning(format_args!(
            "`{live}` is the only credential in use as long as it is set"
        ))?;
    }
    Ok(())
}

fn set(
    scope: &Scope,
    provider: &ProviderId,
    ids: &[ProfileId],
    printer: &mut Printer,
) -> Result<(), Failure> {
    scope.store.update(|store| {
        store.set_order(provider, Some(ids));
        Ok::<(), Failure>(())
    })?;
    let gateway = told::reload(&scope.settings);
    if scope.json {
        return json(scope, provider, Some(ids), gateway.as_ref(), printer);
    }
    printer.line(format_args!("Order override: {}", listed(Some(ids))))?;
    Ok(obeys(gateway.as_ref(), printer)?)
}

fn clear(scope: &Scope, provider: &ProviderId, printer: &mut Printer) -> Result<(), Failure> {
    scope.store.update(|store| {
        store.set_order(provider, None);
        Ok::<(), Failure>(())
    })?;
    let gateway = told::reload(&scope.settings);
    if scope.json {
        return json(scope, provider, None, gateway.as_ref(), printer);
    }
    printer.line("Cleared per-agent order override.")?;
    Ok(obeys(gateway.as_ref(), printer)?)
}

/// The ids that were typed, each once, if there are such credentials of the provider.
fn checked(scope: &Scope, provider: &ProviderId, typed: &[String]) -> Result<Vec<ProfileId>, Failure> {
    let candidates = Rankings::read(scope)?.candidates(provider);
    let others = scope.profiles()?.profiles();
    let mut ids: Vec<ProfileId> = Vec::with_capacity(typed.len());
    for typed in typed {
        let id = ProfileId::new(typed.trim());
        if candidates.contains(&id) {
            if !ids.contains(&id) {
                ids.push(id);
            }
            continue;
        }
        let help = "`coderclaw models auth list --all` shows every credential; nothing was changed";
        let what = if let Some(other) = others.iter().find(|other| other.id == id) {
            format!("auth profile `{id}` is for {}, not {provider}", other.provider)
        } else {
            let known = candidates.iter().map(ProfileId::as_str);
            let unknown = name::unknown("auth profile", typed, known);
            format!("{unknown} in {}", scope.agent_dir().display())
        };
        return Err(Failure::new(what, help));
    }
    Ok(ids)
}

fn obeys(gateway: Option<&Told>, printer: &mut Printer) -> io::Result<()> {
    gateway.map_or(Ok(()), |told| told.tell(printer))
}

fn json(
    scope: &Scope,
    provider: &ProviderId,
    own: Option<&[ProfileId]>,
    gateway: Option<&Told>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if let Some(told) = gateway {
        told.tell_trouble(printer)?;
    }
    let ranking = Rankings::read(scope)?.of(provider)?;
    Ok(printer.json(&json!({
        "agentId": scope.agent,
        "agentDir": scope.agent_dir(),
        "provider": provider,
        "authStorePath": scope.store.path(),
        "order": own,
        "effective": ranking.ids,
        "effectiveSource": ranking.says.as_str(),
        "gateway": gateway,
    }))?)
}

fn listed(ids: Option<&[ProfileId]>) -> String {
    let ids: Vec<&str> = ids.unwrap_or_default().iter().map(ProfileId::as_str).collect();
    if ids.is_empty() {
        "(none)".to_owned()
    } else {
        ids.join(", ")
    }
}
