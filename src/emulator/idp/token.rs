//! The token endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_http::{HttpMessage as _, Request};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::{Login, jwt};
use super::book::Book;
use super::fault::{Grant, IdpFaultKind};
use super::refuse;
use crate::emulator::answer::{Answer, JSON};
use crate::emulator::clock::{EmulatorClock, millis};

/// A form, with the client that sent it.
pub(super) struct Form {
    fields: BTreeMap<String, String>,
    secret: Option<String>,
}

impl Form {
    /// The client stands in the form or in `Authorization: Basic`.
    pub(super) fn read(request: &Request, body: &[u8]) -> Self {
        let mut fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let mut secret = fields.remove("client_secret");
        if let Some((client, of_header)) = basic(request) {
            fields.insert("client_id".to_owned(), client);
            secret = Some(of_header);
        }
        Self { fields, secret }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(super) fn client(&self) -> &str {
        self.get("client_id").unwrap_or_default()
    }

    /// Whether the client is known.
    pub(super) fn admit(&self, book: &Book) -> Result<(), Box<Answer>> {
        let config = &book.config;
        let client = self.client();
        let is_known = !client.is_empty() && config.client_id.as_deref().is_none_or(|known| known == client);
        let has_secret = config
            .client_secret
            .as_ref()
            .is_none_or(|secret| self.secret.as_deref() == Some(secret.expose()));
        if is_known && has_secret {
            Ok(())
        } else {
            Err(Box::new(refuse(
                401,
                "invalid_client",
                "the client or its secret is wrong",
            )))
        }
    }

    fn grant(&self) -> Option<Grant> {
        match self.get("grant_type")? {
            "authorization_code" => Some(Grant::AuthorizationCode),
            "refresh_token" => Some(Grant::RefreshToken),
            "urn:ietf:params:oauth:grant-type:device_code" => Some(Grant::DeviceCode),
            _ => None,
        }
    }
}

fn basic(request: &Request) -> Option<(String, String)> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (client, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pair = format!("x={text}");
        form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((plain(client)?, plain(secret)?))
}

pub(super) fn answer(book: &mut Book, clock: &dyn EmulatorClock, request: &Request, body: &[u8]) -> Answer {
    let form = Form::read(request, body);
    let Some(grant) = form.grant() else {
        return refuse(400, "unsupported_grant_type", "this grant is not known here");
    };
    let name = serde_json::to_value(grant).ok();
    let name = name
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    *book.counts.requests.entry(name).or_default() += 1;
    let fault = book.fault(grant);
    if let Some(answer) = fault.as_ref().and_then(super::IdpFault::instead) {
        return answer;
    }
    if let Err(refusal) = form.admit(book) {
        return *refusal;
    }
    let keeps = fault
        .as_ref()
        .is_some_and(|fault| fault.fault == IdpFaultKind::NoRefreshToken);
    let answer = match honour(book, clock, &form, grant, keeps) {
        Ok(tokens) => Answer::new(200, JSON, tokens.to_string()),
        Err(code) => {
            *book.counts.refused.entry(code.to_owned()).or_default() += 1;
            let status = if code == "temporarily_unavailable" {
                503
            } else {
                400
            };
            refuse(status, code, "the grant is not honoured")
        }
    };
    match fault {
        Some(fault) => fault.spoil(answer),
        None => answer,
    }
}

/// The tokens, or the error code. `keeps` hands out no refresh token and spends none.
fn honour(
    book: &mut Book,
    clock: &dyn EmulatorClock,
    form: &Form,
    grant: Grant,
    keeps: bool,
) -> Result<Value, &'static str> {
    if book.is_full() {
        return Err("temporarily_unavailable");
    }
    let spends = book.config.rotate && !keeps;
    let login = match grant {
        Grant::AuthorizationCode => redeem_code(book, form, clock.now())?,
        Grant::DeviceCode => {
            book.poll_device(form.get("device_code").unwrap_or_default(), form.client(), clock)?
        }
        Grant::RefreshToken => {
            let token = form.get("refresh_token").unwrap_or_default();
            let login = book.redeem_refresh(token, form.client(), spends);
            let login = login.ok_or("invalid_grant")?;
            book.counts.refreshes += 1;
            login
        }
    };
    let mut tokens = hand_out(book, clock, &login);
    let hands_refresh = !keeps && (spends || grant != Grant::RefreshToken);
    if hands_refresh && let Some(fields) = tokens.as_object_mut() {
        fields.insert("refresh_token".to_owned(), book.grant_refresh(&login).into());
    }
    Ok(tokens)
}

fn redeem_code(book: &mut Book, form: &Form, now: Duration) -> Result<Login, &'static str> {
    let code = book.codes.get_mut(form.get("code").unwrap_or_default());
    let code = code.ok_or("invalid_grant")?;
    let login = code.login.clone();
    if code.is_spent {
        // Somebody has it who should not: RFC 6749 §4.1.2.
        book.revoke(login.number);
        return Err("invalid_grant");
    }
    code.is_spent = true;
    let verifier = form.get("code_verifier").unwrap_or_default();
    let proves = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == code.challenge;
    let is_same = form.get("redirect_uri") == Some(code.redirect.as_str()) && form.client() == login.client;
    if proves && is_same && now < code.expires {
        Ok(login)
    } else {
        Err("invalid_grant")
    }
}

fn hand_out(book: &mut Book, clock: &dyn EmulatorClock, login: &Login) -> Value {
    let now = clock.now();
    let lifetime = Duration::from_millis(book.config.access_lifetime_ms);
    let expires = now + lifetime;
    let access = jwt(login, now.as_secs(), expires.as_secs());
    book.grant_access(&access, login, expires);
    json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": millis(clock.real(lifetime)) / 1000,
        "scope": login.scope,
        "id_token": jwt(login, now.as_secs(), expires.as_secs()),
    })
}
