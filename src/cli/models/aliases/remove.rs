//! `models aliases remove`: takes a short name away. What may be used stays the same.

use clap::Args;
use serde_json::{Value, json};

use super::{aliases, entries, key};
use crate::cli::exit::Failure;
use crate::cli::models::auth::name::shown;
use crate::cli::models::scope::{MODELS, ModelScope};
use crate::cli::printer::Printer;
use crate::nearest::did_you_mean;

/// Take a short name away; its model stays as it is
#[derive(Debug, Args)]
pub(super) struct RemoveCommand {
    /// The alias
    #[arg(value_name = "ALIAS")]
    alias: String,
}

impl RemoveCommand {
    pub(super) fn run(&self, scope: &ModelScope, json: bool, printer: &mut Printer) -> Result<(), Failure> {
        let alias = self.alias.trim().to_lowercase();
        let mut editor = scope.editor()?;
        let catalogue = editor.catalogue()?;
        let mut entries = entries(&editor).into_iter();
        let has_it =
            |(_, own): &(String, Option<String>)| own.as_ref().is_some_and(|own| own.to_lowercase() == alias);
        let Some((model, _)) = entries.find(has_it) else {
            let known = aliases(&catalogue);
            let hint = did_you_mean(&alias, known.keys().map(String::as_str));
            return Err(Failure::new(
                format_args!("Alias not found: {}{hint}", shown(&alias)),
                "`coderclaw models aliases list` shows what there is; nothing was changed",
            ));
        };
        let key = key(&catalogue, &model);
        let [agents, defaults, models] = MODELS;
        let entry = [agents, defaults, models, &model];
        editor.remove(&[agents, defaults, models, &model, "alias"])?;
        let is_bare = editor
            .get(&entry)
            .and_then(Value::as_object)
            .is_some_and(serde_json::Map::is_empty);
        // Without it the model could not be used any more where only the listed ones may.
        let stays = catalogue.is_restricted();
        if is_bare && !stays {
            editor.remove(&entry)?;
        }
        let saved = scope.save(editor)?;
        if json {
            saved.tell_trouble(printer)?;
            return Ok(printer.json(&json!({
                "alias": alias,
                "model": key,
                "removed": true,
                "configPath": scope.settings.config_path,
                "configUpdated": saved.config_updated,
                "gateway": saved.gateway,
            }))?);
        }
        scope.tell_updated(&saved, printer)?;
        printer.line(format_args!("Removed alias: {alias} (it stood for {key})"))?;
        if stays {
            printer.line(format_args!("{key} stays among the models that may be used."))?;
        }
        Ok(saved.tell_gateway(printer)?)
    }
}
