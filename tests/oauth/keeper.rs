//! The keeper: one refresh for all who ask, and nothing lost.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coderclaw::config::OauthProvider;
use coderclaw::credentials::oauth::{OauthStore as _, RenewError, Standing, StoreError, TokenError, Tokens};
use coderclaw::emulator::{IdpConfig, IdpFault, IdpFaultKind};
use coderclaw_actors::Clock as _;
use coderclaw_actors::domain::credential::{ProfileId, ProviderId, Secret};
use futures_util::future::join_all;

use crate::file_store::PROVIDER;
use crate::kept::Kept;

#[tokio::test]
async fn a_refresh_replaces_the_login_and_leaves_no_journal() {
    let kept = Kept::new().await;
    let renewed = kept.renew().await.unwrap();
    let stored = kept.store.read(&kept.profile).unwrap();
    assert_eq!(stored.access.fingerprint(), renewed);
    assert_ne!(stored.refresh, kept.first.refresh);
    assert_eq!(kept.journals(), Vec::<PathBuf>::new());
    let folder = kept.folder.path().join("state/oauth");
    assert_eq!(
        std::fs::metadata(folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(kept.keeper.standing(&kept.profile), Ok(Standing::Good));
}

#[tokio::test]
async fn whoever_asks_at_once_shares_one_refresh() {
    let kept = Kept::new().await;
    let seen = kept.seen();
    let other = kept.another();
    let asking = (0..40).map(|turn| {
        let keeper = if turn % 2 == 0 { &kept.keeper } else { &other };
        keeper.renew(&kept.profile, &seen)
    });
    let renewed: Vec<Secret> = join_all(asking)
        .await
        .into_iter()
        .map(|one| one.unwrap().access)
        .collect();
    assert!(renewed.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!((kept.asked(), kept.scene.emulator.idp().reuses), (1, 0));
    // And who comes late with what it has seen gets the same, for nothing.
    let late = kept.keeper.renew(&kept.profile, &seen).await.unwrap();
    assert_eq!((late.access == renewed[0], kept.asked()), (true, 1));
}

#[tokio::test]
async fn an_ended_token_in_the_store_is_no_answer() {
    let kept = Kept::new().await;
    kept.clock.advance(Duration::from_secs(3601));
    let unseen = Secret::new("something else".to_owned()).fingerprint();
    kept.keeper.renew(&kept.profile, &unseen).await.unwrap();
    assert_eq!(kept.asked(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_takes_nothing_with_it() {
    let kept = Kept::new().await;
    let seen = kept.seen();
    let slow = IdpFault::on_refresh(IdpFaultKind::DelayAfter).delay_ms(200);
    kept.scene.emulator.add_idp_fault(slow);
    {
        let leaving = kept.keeper.renew(&kept.profile, &seen);
        tokio::pin!(leaving);
        while kept.asked() == 0 {
            tokio::select! {
                _ = &mut leaving => panic!("it is slow"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    kept.keeper.rest().await;
    assert_ne!(
        kept.store.read(&kept.profile).unwrap().refresh,
        kept.first.refresh
    );
    assert_eq!(kept.scene.emulator.idp().refreshes, 1);
}

#[tokio::test]
async fn a_lost_answer_costs_one_more_try_and_then_a_login() {
    let kept = Kept::new().await;
    kept.fault(IdpFaultKind::CutAfter);
    let lost = kept.renew().await.unwrap_err();
    assert!(
        matches!(
            lost,
            RenewError::Trouble {
                cause: TokenError::Unanswered(_),
                ..
            }
        ),
        "{lost:?}"
    );
    assert!(matches!(
        kept.keeper.standing(&kept.profile),
        Ok(Standing::Waiting { tries: 1, .. })
    ));
    let over = kept.renew().await.unwrap_err();
    assert!(
        matches!(&over, RenewError::NeedsLogin(rejection) if rejection.code == "invalid_grant"),
        "{over:?}"
    );
    // From now on nobody asks: not this keeper, not another, not after a restart.
    for keeper in [&kept.keeper, &kept.another()] {
        assert_eq!(keeper.renew(&kept.profile, &kept.seen()).await, Err(over.clone()));
        assert!(matches!(
            keeper.recover(&kept.profile).await,
            Ok(Standing::NeedsLogin(_))
        ));
    }
    assert_eq!((kept.asked(), kept.scene.emulator.idp().reuses), (2, 1));
    // A new login ends it.
    kept.store.put(&kept.profile, &kept.scene.login().await);
    assert_eq!(kept.keeper.standing(&kept.profile), Ok(Standing::Good));
    kept.renew().await.unwrap();
}

#[tokio::test]
async fn trouble_before_the_work_is_got_over() {
    for fault in [IdpFaultKind::CutBefore, IdpFaultKind::ServerError] {
        let kept = Kept::new().await;
        kept.fault(fault);
        assert!(matches!(kept.renew().await, Err(RenewError::Trouble { .. })));
        kept.renew().await.unwrap();
        assert_eq!(kept.scene.emulator.idp().reuses, 0);
    }
}

#[tokio::test]
async fn a_provider_in_trouble_is_left_alone_for_longer_and_longer() {
    let kept = Kept::new().await;
    kept.scene
        .emulator
        .add_idp_fault(IdpFault::on_refresh(IdpFaultKind::ServerError).first(4));
    for pause in [0, 1, 2, 4] {
        let retry_at_ms = match kept.renew().await {
            Err(RenewError::Trouble { retry_at_ms, .. }) => retry_at_ms,
            other => panic!("{other:?}"),
        };
        assert_eq!(retry_at_ms, kept.clock.now().as_unix_ms() + pause * 1000);
        if pause > 0 {
            let asked = kept.asked();
            assert!(matches!(kept.renew().await, Err(RenewError::NotYet { .. })));
            assert_eq!(kept.asked(), asked);
        }
        kept.clock.advance(Duration::from_secs(pause));
    }
    kept.renew().await.unwrap();
}

#[tokio::test]
async fn a_store_that_takes_nothing_loses_nothing() {
    let kept = Kept::new().await;
    kept.store.is_full.store(true, Ordering::Relaxed);
    // The token is good all the same.
    let renewed = kept.renew().await.unwrap();
    assert_eq!(kept.seen(), kept.first.access.fingerprint());
    let journals = kept.journals();
    assert_eq!(
        std::fs::metadata(&journals[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(kept.renew().await.unwrap(), renewed);
    assert_eq!(kept.asked(), 1);
    // A restart with room again.
    kept.store.is_full.store(false, Ordering::Relaxed);
    assert_eq!(kept.another().recover(&kept.profile).await, Ok(Standing::Good));
    assert_eq!(kept.seen(), renewed);
    assert_eq!(kept.journals(), Vec::<PathBuf>::new());
    let live = kept.scene.emulator.idp();
    assert_eq!(
        live.live("account-1").next().unwrap().fingerprint,
        kept.stored_refresh()
    );
}

#[tokio::test]
async fn a_login_in_the_meantime_counts_more_than_an_old_journal() {
    let kept = Kept::new().await;
    kept.store.is_full.store(true, Ordering::Relaxed);
    kept.renew().await.unwrap();
    kept.store.is_full.store(false, Ordering::Relaxed);
    let fresh = kept.scene.login().await;
    kept.store.put(&kept.profile, &fresh);
    assert_eq!(kept.another().recover(&kept.profile).await, Ok(Standing::Good));
    assert_eq!(kept.seen(), fresh.access.fingerprint());
}

#[tokio::test]
async fn without_rotation_the_old_refresh_token_stays() {
    let kept = Kept::with(IdpConfig {
        rotate: false,
        ..IdpConfig::default()
    })
    .await;
    for _ in 0..3 {
        kept.renew().await.unwrap();
        assert_eq!(
            kept.store.read(&kept.profile).unwrap().refresh,
            kept.first.refresh
        );
    }
    let rotating = Kept::new().await;
    rotating.fault(IdpFaultKind::NoRefreshToken);
    rotating.renew().await.unwrap();
    rotating.renew().await.unwrap();
}

#[tokio::test]
async fn profiles_of_one_account_take_turns() {
    let kept = Kept::new().await;
    let second = ProfileId::new("openai:same-person");
    let tokens = kept.scene.login().await;
    kept.store.put(&second, &tokens);
    let seen = kept.seen();
    let other = tokens.access.fingerprint();
    let both = tokio::join!(
        kept.keeper.renew(&kept.profile, &seen),
        kept.keeper.renew(&second, &other)
    );
    both.0.unwrap();
    both.1.unwrap();
    let locks = std::fs::read_dir(kept.folder.path().join("state/oauth"))
        .unwrap()
        .count();
    assert_eq!((locks, kept.asked()), (1, 2));
}

#[tokio::test]
async fn what_cannot_be_refreshed_says_why() {
    let kept = Kept::new().await;
    let seen = kept.seen();
    let nobody = ProfileId::new("openai:nobody");
    let missing = kept.keeper.renew(&nobody, &seen).await;
    assert_eq!(missing, Err(RenewError::Store(StoreError::Missing(nobody))));
    kept.store.put(
        &kept.profile,
        &Tokens {
            refresh: None,
            ..kept.first.clone()
        },
    );
    assert_eq!(
        kept.keeper.renew(&kept.profile, &seen).await,
        Err(RenewError::NotRefreshable(kept.profile.clone()))
    );
    kept.store.put(&kept.profile, &kept.first);
    kept.keeper.set_providers(BTreeMap::new());
    let unknown = kept.keeper.renew(&kept.profile, &seen).await;
    assert_eq!(unknown, Err(RenewError::NotConfigured(ProviderId::new(PROVIDER))));
    assert_eq!(kept.asked(), 0);
}

#[tokio::test]
async fn a_refusal_of_a_wrong_client_ends_with_the_wrong_client() {
    let kept = Kept::new().await;
    let mut wrong = kept.scene.provider.clone();
    "someone-else".clone_into(&mut wrong.client_id);
    let providers =
        |provider: &OauthProvider| BTreeMap::from([(ProviderId::new(PROVIDER), provider.clone())]);
    kept.keeper.set_providers(providers(&wrong));
    assert!(matches!(kept.renew().await, Err(RenewError::NeedsLogin(_))));
    assert!(matches!(kept.renew().await, Err(RenewError::NeedsLogin(_))));
    assert_eq!(kept.asked(), 1);
    kept.keeper.set_providers(providers(&kept.scene.provider));
    assert_eq!(kept.keeper.standing(&kept.profile), Ok(Standing::Good));
    kept.renew().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_none_burns_no_token() {
    let kept = Kept::new().await;
    std::fs::create_dir(kept.folder.path().join("state")).unwrap();
    std::fs::write(kept.folder.path().join("state/oauth"), "").unwrap();
    let refused = kept.renew().await.unwrap_err();
    assert!(matches!(&refused, RenewError::Journal { .. }), "{refused:?}");
    assert_eq!(kept.asked(), 0);
}
