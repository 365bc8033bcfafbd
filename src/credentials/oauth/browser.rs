//! A login in a browser that comes back to this machine, or whose address is pasted.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::client::OauthClient;
use super::code::CodeLogin;
use super::error::LoginError;
use super::paste::{Returned, parse, query_of};
use super::tokens::Tokens;
use crate::config::OauthProvider;

/// How long a browser is waited for where the caller does not say.
pub const WAIT_DEFAULT: Duration = Duration::from_mins(1);

/// The port of an address that nobody listens on, where the config names none.
const UNHEARD_PORT: u16 = 18791;

/// How long one connection may take with its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Connections at once; browsers open some that they may never use.
const CONNECTIONS_MAX: usize = 16;

/// How often a wrong paste may be mended.
const PASTES_MAX: usize = 3;

/// How a person ends the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The browser comes back by itself.
    Browser,
    /// The browser ends at an address that nobody answers; it is pasted.
    Paste,
}

/// Why something is to be pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It was chosen.
    Chosen,
    /// There is no listener.
    NoListener(LoopbackError),
    /// The browser did not come back in time.
    NobodyCame,
    /// What was pasted before is wrong.
    Again(LoginError),
}

/// Why there is no listener.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can't listen on {address}: {reason}")]
pub struct LoopbackError {
    /// Where.
    pub address: SocketAddr,
    /// Why.
    pub reason: String,
}

/// A listener on 127.0.0.1 for one login.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    path: String,
    redirect: Url,
}

/// What one connection brought.
enum Visit {
    /// What belongs to the login.
    Return(Returned),
    /// Something else; it was told so.
    Stray,
}

impl Loopback {
    /// Listens on the port that the provider's config names.
    ///
    /// # Errors
    /// If that can't be: another program may listen there.
    pub async fn bind(provider: &OauthProvider) -> Result<Self, LoopbackError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, provider.redirect_port));
        let failed = |error: &io::Error| LoopbackError {
            address,
            reason: error.kind().to_string(),
        };
        let listener = TcpListener::bind(address).await.map_err(|error| failed(&error))?;
        let port = listener.local_addr().map_err(|error| failed(&error))?.port();
        let redirect = redirect(provider, port).ok_or_else(|| failed(&io::ErrorKind::InvalidInput.into()))?;
        Ok(Self {
            listener,
            path: provider.redirect_path.clone(),
            redirect,
        })
    }

    /// The address to come back to.
    #[must_use]
    pub const fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// Waits until the browser comes back with what belongs to `login`; anything else is answered and forgotten.
    /// None after `wait`.
    pub async fn wait(&self, login: &CodeLogin<'_>, wait: Duration) -> Option<Returned> {
        let mut visits = FuturesUnordered::new();
        let deadline = tokio::time::sleep(wait);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                () = &mut deadline => return None,
                Some(visit) = visits.next() => {
                    if let Visit::Return(returned) = visit {
                        return Some(returned);
                    }
                }
                accepted = self.listener.accept(), if visits.len() < CONNECTIONS_MAX => {
                    // A connection that is gone before it was accepted concerns nobody.
                    if let Ok((stream, _)) = accepted {
                        visits.push(self.visit(stream, login));
                    }
                }
            }
        }
    }

    async fn visit(&self, mut stream: TcpStream, login: &CodeLogin<'_>) -> Visit {
        let visit = tokio::time::timeout(REQUEST_TIMEOUT, async {
            let head = read_head(&mut stream).await?;
            let (visit, status, text) = self.judge(&head, login);
            answer(&mut stream, status, text).await?;
            io::Result::Ok(visit)
        });
        match visit.await {
            Ok(Ok(visit)) => visit,
            _ => Visit::Stray,
        }
    }

    /// What a request is, and what it is told.
    fn judge(&self, head: &str, login: &CodeLogin<'_>) -> (Visit, &'static str, &'static str) {
        let mut words = head.split_ascii_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != self.path {
            return (Visit::Stray, "404 Not Found", "There is nothing here.");
        }
        if method != "GET" {
            return (
                Visit::Stray,
                "405 Method Not Allowed",
                "This is not how a browser comes back.",
            );
        }
        let ours = query_of(query)
            .ok()
            .filter(|returned| returned.state.is_some() && login.is_ours(returned));
        match ours {
            Some(returned) if returned.outcome.is_ok() => (
                Visit::Return(returned),
                "200 OK",
                "You can close this page and go back to the terminal.",
            ),
            Some(returned) => (
                Visit::Return(returned),
                "200 OK",
                "The login was refused. The terminal says more.",
            ),
            None => (
                Visit::Stray,
                "400 Bad Request",
                "This does not belong to the login that is under way.",
            ),
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

async fn answer(stream: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let page = format!("<!doctype html><meta charset=utf-8><title>coderclaw</title><p>{text}</p>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

/// The address to come back to; none if the path makes no address, which the config has seen to.
fn redirect(provider: &OauthProvider, port: u16) -> Option<Url> {
    let host = provider.redirect_host.as_str();
    Url::parse(&format!("http://{host}:{port}{}", provider.redirect_path)).ok()
}

/// Logs in with a browser. `show` gets the address to open; `paste` is asked for what the browser ended at, if it
/// can't come back by itself or does not within `wait`, and gives none to give up. Without `wait` nobody listens.
///
/// # Errors
/// If the login is refused, given up, or its code not honoured.
pub async fn login_in_browser<Pasting>(
    client: OauthClient<'_>,
    wait: Option<Duration>,
    show: impl FnOnce(&Url, Way),
    paste: impl FnMut(Ask) -> Pasting,
) -> Result<Tokens, LoginError>
where
    Pasting: Future<Output = Option<String>>,
{
    let listening = match wait {
        Some(wait) => Some((Loopback::bind(client.provider).await, wait)),
        None => None,
    };
    let (bound, ask) = match listening {
        Some((Ok(loopback), wait)) => (Some((loopback, wait)), Ask::NobodyCame),
        Some((Err(error), _)) => (None, Ask::NoListener(error)),
        None => (None, Ask::Chosen),
    };
    let unheard = match client.provider.redirect_port {
        0 => UNHEARD_PORT,
        port => port,
    };
    let address = match &bound {
        Some((loopback, _)) => loopback.redirect().clone(),
        None => redirect(client.provider, unheard).ok_or(LoginError::NotConfigured("redirectPath"))?,
    };
    let login = CodeLogin::begin(client, address)?;
    show(
        login.url(),
        if bound.is_some() { Way::Browser } else { Way::Paste },
    );
    let came = match bound {
        Some((loopback, wait)) => loopback.wait(&login, wait).await,
        None => None,
    };
    let returned = match came {
        Some(returned) => returned,
        None => pasted(&login, ask, paste).await?,
    };
    login.finish(returned).await
}

/// Asks for a paste until it is good, at most [`PASTES_MAX`] times.
async fn pasted<Pasting>(
    login: &CodeLogin<'_>,
    mut ask: Ask,
    mut paste: impl FnMut(Ask) -> Pasting,
) -> Result<Returned, LoginError>
where
    Pasting: Future<Output = Option<String>>,
{
    let mut last = LoginError::TimedOut;
    for _ in 0..PASTES_MAX {
        let Some(text) = paste(ask).await else {
            return Err(last);
        };
        last = match parse(&text) {
            Ok(returned) if login.is_ours(&returned) => return Ok(returned),
            Ok(_) => LoginError::WrongState,
            Err(error) => error.into(),
        };
        ask = Ask::Again(last.clone());
    }
    Err(last)
}
