//! Which headers pass, in which direction, and the one place where a credential goes on the wire.

use coderclaw_actors::domain::credential::AuthProfile;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::config::AuthScheme;

/// Google's header for an API key.
pub const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
/// Anthropic's header for an API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The prefix of the headers that callers and the gateway speak to each other in; none goes upstream.
const OWN_PREFIX: &str = "x-coderclaw-";

/// Headers that belong to one connection (RFC 9110 §7.6.1), and `expect`, which the gateway has answered itself.
const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Headers of a caller that never go upstream: its credential, and what the gateway's own client writes.
const CALLERS_OWN: [HeaderName; 6] = [
    header::AUTHORIZATION,
    X_API_KEY,
    X_GOOG_API_KEY,
    header::HOST,
    header::CONTENT_LENGTH,
    header::ACCEPT_ENCODING,
];

/// Whether a caller's header goes upstream. `connection` lists the names that its `connection` header adds.
#[must_use]
pub fn passes_upstream(name: &HeaderName, connection: &[HeaderName]) -> bool {
    !HOP_BY_HOP.contains(name)
        && !CALLERS_OWN.contains(name)
        && !connection.contains(name)
        && !name.as_str().starts_with(OWN_PREFIX)
}

/// Removes from a provider's answer what belongs to its connection or could be taken for the gateway's own word.
/// `content-length` goes too: the gateway's server writes it from the body that it really sends.
pub fn strip_answer(headers: &mut HeaderMap) {
    let connection = headers.get_all(header::CONNECTION).iter();
    for name in named_by_connection(connection.filter_map(|value| value.to_str().ok())) {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove(header::CONTENT_LENGTH);
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(OWN_PREFIX))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
}

/// The header names that the values of a `connection` header list, beyond the fixed ones.
#[must_use]
pub fn named_by_connection<'a>(values: impl Iterator<Item = &'a str>) -> Vec<HeaderName> {
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.eq_ignore_ascii_case("close") && !name.eq_ignore_ascii_case("keep-alive"))
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .collect()
}

/// Puts `profile`'s credential on the wire: the only function that does.
///
/// A token or an OAuth access token goes as a plain Bearer with every provider, with no header beside it.
pub(super) fn put_credential(headers: &mut HeaderMap, scheme: AuthScheme, profile: &AuthProfile) {
    let scheme = scheme.carrying(profile.kind);
    let value = match scheme {
        AuthScheme::Bearer => HeaderValue::try_from(format!("Bearer {}", profile.secret.expose())),
        AuthScheme::XApiKey | AuthScheme::XGoogApiKey => HeaderValue::from_str(profile.secret.expose()),
    };
    // A secret that can't be a header value was refused at load; without one the provider says 401.
    if let Ok(mut value) = value {
        value.set_sensitive(true);
        headers.insert(scheme.header(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_headers_and_the_callers_credential_stay_here() {
        let listed = [HeaderName::from_static("x-hop")];
        for name in [
            "authorization",
            "x-api-key",
            "x-goog-api-key",
            "te",
            "x-hop",
            "x-coderclaw-session-key",
        ] {
            assert!(
                !passes_upstream(&HeaderName::from_static(name), &listed),
                "{name}"
            );
        }
        for name in [
            "anthropic-beta",
            "openai-organization",
            "content-type",
            "x-stainless-lang",
            "accept",
        ] {
            assert!(passes_upstream(&HeaderName::from_static(name), &listed), "{name}");
        }
    }

    #[test]
    fn an_answer_cannot_speak_in_the_gateways_name() {
        let mut headers = HeaderMap::new();
        headers.insert("connection", HeaderValue::from_static("close, x-private"));
        headers.insert("x-private", HeaderValue::from_static("1"));
        headers.insert("x-coderclaw-profile", HeaderValue::from_static("someone"));
        headers.insert("x-request-id", HeaderValue::from_static("req_1"));
        strip_answer(&mut headers);
        assert_eq!(
            headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["x-request-id"]
        );
    }
}
