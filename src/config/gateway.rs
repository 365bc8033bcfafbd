//! `gateway.*`: where it listens, who may call, and every limit by name.

mod read;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use coderclaw_actors::RotationPolicy;
use coderclaw_actors::domain::credential::Secret;

pub(super) use read::read;

/// The port the gateway listens on unless told otherwise.
pub const PORT: u16 = 18789;
/// Bytes of one request body that are buffered, so that it can be sent again: 64 MiB.
pub const BODY_BYTES: usize = 64 << 20;
/// Bytes of all buffered request bodies together: 1 GiB.
pub const BUFFERED_BODIES_BYTES: usize = 1 << 30;
/// Bytes of one request head: 64 KiB.
pub const HEADER_BYTES: usize = 64 << 10;
/// Open connections of one worker.
pub const CONNECTIONS: usize = 25_000;
/// Requests under way at once.
pub const IN_FLIGHT: usize = 10_000;
/// Sessions that the gateway remembers the credential of, counted once a provider; what one takes is under 300 bytes.
pub const SESSIONS: usize = 1_000_000;
/// Time to connect to a provider.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Time from sending a request to the first byte of its answer: reasoning models think for minutes.
pub const FIRST_BYTE: Duration = Duration::from_mins(10);
/// Time to the first byte of a streamed answer where another model may stand in: streams begin at once, even where the
/// model then thinks for minutes. A whole answer comes when all of it has been thought, so none is cut short by this.
pub const FALLBACK: Duration = Duration::from_mins(1);
/// Time between two pieces of an answer.
pub const IDLE: Duration = Duration::from_mins(5);
/// Time of a whole answer.
pub const TOTAL: Duration = Duration::from_hours(1);
/// Time that the frames of a stream before its first meaning are held back.
pub const HOLD: Duration = Duration::from_secs(5);
/// Time that requests under way have to end once the gateway is told to stop.
pub const DRAIN: Duration = Duration::from_secs(30);

/// Where the gateway listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// 127.0.0.1 and `::1`.
    #[default]
    Loopback,
    /// Every IPv4 address of the machine.
    Lan,
    /// One address.
    Address(IpAddr),
}

impl Bind {
    /// The addresses to listen on.
    #[must_use]
    pub fn addresses(self) -> Vec<IpAddr> {
        match self {
            Self::Loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Self::Lan => vec![Ipv4Addr::UNSPECIFIED.into()],
            Self::Address(address) => vec![address],
        }
    }

    /// Whether nobody but this machine can reach it.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        match self {
            Self::Loopback => true,
            Self::Lan => false,
            Self::Address(address) => address.to_canonical().is_loopback(),
        }
    }
}

/// A bind address that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `loopback`, `lan` or an IP address")]
pub struct BindError;

impl FromStr for Bind {
    type Err = BindError;

    fn from_str(text: &str) -> Result<Self, BindError> {
        match text.trim() {
            "loopback" | "localhost" => Ok(Self::Loopback),
            "lan" => Ok(Self::Lan),
            address => address
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse()
                .map(Self::Address)
                .map_err(|_| BindError),
        }
    }
}

/// What the gateway holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one buffered request body.
    pub body: usize,
    /// Bytes of all buffered request bodies together.
    pub buffered_bodies: usize,
    /// Bytes of one request head.
    pub header: usize,
    /// Open connections of one worker.
    pub connections: usize,
    /// Requests under way at once.
    pub in_flight: usize,
    /// Attempts of one request.
    pub attempts: NonZeroUsize,
    /// Sessions whose credential is remembered, counted once a provider.
    pub sessions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BODY_BYTES,
            buffered_bodies: BUFFERED_BODIES_BYTES,
            header: HEADER_BYTES,
            connections: CONNECTIONS,
            in_flight: IN_FLIGHT,
            attempts: RotationPolicy::DEFAULT_ATTEMPTS_MAX,
            sessions: SESSIONS,
        }
    }
}

/// How long the gateway waits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect to a provider.
    pub connect: Duration,
    /// From sending a request to the first byte of its answer.
    pub first_byte: Duration,
    /// The same, where another model may stand in, whether the answer streams or not; [`FALLBACK`] for streams alone
    /// if the config says nothing.
    pub fallback: Option<Duration>,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a whole answer.
    pub total: Duration,
    /// For a stream's first meaning, before it commits anyway.
    pub hold: Duration,
    /// For requests under way, once told to stop.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            first_byte: FIRST_BYTE,
            fallback: None,
            idle: IDLE,
            total: TOTAL,
            hold: HOLD,
            drain: DRAIN,
        }
    }
}

impl Timeouts {
    /// How long the first byte of an answer is waited for where another model may stand in; `None` for no shorter than
    /// elsewhere.
    #[must_use]
    pub fn before_fallback(&self, is_stream: bool) -> Option<Duration> {
        self.fallback.or_else(|| is_stream.then_some(FALLBACK))
    }
}

/// Whose `/model` the gateway answers itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatCommands {
    /// Of requests with `x-coderclaw-session-key`: no end user of a chat program that doesn't send it steers anything.
    #[default]
    Session,
    /// Of all requests.
    Always,
    /// Of none.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines, one object a line.
    Json,
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How lines look.
    pub format: LogFormat,
    /// The least important level that is written.
    pub level: tracing::level_filters::LevelFilter,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: tracing::level_filters::LevelFilter::INFO,
        }
    }
}

/// Everything below `gateway`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewaySettings {
    /// The port; [`PORT`] unless the environment or the config says another.
    pub port: Option<u16>,
    /// Where it listens.
    pub bind: Bind,
    /// HTTP threads; `None` is one a core.
    pub workers: Option<NonZeroUsize>,
    /// What callers must show.
    pub token: Option<Secret>,
    /// Names that a `Host` header may say besides loopback's.
    pub allowed_hosts: Vec<String>,
    /// Browsers' origins that may call.
    pub allowed_origins: Vec<String>,
    /// What it holds at most.
    pub limits: Limits,
    /// How long it waits at most.
    pub timeouts: Timeouts,
    /// What is logged.
    pub log: LogSettings,
    /// Whose `/model` it answers itself.
    pub chat_commands: ChatCommands,
}

impl GatewaySettings {
    /// The port to listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(PORT)
    }
}
