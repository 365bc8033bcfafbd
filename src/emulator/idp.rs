//! An identity provider to log in at: authorization code with PKCE, device codes, rotating refresh tokens.
//!
//! | path | what |
//! |---|---|
//! | `GET /__idp/authorize` | approves at once and redirects to the given loopback address with `code` and `state` |
//! | `POST /__idp/device` | a device code, to be approved by a control call |
//! | `POST /__idp/token` | grants `authorization_code` (S256 is checked), `refresh_token`, device code |
//!
//! Refresh tokens are single-use: each success hands out another, and a spent one that comes again is refused as
//! `invalid_grant` and counted. Access tokens are accepted by the providers' paths, as Bearer only, while they live;
//! one that does not any more gets the provider's 401 for that. Access and id tokens have the form of a JWT, with
//! the account in the claims `account_id` and `https://idp.example/auth` → `account_id`; nobody signed them.

mod account;
mod authorize;
mod book;
mod config;
mod control;
mod device;
mod fault;
mod stats;
mod token;

use actix_http::Request;
use parking_lot::Mutex;

use super::answer::{Answer, JSON};
use super::clock::EmulatorClock;
use super::error::escaped;

pub use config::IdpConfig;
pub use fault::{Grant, IdpFault, IdpFaultKind};
pub use stats::{IdpStats, IdpToken, IdpTokenState};

use account::JWT_PREFIX;

pub(super) use account::Bearer;
pub(super) use book::Book;
pub(super) use control::{PREFIX as CONTROL_PREFIX, answer as control_answer, restore_secret};

/// Where its paths begin.
pub(super) const PREFIX: &str = "/__idp/";

/// The identity provider of one emulator.
pub(super) struct Idp {
    pub(super) book: Mutex<Book>,
}

impl Idp {
    /// With nobody logged in.
    pub(super) fn new(config: IdpConfig) -> Self {
        Self {
            book: Mutex::new(Book::new(config)),
        }
    }

    /// What a bearer is to it; none if it never handed it out.
    pub(super) fn bearer(&self, secret: &str, clock: &dyn EmulatorClock) -> Option<Bearer> {
        // Keys are many and tokens few: only what looks like one is looked up.
        let looks_like_one = secret.starts_with(JWT_PREFIX);
        looks_like_one
            .then(|| self.book.lock().bearer(secret, clock.now()))
            .flatten()
    }

    /// The answer to a request below [`PREFIX`].
    pub(super) fn answer(&self, clock: &dyn EmulatorClock, request: &Request, body: &[u8]) -> Answer {
        let mut book = self.book.lock();
        match (request.method().as_str(), request.path().strip_prefix(PREFIX)) {
            ("GET", Some("authorize")) => authorize::answer(&mut book, clock, request.uri().query()),
            ("POST", Some("device")) => device::answer(&mut book, clock, request, body),
            ("POST", Some("token")) => token::answer(&mut book, clock, request, body),
            (_, Some("authorize" | "device" | "token")) => {
                refuse(405, "invalid_request", "the method is not allowed here")
            }
            _ => refuse(404, "invalid_request", "there are authorize, token, device"),
        }
    }
}

/// An error as RFC 6749 has it.
fn refuse(status: u16, code: &str, description: &str) -> Answer {
    let (code, description) = (escaped(code), escaped(description));
    Answer::new(
        status,
        JSON,
        format!(r#"{{"error":"{code}","error_description":"{description}"}}"#),
    )
}
