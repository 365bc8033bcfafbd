//! Telling the running gateway, if there is one, that files were changed.

use std::io;
use std::net::SocketAddr;

use coderclaw_actors::domain::credential::ProfileId;
use serde::Serialize;

use super::inquiry;
use super::printer::Printer;
use crate::config::Settings;
use crate::gateway::running::RunningGateway;
use crate::upstream::control::{ControlError, GatewayClient};

/// What came of telling a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    /// Its process; none if it can't be known whether one runs.
    pid: Option<u32>,
    /// Where it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
    /// Whether the change is in force.
    obeys: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What came of asking a gateway to let a credential serve again.
pub(super) enum ClearedBy {
    /// No gateway runs.
    Nobody,
    /// It has no such credential.
    Unknown(u32),
    /// It was asked; whether anything kept the credential away.
    Gateway(u32, bool),
}

/// Has the gateway of the state folder read its settings anew; none if none runs.
pub(super) fn reload(settings: &Settings) -> Option<Told> {
    let gateway = match inquiry::find(settings) {
        Ok(gateway) => gateway?,
        Err(error) => {
            return Some(Told {
                pid: None,
                address: None,
                obeys: false,
                error: Some(error),
            });
        }
    };
    let told = |address, error: Option<String>| Told {
        pid: Some(gateway.pid),
        address,
        obeys: error.is_none(),
        error,
    };
    let asked = ask(&gateway, settings, |client| async move { client.reload().await });
    Some(match asked {
        Ok((address, reloaded)) => {
            let error = (!reloaded.applied).then(|| reloaded.errors.join("; "));
            told(Some(address), error)
        }
        Err(error) => told(None, Some(error.to_string())),
    })
}

/// Has the gateway of the state folder let `profile` serve again.
pub(super) fn clear(settings: &Settings, profile: &ProfileId) -> Result<ClearedBy, String> {
    let Some(gateway) = inquiry::find(settings)? else {
        return Ok(ClearedBy::Nobody);
    };
    let asked = ask(
        &gateway,
        settings,
        |client| async move { client.clear(profile).await },
    );
    match asked {
        Ok((_, Some(cleared))) => Ok(ClearedBy::Gateway(gateway.pid, cleared.cleared)),
        Ok((_, None)) => Ok(ClearedBy::Unknown(gateway.pid)),
        Err(error) => Err(format!("a gateway runs (pid {}), but {error}", gateway.pid)),
    }
}

impl Told {
    /// Says on stdout that the gateway obeys, or on stderr why it does not.
    pub(super) fn tell(&self, printer: &mut Printer) -> io::Result<()> {
        let who = self.pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
        match &self.error {
            None => printer.line(format_args!("The running gateway{who} obeys from now on.")),
            Some(error) => warn(&who, error, printer),
        }
    }

    /// Says on stderr if the gateway does not obey; for outputs that are for programs.
    pub(super) fn tell_trouble(&self, printer: &mut Printer) -> io::Result<()> {
        let who = self.pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
        match &self.error {
            None => Ok(()),
            Some(error) => warn(&who, error, printer),
        }
    }
}

fn warn(who: &str, error: &str, printer: &mut Printer) -> io::Result<()> {
    printer.warning(format_args!(
        "it was saved, but the running gateway{who} goes on with what it had: {error}"
    ))
}

/// Asks the gateway at each of its addresses in turn; the error is that of the last one.
fn ask<T, F: Future<Output = Result<T, ControlError>>>(
    gateway: &RunningGateway,
    settings: &Settings,
    question: impl Fn(GatewayClient) -> F,
) -> Result<(SocketAddr, T), ControlError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ControlError::Runtime)?;
    let mut outcome = Err(ControlError::NoAddress);
    for address in &gateway.addresses {
        let client = GatewayClient::new(*address, settings.gateway.token.clone())?;
        let address = client.address();
        outcome = runtime.block_on(question(client)).map(|answer| (address, answer));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
