//! The control paths, `/__emulator/...`: statistics, log, reset, config and faults while it runs.

use actix_http::header::{HeaderMap, HeaderName, ORIGIN};
use actix_http::{HttpMessage as _, Method, Request};
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::answer::{Answer, JSON};
use super::config::EmulatorConfig;
use super::error::escaped;
use super::fault::Fault;
use super::idp;
use super::rate_headers;
use super::secret::{FINGERPRINT_PREFIX, fingerprint};
use super::shared::Shared;

/// Where the control paths begin.
pub(super) const PREFIX: &str = "/__emulator";

/// Longest prefix of a key that is shown: what the kind of key tells, such as `sk-proj-`.
const PREFIX_SHOWN_MAX: usize = 8;

/// Entries of the log where the caller does not say.
const LOG_LIMIT: usize = 100;

/// The answer to a control request.
pub(super) fn answer(shared: &Shared, request: &Request, body: &[u8]) -> Answer {
    if let Err(why) = admit(shared, request) {
        return problem(403, &why);
    }
    let path = request.path().strip_prefix(PREFIX).unwrap_or_default();
    if let Some(below) = path.strip_prefix(idp::CONTROL_PREFIX) {
        return idp::control_answer(shared, request, below, body);
    }
    match (request.method().as_str(), path) {
        ("GET", "/stats") => show(&shared.stats()),
        ("GET", "/log") => show(&shared.last_requests(limit(request))),
        ("GET", "/config") => show(&shown_config(shared)),
        ("PUT", "/config") => put_config(shared, body),
        ("POST", "/reset") => {
            shared.reset();
            show(&json!({"ok": true}))
        }
        ("GET", "/faults") => show(&faults(shared)),
        ("POST", "/faults") => add_faults(shared, body),
        ("DELETE", "/faults") => {
            shared.set_faults(Vec::new());
            show(&json!({"ok": true}))
        }
        ("DELETE", path) if path.starts_with("/faults/") => remove_fault(shared, path),
        (_, path) => no_such(request.method(), path),
    }
}

fn no_such(method: &Method, path: &str) -> Answer {
    let allow = match path {
        "/stats" | "/log" => "GET",
        "/config" => "GET, PUT",
        "/reset" => "POST",
        "/faults" => "GET, POST, DELETE",
        _ => {
            return problem(
                404,
                "no such control path; there are stats, log, config, reset, faults, faults/{id}, idp",
            );
        }
    };
    let mut headers = HeaderMap::new();
    rate_headers::put(&mut headers, HeaderName::from_static("allow"), allow);
    problem(405, &format!("{method} is not allowed here")).with_headers(headers)
}

pub(super) fn show(value: &impl Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(text) => Answer::new(200, JSON, text),
        Err(error) => problem(500, &error.to_string()),
    }
}

pub(super) fn problem(status: u16, message: &str) -> Answer {
    Answer::new(
        status,
        JSON,
        format!(r#"{{"error":{{"message":"{}"}}}}"#, escaped(message)),
    )
}

fn limit(request: &Request) -> usize {
    request
        .uri()
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("limit=")?.parse().ok())
        .unwrap_or(LOG_LIMIT)
}

fn put_config(shared: &Shared, body: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(body);
    match EmulatorConfig::parse(&text).and_then(|config| shared.set_config(config)) {
        Ok(()) => show(&json!({"ok": true})),
        Err(error) => problem(400, &error.to_string()),
    }
}

fn faults(shared: &Shared) -> Vec<serde_json::Value> {
    let world = shared.world.load();
    shared
        .faults
        .load()
        .iter()
        .map(|rule| json!({"id": rule.id, "fired": rule.fired(), "fault": shown(&rule.spec, &world.config)}))
        .collect()
}

/// The config without the secrets that its faults may select by.
fn shown_config(shared: &Shared) -> EmulatorConfig {
    let mut config = shared.world.load().config.clone();
    config.faults = config.faults.iter().map(|fault| shown(fault, &config)).collect();
    config
}

/// A fault without the secret that it may select by. Names and fingerprints stay.
fn shown(fault: &Fault, config: &EmulatorConfig) -> Fault {
    let mut shown = fault.clone();
    let hidden = |text: &str| format!("{FINGERPRINT_PREFIX}{}", fingerprint(text));
    let is_name = |text: &str| config.keys.iter().any(|key| key.name.as_deref() == Some(text));
    let is_public = |text: &str| is_name(text) || text.len() == 8 || text.starts_with(FINGERPRINT_PREFIX);
    if let Some(key) = shown.key.as_mut().filter(|key| !is_public(key)) {
        *key = hidden(key);
    }
    if let Some(prefix) = shown
        .key_prefix
        .as_mut()
        .filter(|prefix| prefix.len() > PREFIX_SHOWN_MAX)
    {
        *prefix = hidden(prefix);
    }
    shown
}

/// One fault, or a list of them.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<serde_json::Value>),
    One(serde_json::Value),
}

fn add_faults(shared: &Shared, body: &[u8]) -> Answer {
    let values = match json5::from_str(&String::from_utf8_lossy(body)) {
        Ok(OneOrMany::Many(values)) => values,
        Ok(OneOrMany::One(value)) => vec![value],
        Err(error) => return problem(400, &format!("not a fault: {error}")),
    };
    let mut faults = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let fault = serde_json::from_value::<Fault>(value)
            .map_err(|error| error.to_string())
            .and_then(|fault| fault.check().map(|()| fault));
        match fault {
            Ok(fault) => faults.push(fault),
            Err(message) => return problem(400, &format!("faults[{index}]: {message}")),
        }
    }
    show(&json!({"ids": shared.add_faults(faults)}))
}

fn remove_fault(shared: &Shared, path: &str) -> Answer {
    let id = path.strip_prefix("/faults/").and_then(|id| id.parse().ok());
    match id {
        Some(id) if shared.remove_fault(id) => show(&json!({"ok": true})),
        _ => problem(404, "no fault of this id"),
    }
}

/// The access rules: with a token the token; without one loopback only, by peer and by `Host`. Never cross-site.
fn admit(shared: &Shared, request: &Request) -> Result<(), String> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site") == Some("cross-site") {
        return Err("cross-site requests are refused".to_owned());
    }
    let host = text("host").unwrap_or_default();
    if headers.contains_key(ORIGIN) && !own_origin(text("origin").unwrap_or_default(), shared.port) {
        return Err("this Origin is refused".to_owned());
    }
    let world = shared.world.load();
    if let Some(token) = &world.config.control_token {
        let given = text("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let same: bool = given.as_bytes().ct_eq(token.expose().as_bytes()).into();
        return if same {
            Ok(())
        } else {
            Err("the control token is missing or wrong".to_owned())
        };
    }
    if !request
        .peer_addr()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
    {
        return Err(
            "control paths answer loopback only; set `controlToken` (--control-token) for others".to_owned(),
        );
    }
    if !is_loopback_name(host) {
        return Err(
            "this Host is refused: only loopback names are served without a control token".to_owned(),
        );
    }
    Ok(())
}

/// The emulator's own pages, if it had any: a loopback name and the port that it listens on.
fn own_origin(origin: &str, port: u16) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else {
        return false;
    };
    let named = authority.rsplit_once(':').map_or("80", |(_, port)| port);
    is_loopback_name(authority) && named == port.to_string()
}

fn is_loopback_name(authority: &str) -> bool {
    let name = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
