//! One refresh: what comes of every way in which it can go.

use std::time::Duration;

use coderclaw::credentials::oauth::{RefreshError, TokenError};
use coderclaw::emulator::{IdpConfig, IdpFault, IdpFaultKind};
use coderclaw_actors::domain::credential::Secret;
use url::Url;

use crate::scene::Scene;

#[tokio::test]
async fn it_rotates() {
    let scene = Scene::new();
    let first = scene.login().await;
    let old = first.refresh.unwrap();
    let second = scene.client().refresh(&old).await.unwrap();
    assert_ne!(second.access, first.access);
    assert_ne!(second.refresh.as_ref(), Some(&old));
    assert_eq!(second.account_id.as_deref(), Some("account-1"));
    let again: RefreshError = scene.client().refresh(&old).await.unwrap_err();
    assert!(
        matches!(&again, TokenError::Rejected { code, .. } if code == "invalid_grant"),
        "{again}"
    );
    assert!(!format!("{again} {again:?}").contains(&old.expose()[3..20]));
    assert_eq!(scene.emulator.idp().reuses, 1);
}

#[tokio::test]
async fn a_server_that_hands_out_no_other_keeps_the_old_one() {
    let scene = Scene::with(IdpConfig {
        rotate: false,
        ..IdpConfig::default()
    });
    let old = scene.login().await.refresh.unwrap();
    assert_eq!(scene.client().refresh(&old).await.unwrap().refresh, None);
    assert_eq!(scene.client().refresh(&old).await.unwrap().refresh, None);
}

#[tokio::test]
async fn trouble_is_told_from_refusal_and_what_was_sent_from_what_was_not() {
    let mut scene = Scene::new();
    scene.endpoint = scene.endpoint.clone().with_timeout(Duration::from_millis(300));
    let token = scene.login().await.refresh.unwrap();
    let fails = async |fault| {
        scene.emulator.add_idp_fault(IdpFault::on_refresh(fault).first(1));
        scene.client().refresh(&token).await.unwrap_err()
    };
    assert_eq!(
        fails(IdpFaultKind::ServerError).await,
        TokenError::Unavailable { status: 500 }
    );
    let cut = fails(IdpFaultKind::CutBefore).await;
    assert!(
        matches!(&cut, TokenError::Unanswered(said) if said.starts_with("127.0.0.1 gave no whole answer")),
        "{cut}"
    );
    assert!(
        matches!(fails(IdpFaultKind::HangAfter).await, TokenError::Unanswered(said) if said.ends_with("not within 0.3 s"))
    );
    // It was honoured before it hung.
    assert!(matches!(
        scene.client().refresh(&token).await,
        Err(TokenError::Rejected { .. })
    ));
    let closed = scene.emulator.base_url();
    scene.emulator.stop();
    let gone = crate::scene::provider_at(&closed);
    let endpoint = scene.endpoint;
    let clock = coderclaw_actors::SystemClock::start();
    let client = coderclaw::credentials::oauth::OauthClient::new(&gone, &endpoint, &clock);
    let unreached = client.refresh(&token).await.unwrap_err();
    assert_eq!(
        unreached,
        TokenError::Unreachable("127.0.0.1 can't be reached: connection refused".to_owned())
    );
}

#[tokio::test]
async fn half_an_answer_is_none_and_a_slow_one_is_whole() {
    let scene = Scene::new();
    let token = scene.login().await.refresh.unwrap();
    scene
        .emulator
        .add_idp_fault(IdpFault::on_refresh(IdpFaultKind::Drip).first(1).delay_ms(0));
    let token = scene.client().refresh(&token).await.unwrap().refresh.unwrap();
    scene
        .emulator
        .add_idp_fault(IdpFault::on_refresh(IdpFaultKind::HalfAfter).first(1));
    assert!(matches!(
        scene.client().refresh(&token).await,
        Err(TokenError::Unanswered(_))
    ));
}

#[tokio::test]
async fn what_is_no_token_endpoint_is_no_refusal() {
    let mut scene = Scene::new();
    let token = Secret::new("rt_Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS".to_owned());
    for (path, expected) in [
        ("/v1/models", TokenError::Unusable("status 405".to_owned())),
        ("/nothing", TokenError::Unusable("status 404".to_owned())),
    ] {
        scene.provider.token_url = Url::parse(&format!("{}{path}", scene.emulator.base_url())).unwrap();
        let told = scene.client().refresh(&token).await.unwrap_err();
        assert!(
            told == expected || matches!(told, TokenError::Rejected { .. }),
            "{told:?}"
        );
    }
}
