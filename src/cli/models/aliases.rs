//! `models aliases`: short names of models.

mod add;
mod name;
mod remove;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exclusive;
use super::scope::{MODELS, ModelScope};
use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::config::Catalogue;
use crate::config::edit::ConfigEditor;

const EXAMPLES: &str = "\
Examples:
  coderclaw models aliases add fast groq/llama-3.3-70b   then requests may say `fast`
  coderclaw models aliases remove fast
  coderclaw models aliases list --json

An alias stands at its model in `agents.defaults.models` of the config, and the entries there are
also the only models that may be used, unless one of them is `\"*\"`. So that a first alias shuts
nothing out, `aliases add` adds `\"*\"` with it, and says so; `--restrict` leaves it out.";

/// List, add and remove short names of models
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct AliasesCommand {
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every alias and its model
    List {
        /// Print one a line, as alias and provider/model
        #[arg(long)]
        plain: bool,
    },
    Add(add::AddCommand),
    Remove(remove::RemoveCommand),
}

impl AliasesCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        if let Command::List { plain } = self.command {
            exclusive(self.json, plain)?;
        }
        let scope = ModelScope::open(options, None, printer)?;
        match &self.command {
            Command::List { plain } => list(&scope, self.json, *plain, printer)?,
            Command::Add(command) => command.run(&scope, self.json, printer)?,
            Command::Remove(command) => command.run(&scope, self.json, printer)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(scope: &ModelScope, json: bool, plain: bool, printer: &mut Printer) -> Result<(), Failure> {
    let aliases = aliases(&scope.settings.catalogue);
    if json {
        return Ok(printer.json(&json!({ "aliases": aliases }))?);
    }
    if plain {
        for (alias, key) in &aliases {
            printer.line(format_args!("{alias} {key}"))?;
        }
        return Ok(());
    }
    printer.line(format_args!("Aliases ({}):", aliases.len()))?;
    if aliases.is_empty() {
        printer.line("- none")?;
    }
    for (alias, key) in &aliases {
        printer.line(format_args!("- {alias} -> {key}"))?;
    }
    Ok(())
}

/// Every alias and its model, as `provider/model` where it leads to one.
fn aliases(catalogue: &Catalogue) -> BTreeMap<String, String> {
    let own = |(alias, model): (&str, &str)| (alias.to_owned(), key(catalogue, model));
    catalogue.aliases().map(own).collect()
}

fn key(catalogue: &Catalogue, name: &str) -> String {
    let target = catalogue.find(name);
    target.map_or_else(|_| name.to_owned(), |target| target.to_string())
}

/// The entries of `agents.defaults.models`: each model as it is written, and its alias.
fn entries(editor: &ConfigEditor) -> Vec<(String, Option<String>)> {
    let entries = editor.get(&MODELS).and_then(Value::as_object);
    let entries = entries
        .into_iter()
        .flatten()
        .filter(|(_, facts)| !facts.is_null());
    entries
        .map(|(model, facts)| {
            let alias = facts.get("alias").and_then(Value::as_str);
            (model.clone(), alias.map(|alias| alias.trim().to_owned()))
        })
        .collect()
}
