//! What is said of a credential that was stored.

use std::io;

use coderclaw_actors::domain::credential::{CredentialKind, Fingerprint, ProfileId, ProviderId};
use serde_json::json;

use super::super::scope::Scope;
use crate::cli::printer::Printer;
use crate::cli::told::Told;
use crate::credentials::health::format_remaining;

/// A credential that was stored.
pub(super) struct Report<'a> {
    pub(super) profile_id: &'a ProfileId,
    pub(super) provider: &'a ProviderId,
    pub(super) kind: CredentialKind,
    pub(super) fingerprint: Option<Fingerprint>,
    /// Where the secret is, if it is not in the store.
    pub(super) reference: Option<String>,
    pub(super) expires_ms: Option<u64>,
    /// The type of what was in its place.
    pub(super) replaced: Option<&'static str>,
    /// The agent's own order, if it has one.
    pub(super) order: Option<Vec<ProfileId>>,
    pub(super) config_updated: bool,
    pub(super) gateway: Option<Told>,
    pub(super) warnings: &'a [String],
}

impl Report<'_> {
    pub(super) fn print(&self, scope: &Scope, printer: &mut Printer) -> io::Result<()> {
        if scope.json {
            self.json(scope, printer)
        } else {
            self.text(scope, printer)
        }
    }

    fn text(&self, scope: &Scope, printer: &mut Printer) -> io::Result<()> {
        if self.config_updated {
            printer.line(format_args!("Updated {}", scope.settings.config_path.display()))?;
        }
        let (id, provider, kind) = (self.profile_id, self.provider, self.kind.as_str());
        printer.line(format_args!("Auth profile: {id} ({provider}/{kind})"))?;
        printer.line(format_args!("Auth file: {}", scope.store.path().display()))?;
        if let Some(fingerprint) = self.fingerprint {
            printer.line(format_args!("Fingerprint: {fingerprint}"))?;
        }
        if let Some(reference) = &self.reference {
            printer.line(format_args!("Secret: {reference}"))?;
        }
        if let Some(end) = self.expires_ms {
            let left = i64::try_from(end.saturating_sub(Scope::now_ms())).unwrap_or(i64::MAX);
            printer.line(format_args!("Runs out in: {}", format_remaining(left)))?;
        }
        if let Some(before) = self.replaced {
            printer.line(format_args!(
                "It takes the place of what was `{id}` before ({before})."
            ))?;
        }
        if let Some(order) = &self.order {
            let ids: Vec<&str> = order.iter().map(ProfileId::as_str).collect();
            printer.line(format_args!("Order override: {}", ids.join(", ")))?;
        }
        match &self.gateway {
            Some(told) => told.tell(printer),
            None => Ok(()),
        }
    }

    fn json(&self, scope: &Scope, printer: &mut Printer) -> io::Result<()> {
        if let Some(told) = &self.gateway {
            told.tell_trouble(printer)?;
        }
        printer.json(&json!({
            "agentId": scope.agent,
            "agentDir": scope.agent_dir(),
            "authStorePath": scope.store.path(),
            "configPath": scope.settings.config_path,
            "configUpdated": self.config_updated,
            "profileId": self.profile_id,
            "provider": self.provider,
            "type": self.kind.as_str(),
            "fingerprint": self.fingerprint,
            "reference": self.reference,
            "expiresAt": self.expires_ms,
            "replaced": self.replaced,
            "order": self.order,
            "warnings": self.warnings,
            "gateway": self.gateway,
        }))
    }
}
