//! A login in a browser, or with the address pasted at which the browser ended.

use std::cell::Cell;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use url::Url;

use super::super::scope::Scope;
use crate::cli::printer::Printer;
use crate::cli::prompt::{Terminal, Unanswered};
use crate::credentials::environment::Environment;
use crate::credentials::oauth::{Ask, LoginError, OauthClient, Tokens, Way, login_in_browser};

/// Programs that open an address, on Linux and on macOS.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// Whether there is no browser on this machine for whoever sits at the terminal.
pub(super) fn is_remote(environment: &dyn Environment) -> bool {
    let is_set = |name: &&str| environment.get(name).is_some_and(|value| !value.is_empty());
    let far = [
        "SSH_CONNECTION",
        "SSH_CLIENT",
        "SSH_TTY",
        "REMOTE_CONTAINERS",
        "CODESPACES",
    ];
    let screens = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    far.iter().any(is_set) || (cfg!(target_os = "linux") && !screens.iter().any(is_set))
}

/// Logs in; none if the question was interrupted. Without `wait` nobody listens for the browser, and its address is
/// asked for.
pub(super) async fn log_in(
    client: OauthClient<'_>,
    wait: Option<Duration>,
    scope: &Scope,
    printer: &mut Printer,
) -> Option<Result<Tokens, LoginError>> {
    let interrupted = Cell::new(false);
    let terminal = Terminal::find();
    let path = scope.environment.get("PATH").unwrap_or_default();
    let show = |url: &Url, way: Way| {
        // Where nobody can read it, nobody comes, and the login ends when its time does.
        let _unread = printer.aside(format_args!("Open this address to log in:\n\n{url}\n"));
        if way == Way::Browser {
            open(url, path);
            let _unread = printer.aside("Waiting for the browser to come back; Ctrl-C gives up.");
        }
    };
    let ask = |ask: Ask| {
        let pasted = terminal.map(|terminal| paste(&ask, terminal));
        interrupted.set(matches!(pasted, Some(Err(Unanswered::Interrupted))));
        std::future::ready(pasted.and_then(Result::ok))
    };
    let outcome = login_in_browser(client, wait, show, ask).await;
    (!interrupted.get()).then_some(outcome)
}

/// Asks for the address.
fn paste(ask: &Ask, terminal: Terminal) -> Result<String, Unanswered> {
    let why = match ask {
        Ask::Chosen => "the address at which the browser ends, or the code on the page".to_owned(),
        Ask::NoListener(error) => format!("{error}; paste the address at which the browser ends"),
        Ask::NobodyCame => "the browser did not come back; paste the address at which it ended".to_owned(),
        Ask::Again(error) => format!("{error}; paste it again"),
    };
    terminal.secret("Address or code:", &why, |_: &str| Ok(()))
}

/// Opens an address, if there is a program for it; it is shown in any case.
fn open(url: &Url, path: &str) {
    let folders = || path.split(':').filter(|folder| !folder.is_empty());
    let mut files = OPENERS
        .iter()
        .flat_map(|opener| folders().map(move |folder| Path::new(folder).join(opener)));
    let Some(opener) = files.find(|file| file.is_file()) else {
        return;
    };
    let started = Command::new(opener)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // It is its own affair how it ends.
    drop(started);
}
