//! `models fallbacks`: the models that stand in for the default one when no credential can serve it.

mod change;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::choice::defaults;
use super::exclusive;
use super::scope::ModelScope;
use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::config::{ModelChoice, Settings, edit};

const EXAMPLES: &str = "\
Examples:
  coderclaw models fallbacks add groq/llama-3.3-70b openrouter/openai/gpt-5
  coderclaw models fallbacks add fast --agent work       one for this agent alone
  coderclaw models fallbacks list --json

They are tried in their order, after the default model and only when no credential of it can serve.
A fallback speaks a wire format of the default model's provider: a request is passed on as it is,
never translated. An agent with fallbacks of its own has none of everyone's.";

/// List, add and remove the models that stand in for the default one
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct FallbacksCommand {
    #[command(flatten)]
    options: FallbackOptions,
    #[command(subcommand)]
    command: Command,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
struct FallbackOptions {
    /// The fallbacks of this agent's own model
    #[arg(long, global = true, value_name = "AGENT")]
    agent: Option<String>,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the fallbacks, in their order
    List {
        /// Print one a line, as provider/model
        #[arg(long)]
        plain: bool,
    },
    /// Add models at the end
    Add {
        /// The models: `provider/model`, an alias, or a name that one provider has
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<String>,
    },
    /// Remove one
    Remove {
        /// The model
        #[arg(value_name = "MODEL")]
        model: String,
    },
    /// Remove all
    Clear,
}

impl FallbacksCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        if let Command::List { plain } = self.command {
            exclusive(self.options.json, plain)?;
        }
        let scope = ModelScope::open(options, self.options.agent.as_deref(), printer)?;
        let json = self.options.json;
        match &self.command {
            Command::List { plain } => list(&scope, json, *plain, printer)?,
            Command::Add { models } => change::add(&scope, models)?.tell(&scope, json, printer)?,
            Command::Remove { model } => change::remove(&scope, model)?.tell(&scope, json, printer)?,
            Command::Clear => change::clear(&scope)?.tell(&scope, json, printer)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(scope: &ModelScope, json: bool, plain: bool, printer: &mut Printer) -> Result<(), Failure> {
    let catalogue = &scope.settings.catalogue;
    let chosen: ModelChoice = match &scope.agent {
        Some(agent) => catalogue.chosen(agent).clone(),
        None => defaults(&edit::read(&scope.settings.config_path)?),
    };
    let fallbacks = keys(&scope.settings, &chosen.fallbacks);
    if json {
        let primary = chosen.primary.map(|name| key(&scope.settings, &name));
        let agent = &scope.agent;
        return Ok(printer.json(&json!({ "fallbacks": fallbacks, "primary": primary, "agentId": agent }))?);
    }
    if plain {
        for fallback in fallbacks {
            printer.line(fallback)?;
        }
        return Ok(());
    }
    Ok(printer.line(listed(&fallbacks))?)
}

/// `Fallbacks: a, b`.
fn listed(fallbacks: &[String]) -> String {
    if fallbacks.is_empty() {
        "Fallbacks: (none)".to_owned()
    } else {
        format!("Fallbacks: {}", fallbacks.join(", "))
    }
}

/// As `provider/model`; as it is written if that leads nowhere.
fn key(settings: &Settings, name: &str) -> String {
    let target = settings.catalogue.find(name);
    target.map_or_else(|_| name.to_owned(), |target| target.to_string())
}

fn keys(settings: &Settings, names: &[String]) -> Vec<String> {
    names.iter().map(|name| key(settings, name)).collect()
}
