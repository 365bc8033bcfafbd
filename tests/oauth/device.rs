//! The device flow.

use coderclaw::credentials::oauth::{LoginError, OauthClient, TokenError, Tokens, login_with_device};
use coderclaw::emulator::{Grant, IdpConfig, IdpFault, IdpFaultKind};

use crate::scene::Scene;

/// As fast as the library's intervals allow.
fn scene() -> Scene {
    Scene::with(IdpConfig {
        interval_s: 1,
        ..IdpConfig::default()
    })
}

/// Logs in while `decides` is done with the user code that is shown.
async fn login(scene: &Scene, client: OauthClient<'_>, decides: impl Fn(&str)) -> Result<Tokens, LoginError> {
    login_with_device(client, |prompt| {
        assert!(prompt.url.starts_with(&scene.emulator.base_url()));
        assert!(prompt.url_with_code.as_ref().unwrap().contains(&prompt.user_code));
        assert_eq!(prompt.user_code.len(), 9);
        decides(&prompt.user_code);
    })
    .await
}

#[tokio::test]
async fn an_approved_code_gives_tokens() {
    let scene = scene();
    let tokens = login(&scene, scene.client(), |code| {
        assert!(scene.emulator.decide_device(code, true));
    })
    .await
    .unwrap();
    assert_eq!(tokens.account_id.as_deref(), Some("account-1"));
    assert!(tokens.refresh.is_some());
}

#[tokio::test]
async fn it_polls_until_somebody_approves() {
    let scene = scene();
    let approving = async {
        loop {
            let polls = scene.emulator.idp().refused.get("authorization_pending").copied();
            if polls.unwrap_or_default() > 0 {
                let waiting = scene.emulator.waiting_devices();
                assert!(scene.emulator.decide_device(&waiting[0], true));
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let (tokens, ()) = tokio::join!(login(&scene, scene.client(), |_| ()), approving);
    tokens.unwrap();
    assert_eq!(scene.emulator.idp().early_polls, 0);
}

#[tokio::test]
async fn trouble_on_the_way_is_polled_through() {
    let scene = scene();
    scene.emulator.add_idp_fault(IdpFault {
        grant: Some(Grant::DeviceCode),
        ..IdpFault::on_refresh(IdpFaultKind::ServerError).first(1)
    });
    let tokens = login(&scene, scene.client(), |code| {
        assert!(scene.emulator.decide_device(code, true));
    });
    tokens.await.unwrap();
    assert_eq!(scene.emulator.idp().requests["device_code"], 2);
}

#[tokio::test]
async fn a_denied_and_an_expired_code_say_so() {
    let scene = scene();
    let denied = login(&scene, scene.client(), |code| {
        assert!(scene.emulator.decide_device(code, false));
    });
    assert!(matches!(denied.await, Err(LoginError::Denied { code, .. }) if code == "access_denied"));
    let brief = Scene::with(IdpConfig {
        device_lifetime_ms: 1000,
        interval_s: 1,
        ..IdpConfig::default()
    });
    assert_eq!(
        login(&brief, brief.client(), |_| ()).await,
        Err(LoginError::Expired)
    );
    let endless = Scene::with(IdpConfig {
        device_lifetime_ms: 1000,
        interval_s: 3600,
        ..IdpConfig::default()
    });
    assert_eq!(
        login(&endless, endless.client(), |_| ()).await,
        Err(LoginError::Expired)
    );
}

#[tokio::test]
async fn a_provider_without_it_or_out_of_reach_says_so() {
    let mut scene = scene();
    scene.provider.client_id = String::new();
    let refused = login(&scene, scene.client(), |_| ()).await;
    assert!(
        matches!(refused, Err(LoginError::Token(TokenError::Rejected { code, .. })) if code == "invalid_client")
    );
    scene.provider.device_url = None;
    assert_eq!(
        login(&scene, scene.client(), |_| ()).await,
        Err(LoginError::NotConfigured("deviceUrl"))
    );
}
