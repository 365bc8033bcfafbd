//! `models auth clear`: a credential that rests, is exhausted or disabled may serve again.

use std::process::ExitCode;

use clap::Args;
use coderclaw_actors::domain::credential::ProfileId;
use serde::Serialize;
use serde_json::json;

use super::name;
use super::scope::Scope;
use crate::cli::exit::Failure;
use crate::cli::printer::Printer;
use crate::cli::told::{self, ClearedBy};
use crate::credentials::store::StoreFile;
use crate::gateway::memory::Memory;

/// Let a credential serve again that rests, is exhausted or disabled
#[derive(Debug, Args)]
pub(super) struct ClearCommand {
    /// The credentials
    #[arg(required_unless_present = "all", value_name = "PROFILE")]
    ids: Vec<String>,
    /// Every credential that something keeps away
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

/// What came of it for one credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    profile_id: ProfileId,
    /// Whether anything kept it away.
    cleared: bool,
    /// The gateway that was told.
    gateway_pid: Option<u32>,
    /// Whether that gateway has the credential.
    #[serde(skip)]
    in_gateway: bool,
}

impl ClearCommand {
    pub(super) fn run(&self, scope: &Scope, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let known = known(scope)?;
        let ids = if self.all { known } else { self.named(&known)? };
        let mut cleared = Vec::with_capacity(ids.len());
        for id in ids {
            let one = clear(scope, id)?;
            if one.cleared || !self.all {
                cleared.push(one);
            }
        }
        if scope.json {
            printer.json(
                &json!({ "agentId": scope.agent, "agentDir": scope.agent_dir(), "profiles": cleared }),
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        if cleared.is_empty() {
            printer.line("Nothing keeps any credential away.")?;
        }
        for one in &cleared {
            let id = &one.profile_id;
            let by = one.gateway();
            if one.cleared {
                printer.line(format_args!("Cleared: {id} may serve again.{by}"))?;
            } else {
                printer.line(format_args!("Nothing keeps {id} away.{by}"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn named(&self, known: &[ProfileId]) -> Result<Vec<ProfileId>, Failure> {
        let find = |typed: &String| {
            let found = known.iter().find(|id| id.as_str() == typed.trim());
            found.cloned().ok_or_else(|| {
                let ids = known.iter().map(ProfileId::as_str);
                Failure::new(
                    name::unknown("credential", typed, ids),
                    "`coderclaw models auth list --all` shows every credential; nothing was cleared",
                )
            })
        };
        self.ids.iter().map(find).collect()
    }
}

impl Outcome {
    fn gateway(&self) -> String {
        match self.gateway_pid {
            None => String::new(),
            Some(pid) if self.in_gateway => format!(" The running gateway (pid {pid}) obeys from now on."),
            Some(pid) => format!(" The running gateway (pid {pid}) does not use it."),
        }
    }
}

/// Tells the running gateway; without one, changes what the next one would remember. What older tools noted of a rest
/// goes in both cases: the next start would read it again.
fn clear(scope: &Scope, id: ProfileId) -> Result<Outcome, Failure> {
    let told = told::clear(&scope.settings, &id).map_err(|what| {
        Failure::new(
            format_args!("{what}; `{id}` was not cleared"),
            "stop it, or run the command again",
        )
    })?;
    let noted = end_rest(scope, &id)?;
    let in_gateway = matches!(told, ClearedBy::Gateway(..));
    let (cleared, gateway_pid) = match told {
        ClearedBy::Gateway(pid, cleared) => (cleared, Some(pid)),
        // The gateway goes on with its own memory, in which it is not; what is stored is read when it is used.
        ClearedBy::Unknown(pid) => (false, Some(pid)),
        ClearedBy::Nobody => (forget(scope, &id)?, None),
    };
    Ok(Outcome {
        profile_id: id,
        cleared: cleared || noted,
        gateway_pid,
        in_gateway,
    })
}

fn forget(scope: &Scope, id: &ProfileId) -> Result<bool, Failure> {
    let memory = Memory::of(&scope.settings.state_dir);
    let unreadable = |error| {
        let folder = scope.settings.state_dir.display();
        Failure::new(
            format_args!("what the last gateway knew of credentials can't be read: {error}"),
            format!("mend credential-state.json in {folder}, or remove it: that clears every credential"),
        )
    };
    let mut saved = memory.read().map_err(unreadable)?;
    let cleared = saved.clear(id);
    if cleared {
        memory
            .save(&saved)
            .map_err(|error| Failure::new(&error, error.help()))?;
    }
    Ok(cleared)
}

/// In every store that holds one of that id, as the gateway clears every credential of it.
fn end_rest(scope: &Scope, id: &ProfileId) -> Result<bool, Failure> {
    let mut rested = false;
    for agent in &scope.settings.agents {
        let store = StoreFile::of_agent(&scope.settings.state_dir, agent);
        if store.read()?.holds(id.as_str()) {
            rested |= store.update(|store| Ok::<_, Failure>(store.end_rest(id.as_str())))?;
        }
    }
    Ok(rested)
}

/// Every credential that there is, or of which something is remembered.
fn known(scope: &Scope) -> Result<Vec<ProfileId>, Failure> {
    let mut known: Vec<ProfileId> = scope
        .profiles()?
        .profiles()
        .into_iter()
        .map(|profile| profile.id)
        .collect();
    let members = scope.settings.members();
    known.extend(members.map(|(_, member)| member.id.clone()));
    // A memory that can't be read is told of when it is changed.
    let saved = Memory::of(&scope.settings.state_dir).read().unwrap_or_default();
    let remembered = saved.0.into_values().flat_map(|pool| pool.0);
    known.extend(remembered.map(|credential| credential.profile));
    known.sort();
    known.dedup();
    Ok(known)
}
