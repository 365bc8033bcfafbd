//! `models.providers.<id>.oauth` as users write it.

use std::collections::BTreeMap;

use coderclaw::config::{OauthProvider, RedirectHost, Settings};

fn load(oauth: &str) -> Result<(OauthProvider, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("{{ models: {{ providers: {{ openai: {{ oauth: {oauth} }} }} }} }}");
    std::fs::write(folder.path().join("coderclaw.json"), config).unwrap();
    let environment = BTreeMap::from([(
        "CODERCLAW_STATE_DIR".to_owned(),
        folder.path().to_str().unwrap().to_owned(),
    )]);
    let settings = Settings::load(&environment).map_err(|error| error.to_string())?;
    let warnings = settings.warnings.iter().map(ToString::to_string).collect();
    let provider = settings.provider("openai").expect("built in");
    Ok((provider.oauth.clone().expect("an oauth section"), warnings))
}

fn refused(oauth: &str, expected: &str) {
    let error = load(oauth).expect_err(oauth);
    assert!(error.contains(expected), "{oauth}: {error}");
}

#[test]
fn everything_is_read() {
    let (oauth, warnings) = load(
        "{ authorizeUrl: 'https://auth.example/authorize?tenant=1', tokenUrl: 'https://auth.example/token',
           deviceUrl: 'http://localhost:9/device', clientId: ' my-app ', clientSecret: 'shh-shh-shh',
           scopes: ['openid', 'offline_access chat'], redirectHost: 'localhost', redirectPort: 1455,
           redirectPath: '/auth/callback', accountIdClaim: 'https://x.example/auth.id',
           extraParams: { audience: 'models', prompt: 'login' }, scope: 'typo' }",
    )
    .unwrap();
    assert_eq!(oauth.authorize_url.as_ref().unwrap().query(), Some("tenant=1"));
    assert_eq!(oauth.client_id, "my-app");
    assert_eq!(oauth.client_secret.as_ref().unwrap().expose(), "shh-shh-shh");
    assert!(!format!("{oauth:?}").contains("shh-shh"));
    assert_eq!(oauth.scopes, ["openid", "offline_access", "chat"]);
    assert_eq!(
        (oauth.redirect_host, oauth.redirect_port),
        (RedirectHost::Name, 1455)
    );
    assert_eq!(oauth.redirect_path, "/auth/callback");
    assert_eq!(
        oauth.account_id_claim.as_deref(),
        Some("https://x.example/auth.id")
    );
    assert_eq!(oauth.extra_params[1], ("prompt".to_owned(), "login".to_owned()));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("oauth.scope: unknown key, kept and ignored (did you mean `scopes`?)"),
        "{warnings:?}"
    );
}

#[test]
fn little_is_needed() {
    let (oauth, _) =
        load("{ deviceUrl: 'https://a.example/d', tokenUrl: 'https://a.example/t', clientId: 'x' }").unwrap();
    assert_eq!(
        (oauth.redirect_port, oauth.redirect_path.as_str()),
        (0, "/callback")
    );
    assert_eq!(oauth.redirect_host, RedirectHost::Address);
    assert!(oauth.scopes.is_empty() && oauth.extra_params.is_empty() && oauth.authorize_url.is_none());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let with = |more: &str| {
        format!(
            "{{ authorizeUrl: 'https://a.example/a', tokenUrl: 'https://a.example/t', clientId: 'x', {more} }}"
        )
    };
    refused(
        "{ tokenUrl: 'https://a.example/t', clientId: 'x' }",
        "expected an `authorizeUrl`, a `deviceUrl` or both",
    );
    refused(
        "{ authorizeUrl: 'https://a.example/a', clientId: 'x' }",
        "expected a `tokenUrl`",
    );
    refused(
        "{ authorizeUrl: 'https://a.example/a', tokenUrl: 'https://a.example/t' }",
        "expected a `clientId`",
    );
    refused(
        "{ authorizeUrl: 'http://auth.example/a', tokenUrl: 'https://a.example/t', clientId: 'x' }",
        "expected https; http is for addresses of this machine only",
    );
    for url in [
        "http://127.0.0.1.evil.example/",
        "http://10.0.0.1/",
        "ftp://a.example/",
        "https://u:p@a.example/",
        "https://a.example/#f",
        "nonsense",
        "data:text/plain,x",
    ] {
        assert!(load(&with(&format!("deviceUrl: '{url}'"))).is_err(), "{url}");
    }
    for url in ["http://127.0.0.1:1/d", "http://[::1]:1/d", "http://localhost/d"] {
        assert!(load(&with(&format!("deviceUrl: '{url}'"))).is_ok(), "{url}");
    }
    refused(
        &with("redirectPath: 'callback'"),
        "expected a path that begins with `/`",
    );
    refused(
        &with("redirectPath: '/a?b'"),
        "expected a path that begins with `/`",
    );
    refused(&with("redirectPort: 65536"), "expected a port from 0 to 65535");
    refused(&with("redirectHost: '0.0.0.0'"), "expected one of");
    refused(&with("scopes: [1]"), "expected a scope as text");
    refused(
        &with("extraParams: { state: 'x' }"),
        "`state` is set by the login itself",
    );
    refused(
        &with("clientSecret: 7"),
        "expected a client secret as text, got a number",
    );
}
