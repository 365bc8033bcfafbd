//! `models auth remove`: takes a profile out of the agent's store, and what the config notes of it.

use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId};
use serde_json::json;

use super::name;
use super::save::config;
use super::scope::{Scope, is_ambient};
use super::secret::no_terminal;
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::prompt::{Terminal, Unanswered};
use crate::cli::told;
use crate::config::edit::{ConfigEditor, EditError};
use crate::config::normalise_provider_id;
use crate::credentials::store::{AuthStore, MAIN_AGENT, StoreError, StoreFile};

/// Remove a profile and its secret from an agent's store
#[derive(Debug, Args)]
pub(super) struct RemoveCommand {
    /// The profile
    #[arg(value_name = "PROFILE")]
    id: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

impl RemoveCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let id = ProfileId::new(self.id.trim());
        find(scope, &id)?;
        self.confirm(scope, &id)?;
        let provider = provider_of(&scope.store.read()?, &id);
        let mut editor = ConfigEditor::open(&scope.settings.config_path)?;
        let was_ordered = is_ordered(scope, &editor, &provider)?;
        if !held_by_others(scope, &id)? {
            config::forget(&mut editor, &id, &provider)?;
        }
        config::check(&editor)?;
        scope.store.update(|store| {
            if store.remove(id.as_str()) {
                Ok(())
            } else {
                Err(missing(scope, &id, store))
            }
        })?;
        let order_gone = was_ordered && !is_ordered(scope, &editor, &provider)?;
        let config_updated = editor.save().map_err(|error| half_done(scope, &id, error))?;
        let gateway = told::reload(&scope.settings);
        if order_gone {
            printer.warning(format_args!(
                "no order names {provider}'s credentials any more, so all that there are serve; `coderclaw models auth \
                 order set --provider {provider}` names those that should"
            ))?;
        }
        if scope.json {
            if let Some(told) = &gateway {
                told.tell_trouble(printer)?;
            }
            printer.json(&json!({
                "agentId": scope.agent,
                "agentDir": scope.agent_dir(),
                "authStorePath": scope.store.path(),
                "profileId": id,
                "provider": provider,
                "removed": true,
                "configUpdated": config_updated,
                "gateway": gateway,
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        if config_updated {
            printer.line(format_args!("Updated {}", scope.settings.config_path.display()))?;
        }
        printer.line(format_args!("Removed auth profile: {id}"))?;
        if let Some(told) = gateway {
            told.tell(printer)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn confirm(&self, scope: &Scope, id: &ProfileId) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let terminal =
            Terminal::find().ok_or_else(|| no_terminal("`--yes` removes it without a question"))?;
        let question = format!(
            "Remove {id} of agent {}? Its secret can't be had back",
            scope.agent
        );
        match terminal.confirm(&question) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new("it was not removed", "answer y to remove it")),
            Err(Unanswered::Interrupted) => Err(Failure::new(
                "interrupted: it was not removed",
                "`--yes` removes it without a question",
            )),
            Err(other) => Err(other.into()),
        }
    }
}

/// Whether an order names the provider's credentials.
fn is_ordered(scope: &Scope, editor: &ConfigEditor, provider: &ProviderId) -> Result<bool, Failure> {
    let by_store = scope.profiles()?.order(provider).is_some();
    Ok(by_store || config::orders(editor, provider))
}

/// Says where a profile is that is not in the agent's store.
fn find(scope: &Scope, id: &ProfileId) -> Result<(), Failure> {
    let store = scope.store.read()?;
    if store.holds(id.as_str()) {
        return Ok(());
    }
    Err(missing(scope, id, &store))
}

fn missing(scope: &Scope, id: &ProfileId, store: &AuthStore) -> Failure {
    let main = StoreFile::of_agent(&scope.settings.state_dir, MAIN_AGENT);
    let in_main = main.read().is_ok_and(|main| main.holds(id.as_str()));
    if in_main && scope.agent != MAIN_AGENT {
        return Failure::new(
            format_args!(
                "`{id}` is in the store of agent {MAIN_AGENT}, which {} only reads",
                scope.agent
            ),
            format!(
                "`--agent {MAIN_AGENT}` removes it for every agent; `models auth order set` leaves it out for one"
            ),
        );
    }
    let provider = provider_of(store, id);
    if is_ambient(id) && scope.ambient(&provider).any(|ambient| ambient == id) {
        return Failure::new(
            format_args!("`{id}` is not stored: it stands in the environment or the config"),
            "unset the variable, or take the key out of the config",
        );
    }
    let profiles: Vec<ProfileId> = store.profiles().map(|profile| profile.id).collect();
    let unknown: Vec<ProfileId> = store.unknown().map(|unknown| unknown.id).collect();
    let known = profiles.iter().chain(&unknown).map(ProfileId::as_str);
    Failure::new(
        format_args!(
            "{} in {}",
            name::unknown("auth profile", id.as_str(), known),
            scope.store.path().display()
        ),
        "`coderclaw models auth list` shows what there is",
    )
}

fn provider_of(store: &AuthStore, id: &ProfileId) -> ProviderId {
    let of_id = || {
        let before = id
            .as_str()
            .split_once(':')
            .map_or(id.as_str(), |(before, _)| before);
        ProviderId::new(&normalise_provider_id(before))
    };
    store
        .profile(id.as_str())
        .map_or_else(of_id, |profile| profile.provider)
}

/// Whether another agent has a profile of that id: what the config notes of it is noted of that one too.
fn held_by_others(scope: &Scope, id: &ProfileId) -> Result<bool, StoreError> {
    let others = scope
        .settings
        .agents
        .iter()
        .filter(|agent| **agent != scope.agent);
    for agent in others {
        if StoreFile::of_agent(&scope.settings.state_dir, agent)
            .read()?
            .holds(id.as_str())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn half_done(scope: &Scope, id: &ProfileId, error: EditError) -> Failure {
    let done = format!(
        "`{id}` is removed from {}, but what {} notes of it was not",
        scope.store.path().display(),
        scope.settings.config_path.display()
    );
    Failure::from(error).after(
        done,
        "take it out of `auth.profiles` and `auth.order` of the config by hand",
    )
}
