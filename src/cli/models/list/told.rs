//! What is said of the models and of the lists that they come from.

use std::io;

use anstyle::Style;
use coderclaw_actors::domain::credential::ProviderId;
use serde::Serialize;

use super::ListCommand;
use super::row::Row;
use crate::cli::models::lists::Asked;
use crate::cli::models::scope::ModelScope;
use crate::cli::printer::{BAD, FAINT, Printer};
use crate::cli::table::Rows as Table;
use crate::credentials::health::format_remaining;
use crate::upstream::models::ListError;

const HEADINGS: [&str; 6] = ["MODEL", "INPUT", "CONTEXT", "LOCAL", "AUTH", "TAGS"];
const NUMBERS: [usize; 1] = [2];

/// A provider's list: how old it is, and why there is no newer one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListReport {
    pub(super) provider: ProviderId,
    /// How many models it has; null if there is none.
    count: Option<usize>,
    /// When the provider was asked, in Unix milliseconds.
    fetched_at: Option<u64>,
    /// How long ago that is.
    age_ms: Option<u64>,
    /// Whether it was asked for by this command.
    fetched: bool,
    /// Whether it is older than a list should be.
    stale: bool,
    /// Why asking failed.
    error: Option<String>,
}

/// The lists that were asked for or are kept.
pub(super) fn reports(
    scope: &ModelScope,
    asked: &[Asked],
    named: Option<&ProviderId>,
    now_ms: u64,
) -> Vec<ListReport> {
    let providers = scope.settings.providers.iter().map(|provider| &provider.id);
    let providers = providers.filter(|id| named.is_none_or(|named| named == *id));
    let report = |id: &ProviderId| {
        let list = scope.lists.of(id);
        let asked = asked.iter().find(|asked| asked.provider == *id);
        if list.is_none() && asked.is_none() {
            return None;
        }
        Some(ListReport {
            provider: id.clone(),
            count: list.map(|list| list.models.len()),
            fetched_at: list.map(|list| list.fetched_at),
            age_ms: list.map(|list| list.age_ms(now_ms)),
            fetched: asked.is_some_and(|asked| asked.list.is_ok()),
            stale: list.is_some_and(|list| !list.is_fresh(now_ms)),
            error: asked.and_then(|asked| Some(asked.list.as_ref().err()?.to_string())),
        })
    };
    providers.filter_map(report).collect()
}

/// `groq: its models can't be listed: …`.
pub(super) fn failed(provider: &ProviderId, error: &ListError) -> String {
    format!("{provider}: its models can't be listed: {error}")
}

/// What could not be had, and what is shown in its place.
pub(super) fn failures(reports: &[ListReport], printer: &mut Printer) -> io::Result<()> {
    for report in reports {
        let Some(error) = &report.error else { continue };
        let instead = match report.age_ms {
            Some(age) => format!("what it listed {} is shown", ago(age)),
            None => "of its models only those of the config are shown".to_owned(),
        };
        printer.warning(format_args!(
            "{}: its models can't be listed: {error}; {instead}",
            report.provider
        ))?;
    }
    Ok(())
}

pub(super) fn table(rows: &[Row], printer: &mut Printer) -> io::Result<()> {
    if rows.is_empty() {
        return printer.line("No models found.");
    }
    let mut table = Table::new(&HEADINGS).right(&NUMBERS);
    for row in rows {
        table.push(style(row), cells(row));
    }
    table.print(printer)
}

fn cells(row: &Row) -> Vec<String> {
    let unknown = || "-".to_owned();
    let yes = |said: Option<bool>| match said {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => unknown(),
    };
    vec![
        row.key.clone(),
        row.input.clone().unwrap_or_else(unknown),
        row.context_window
            .map_or_else(unknown, |tokens| tokens.to_string()),
        yes(row.local),
        yes(row.available),
        row.tags.join(" "),
    ]
}

fn style(row: &Row) -> Style {
    match (row.missing, row.available, row.allowed) {
        (Some(true), ..) => BAD,
        (_, Some(false), _) | (_, _, Some(false)) => FAINT,
        _ => Style::new(),
    }
}

/// How old each list is, and who was not asked.
pub(super) fn lists(
    scope: &ModelScope,
    reports: &[ListReport],
    unasked: &[&str],
    printer: &mut Printer,
) -> io::Result<()> {
    let told: Vec<String> = reports.iter().filter_map(ListReport::line).collect();
    let is_restricted = scope.settings.catalogue.is_restricted();
    if !told.is_empty() || !unasked.is_empty() || is_restricted {
        printer.line("")?;
    }
    for line in told {
        printer.line(line)?;
    }
    if !unasked.is_empty() {
        let unasked = unasked.join(", ");
        printer.line(format_args!("Not asked, for want of a credential: {unasked}"))?;
    }
    if is_restricted {
        printer.line("Only the models of `agents.defaults.models` may be used.")?;
    }
    Ok(())
}

/// The way to more, where little is shown.
pub(super) fn hint(command: &ListCommand, rows: &[Row], printer: &mut Printer) -> io::Result<()> {
    if !rows.is_empty() || command.all || command.refresh || command.local {
        return Ok(());
    }
    printer.line("The config names none; `--all` shows what the providers list.")
}

impl ListReport {
    fn line(&self) -> Option<String> {
        let (count, age) = (self.count?, self.age_ms?);
        let models = if count == 1 { "model" } else { "models" };
        let old = if self.stale { ", which is long ago" } else { "" };
        Some(format!(
            "{}: {count} {models}, listed {}{old}",
            self.provider,
            ago(age)
        ))
    }
}

/// `3h ago`.
fn ago(age_ms: u64) -> String {
    /// What is newer is new.
    const NOW_MS: u64 = 60_000;

    if age_ms < NOW_MS {
        return "just now".to_owned();
    }
    let age = i64::try_from(age_ms).unwrap_or(i64::MAX);
    format!("{} ago", format_remaining(age))
}
