//! The client of a running gateway: what the command line asks it, and what the demo sends through it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use coderclaw_actors::domain::credential::{ProfileId, Secret};
use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::gateway::orders::{ClearOrder, Cleared};
use crate::gateway::reload::Reloaded;
use crate::status::Report;

/// A gateway on this machine that takes longer to answer is as good as none.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Reading the settings anew may run commands that hold secrets.
pub const RELOAD_TIMEOUT: Duration = Duration::from_secs(20);
/// A report of a hundred thousand credentials is smaller: 256 MiB.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A way to one gateway.
#[derive(Debug)]
pub struct GatewayClient {
    http: reqwest::Client,
    address: SocketAddr,
    token: Option<Secret>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct WholeAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why a gateway could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no client to ask with.
    #[error("the HTTP client can't be made: {0}")]
    Client(reqwest::Error),
    /// There is no runtime to ask in.
    #[error("no runtime for the HTTP client: {0}")]
    Runtime(std::io::Error),
    /// The gateway says of no address that it listens there.
    #[error("it names no address that it listens on")]
    NoAddress,
    /// Nobody answers, or not in time.
    #[error("{address} can't be reached: {}", cause(source))]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: reqwest::Error,
    },
    /// It goes by settings that name no such agent.
    #[error("{address} knows no agent `{agent}`")]
    NoAgent {
        /// Where.
        address: SocketAddr,
        /// The agent.
        agent: String,
    },
    /// It wants another token, or one at all.
    #[error("{address} wants the gateway's token: set CODERCLAW_GATEWAY_TOKEN or `gateway.auth.token`")]
    Token {
        /// Where.
        address: SocketAddr,
    },
    /// What answers there is not a gateway, or one of another version.
    #[error("{address} does not answer as a gateway of this version does")]
    Unknown {
        /// Where.
        address: SocketAddr,
    },
}

impl GatewayClient {
    /// A way to the gateway that listens on `address`, which gets `token`.
    ///
    /// # Errors
    /// If there can't be a client.
    pub fn new(address: SocketAddr, token: Option<Secret>) -> Result<Self, ControlError> {
        Ok(Self {
            http: client().map_err(ControlError::Client)?,
            address: reachable(address),
            token,
        })
    }

    /// Where it goes.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The gateway's report on `agent`, or the default one.
    ///
    /// # Errors
    /// If there is none within two seconds, or no such agent.
    pub async fn status(&self, agent: Option<&str>) -> Result<Report, ControlError> {
        let path = match agent {
            None => "/status".to_owned(),
            Some(agent) => {
                let agent: String = form_urlencoded::byte_serialize(agent.as_bytes()).collect();
                format!("/status?agent={agent}")
            }
        };
        let answer = self.order(Method::GET, &path, Bytes::new(), TIMEOUT).await?;
        match agent {
            Some(agent) if answer.status == StatusCode::NOT_FOUND => Err(ControlError::NoAgent {
                address: self.address,
                agent: agent.to_owned(),
            }),
            _ => self.read(&answer),
        }
    }

    /// Has the gateway read its settings anew; they are in force when this returns that they are.
    ///
    /// # Errors
    /// If it does not answer within [`RELOAD_TIMEOUT`].
    pub async fn reload(&self) -> Result<Reloaded, ControlError> {
        let asked = self.order(Method::POST, "/reload", Bytes::new(), RELOAD_TIMEOUT);
        self.read(&asked.await?)
    }

    /// Has the gateway let a credential serve again; `None` if it has no such credential.
    ///
    /// # Errors
    /// If it does not answer within two seconds.
    pub async fn clear(&self, profile: &ProfileId) -> Result<Option<Cleared>, ControlError> {
        let profile = profile.clone();
        let order = serde_json::to_vec(&ClearOrder { profile }).unwrap_or_default();
        let answer = self.order(Method::POST, "/clear", order.into(), TIMEOUT).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.read(&answer).map(Some)
    }

    /// Sends a request with the gateway's token.
    async fn order(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<WholeAnswer, ControlError> {
        let address = self.address;
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let value = http::HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut value = value.map_err(|_| ControlError::Token { address })?;
            value.set_sensitive(true);
            headers.insert(http::header::AUTHORIZATION, value);
        }
        self.ask(method, path, headers, body, timeout).await
    }

    fn read<T: DeserializeOwned>(&self, answer: &WholeAnswer) -> Result<T, ControlError> {
        let address = self.address;
        match answer.status {
            StatusCode::OK => {
                serde_json::from_slice(&answer.body).map_err(|_| ControlError::Unknown { address })
            }
            StatusCode::UNAUTHORIZED => Err(ControlError::Token { address }),
            _ => Err(ControlError::Unknown { address }),
        }
    }

    /// Sends one request and waits for the whole answer, for at most `timeout`.
    ///
    /// # Errors
    /// If there is no whole answer in time, or it is larger than any that a gateway gives.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<WholeAnswer, ControlError> {
        let address = self.address;
        let unreachable = |source: reqwest::Error| ControlError::Unreachable {
            address,
            source: source.without_url(),
        };
        let request = self
            .http
            .request(method, format!("http://{address}{path}"))
            .headers(headers)
            .timeout(timeout)
            .body(body);
        let mut response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ControlError::Unknown { address });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(WholeAnswer {
            status,
            headers,
            body: Bytes::from(body),
        })
    }
}

/// An address that listens everywhere is reached on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A client that goes to the gateway and nowhere else.
fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(TIMEOUT)
        .build()
}

/// The innermost cause says the most: `connection refused`.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string().to_lowercase();
    // The system's number of the error is of no use to people.
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
