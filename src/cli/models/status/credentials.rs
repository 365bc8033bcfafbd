//! The table of every credential.

use std::io;

use anstyle::Style;
use coderclaw_actors::StateName;
use coderclaw_actors::domain::credential::{AgentId, ModelClass};
use coderclaw_actors::domain::outcome::ErrorClass;

use crate::cli::printer::{BAD, GOOD, Printer, WAITING};
use crate::cli::span;
use crate::cli::table::Rows;
use crate::credentials::health::{ExpiryStatus, format_remaining};
use crate::status::{AuthReport, CredentialReport, Expiry, ModelReport, ProviderReport, UnusableReport};

/// So much of a reason stands in the table; the whole of it is told below.
const WHY_CHARS_MAX: usize = 40;

/// One line of the table.
#[derive(Default)]
struct Row {
    style: Style,
    provider: String,
    credential: String,
    fingerprint: String,
    source: String,
    state: String,
    expires: String,
    why: String,
    requests: String,
    throttles: String,
    next: String,
}

/// Prints the table, and what is wrong with providers as a whole.
pub(in crate::cli) fn credentials(auth: &AuthReport, printer: &mut Printer) -> io::Result<()> {
    let providers = &auth.providers;
    let rows: Vec<Row> = providers
        .iter()
        .flat_map(|provider| Row::of_provider(provider, auth))
        .collect();
    if rows.is_empty() {
        return printer.line("There are no credentials.");
    }
    table(rows).print(printer)?;
    for provider in providers.iter().filter(|provider| provider.down) {
        printer.styled(
            BAD,
            format_args!(
                "{} serves nobody: its actor crashed too often; restart the gateway",
                provider.provider
            ),
        )?;
    }
    for provider in providers.iter().filter(|provider| provider.restarts > 0) {
        printer.line(format_args!(
            "{}: its actor was restarted {} times",
            provider.provider, provider.restarts
        ))?;
    }
    Ok(())
}

/// Ends have a column only where there is one to tell.
fn table(rows: Vec<Row>) -> Rows {
    let with_ends = rows.iter().any(|row| !row.expires.is_empty());
    let mut headings = vec!["PROVIDER", "CREDENTIAL", "FINGERPRINT", "SOURCE", "STATE"];
    headings.extend(with_ends.then_some("EXPIRES"));
    let numbers = [headings.len() + 1, headings.len() + 2];
    headings.extend(["WHY", "REQUESTS", "THROTTLES", "NEXT"]);
    let mut table = Rows::new(&headings).right(&numbers);
    for row in rows {
        table.push(row.style, row.cells(with_ends));
    }
    table
}

impl Row {
    fn of_provider(provider: &ProviderReport, auth: &AuthReport) -> Vec<Self> {
        let mut rows = Vec::new();
        for credential in &provider.credentials {
            let mut ends = auth.oauth.profiles.iter();
            let end = ends.find(|expiry| expiry.profile_id == credential.id);
            rows.push(Self::of(provider, credential, end));
            rows.extend(credential.models.iter().map(Self::of_model));
        }
        let unusable = provider.unusable.iter();
        rows.extend(unusable.map(|unusable| Self::of_unusable(provider, unusable)));
        rows
    }

    fn of(provider: &ProviderReport, credential: &CredentialReport, end: Option<&Expiry>) -> Self {
        Self {
            style: style(provider, credential),
            provider: provider.provider.to_string(),
            credential: credential.id.to_string(),
            fingerprint: credential.fingerprint.to_string(),
            source: source(&credential.source, credential.owner.as_ref()),
            state: state(credential.state, credential.remaining_ms),
            expires: end.map(expires).unwrap_or_default(),
            why: why(credential.reason, credential.hint.as_deref()),
            requests: credential.requests.to_string(),
            throttles: credential.throttles.to_string(),
            next: next(credential),
        }
    }

    /// What one model class adds to the credential above it.
    fn of_model(model: &ModelReport) -> Self {
        Self {
            style: WAITING,
            credential: format!("  for {}", model.class),
            state: state(model.state, model.remaining_ms),
            why: why(model.reason, model.hint.as_deref()),
            ..Self::default()
        }
    }

    fn of_unusable(provider: &ProviderReport, unusable: &UnusableReport) -> Self {
        Self {
            style: BAD,
            provider: provider.provider.to_string(),
            credential: unusable.id.to_string(),
            source: source(&unusable.source, unusable.owner.as_ref()),
            state: StateName::Disabled.as_str().to_owned(),
            why: shortened(&unusable.why),
            ..Self::default()
        }
    }

    fn cells(self, with_ends: bool) -> Vec<String> {
        let mut cells = vec![
            self.provider,
            self.credential,
            self.fingerprint,
            self.source,
            self.state,
        ];
        cells.extend(with_ends.then_some(self.expires));
        cells.extend([self.why, self.requests, self.throttles, self.next]);
        cells
    }
}

/// `store`, `store (agent work)`.
fn source(source: &str, owner: Option<&AgentId>) -> String {
    match owner {
        None => source.to_owned(),
        Some(owner) => format!("{source} (agent {owner})"),
    }
}

/// `5h`, `renews`, `expired`; nothing for what has no end.
fn expires(expiry: &Expiry) -> String {
    match (expiry.status, expiry.remaining_ms) {
        (ExpiryStatus::Expired, _) => "expired".to_owned(),
        _ if expiry.refreshable => "renews".to_owned(),
        (ExpiryStatus::Missing, _) => "unknown".to_owned(),
        (ExpiryStatus::Ok | ExpiryStatus::Expiring, Some(left_ms)) => format_remaining(left_ms),
        _ => String::new(),
    }
}

/// `next`, `next for gpt-5`.
fn next(credential: &CredentialReport) -> String {
    let models: Vec<&str> = credential.next_for.iter().map(ModelClass::as_str).collect();
    match (credential.next, models.as_slice()) {
        (true, _) => "next".to_owned(),
        (false, []) => String::new(),
        (false, models) => format!("next for {}", models.join(", ")),
    }
}

/// `cooling 42s`.
fn state(state: StateName, remaining_ms: Option<u64>) -> String {
    match remaining_ms {
        Some(ms) => format!("{} {}", state.as_str(), span::short(ms)),
        None => state.as_str().to_owned(),
    }
}

/// `rate_limit (retry-after)`.
fn why(reason: Option<ErrorClass>, hint: Option<&str>) -> String {
    match (reason, hint) {
        (Some(reason), Some(hint)) => format!("{} ({hint})", reason.as_str()),
        (Some(reason), None) => reason.as_str().to_owned(),
        (None, _) => String::new(),
    }
}

fn shortened(why: &str) -> String {
    match why.char_indices().nth(WHY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", why.get(..end).unwrap_or_default().trim_end()),
        None => why.to_owned(),
    }
}

fn style(provider: &ProviderReport, credential: &CredentialReport) -> Style {
    match credential.state {
        _ if provider.down => BAD,
        StateName::Available if credential.next => GOOD,
        StateName::Available => Style::new(),
        StateName::Cooling => WAITING,
        StateName::Exhausted | StateName::Disabled => BAD,
    }
}
