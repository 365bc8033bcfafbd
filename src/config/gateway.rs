//! `gateway.*`: where it listens, who may call, and every limit by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;

use super::document::{Field, Reader, Section};

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
/// Attempts of one request; each credential is tried at most once anyway.
pub const ATTEMPTS: u32 = 1_000;
/// Time to connect to a provider.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Time from sending a request to the first byte of its answer: reasoning models think for minutes.
pub const FIRST_BYTE: Duration = Duration::from_secs(10 * 60);
/// Time between two pieces of an answer.
pub const IDLE: Duration = Duration::from_secs(5 * 60);
/// Time of a whole answer.
pub const TOTAL: Duration = Duration::from_secs(60 * 60);
/// Time that the frames of a stream before its first meaning are held back.
pub const HOLD: Duration = Duration::from_secs(5);
/// Time that requests under way have to end once the gateway is told to stop.
pub const DRAIN: Duration = Duration::from_secs(30);

/// The HTTP threads that may be asked for.
const WORKERS_MAX: u64 = 1024;
/// The largest size of a body that may be asked for: 4 GiB.
const BODY_BYTES_MAX: u64 = 4 << 30;
/// The largest size of all bodies that may be asked for: 1 TiB.
const BUFFERED_BODIES_BYTES_MAX: u64 = 1 << 40;
/// The smallest and the largest request head that may be asked for: 1 KiB, 16 MiB.
const HEADER_BYTES_RANGE: std::ops::RangeInclusive<u64> = (1 << 10)..=(16 << 20);
/// The largest count that may be asked for.
const COUNT_MAX: u64 = 1_000_000;

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
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BODY_BYTES,
            buffered_bodies: BUFFERED_BODIES_BYTES,
            header: HEADER_BYTES,
            connections: CONNECTIONS,
            in_flight: IN_FLIGHT,
            attempts: ATTEMPTS,
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
            idle: IDLE,
            total: TOTAL,
            hold: HOLD,
            drain: DRAIN,
        }
    }
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
}

impl GatewaySettings {
    /// The port to listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(PORT)
    }
}

/// Reads `gateway`.
pub(super) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> GatewaySettings {
    let mut read = GatewaySettings::default();
    let Some(mut gateway) = root.section("gateway", reader) else {
        return read;
    };
    if let Some(field) = gateway.take("port") {
        read.port = reader.integer(&field, 1..=65535, "a port from 1 to 65535");
    }
    if let Some(field) = gateway.take("bind") {
        read.bind = bind(&field, reader);
    }
    if let Some(field) = gateway.take("workers") {
        let expected = "a number of HTTP threads from 1 to 1024";
        read.workers = reader
            .integer(&field, 1..=WORKERS_MAX, expected)
            .and_then(NonZeroUsize::new);
    }
    if let Some(mut auth) = gateway.section("auth", reader) {
        read.token = auth
            .take("token")
            .and_then(|field| reader.secret(&field, "a token as text"));
        auth.not_in_effect(&["mode", "password", "rateLimit"], reader);
        auth.finish(reader);
    }
    read.allowed_hosts = hosts(&mut gateway, reader);
    read.allowed_origins = origins(&mut gateway, reader);
    read.limits = limits(&mut gateway, reader);
    read.timeouts = timeouts(&mut gateway, reader);
    read.log = log(&mut gateway, reader);
    gateway.not_in_effect(&["chatCommands", "queue", "mode", "http", "reload"], reader);
    gateway.finish(reader);
    read
}

fn bind(field: &Field<'_>, reader: &mut Reader<'_>) -> Bind {
    let parsed = field
        .value
        .as_string_lit()
        .and_then(|text| text.value.parse().ok());
    parsed.unwrap_or_else(|| {
        reader.expected(field, "\"loopback\", \"lan\" or an IP address");
        Bind::default()
    })
}

fn hosts(gateway: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let expected = "a host name, such as \"gateway.example\"";
    let Some(field) = gateway.take("allowedHosts") else {
        return Vec::new();
    };
    let list = reader
        .list(&field, &format!("a list, each {expected}"))
        .unwrap_or_default();
    let mut hosts = Vec::with_capacity(list.len());
    for element in &list {
        let Some(host) = reader.text(element, expected) else {
            continue;
        };
        if url::Host::parse(&host).is_ok() {
            hosts.push(host.to_ascii_lowercase());
        } else {
            reader.expected(element, &format!("{expected}, without scheme, port and path"));
        }
    }
    hosts
}

fn origins(gateway: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let expected = "an origin, such as \"https://app.example\"";
    let Some(field) = gateway.take("allowedOrigins") else {
        return Vec::new();
    };
    let list = reader
        .list(&field, &format!("a list, each {expected}"))
        .unwrap_or_default();
    let mut origins = Vec::with_capacity(list.len());
    for element in &list {
        let Some(text) = reader.text(element, expected) else {
            continue;
        };
        // What a browser sends has no path, no default port, and lower-case names: so does what is kept here.
        match url::Url::parse(&text).map(|url| (url.origin(), url.path().len(), url.query().is_none())) {
            Ok((origin, 0..=1, true)) if origin.is_tuple() => origins.push(origin.ascii_serialization()),
            _ => reader.expected(element, &format!("{expected}, without a path")),
        }
    }
    origins
}

fn limits(gateway: &mut Section<'_>, reader: &mut Reader<'_>) -> Limits {
    let mut read = Limits::default();
    let Some(mut limits) = gateway.section("limits", reader) else {
        return read;
    };
    if let Some(field) = limits.take("body") {
        read.body = reader.size(&field, 1..=BODY_BYTES_MAX).unwrap_or(read.body);
    }
    if let Some(field) = limits.take("bufferedBodies") {
        let size = reader.size(&field, 1..=BUFFERED_BODIES_BYTES_MAX);
        read.buffered_bodies = size.unwrap_or(read.buffered_bodies);
        if read.buffered_bodies < read.body {
            reader.refuse(
                &field,
                "must be at least gateway.limits.body, or no such body fits",
            );
        }
    }
    read.buffered_bodies = read.buffered_bodies.max(read.body);
    if let Some(field) = limits.take("header") {
        read.header = reader.size(&field, HEADER_BYTES_RANGE).unwrap_or(read.header);
    }
    let expected = "a whole number from 1 to 1000000";
    if let Some(field) = limits.take("connections") {
        let count = reader.integer(&field, 1..=COUNT_MAX, expected);
        read.connections = count.unwrap_or(read.connections);
    }
    if let Some(field) = limits.take("inFlight") {
        let count = reader.integer(&field, 1..=COUNT_MAX, expected);
        read.in_flight = count.unwrap_or(read.in_flight);
    }
    if let Some(field) = limits.take("attempts") {
        let count = reader.integer(&field, 1..=COUNT_MAX, expected);
        read.attempts = count.unwrap_or(read.attempts);
    }
    limits.finish(reader);
    read
}

fn timeouts(gateway: &mut Section<'_>, reader: &mut Reader<'_>) -> Timeouts {
    let mut read = Timeouts::default();
    let Some(mut timeouts) = gateway.section("timeouts", reader) else {
        return read;
    };
    for (name, timeout) in [
        ("connect", &mut read.connect),
        ("firstByte", &mut read.first_byte),
        ("idle", &mut read.idle),
        ("total", &mut read.total),
        ("hold", &mut read.hold),
        ("drain", &mut read.drain),
    ] {
        if let Some(field) = timeouts.take(name) {
            *timeout = reader.duration(&field).unwrap_or(*timeout);
        }
    }
    timeouts.finish(reader);
    read
}

fn log(gateway: &mut Section<'_>, reader: &mut Reader<'_>) -> LogSettings {
    use tracing::level_filters::LevelFilter;

    let mut read = LogSettings::default();
    let Some(mut log) = gateway.section("log", reader) else {
        return read;
    };
    if let Some(field) = log.take("format") {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        read.format = reader.one_of(&field, &formats).unwrap_or_default();
    }
    if let Some(field) = log.take("level") {
        let levels = [
            ("off", LevelFilter::OFF),
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ];
        read.level = reader.one_of(&field, &levels).unwrap_or(read.level);
    }
    log.finish(reader);
    read
}
