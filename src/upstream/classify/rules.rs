//! The tables: which codes and which words mean which class. The first rule that holds decides.

use coderclaw_actors::domain::outcome::{ErrorClass, Scope, ScopeOwner};

use super::Judged;
use super::evidence::Evidence;

mod access;
mod capacity;
mod quota;
mod request;

/// One line of the tables.
pub(crate) struct Rule {
    class: ErrorClass,
    /// The reach, where the rule itself tells it.
    scope: Option<Scope>,
    /// Codes in plain form: lower case, letters and digits only.
    codes: &'static [&'static str],
    /// Phrases in lower case.
    phrases: &'static [&'static str],
    /// The statuses on which it holds; empty: all.
    on: &'static [u16],
    /// It does not hold where there is no status.
    needs_status: bool,
    /// It does not hold beside these codes.
    unless: &'static [&'static str],
}

impl Rule {
    const fn new(class: ErrorClass) -> Self {
        Self {
            class,
            scope: None,
            codes: &[],
            phrases: &[],
            on: &[],
            needs_status: false,
            unless: &[],
        }
    }

    const fn scope(mut self, owner: ScopeOwner) -> Self {
        self.scope = Some(Scope::of(owner));
        self
    }

    const fn codes(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    const fn phrases(mut self, phrases: &'static [&'static str]) -> Self {
        self.phrases = phrases;
        self
    }

    const fn on(mut self, statuses: &'static [u16]) -> Self {
        self.on = statuses;
        self
    }

    /// Holds on these statuses, and not where there is none.
    const fn only_on(mut self, statuses: &'static [u16]) -> Self {
        self.on = statuses;
        self.needs_status = true;
        self
    }

    const fn unless(mut self, codes: &'static [&'static str]) -> Self {
        self.unless = codes;
        self
    }

    fn holds(&self, evidence: &Evidence) -> bool {
        let status_fits = match evidence.status {
            Some(status) => self.on.is_empty() || self.on.contains(&status),
            None => !self.needs_status,
        };
        status_fits
            && !evidence.has_code(self.unless)
            && (evidence.has_code(self.codes) || self.is_said(evidence))
    }

    /// Words count against a credential only if they can't be the caller's: one request could rest or disable a
    /// whole pool otherwise.
    fn is_said(&self, evidence: &Evidence) -> bool {
        match self.class {
            ErrorClass::AuthDead
            | ErrorClass::AuthRefresh
            | ErrorClass::CredentialUseForbidden
            | ErrorClass::QuotaHard
            | ErrorClass::QuotaWindow
            | ErrorClass::RateLimit => evidence.says_itself(self.phrases),
            _ => evidence.says(self.phrases),
        }
    }
}

/// The tables in their order. What names a thing exactly stands before what only hints at it.
const TABLES: [&[Rule]; 11] = [
    request::REQUEST,
    access::USE_FORBIDDEN,
    quota::BILLING_SETUP,
    access::REGION,
    capacity::EXACT,
    quota::HARD,
    access::CREDENTIAL,
    access::MODEL,
    quota::WINDOW,
    capacity::BUSY,
    quota::RATE,
];

/// What the tables say; `None` where no rule holds. A page for people is judged by its status alone.
pub(crate) fn judge(evidence: &Evidence) -> Option<Judged> {
    if evidence.is_html {
        return None;
    }
    request::too_large_for_key(evidence)
        .or_else(|| {
            TABLES
                .iter()
                .copied()
                .flatten()
                .chain(access::PERMISSION)
                .chain(capacity::WEAK)
                .find(|rule| rule.holds(evidence))
                .map(|rule| (rule.class, rule.scope))
        })
        .or_else(|| access::names_model(evidence).then_some((ErrorClass::ModelAccess, None)))
}
