//! Tokens in their four places, hosts, origins.

use actix_web::http::header::HeaderValue;

use super::*;

const TOKEN: &str = "cc-gw-7fK2mQ9xLpRt4vWz8bNcYh3d";

fn access(rules: AccessRules) -> Access {
    let addresses = ["127.0.0.1:18789".parse().unwrap(), "[::1]:18789".parse().unwrap()];
    Access::new(rules, &addresses)
}

fn with_token() -> Access {
    access(AccessRules {
        token: Some(Secret::new(TOKEN.to_owned())),
        ..AccessRules::default()
    })
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_token_may_stand_in_any_of_four_places() {
    let access = with_token();
    let bearer = format!("bearer {TOKEN}");
    assert_eq!(access.token(&headers(&[("authorization", &bearer)]), ""), Ok(()));
    assert_eq!(access.token(&headers(&[("x-api-key", TOKEN)]), ""), Ok(()));
    assert_eq!(access.token(&headers(&[("x-goog-api-key", TOKEN)]), ""), Ok(()));
    assert_eq!(
        access.token(&headers(&[]), &format!("alt=sse&key={TOKEN}")),
        Ok(())
    );
    let both = headers(&[("authorization", "Bearer other"), ("x-api-key", TOKEN)]);
    assert_eq!(access.token(&both, ""), Ok(()), "any valid place suffices");
}

#[test]
fn a_missing_and_a_wrong_token_are_told_apart() {
    assert_eq!(with_token().token(&headers(&[]), "alt=sse"), Err(Denied::NoToken));
    assert_eq!(
        with_token().token(&headers(&[("x-api-key", "nope")]), ""),
        Err(Denied::WrongToken)
    );
    for other in [
        TOKEN.to_uppercase(),
        TOKEN.replace(|c: char| c.is_ascii_alphanumeric(), "x"),
        format!("{TOKEN}x"),
        TOKEN[1..].to_owned(),
    ] {
        assert_ne!(other, TOKEN);
        let offered = headers(&[("x-api-key", &other)]);
        assert_eq!(with_token().token(&offered, ""), Err(Denied::WrongToken));
    }
    assert_eq!(
        with_token().token(&headers(&[("authorization", "Basic abc")]), ""),
        Err(Denied::NoToken)
    );
    assert_eq!(access(AccessRules::default()).token(&headers(&[]), ""), Ok(()));
}

#[test]
fn without_a_token_only_loopback_names_are_served() {
    let open = access(AccessRules {
        allowed_hosts: vec!["devbox".to_owned()],
        ..AccessRules::default()
    });
    for host in [
        "localhost:18789",
        "127.0.0.1:18789",
        "[::1]:18789",
        "LOCALHOST",
        "127.0.0.2",
        "devbox:1",
        "devbox",
    ] {
        assert!(open.browser(&headers(&[("host", host)])).is_ok(), "{host}");
    }
    for host in [
        "evil.example:18789",
        "localhost.evil.example",
        "192.168.1.5",
        "devbox.evil",
    ] {
        assert_eq!(
            open.browser(&headers(&[("host", host)])),
            Err(Denied::Host),
            "{host}"
        );
    }
    assert!(
        with_token()
            .browser(&headers(&[("host", "gateway.example")]))
            .is_ok()
    );
}

#[test]
fn foreign_pages_are_refused_even_with_a_host_that_matches() {
    let host = ("host", "localhost:18789");
    let access = access(AccessRules {
        allowed_origins: vec!["https://app.example".to_owned()],
        ..AccessRules::default()
    });
    let ask = |pairs: &[(&'static str, &str)]| access.browser(&headers(pairs)).map(|origin| origin.is_some());
    assert_eq!(ask(&[host, ("origin", "http://localhost:18789")]), Ok(false));
    assert_eq!(ask(&[host, ("origin", "http://[::1]:18789")]), Ok(false));
    assert_eq!(
        ask(&[
            host,
            ("origin", "https://app.example"),
            ("sec-fetch-site", "cross-site")
        ]),
        Ok(true)
    );
    for origin in [
        "null",
        "http://evil.example",
        "http://localhost:3000",
        "https://localhost:18789",
    ] {
        assert_eq!(ask(&[host, ("origin", origin)]), Err(Denied::Origin), "{origin}");
    }
    assert_eq!(
        ask(&[host, ("sec-fetch-site", "cross-site")]),
        Err(Denied::Origin)
    );
    assert_eq!(ask(&[host, ("sec-fetch-site", "same-origin")]), Ok(false));
    assert_eq!(
        ask(&[
            host,
            ("origin", "http://localhost:18789"),
            ("origin", "http://evil.example")
        ]),
        Err(Denied::Origin),
        "a good one does not hide a bad one"
    );
    assert_eq!(
        ask(&[
            host,
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site")
        ]),
        Err(Denied::Origin)
    );
    assert_eq!(
        ask(&[("host", "localhost:3000"), ("origin", "http://localhost:3000")]),
        Err(Denied::Origin),
        "our own name is what we listen on, never what the caller says"
    );
}

#[test]
fn the_callers_key_leaves_the_query_and_nothing_else_does() {
    assert_eq!(query_without_key("alt=sse&key=AIzaSy123&x=%20"), "alt=sse&x=%20");
    assert_eq!(query_without_key("k%65y=AIzaSy123"), "");
    assert_eq!(query_without_key("key"), "");
    assert_eq!(query_without_key("beta=true&monkey=1"), "beta=true&monkey=1");
}
