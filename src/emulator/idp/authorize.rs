//! The page where people would log in: it approves at once.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_http::header::{HeaderMap, LOCATION};
use url::{Host, Url};

use super::account::random;
use super::book::{Book, Code};
use super::refuse;
use crate::emulator::answer::Answer;
use crate::emulator::clock::EmulatorClock;
use crate::emulator::rate_headers;

/// What the query says.
type Query = BTreeMap<String, String>;

pub(super) fn answer(book: &mut Book, clock: &dyn EmulatorClock, query: Option<&str>) -> Answer {
    let query: Query = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let Some(redirect) = loopback(asked("redirect_uri")) else {
        return refuse(
            400,
            "invalid_request",
            "redirect_uri must be http on the loopback",
        );
    };
    let client = asked("client_id");
    if client.is_empty()
        || book
            .config
            .client_id
            .as_deref()
            .is_some_and(|known| known != client)
    {
        return refuse(400, "unauthorized_client", "this client is not known here");
    }
    let state = query.get("state").map(String::as_str);
    let failed = |code: &str| send_back(redirect.clone(), &[("error", code)], state);
    if asked("response_type") != "code" {
        return failed("unsupported_response_type");
    }
    if asked("code_challenge_method") != "S256" || asked("code_challenge").is_empty() {
        return failed("invalid_request");
    }
    if book.config.deny {
        return failed("access_denied");
    }
    if book.is_full() {
        return failed("temporarily_unavailable");
    }
    let login = book.new_login(
        query.get("login_hint").map(String::as_str),
        client,
        asked("scope"),
    );
    let code = Code {
        login,
        redirect: asked("redirect_uri").to_owned(),
        challenge: asked("code_challenge").to_owned(),
        expires: clock.now() + Duration::from_millis(book.config.code_lifetime_ms),
        is_spent: false,
    };
    let name = format!("ac_{}", random(40));
    let sent_back = send_back(redirect, &[("code", &name)], state);
    book.codes.insert(name, code);
    book.counts.authorizations += 1;
    sent_back
}

/// The address to send back to, if it is one on this machine.
fn loopback(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let is_loopback = match url.host()? {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    (url.scheme() == "http" && is_loopback).then_some(url)
}

fn send_back(mut redirect: Url, pairs: &[(&str, &str)], state: Option<&str>) -> Answer {
    redirect
        .query_pairs_mut()
        .extend_pairs(pairs)
        .extend_pairs(state.map(|state| ("state", state)));
    let mut headers = HeaderMap::new();
    rate_headers::put(&mut headers, LOCATION, redirect.as_str());
    Answer::new(302, "text/plain", String::new()).with_headers(headers)
}
