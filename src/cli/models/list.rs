//! `models list`: the models that the config names, and with `--all` those that the providers say they have.

mod facts;
mod row;
mod told;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use coderclaw_actors::domain::credential::ProviderId;
use serde_json::json;

use super::auth::name;
use super::exclusive;
use super::lists::{Asked, Usable, ask};
use super::scope::ModelScope;
use crate::cli::exit::Failure;
use crate::cli::options::GlobalOptions;
use crate::cli::printer::Printer;
use crate::config::{Provider, edit, normalise_provider_id};
use crate::upstream::models::ListError;

use row::{Row, Rows};
use told::ListReport;

const EXAMPLES: &str = "\
Examples:
  coderclaw models list                                  what the config names
  coderclaw models list --all                            and what the providers list themselves
  coderclaw models list --provider openai --refresh      ask one provider now
  coderclaw models list --all --plain | grep -i llama

A provider is asked for its list straight, with one of its credentials, whose state does not
change; the list is kept in cache/models of the state folder for a day. An older one is asked for
anew, and shown all the same if that fails. What is not known is not made up: `-` in the table,
null in the JSON.

AUTH tells whether the provider has a credential that can be used. Tags: default, fallback#n,
configured, alias:a, missing (the provider did not list it).

Exit codes: 0 something was shown, 1 nothing could be, or no provider that `--refresh` asked gave
its list.";

/// No provider is waited for longer than ten minutes.
const TIMEOUT_MS_MAX: u64 = 600_000;

/// Show models: what each is for, what is known of it, and whether its provider has a credential
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListCommand {
    /// Show what the providers list too; those whose lists are not known are asked
    #[arg(long)]
    all: bool,
    /// Only models that are served on this machine or network: localhost, *.local
    #[arg(long)]
    local: bool,
    /// Only this provider's
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Tell the default model and the fallbacks of this agent [default: the config's default agent]
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Ask the providers anew, whatever is known; shows what they list, as `--all` does
    #[arg(long)]
    refresh: bool,
    /// The longest that one provider may take to tell its list, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u64).range(1..=TIMEOUT_MS_MAX))]
    timeout: u64,
    #[command(flatten)]
    output: OutputOptions,
}

/// How it is told.
#[derive(Debug, Args)]
struct OutputOptions {
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// Print one model a line, as provider/model
    #[arg(long)]
    plain: bool,
}

impl ListCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        exclusive(self.output.json, self.output.plain)?;
        let mut scope = ModelScope::open(options, self.agent.as_deref(), printer)?;
        let provider = self.provider(&scope)?;
        let shows_all = self.all || self.refresh;
        let (asked, available) = {
            let usable = Usable::of(&scope.settings, printer)?;
            let asked = if shows_all {
                let wanted = self.wanted(&scope, provider.as_ref(), &usable);
                let deadline = Duration::from_millis(self.timeout);
                ask(&scope.settings, &usable, &wanted, deadline, printer)?
            } else {
                Vec::new()
            };
            (asked, usable.providers())
        };
        for list in asked.iter().filter_map(|asked| asked.list.as_ref().ok()) {
            scope.lists.put(list.clone());
        }
        let config = edit::read(&scope.settings.config_path)?;
        let mut rows = Rows::of(&scope, &config, &available, shows_all);
        rows.retain(|row| provider.as_ref().is_none_or(|id| row.is_of(id)));
        rows.retain(|row| !self.local || row.local == Some(true));
        let reports = told::reports(&scope, &asked, provider.as_ref(), ModelScope::now_ms());
        let failure = self.failure(&rows, &asked);
        if failure.is_none() {
            told::failures(&reports, printer)?;
        }
        self.print(&scope, &rows, &reports, &available, printer)?;
        failure.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    fn provider(&self, scope: &ModelScope) -> Result<Option<ProviderId>, Failure> {
        let Some(typed) = &self.provider else {
            return Ok(None);
        };
        let id = normalise_provider_id(typed);
        if let Some(provider) = scope.settings.provider(&id) {
            return Ok(Some(provider.id.clone()));
        }
        let known = scope
            .settings
            .providers
            .iter()
            .map(|provider| provider.id.as_str());
        Err(Failure::new(
            name::unknown("provider", typed, known),
            format!(
                "give a built-in provider, or one that `models.providers` of {} describes",
                scope.settings.config_path.display()
            ),
        ))
    }

    /// The providers to ask. One without a credential only if it was named: then that is what there is to say.
    fn wanted<'s>(
        &self,
        scope: &'s ModelScope,
        named: Option<&ProviderId>,
        usable: &Usable<'_>,
    ) -> Vec<&'s Provider> {
        let now_ms = ModelScope::now_ms();
        let is_wanted = |provider: &&Provider| {
            let is_fresh = || {
                let kept = scope.lists.of(&provider.id);
                kept.is_some_and(|list| list.is_fresh(now_ms))
            };
            let may_ask = match named {
                Some(named) => *named == provider.id,
                None => !usable.of_provider(&provider.id).is_empty(),
            };
            may_ask && (self.refresh || !is_fresh())
        };
        scope.settings.providers.iter().filter(is_wanted).collect()
    }

    /// The providers that could not be asked, for want of a credential.
    fn unasked<'s>(
        &self,
        scope: &'s ModelScope,
        available: &BTreeSet<ProviderId>,
        reports: &[ListReport],
    ) -> Vec<&'s str> {
        if self.provider.is_some() {
            return Vec::new();
        }
        let providers = scope.settings.providers.iter().map(|provider| &provider.id);
        let unasked = providers
            .filter(|id| !available.contains(*id) && !reports.iter().any(|report| report.provider == **id));
        unasked.map(ProviderId::as_str).collect()
    }

    /// Why what was asked for could not be shown.
    fn failure(&self, rows: &[Row], asked: &[Asked]) -> Option<Failure> {
        let failed = asked.iter().filter_map(|asked| {
            let error = asked.list.as_ref().err()?;
            Some((&asked.provider, error))
        });
        let failed: Vec<(&ProviderId, &ListError)> = failed.collect();
        if self.refresh && asked.is_empty() {
            return Some(Failure::new(
                "no provider has a credential that it could be asked with",
                "`coderclaw models auth add` adds one",
            ));
        }
        let nothing_new = self.refresh && failed.len() == asked.len();
        let nothing_at_all = rows.is_empty() && !failed.is_empty();
        if !nothing_new && !nothing_at_all {
            return None;
        }
        let help = match failed.as_slice() {
            [(provider, ListError::NoCredential)] => {
                format!("`coderclaw models auth add --provider {provider}` adds one")
            }
            [(provider, _), ..] => format!(
                "`coderclaw models status --probe --probe-provider {provider}` tells more of its credentials"
            ),
            [] => String::new(),
        };
        let what = failed.iter();
        Some(Failure::Refused {
            what: what
                .map(|(provider, error)| told::failed(provider, error))
                .collect(),
            help,
        })
    }

    fn print(
        &self,
        scope: &ModelScope,
        rows: &[Row],
        reports: &[ListReport],
        available: &BTreeSet<ProviderId>,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        if self.output.json {
            return Ok(printer.json(&json!({
                "count": rows.len(),
                "models": rows,
                "agentId": scope.agent.as_ref().unwrap_or(&scope.settings.default_agent),
                "lists": reports,
            }))?);
        }
        if self.output.plain {
            for row in rows {
                printer.line(&row.key)?;
            }
            return Ok(());
        }
        told::table(rows, printer)?;
        if self.all || self.refresh {
            told::lists(scope, reports, &self.unasked(scope, available, reports), printer)?;
        }
        Ok(told::hint(self, rows, printer)?)
    }
}
