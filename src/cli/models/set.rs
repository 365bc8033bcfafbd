//! `models set`: the default model, everyone's or an agent's own.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::choice::Place;
use super::scope::{ModelScope, allow};
use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::config::edit::ConfigEditor;
use crate::config::{Catalogue, Target};

const EXAMPLES: &str = "\
Examples:
  coderclaw models set openai/gpt-5                      what `auto` and `coderclaw` stand for
  coderclaw models set fast                              an alias stands for its model
  coderclaw models set groq/llama-3.3-70b --agent work   what `coderclaw:work` stands for

It writes `agents.defaults.model` of the config, or the agent's own model, and keeps the fallbacks.
A running gateway obeys at the next request. If `agents.defaults.models` lists the models that may
be used, the model is added to it. A model that its provider did not list when it was last asked is
warned of and set all the same.";

/// Set the default model
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SetCommand {
    /// The model: `provider/model`, an alias, or a name that one provider has
    #[arg(value_name = "MODEL")]
    model: String,
    /// Set this agent's own model
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl SetCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let scope = ModelScope::open(options, self.agent.as_deref(), printer)?;
        let mut editor = scope.editor()?;
        let catalogue = editor.catalogue()?;
        let target = scope.find(&catalogue, &self.model)?;
        let place = Place::of(editor.config(), scope.agent.as_deref());
        let previous = place.chosen(&editor, &catalogue);
        place.set_primary(&mut editor, &target.to_string())?;
        let is_added = allow(&mut editor, &target)?;
        let catalogue = editor.catalogue()?;
        let fallbacks = place_of(&scope, &editor).chosen(&editor, &catalogue).fallbacks;
        let warnings = self.warnings(&scope, &catalogue, &target, &fallbacks);
        let saved = scope.save(editor)?;
        for warning in &warnings {
            printer.warning(warning)?;
        }
        if self.json {
            saved.tell_trouble(printer)?;
            printer.json(&json!({
                "agentId": scope.agent,
                "configPath": scope.settings.config_path,
                "configUpdated": saved.config_updated,
                "defaultModel": target.to_string(),
                "previous": previous.primary,
                "fallbacks": fallbacks,
                "addedToAllowed": is_added,
                "warnings": warnings,
                "gateway": saved.gateway,
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        scope.tell_updated(&saved, printer)?;
        match &scope.agent {
            None => printer.line(format_args!("Default model: {target}"))?,
            Some(agent) => printer.line(format_args!("Default model of agent {agent}: {target}"))?,
        }
        if !fallbacks.is_empty() {
            printer.line(format_args!("Fallbacks: {}", fallbacks.join(", ")))?;
        }
        if is_added {
            printer.line("It was added to the models that may be used (`agents.defaults.models`).")?;
        }
        saved.tell_gateway(printer)?;
        Ok(ExitCode::SUCCESS)
    }

    /// What keeps the model, or its fallbacks, from serving as meant.
    fn warnings(
        &self,
        scope: &ModelScope,
        catalogue: &Catalogue,
        target: &Target,
        fallbacks: &[String],
    ) -> Vec<String> {
        let mut warnings: Vec<String> = scope.doubt(target).into_iter().collect();
        let speaks = catalogue.speaks(&target.provider);
        warnings.extend(fallbacks.iter().filter_map(|name| {
            let fallback = catalogue.find(name).ok()?;
            if fallback == *target {
                return Some(format!(
                    "{target} is among its own fallbacks, and passed over there"
                ));
            }
            let is_of_another_format = !speaks.meets(catalogue.speaks(&fallback.provider));
            is_of_another_format.then(|| {
                format!(
                    "the fallback `{name}` is of another wire format than {target}: it never stands in for it"
                )
            })
        }));
        let default = &scope.settings.default_agent;
        let own = catalogue.chosen(default).primary.as_ref();
        if let Some(own) =
            own.filter(|own| self.agent.is_none() && catalogue.find(own.as_str()).as_ref() != Ok(target))
        {
            warnings.push(format!(
                "the default agent `{default}` has a model of its own, `{own}`, which `auto` goes on to stand for; \
                 `--agent {default}` sets that"
            ));
        }
        warnings
    }
}

fn place_of(scope: &ModelScope, editor: &ConfigEditor) -> Place {
    Place::of(editor.config(), scope.agent.as_deref())
}
