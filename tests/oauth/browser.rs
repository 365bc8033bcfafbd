//! Logins in a browser: by the loopback, by paste, and what must not get through.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use coderclaw::config::RedirectHost;
use coderclaw::credentials::oauth::{
    Ask, CodeLogin, LoginError, Loopback, PasteError, TokenError, Way, login_in_browser,
};
use coderclaw::emulator::{Grant, IdpConfig, IdpFault, IdpFaultKind, KeySecret};
use coderclaw_actors::domain::credential::Secret;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::scene::{CLIENT, PATIENCE, Scene, approve, get};

fn pairs(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn the_browser_comes_back_and_the_code_is_redeemed() {
    let scene = Scene::new();
    let tokens = scene.login().await;
    assert_eq!(tokens.account_id.as_deref(), Some("account-1"));
    assert_eq!(tokens.email.as_deref(), Some("account-1@idp.example"));
    assert_eq!(tokens.scopes, ["chat", "offline_access"]);
    let stats = scene.emulator.idp();
    let refresh = tokens.refresh.expect("a refresh token").fingerprint().to_string();
    assert!(stats.refresh_token(&refresh).is_some());
}

#[tokio::test]
async fn the_address_says_all_that_the_provider_needs() {
    let mut scene = Scene::new();
    scene.provider.redirect_host = RedirectHost::Name;
    let redirect = Url::parse("http://localhost:1455/auth/callback").unwrap();
    let one = CodeLogin::begin(scene.client(), redirect.clone()).unwrap();
    let other = CodeLogin::begin(scene.client(), redirect).unwrap();
    let sent = pairs(one.url());
    assert_eq!(sent["client_id"], CLIENT);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["redirect_uri"], "http://localhost:1455/auth/callback");
    assert_eq!(sent["scope"], "chat offline_access");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["audience"], "models");
    assert_eq!(sent["code_challenge"].len(), 43);
    for drawn in ["state", "code_challenge"] {
        assert_ne!(sent[drawn], pairs(other.url())[drawn], "{drawn}");
    }
}

#[tokio::test]
async fn strays_are_answered_and_the_right_one_still_gets_through() {
    let scene = Scene::new();
    let loopback = Loopback::bind(&scene.provider).await.unwrap();
    let login = CodeLogin::begin(scene.client(), loopback.redirect().clone()).unwrap();
    let state = pairs(login.url())["state"].clone();
    let at = |path_and_query: &str| loopback.redirect().join(path_and_query).unwrap();
    let address = (
        loopback.redirect().host_str().unwrap(),
        loopback.redirect().port().unwrap(),
    );
    let visitors = async {
        // A connection that a browser opens and never uses, and one that breaks off.
        let silent = TcpStream::connect(address).await.unwrap();
        let mut broken = TcpStream::connect(address).await.unwrap();
        broken.write_all(b"GET /auth").await.unwrap();
        drop(broken);
        assert_eq!(get(&at("/favicon.ico")).await.0, 404);
        assert_eq!(get(&at("/auth/callback")).await.0, 400);
        assert_eq!(get(&at("/auth/callback?code=stolen")).await.0, 400);
        let (status, page) = get(&at("/auth/callback?code=stolen&state=<script>")).await;
        assert_eq!((status, page.contains("script")), (400, false));
        assert_eq!(
            get(&at("/auth/callback?error=access_denied&state=guess")).await.0,
            400
        );
        let (status, page) = get(&at(&format!("/auth/callback?code=mine&state={state}"))).await;
        assert_eq!((status, page.contains("close this page")), (200, true));
        drop(silent);
    };
    let (returned, ()) = tokio::join!(loopback.wait(&login, PATIENCE), visitors);
    assert_eq!(returned.unwrap().outcome, Ok(Secret::new("mine".to_owned())));
}

#[tokio::test]
async fn a_refusal_in_the_browser_ends_the_login() {
    let scene = Scene::with(IdpConfig {
        deny: true,
        ..IdpConfig::default()
    });
    let (opened, open) = tokio::sync::oneshot::channel();
    let login = login_in_browser(
        scene.client(),
        Some(PATIENCE),
        |url, _| opened.send(url.clone()).unwrap(),
        |_| async { None },
    );
    let browser = async { get(&approve(&open.await.unwrap()).await).await };
    let (refused, (status, page)) = tokio::join!(login, browser);
    assert_eq!((status, page.contains("refused")), (200, true));
    assert!(matches!(refused, Err(LoginError::Denied { code, .. }) if code == "access_denied"));
}

/// Logs in by paste: `pastes` makes what is pasted from the address that the browser ends at.
async fn paste(
    scene: &Scene,
    wait: Option<Duration>,
    pastes: &[&dyn Fn(&Url) -> String],
) -> (Result<Option<String>, LoginError>, Vec<Ask>) {
    let shown: RefCell<Option<(Url, Way)>> = RefCell::default();
    let asked: RefCell<Vec<Ask>> = RefCell::default();
    let tokens = login_in_browser(
        scene.client(),
        wait,
        |url, way| *shown.borrow_mut() = Some((url.clone(), way)),
        |ask| {
            asked.borrow_mut().push(ask);
            let turn = asked.borrow().len() - 1;
            let url = shown.borrow().clone().expect("shown first").0;
            async move {
                let make = pastes.get(turn)?;
                Some(make(&approve(&url).await))
            }
        },
    )
    .await;
    (tokens.map(|tokens| tokens.account_id), asked.into_inner())
}

#[tokio::test]
async fn every_form_of_paste_logs_in() {
    let scene = Scene::new();
    let forms: [&dyn Fn(&Url) -> String; 4] = [
        &|back| back.to_string(),
        &|back| format!("{}#{}", pairs(back)["code"], pairs(back)["state"]),
        &|back| back.query().unwrap().to_owned(),
        &|back| format!("  {}\n", pairs(back)["code"]),
    ];
    for form in forms {
        let (account, asked) = paste(&scene, None, &[form]).await;
        assert_eq!(account.unwrap().as_deref(), Some("account-1"));
        assert_eq!(asked, [Ask::Chosen]);
    }
}

#[tokio::test]
async fn a_wrong_paste_may_be_mended() {
    let scene = Scene::new();
    let foreign = |back: &Url| format!("{}#another-state", pairs(back)["code"]);
    let (account, asked) = paste(
        &scene,
        None,
        &[&|_| String::new(), &foreign, &|back| back.to_string()],
    )
    .await;
    assert_eq!(account.unwrap().as_deref(), Some("account-1"));
    assert_eq!(
        asked,
        [
            Ask::Chosen,
            Ask::Again(LoginError::Paste(PasteError::Empty)),
            Ask::Again(LoginError::WrongState)
        ]
    );
    let (given_up, _) = paste(&scene, None, &[&foreign]).await;
    assert_eq!(given_up, Err(LoginError::WrongState));
    let (too_often, asked) = paste(&scene, None, &[&foreign, &foreign, &foreign, &foreign]).await;
    assert_eq!((too_often, asked.len()), (Err(LoginError::WrongState), 3));
    let (nothing, _) = paste(&scene, None, &[]).await;
    assert_eq!(nothing, Err(LoginError::TimedOut));
}

#[tokio::test]
async fn a_port_that_is_taken_and_a_browser_that_stays_away_lead_to_the_paste() {
    let mut scene = Scene::new();
    let (account, asked) = paste(
        &scene,
        Some(Duration::from_millis(1)),
        &[&|back| back.to_string()],
    )
    .await;
    assert_eq!(account.unwrap().as_deref(), Some("account-1"));
    assert_eq!(asked, [Ask::NobodyCame]);
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    scene.provider.redirect_port = taken.local_addr().unwrap().port();
    let (account, asked) = paste(&scene, Some(PATIENCE), &[&|back| back.to_string()]).await;
    assert_eq!(account.unwrap().as_deref(), Some("account-1"));
    assert!(
        matches!(&asked[..], [Ask::NoListener(error)] if error.to_string().contains("can't listen on 127.0.0.1:"))
    );
}

#[tokio::test]
async fn a_code_that_is_not_honoured_is_told_without_secrets() {
    let mut scene = Scene::with(IdpConfig {
        client_secret: Some(KeySecret::new("the-right-client-secret")),
        ..IdpConfig::default()
    });
    scene.provider.client_secret = Some(Secret::new("a-wrong-client-secret".to_owned()));
    let (refused, _) = paste(&scene, None, &[&|back| back.to_string()]).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, LoginError::Token(TokenError::Rejected { code, .. }) if code == "invalid_client")
    );
    assert!(!format!("{refused} {refused:?}").contains("wrong-client"));
    scene.provider.client_secret = Some(Secret::new("the-right-client-secret".to_owned()));
    scene.emulator.add_idp_fault(IdpFault {
        grant: Some(Grant::AuthorizationCode),
        ..IdpFault::on_refresh(IdpFaultKind::ServerError).first(1)
    });
    let (unavailable, _) = paste(&scene, None, &[&|back| back.to_string()]).await;
    assert_eq!(
        unavailable,
        Err(LoginError::Token(TokenError::Unavailable { status: 500 }))
    );
    let (good, _) = paste(&scene, None, &[&|back| back.to_string()]).await;
    good.unwrap();
    scene.provider.authorize_url = None;
    let (none, _) = paste(&scene, None, &[]).await;
    assert_eq!(none, Err(LoginError::NotConfigured("authorizeUrl")));
}
