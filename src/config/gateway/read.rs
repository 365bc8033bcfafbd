//! Reads `gateway`.

use std::num::NonZeroUsize;

use super::super::document::{Field, Reader, Section};
use super::super::key::KeyInConfig;
use super::{Bind, ChatCommands, GatewaySettings, Limits, LogFormat, LogSettings, Timeouts};

/// The HTTP threads that may be asked for.
const WORKERS_MAX: u64 = 1024;
/// The sessions that may be asked for: some ten gigabytes.
const SESSIONS_MAX: u64 = 100_000_000;
/// The largest size of a body that may be asked for: 4 GiB.
const BODY_BYTES_MAX: u64 = 4 << 30;
/// The largest size of all bodies that may be asked for: 1 TiB.
const BUFFERED_BODIES_BYTES_MAX: u64 = 1 << 40;
/// The smallest and the largest request head that may be asked for: 1 KiB, 128 KiB. The HTTP server reads no larger one.
const HEADER_BYTES_RANGE: std::ops::RangeInclusive<u64> = (1 << 10)..=(128 << 10);

/// Reads `gateway`, and what it says of the token, which is not yet in the settings.
pub(in crate::config) fn read(
    root: &mut Section<'_>,
    reader: &mut Reader<'_>,
) -> (GatewaySettings, Option<KeyInConfig>) {
    let mut read = GatewaySettings::default();
    let mut token = None;
    let Some(mut gateway) = root.section("gateway", reader) else {
        return (read, token);
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
        let key = auth.take("token");
        token = key.and_then(|field| reader.key(&field, "a token as text, or a reference to one"));
        auth.not_in_effect(&["mode", "password", "rateLimit"], reader);
        auth.finish(reader);
    }
    read.allowed_hosts = hosts(&mut gateway, reader);
    read.allowed_origins = origins(&mut gateway, reader);
    read.limits = limits(&mut gateway, reader);
    read.timeouts = timeouts(&mut gateway, reader);
    read.log = log(&mut gateway, reader);
    if let Some(field) = gateway.take("chatCommands") {
        let callers = [
            ("session", ChatCommands::Session),
            ("always", ChatCommands::Always),
            ("off", ChatCommands::Off),
        ];
        read.chat_commands = reader.one_of(&field, &callers).unwrap_or_default();
    }
    gateway.not_in_effect(&["queue", "mode", "http", "reload"], reader);
    gateway.finish(reader);
    (read, token)
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
        match url::Host::parse(&host) {
            Ok(host) => hosts.push(host.to_string()),
            Err(_) => reader.expected(element, &format!("{expected}, without scheme, port and path")),
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
    if let Some(field) = limits.take("connections") {
        read.connections = reader.count(&field).map_or(read.connections, NonZeroUsize::get);
    }
    if let Some(field) = limits.take("inFlight") {
        read.in_flight = reader.count(&field).map_or(read.in_flight, NonZeroUsize::get);
    }
    if let Some(field) = limits.take("attempts") {
        read.attempts = reader.count(&field).unwrap_or(read.attempts);
    }
    if let Some(field) = limits.take("sessions") {
        let expected = "a number of sessions from 1 to 100000000";
        let sessions = reader.integer(&field, 1..=SESSIONS_MAX, expected);
        read.sessions = sessions.unwrap_or(read.sessions);
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
    if let Some(field) = timeouts.take("fallback") {
        read.fallback = reader.duration(&field);
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
