//! `models aliases add`: gives a model a short name.

use clap::Args;
use serde_json::json;

use super::{entries, key, name};
use crate::cli::exit::Failure;
use crate::cli::models::scope::{MODELS, ModelScope, Saved};
use crate::cli::printer::Printer;
use crate::config::{Catalogue, EVERY_MODEL, Target};

/// Give a model a short name; it takes the place of the one that the model had
#[derive(Debug, Args)]
pub(super) struct AddCommand {
    /// The alias: letters, digits and _ . : -
    #[arg(value_name = "ALIAS")]
    alias: String,
    /// The model: `provider/model`, another alias of it, or a name that one provider has
    #[arg(value_name = "MODEL")]
    model: String,
    /// Allow from now on only the models of `agents.defaults.models`, if it was empty
    #[arg(long)]
    restrict: bool,
}

/// What was done.
struct Added {
    alias: String,
    target: Target,
    /// The alias that the model had.
    replaced: Option<String>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// Whether only some models may be used now.
    is_restricted: bool,
    saved: Saved,
}

impl AddCommand {
    pub(super) fn run(&self, scope: &ModelScope, json: bool, printer: &mut Printer) -> Result<(), Failure> {
        let help = "give another alias; nothing was changed";
        let alias = name::checked(&self.alias).map_err(|what| Failure::new(what, help))?;
        self.add(scope, alias)?.tell(scope, json, printer)
    }

    fn add(&self, scope: &ModelScope, alias: String) -> Result<Added, Failure> {
        let mut editor = scope.editor()?;
        let catalogue = editor.catalogue()?;
        let target = scope.find(&catalogue, &self.model)?;
        check_clash(&catalogue, &alias, &target)?;
        let entries = entries(&editor);
        let entry = entries
            .iter()
            .find(|(model, _)| catalogue.find(model).as_ref() == Ok(&target));
        let replaced = entry.and_then(|(_, alias)| alias.clone());
        let replaced = replaced.filter(|old| old.to_lowercase() != alias);
        let model = entry.map_or_else(|| target.to_string(), |(model, _)| model.clone());
        let [agents, defaults, models] = MODELS;
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        if entries.is_empty() && !self.restrict {
            editor.set(&[agents, defaults, models, EVERY_MODEL], json!({}))?;
            notes.push(format!(
                "`agents.defaults.models` also says which models may be used; it was empty, which allows all, and \
                 `\"{EVERY_MODEL}\": {{}}` in it keeps that so."
            ));
        }
        if catalogue.is_restricted() && !catalogue.allows(&target) {
            notes.push(format!(
                "{target} was not among the models that may be used, and is now."
            ));
        }
        if !is_same(replaced.as_ref(), entry, &alias) {
            editor.set(&[agents, defaults, models, &model, "alias"], json!(alias))?;
        }
        warnings.extend(scope.doubt(&target));
        let after = editor.catalogue()?;
        warnings.extend(restriction(&catalogue, &after));
        Ok(Added {
            alias,
            target,
            replaced,
            notes,
            warnings,
            is_restricted: after.is_restricted(),
            saved: scope.save(editor)?,
        })
    }
}

/// Whether the entry has the alias already, be it in other letters.
fn is_same(replaced: Option<&String>, entry: Option<&(String, Option<String>)>, alias: &str) -> bool {
    let there = entry.and_then(|(_, there)| there.as_deref());
    replaced.is_none() && there.is_some_and(|there| there.to_lowercase() == alias)
}

fn check_clash(catalogue: &Catalogue, alias: &str, target: &Target) -> Result<(), Failure> {
    let mut aliases = catalogue.aliases();
    let other = aliases.find(|(known, _)| *known == alias).map(|(_, model)| model);
    match other.map(|model| (model, catalogue.find(model))) {
        Some((model, found)) if found.as_ref() != Ok(target) => Err(Failure::new(
            format_args!("Alias {alias} already points to {}.", key(catalogue, model)),
            format!("give another alias, or remove that one: coderclaw models aliases remove {alias}"),
        )),
        _ => Ok(()),
    }
}

/// What is shut out by the change.
fn restriction(before: &Catalogue, after: &Catalogue) -> Option<String> {
    if before.is_restricted() || !after.is_restricted() {
        return None;
    }
    Some(format!(
        "from now on only these models may be used: {}; `\"{EVERY_MODEL}\": {{}}` in `agents.defaults.models` allows all \
         again, and `\"PROVIDER/*\": {{}}` all of a provider",
        after.allowed().join(", ")
    ))
}

impl Added {
    fn tell(&self, scope: &ModelScope, json: bool, printer: &mut Printer) -> Result<(), Failure> {
        let Self { alias, target, .. } = self;
        for warning in &self.warnings {
            printer.warning(warning)?;
        }
        if json {
            self.saved.tell_trouble(printer)?;
            return Ok(printer.json(&json!({
                "alias": alias,
                "model": target.to_string(),
                "replaced": self.replaced,
                "restricted": self.is_restricted,
                "configPath": scope.settings.config_path,
                "configUpdated": self.saved.config_updated,
                "notes": self.notes,
                "warnings": self.warnings,
                "gateway": self.saved.gateway,
            }))?);
        }
        scope.tell_updated(&self.saved, printer)?;
        printer.line(format_args!("Alias {alias} -> {target}"))?;
        if let Some(old) = &self.replaced {
            printer.line(format_args!(
                "It takes the place of `{old}`: a model has one alias."
            ))?;
        }
        for note in &self.notes {
            printer.line(note)?;
        }
        Ok(self.saved.tell_gateway(printer)?)
    }
}
