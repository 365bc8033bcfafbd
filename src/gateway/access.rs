//! Who may call: the gateway's token, and what a browser must not be tricked into.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use coderclaw_actors::domain::credential::Secret;
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;

/// What the config says about callers.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// The gateway's token; `None` serves loopback only.
    pub token: Option<Secret>,
    /// Host names beside the loopback ones, for a gateway without a token: `devbox:18789`, `devbox`.
    pub allowed_hosts: Vec<String>,
    /// Origins beside the gateway's own: `https://app.example.org`.
    pub allowed_origins: Vec<String>,
}

/// The rules, together with the addresses that the gateway listens on.
#[derive(Debug)]
pub struct Access {
    rules: AccessRules,
    own_origins: Vec<String>,
}

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No token came.
    #[error(
        "this gateway wants its token, as `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or `?key=`: \
         the value of `gateway.auth.token` or CODERCLAW_GATEWAY_TOKEN"
    )]
    NoToken,
    /// Another token came.
    #[error(
        "that is not this gateway's token: use the value of `gateway.auth.token` or CODERCLAW_GATEWAY_TOKEN"
    )]
    WrongToken,
    /// The `host` header names another host (DNS rebinding).
    #[error(
        "this `Host` is not served without a token: add it to `gateway.allowedHosts`, or set `gateway.auth.token`"
    )]
    Host,
    /// A page of another site calls.
    #[error(
        "calls from this web origin are refused: add it to `gateway.allowedOrigins` to let its pages call"
    )]
    Origin,
}

const LOOPBACK_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "::1"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Access {
    /// Applies `rules` to a gateway that listens on `addresses`.
    #[must_use]
    pub fn new(rules: AccessRules, addresses: &[SocketAddr]) -> Self {
        let mut own_origins = Vec::new();
        for address in addresses {
            own_origins.push(format!("http://{address}"));
            if address.ip().is_loopback() || address.ip().is_unspecified() {
                own_origins.extend(LOOPBACK_NAMES.map(|name| format!("http://{name}:{}", address.port())));
            }
            for host in &rules.allowed_hosts {
                own_origins.push(format!("http://{host}"));
                own_origins.push(format!("http://{host}:{}", address.port()));
            }
        }
        Self { rules, own_origins }
    }

    /// Whether a browser, if one calls, may: its origin, and without a token its idea of our name.
    ///
    /// Answers with the origin to allow in the answer, for pages of other origins.
    ///
    /// # Errors
    /// If it may not.
    pub fn browser<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Denied> {
        if self.rules.token.is_none() && !self.serves_host(headers) {
            return Err(Denied::Host);
        }
        let mut allowed = None;
        for origin in headers.get_all(header::ORIGIN) {
            let origin = origin.to_str().map_err(|_| Denied::Origin)?;
            if self
                .rules
                .allowed_origins
                .iter()
                .any(|known| known.eq_ignore_ascii_case(origin))
            {
                allowed = Some(origin);
            } else if !self
                .own_origins
                .iter()
                .any(|own| own.eq_ignore_ascii_case(origin))
            {
                return Err(Denied::Origin);
            }
        }
        // A page of an allowed origin is cross-site to us as a rule; anyone else's is refused.
        let mut sites = headers.get_all(SEC_FETCH_SITE);
        let cross_site = sites.any(|site| site == "cross-site");
        if cross_site && allowed.is_none() {
            Err(Denied::Origin)
        } else {
            Ok(allowed)
        }
    }

    /// Whether the gateway's token, if it has one, stands in any of its four places.
    ///
    /// # Errors
    /// If it stands in none of them.
    pub fn token(&self, headers: &HeaderMap, query: &str) -> Result<(), Denied> {
        let Some(token) = &self.rules.token else {
            return Ok(());
        };
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| bearer(value.as_bytes()));
        let plain = ["x-api-key", "x-goog-api-key"]
            .into_iter()
            .filter_map(|name| headers.get(name))
            .map(header::HeaderValue::as_bytes);
        let mut offered = false;
        for candidate in bearer.into_iter().chain(plain) {
            offered = true;
            if matches(token, candidate) {
                return Ok(());
            }
        }
        for (_, value) in key_parameters(query) {
            offered = true;
            if matches(token, &percent_decode_str(value).collect::<Vec<u8>>()) {
                return Ok(());
            }
        }
        Err(if offered {
            Denied::WrongToken
        } else {
            Denied::NoToken
        })
    }

    fn serves_host(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST) else {
            return true;
        };
        let Ok(host) = host.to_str() else { return false };
        let name = without_port(host);
        let loopback = LOOPBACK_NAMES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
            || name.to_ascii_lowercase().ends_with(".localhost")
            || name
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|ip: IpAddr| ip.is_loopback());
        loopback
            || self
                .rules
                .allowed_hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(name))
    }
}

fn matches(token: &Secret, offered: &[u8]) -> bool {
    token.expose().as_bytes().ct_eq(offered).into()
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// The `key` parameters of a query: one of the places where a caller's credential may stand.
fn key_parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| is_key(name))
}

fn is_key(name: &str) -> bool {
    percent_decode_str(name).eq(*b"key")
}

/// The query without the caller's credential, as it goes upstream; everything else as it came.
#[must_use]
pub fn query_without_key(query: &str) -> std::borrow::Cow<'_, str> {
    if key_parameters(query).next().is_none() && !query.split('&').any(is_key) {
        return query.into();
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !is_key(pair.split_once('=').map_or(*pair, |(name, _)| name)))
        .collect();
    kept.join("&").into()
}

#[cfg(test)]
mod tests;
