//! Where a report comes from: the running gateway if there is one, else the environment and the config.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use coderclaw_actors::domain::credential::{AgentId, Secret};
use coderclaw_actors::{SavedState, SharedClock, SystemClock};

use super::exit::Failure;
use super::models::auth::name;
use super::options::GlobalOptions;
use super::printer::Printer;
use crate::config::{Settings, state_dir, token_in};
use crate::credentials::environment::Variables;
use crate::gateway::memory::Memory;
use crate::gateway::running::{self, RunningGateway};
use crate::status::Report;
use crate::upstream::control::{ControlError, GatewayClient};

/// A report and who told it.
pub(super) struct Inquiry {
    pub(super) report: Report,
    /// `asked the running gateway at 127.0.0.1:18789 (pid 123)`.
    pub(super) told_by: String,
    /// What this program itself finds; why it can't be read, where only the gateway could be asked.
    pub(super) settings: Result<Settings, Failure>,
}

/// A report and who told it.
type Told = (Report, String);

impl Inquiry {
    /// Asks the gateway of the state folder about `agent`, or the default one; where none answers, works it out.
    /// Warnings go to stderr.
    pub(super) fn make(
        options: &GlobalOptions,
        agent: Option<&str>,
        printer: &mut Printer,
    ) -> Result<Self, Failure> {
        let inquiry = match options.settings() {
            Ok(settings) => {
                let agent = agent.map(|typed| find_agent(&settings, typed)).transpose()?;
                Self::with(settings, agent.as_ref(), printer)?
            }
            Err(failure) => Self::despite(failure, agent, options, printer)?,
        };
        for warning in &inquiry.report.warnings {
            let place = warning.place.iter().map(String::as_str);
            let parts: Vec<&str> = place.chain([&*warning.subject, &*warning.message]).collect();
            printer.warning(parts.join(": "))?;
        }
        Ok(inquiry)
    }

    fn with(settings: Settings, agent: Option<&AgentId>, printer: &mut Printer) -> Result<Self, Failure> {
        let asked_for = agent.map(AgentId::as_str);
        let offline = |why, printer: &mut Printer| offline(&settings, agent, why, printer);
        let (report, told_by) = match find(&settings) {
            Ok(Some(gateway)) => match ask(&gateway, &settings, asked_for) {
                Ok((address, report)) => (report, asked(address, &gateway)),
                Err(error) => {
                    printer.warning(format_args!(
                        "a gateway runs (pid {}), but {error}; what follows is what a new one would begin with",
                        gateway.pid
                    ))?;
                    offline("the running gateway did not answer", printer)?
                }
            },
            Ok(None) => match elsewhere(&settings, asked_for, printer)? {
                Some(told) => told,
                None => offline("no gateway is running", printer)?,
            },
            Err(what) => {
                printer.warning(what)?;
                offline("no running gateway was found", printer)?
            }
        };
        Ok(Self {
            report,
            told_by,
            settings: Ok(settings),
        })
    }

    /// What the gateway tells that goes on with older settings, since `failure` keeps the newer ones from being read.
    fn despite(
        failure: Failure,
        agent: Option<&str>,
        options: &GlobalOptions,
        printer: &mut Printer,
    ) -> Result<Self, Failure> {
        let Some((gateway, token)) = running_on(options) else {
            return Err(failure);
        };
        let Ok((address, report)) = ask_at(&gateway.addresses, token.as_ref(), agent) else {
            return Err(failure);
        };
        if let Failure::Refused { what, .. } = &failure {
            for what in what {
                printer.warning(what)?;
            }
        }
        Ok(Self {
            report,
            told_by: asked(address, &gateway),
            settings: Err(failure),
        })
    }
}

fn asked(address: SocketAddr, gateway: &RunningGateway) -> String {
    format!("asked the running gateway at {address} (pid {})", gateway.pid)
}

/// The gateway of the state folder, and the token that the environment holds for it: found without the config.
fn running_on(options: &GlobalOptions) -> Option<(RunningGateway, Option<Secret>)> {
    let environment = options.environment().ok()?;
    let state_dir = state_dir(&environment).ok()?;
    let mut variables = Variables::of(&environment);
    // What is wrong with the file is told by whoever can use it.
    let _warnings = variables.fill_from_dotenv(&state_dir);
    let gateway = running::read(&state_dir).ok()??;
    Some((gateway, token_in(&variables)))
}

/// What is known of credentials where no gateway is asked: by the last one, and by the older tools. What can't be read is
/// warned of.
pub(super) fn remembered(settings: &Settings, printer: &mut Printer) -> io::Result<SavedState> {
    let saved = Memory::of(&settings.state_dir).read();
    let mut saved = match saved {
        Ok(saved) => saved,
        Err(error) => {
            printer.warning(format_args!(
                "what the last gateway knew of credentials can't be read: {error}"
            ))?;
            SavedState::default()
        }
    };
    saved.complete(&settings.remembered);
    Ok(saved)
}

fn offline(
    settings: &Settings,
    agent: Option<&AgentId>,
    why: &str,
    printer: &mut Printer,
) -> Result<Told, Failure> {
    let saved = remembered(settings, printer)?;
    let clock: SharedClock = Arc::new(SystemClock::start());
    Ok((
        Report::of_settings(settings, agent, &saved, &clock),
        format!("{why}: read from the environment and the config"),
    ))
}

/// The gateway that listens where one would by default, though it left no word in the state folder: it has another.
fn elsewhere(
    settings: &Settings,
    agent: Option<&str>,
    printer: &mut Printer,
) -> Result<Option<Told>, Failure> {
    let gateway = &settings.gateway;
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), gateway.port());
    // Whoever listens on a port that nobody named may be anyone: only a named one gets the token.
    let token = gateway.token.clone().filter(|_| gateway.port.is_some());
    match ask_at(&[address], token.as_ref(), agent) {
        Ok((address, report)) => {
            let pid = report.gateway.pid.unwrap_or_default();
            let by =
                format!("asked the gateway at {address} (pid {pid}), which runs on another state folder");
            Ok(Some((report, by)))
        }
        Err(error @ ControlError::Token { .. }) => {
            printer.warning(error)?;
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

/// The gateway that runs on the state folder; what is wrong if that can't be known.
pub(super) fn find(settings: &Settings) -> Result<Option<RunningGateway>, String> {
    running::read(&settings.state_dir).map_err(|error| {
        let folder = settings.state_dir.display();
        format!("gateway.json in {folder} can't be read: {error}")
    })
}

/// Asks the gateway of the state folder about `agent`, or the default one.
pub(super) fn ask(
    gateway: &RunningGateway,
    settings: &Settings,
    agent: Option<&str>,
) -> Result<(SocketAddr, Report), ControlError> {
    ask_at(&gateway.addresses, settings.gateway.token.as_ref(), agent)
}

/// The agent that was typed.
pub(super) fn find_agent(settings: &Settings, typed: &str) -> Result<AgentId, Failure> {
    settings.catalogue.agent(typed).cloned().map_err(|_| {
        Failure::new(
            name::unknown("agent", typed, settings.agents.iter().map(String::as_str)),
            format!(
                "give one of {}, or add it to `agents.list` of {}",
                settings.agents.join(", "),
                settings.config_path.display()
            ),
        )
    })
}

/// Asks each address in turn; the error is that of the last one.
fn ask_at(
    addresses: &[SocketAddr],
    token: Option<&Secret>,
    agent: Option<&str>,
) -> Result<(SocketAddr, Report), ControlError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ControlError::Runtime)?;
    let mut outcome = Err(ControlError::NoAddress);
    for address in addresses {
        let client = GatewayClient::new(*address, token.cloned())?;
        let asked = runtime.block_on(client.status(agent));
        outcome = asked.map(|report| (client.address(), report));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
