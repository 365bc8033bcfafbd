//! Changes of the fallbacks, decided under the config's lock from what it says by then.

use std::io;

use serde_json::json;

use super::listed;
use crate::cli::exit::Failure;
use crate::cli::models::auth::name::shown;
use crate::cli::models::choice::Place;
use crate::cli::models::scope::{ModelScope, Saved, allow};
use crate::cli::printer::Printer;
use crate::config::edit::ConfigEditor;
use crate::config::{ApiSet, Catalogue, ModelChoice, Target};
use crate::nearest::did_you_mean;

/// A change that was made, or was none.
pub(super) struct Change {
    saved: Saved,
    /// The fallbacks now, as `provider/model`.
    fallbacks: Vec<String>,
    /// What else there is to say of it.
    notes: Vec<String>,
    /// What speaks against it.
    warnings: Vec<String>,
    /// What is said in place of the list.
    instead: Option<&'static str>,
}

/// The config, open, and the fallbacks in it.
struct Desk {
    editor: ConfigEditor,
    catalogue: Catalogue,
    place: Place,
    chosen: ModelChoice,
}

impl Desk {
    fn open(scope: &ModelScope) -> Result<Self, Failure> {
        let editor = scope.editor()?;
        let catalogue = editor.catalogue()?;
        let place = Place::of(editor.config(), scope.agent.as_deref());
        let chosen = place.chosen(&editor, &catalogue);
        Ok(Self {
            editor,
            catalogue,
            place,
            chosen,
        })
    }

    /// What is said of an agent that gets a choice of its own by the change.
    fn adoption(&self, scope: &ModelScope) -> Option<String> {
        let agent = scope
            .agent
            .as_ref()
            .filter(|_| !self.place.is_own(&self.editor))?;
        let primary = self.chosen.primary.as_deref().unwrap_or_default();
        Some(format!(
            "Agent {agent} had everyone's default model and has it as its own now: {primary}."
        ))
    }

    fn close(self, scope: &ModelScope) -> Result<Change, Failure> {
        let catalogue = self.editor.catalogue()?;
        let place = Place::of(self.editor.config(), scope.agent.as_deref());
        let names = place.chosen(&self.editor, &catalogue).fallbacks;
        let key = |name: &String| {
            let target = catalogue.find(name);
            target.map_or_else(|_| name.clone(), |target| target.to_string())
        };
        Ok(Change {
            saved: scope.save(self.editor)?,
            fallbacks: names.iter().map(key).collect(),
            notes: Vec::new(),
            warnings: Vec::new(),
            instead: None,
        })
    }
}

/// Adds models at the end; one that is there already is said to be.
pub(super) fn add(scope: &ModelScope, typed: &[String]) -> Result<Change, Failure> {
    let mut desk = Desk::open(scope)?;
    let primary = primary(scope, &desk)?;
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    let there = desk.chosen.fallbacks.iter();
    let mut there: Vec<Target> = there.filter_map(|name| desk.catalogue.find(name).ok()).collect();
    let mut added: Vec<Target> = Vec::new();
    for typed in typed {
        let target = scope.find(&desk.catalogue, typed)?;
        if there.contains(&target) {
            notes.push(format!("{target} is a fallback already."));
            continue;
        }
        check(&desk.catalogue, &primary, &target)?;
        warnings.extend(scope.doubt(&target));
        there.push(target.clone());
        added.push(target);
    }
    if !added.is_empty() {
        notes.extend(desk.adoption(scope));
        let place = Place::of(desk.editor.config(), scope.agent.as_deref());
        let keys = place.fallbacks(&mut desk.editor, &desk.chosen)?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        for target in added {
            desk.editor.append(&keys, json!(target.to_string()))?;
            if allow(&mut desk.editor, &target)? {
                notes.push(format!(
                    "{target} was added to the models that may be used (`agents.defaults.models`)."
                ));
            }
        }
    }
    let change = desk.close(scope)?;
    Ok(Change {
        notes,
        warnings,
        ..change
    })
}

/// The model that the fallbacks stand in for.
fn primary(scope: &ModelScope, desk: &Desk) -> Result<Target, Failure> {
    let of_agent = scope.agent.as_ref();
    let flag = of_agent.map_or_else(String::new, |agent| format!(" --agent {agent}"));
    let Some(name) = &desk.chosen.primary else {
        return Err(Failure::new(
            "there is no default model that a fallback could stand in for; nothing was changed",
            format!("set one first: coderclaw models set PROVIDER/MODEL{flag}"),
        ));
    };
    desk.catalogue.find(name).map_err(|error| {
        Failure::new(
            format_args!("the default model `{name}` leads nowhere: {error}; nothing was changed"),
            format!("set another one first: coderclaw models set PROVIDER/MODEL{flag}"),
        )
    })
}

/// Whether a model can stand in for another.
fn check(catalogue: &Catalogue, primary: &Target, target: &Target) -> Result<(), Failure> {
    if target == primary {
        return Err(Failure::new(
            format_args!("`{target}` is the default model itself; nothing was changed"),
            "give another model",
        ));
    }
    let (ours, theirs) = (
        catalogue.speaks(&primary.provider),
        catalogue.speaks(&target.provider),
    );
    if ours.meets(theirs) {
        return Ok(());
    }
    Err(Failure::new(
        format_args!(
            "`{target}` can't stand in for `{primary}`: {} speaks {}, and {} speaks {}; nothing was changed",
            target.provider,
            named(theirs),
            primary.provider,
            named(ours),
        ),
        "give a model whose provider speaks a format of the default model's: requests are passed on as they are",
    ))
}

fn named(apis: ApiSet) -> String {
    let names: Vec<&str> = apis.iter().map(crate::wire::Api::as_str).collect();
    names.join(", ")
}

/// Removes a model, however it is written.
pub(super) fn remove(scope: &ModelScope, typed: &str) -> Result<Change, Failure> {
    let mut desk = Desk::open(scope)?;
    let typed = typed.trim();
    let target = scope.find(&desk.catalogue, typed).ok();
    let is_it = |name: &&String| {
        name.as_str() == typed || (target.is_some() && desk.catalogue.find(name).ok() == target)
    };
    let found: Vec<String> = desk.chosen.fallbacks.iter().filter(is_it).cloned().collect();
    if found.is_empty() {
        let known = desk.chosen.fallbacks.iter().map(String::as_str);
        let hint = did_you_mean(typed, known);
        let key = target.map_or_else(|| shown(typed), |target| target.to_string());
        return Err(Failure::new(
            format_args!("Fallback not found: {key}{hint}"),
            "`coderclaw models fallbacks list` shows what there is; nothing was changed",
        ));
    }
    let notes = desk.adoption(scope).into_iter().collect();
    desk.chosen.fallbacks.retain(|name| !found.contains(name));
    let place = Place::of(desk.editor.config(), scope.agent.as_deref());
    let keys = place.fallbacks(&mut desk.editor, &desk.chosen)?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for name in found {
        desk.editor.take_out(&keys, &name)?;
    }
    let change = desk.close(scope)?;
    Ok(Change { notes, ..change })
}

/// Removes all.
pub(super) fn clear(scope: &ModelScope) -> Result<Change, Failure> {
    let mut desk = Desk::open(scope)?;
    let mut notes = Vec::new();
    if !desk.chosen.fallbacks.is_empty() {
        notes.extend(desk.adoption(scope));
        desk.chosen.fallbacks.clear();
        let place = Place::of(desk.editor.config(), scope.agent.as_deref());
        let keys = place.fallbacks(&mut desk.editor, &desk.chosen)?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        desk.editor.set(&keys, json!([]))?;
    }
    let change = desk.close(scope)?;
    Ok(Change {
        notes,
        instead: Some("Fallback list cleared."),
        ..change
    })
}

impl Change {
    pub(super) fn tell(&self, scope: &ModelScope, json: bool, printer: &mut Printer) -> io::Result<()> {
        for warning in &self.warnings {
            printer.warning(warning)?;
        }
        if json {
            self.saved.tell_trouble(printer)?;
            return printer.json(&json!({
                "fallbacks": self.fallbacks,
                "agentId": scope.agent,
                "configPath": scope.settings.config_path,
                "configUpdated": self.saved.config_updated,
                "notes": self.notes,
                "warnings": self.warnings,
                "gateway": self.saved.gateway,
            }));
        }
        scope.tell_updated(&self.saved, printer)?;
        match self.instead {
            Some(instead) => printer.line(instead)?,
            None => printer.line(listed(&self.fallbacks))?,
        }
        for note in &self.notes {
            printer.line(note)?;
        }
        self.saved.tell_gateway(printer)
    }
}
