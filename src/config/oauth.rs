//! `models.providers.<id>.oauth`: where people log in to a provider, and as which client.
//!
//! Nothing here is built in: the client id is one that the user registered, or was given, for a client of their own.

use std::fmt;

use coderclaw_actors::domain::credential::Secret;
use url::{Host, Url};

use super::document::{Field, Reader, Section};
use super::key::KeyInConfig;

/// Path of the redirect address where the config names none.
const REDIRECT_PATH: &str = "/callback";

/// Most scopes and most extra parameters that one provider may have.
const ENTRIES_MAX: usize = 64;

/// Parameters that the flows themselves set.
const OUR_PARAMETERS: [&str; 12] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "scope",
    "state",
];

/// The name of this machine in the redirect address; the listener is on 127.0.0.1 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectHost {
    /// `127.0.0.1`, as RFC 8252 wants it.
    #[default]
    Address,
    /// `localhost`, for clients that are registered so.
    Name,
}

impl RedirectHost {
    /// As it stands in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Name => "localhost",
        }
    }
}

/// How to log in to a provider and to stay so.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthProvider {
    /// Where a browser is sent; none if there is only the device flow.
    pub authorize_url: Option<Url>,
    /// Where codes and refresh tokens are redeemed.
    pub token_url: Url,
    /// Where device codes come from; none if there is no device flow.
    pub device_url: Option<Url>,
    /// The client, as it is registered with the provider.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The machine's name in the redirect address.
    pub redirect_host: RedirectHost,
    /// Its port; 0 takes any that is free.
    pub redirect_port: u16,
    /// Its path; begins with `/`.
    pub redirect_path: String,
    /// Where a token says whose it is: a claim, or a path of claims with dots between.
    pub account_id_claim: Option<String>,
    /// What else is sent with the authorize and the device request, in the order of the config.
    pub extra_params: Vec<(String, String)>,
}

impl fmt::Debug for OauthProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthProvider")
            .field("token_url", &self.token_url.as_str())
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Reads `oauth` of one provider, and its client secret, which may be a reference; none if something in it is refused.
pub(super) fn read(
    provider: &mut Section<'_>,
    reader: &mut Reader<'_>,
) -> Option<(OauthProvider, Option<KeyInConfig>)> {
    let mut section = provider.section("oauth", reader)?;
    let authorize_url = optional(&mut section, "authorizeUrl", reader, url);
    let token_url = optional(&mut section, "tokenUrl", reader, url);
    let device_url = optional(&mut section, "deviceUrl", reader, url);
    let client_id = optional(&mut section, "clientId", reader, |field, reader| {
        reader.text(field, "a client id as text")
    });
    let client_secret = section
        .take("clientSecret")
        .and_then(|field| reader.key(&field, "a client secret as text"));
    let scopes = optional(&mut section, "scopes", reader, scopes);
    let redirect_host = optional(&mut section, "redirectHost", reader, |field, reader| {
        let hosts = [RedirectHost::Address, RedirectHost::Name].map(|host| (host.as_str(), host));
        reader.one_of(field, &hosts)
    });
    let redirect_port = optional(&mut section, "redirectPort", reader, |field, reader| {
        reader.integer::<u16>(field, 0..=65535, "a port from 0 to 65535")
    });
    let redirect_path = optional(&mut section, "redirectPath", reader, path);
    let account_id_claim = optional(&mut section, "accountIdClaim", reader, |field, reader| {
        reader.text(field, "the name of a claim")
    });
    let extra_params = optional(&mut section, "extraParams", reader, extra_params);
    require(&section, "tokenUrl", &token_url, reader);
    require(&section, "clientId", &client_id, reader);
    if matches!((&authorize_url, &device_url), (Ok(None), Ok(None))) {
        reader.refuse(
            section.field(),
            "expected an `authorizeUrl`, a `deviceUrl` or both",
        );
    }
    section.finish(reader);
    let oauth = OauthProvider {
        authorize_url: authorize_url.ok()?,
        token_url: token_url.ok()??,
        device_url: device_url.ok()?,
        client_id: client_id.ok()??,
        client_secret: None,
        scopes: scopes.ok()?.unwrap_or_default(),
        redirect_host: redirect_host.ok()?.unwrap_or_default(),
        redirect_port: redirect_port.ok()?.unwrap_or_default(),
        redirect_path: redirect_path.ok()?.unwrap_or_else(|| REDIRECT_PATH.to_owned()),
        account_id_claim: account_id_claim.ok()?,
        extra_params: extra_params.ok()?.unwrap_or_default(),
    };
    Some((oauth, client_secret))
}

/// A value that was refused; the reader has it.
struct Refused;

/// The value of a key, if it is there.
fn optional<T>(
    section: &mut Section<'_>,
    name: &'static str,
    reader: &mut Reader<'_>,
    read: impl FnOnce(&Field<'_>, &mut Reader<'_>) -> Option<T>,
) -> Result<Option<T>, Refused> {
    section
        .take(name)
        .map(|field| read(&field, reader).ok_or(Refused))
        .transpose()
}

fn require<T>(
    section: &Section<'_>,
    name: &str,
    value: &Result<Option<T>, Refused>,
    reader: &mut Reader<'_>,
) {
    if matches!(value, Ok(None)) {
        reader.refuse(section.field(), format!("expected a `{name}`"));
    }
}

/// An address that secrets may be sent to: https, or http on this machine.
fn url(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Url> {
    let text = reader.text(field, "a URL as text")?;
    let parsed = Url::parse(&text).ok().filter(|url| {
        url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    });
    let Some(url) = parsed else {
        reader.refuse(
            field,
            "expected a URL with a host, without user information or fragment",
        );
        return None;
    };
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
        return Some(url);
    }
    reader.refuse(
        field,
        "expected https; http is for addresses of this machine only",
    );
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A list of scopes, or one text with spaces between them.
fn scopes(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let fields = reader.one_or_many(field, "a scope or a list of them");
    let texts: Vec<String> = fields
        .iter()
        .filter_map(|field| reader.text(field, "a scope as text"))
        .collect();
    if texts.len() != fields.len() {
        return None;
    }
    let scopes: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .map(str::to_owned)
        .collect();
    within_limit(field, scopes, reader)
}

fn path(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(field, "a path that begins with `/`")?;
    let is_path = text.starts_with('/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte));
    if !is_path {
        reader.refuse(
            field,
            "expected a path that begins with `/`, without query or spaces",
        );
    }
    is_path.then_some(text)
}

fn extra_params(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Vec<(String, String)>> {
    let section = reader.section(field)?;
    let mut params = Vec::new();
    let mut is_good = true;
    for (name, field) in section.entries() {
        if OUR_PARAMETERS.contains(&name) {
            reader.refuse(field, format!("`{name}` is set by the login itself"));
            is_good = false;
        } else if let Some(value) = reader.text(field, "a value as text") {
            params.push((name.to_owned(), value));
        } else {
            is_good = false;
        }
    }
    within_limit(field, params, reader).filter(|_| is_good)
}

fn within_limit<T>(field: &Field<'_>, entries: Vec<T>, reader: &mut Reader<'_>) -> Option<Vec<T>> {
    if entries.len() > ENTRIES_MAX {
        reader.refuse(field, format!("expected at most {ENTRIES_MAX} entries"));
        return None;
    }
    Some(entries)
}
