//! Addresses: joined for endpoints, fixed to the origin for `/proxy`.

use coderclaw::config::{BaseUrl, BaseUrlError, ProxyPathError};

fn base(text: &str) -> BaseUrl {
    BaseUrl::parse(text).unwrap()
}

#[test]
fn the_version_is_added_only_to_a_root_without_a_path() {
    for (root, version, path, expected) in [
        (
            "https://api.openai.com/v1",
            "/v1",
            "/chat/completions",
            "https://api.openai.com/v1/chat/completions",
        ),
        (
            "https://api.anthropic.com",
            "/v1",
            "/messages",
            "https://api.anthropic.com/v1/messages",
        ),
        (
            "https://api.anthropic.com/",
            "/v1",
            "/messages",
            "https://api.anthropic.com/v1/messages",
        ),
        (
            "https://g.example",
            "/v1beta",
            "/models/m:generateContent",
            "https://g.example/v1beta/models/m:generateContent",
        ),
        (
            "https://g.example/v1beta/",
            "/v1",
            "/models",
            "https://g.example/v1beta/models",
        ),
        ("HTTP://LocalHost:80/a/b", "/v1", "/x", "http://localhost/a/b/x"),
        ("http://[::1]:8080", "/v1", "/x", "http://[::1]:8080/v1/x"),
    ] {
        assert_eq!(base(root).join(version, path, None).unwrap(), expected);
    }
}

#[test]
fn a_base_url_is_checked() {
    for (text, error) in [
        ("", BaseUrlError::Invalid),
        ("api.openai.com/v1", BaseUrlError::Invalid),
        ("https://", BaseUrlError::Invalid),
        ("ftp://x", BaseUrlError::Scheme),
        ("file:///x", BaseUrlError::Scheme),
        ("https://user@x", BaseUrlError::UserInfo),
        ("https://:pass@x", BaseUrlError::UserInfo),
        ("https://x/?", BaseUrlError::QueryOrFragment),
        ("https://x/#a", BaseUrlError::QueryOrFragment),
    ] {
        assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_proxied_path_is_kept_as_it_is_below_the_origin() {
    let base = base("https://api.openai.com:8443/v1");
    for (path, query, expected) in [
        (
            "/v1/files",
            Some("limit=2&after=a%2Fb"),
            "https://api.openai.com:8443/v1/files?limit=2&after=a%2Fb",
        ),
        ("/", None, "https://api.openai.com:8443/"),
        ("/v1/files/", None, "https://api.openai.com:8443/v1/files/"),
        (
            "/v1beta/models/a:generateContent",
            Some("alt=sse"),
            "https://api.openai.com:8443/v1beta/models/a:generateContent?alt=sse",
        ),
        (
            "/a%20b/100%25/%C3%A9/...",
            None,
            "https://api.openai.com:8443/a%20b/100%25/%C3%A9/...",
        ),
        (
            "/@evil.example",
            None,
            "https://api.openai.com:8443/@evil.example",
        ),
    ] {
        assert_eq!(base.proxy(path, query).unwrap(), expected);
    }
}

#[test]
fn a_path_that_could_lead_elsewhere_is_refused() {
    let base = base("https://api.openai.com/v1");
    for (path, error) in [
        ("", ProxyPathError::Relative),
        ("v1/x", ProxyPathError::Relative),
        ("@evil.example/", ProxyPathError::Relative),
        ("/..", ProxyPathError::Dots),
        ("/a/../b", ProxyPathError::Dots),
        ("/./a", ProxyPathError::Dots),
        ("//evil.example/a", ProxyPathError::EmptySegment),
        ("/a//b", ProxyPathError::EmptySegment),
        ("/a//", ProxyPathError::EmptySegment),
        ("/https:/evil.example", ProxyPathError::Scheme),
        ("/https://evil.example", ProxyPathError::Scheme),
        ("/a%2fb", ProxyPathError::Encoded),
        ("/%2E%2e/a", ProxyPathError::Encoded),
        ("/a%5Cb", ProxyPathError::Encoded),
        ("/a%00", ProxyPathError::Encoded),
        ("/a%0d%0aHost:x", ProxyPathError::Encoded),
        ("/a%252fb", ProxyPathError::Encoded),
        ("/a%25252Eb", ProxyPathError::Encoded),
        ("/a%", ProxyPathError::BadEncoding),
        ("/a%2", ProxyPathError::BadEncoding),
        ("/a%zz", ProxyPathError::BadEncoding),
        ("/a%+f", ProxyPathError::BadEncoding),
        ("/a\\b", ProxyPathError::Character),
        ("/a b", ProxyPathError::Character),
        ("/a\r\nb", ProxyPathError::Character),
        ("/a\u{e9}", ProxyPathError::Character),
        ("/a?b", ProxyPathError::Character),
        ("/a#b", ProxyPathError::Character),
    ] {
        assert_eq!(base.proxy(path, None), Err(error), "{path:?}");
    }
    for query in ["a b", "a#b", "a\nb"] {
        assert_eq!(base.proxy("/a", Some(query)), Err(ProxyPathError::Character));
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_let_through_stays_on_the_host(path in "[/.%25eEfF:@a-z\\\\?#-]{0,24}") {
        let base = base("https://api.openai.com/v1");
        if let Ok(url) = base.proxy(&path, None) {
            let parsed = url::Url::parse(&url).unwrap();
            proptest::prop_assert_eq!(parsed.host_str(), Some("api.openai.com"));
            // Nothing that a URL parser would resolve was left in the path.
            proptest::prop_assert_eq!(parsed.path(), path);
        }
    }
}

#[test]
fn what_is_local_is_told_by_its_host() {
    for local in [
        "http://localhost:11434/v1",
        "http://LOCALHOST./v1",
        "http://127.0.0.1:1",
        "http://127.8.9.1",
        "http://0.0.0.0:8000",
        "http://[::1]:8000/v1",
        "http://nas.local:8080",
    ] {
        assert!(base(local).is_local(), "{local}");
    }
    for remote in [
        "https://api.openai.com/v1",
        "http://10.0.0.1",
        "http://local",
        "https://notlocalhost.example",
    ] {
        assert!(!base(remote).is_local(), "{remote}");
    }
}
