use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use coderclaw_actors::domain::credential::{ProfileId, ProviderId};

use super::super::chosen::Pin;
use super::*;
use crate::config::Target;

const START_MS: u64 = 1_770_000_000_000;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + ms)
}

fn id(key: &str) -> SessionId {
    SessionId::of("main", key)
}

fn pinned(profile: &str) -> Chosen {
    let provider = ProviderId::new("openai");
    Chosen {
        model: Some(Target {
            provider: provider.clone(),
            model: "gpt-5".to_owned(),
        }),
        pin: Some(Pin {
            provider,
            profile: ProfileId::new(profile),
        }),
    }
}

fn found(choices: &Choices, key: &str) -> Option<Chosen> {
    let entry = choices.find(&id(key), at(0))?;
    Some(entry.chosen().clone())
}

#[tokio::test]
async fn what_was_chosen_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let choices = Arc::new(Choices::open(folder.path()));
    choices.choose(id("a"), pinned("openai:a"), at(0)).await.unwrap();
    choices.choose(id("b"), pinned("openai:b"), at(1)).await.unwrap();
    choices.choose(id("a"), pinned("openai:c"), at(2)).await.unwrap();
    choices.choose(id("b"), Chosen::default(), at(3)).await.unwrap();
    let again = Choices::open(folder.path());
    assert_eq!(found(&again, "a"), Some(pinned("openai:c")));
    assert_eq!(found(&again, "b"), None);
    assert_eq!(again.counts(), (1, 1));
    let file = folder.path().join("sessions.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    insta::assert_snapshot!("sessions_json", fs::read_to_string(file).unwrap());
}

#[tokio::test]
async fn the_choice_that_was_used_least_lately_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let choices = Arc::new(Choices::open(folder.path()));
    for place in 0..CHOSEN_MAX as u64 {
        choices.change(id(&place.to_string()), pinned("openai:a"), at(place));
    }
    // Uses are told by the minute: this one is later than all of them.
    choices
        .find(&id("0"), at(CHOSEN_MAX as u64 + USE_GRAIN_MS))
        .unwrap();
    choices
        .choose(id("new"), pinned("openai:b"), at(200_000))
        .await
        .unwrap();
    assert_eq!(choices.counts().0, CHOSEN_MAX);
    assert!(found(&choices, "0").is_some());
    assert!(found(&choices, "new").is_some());
    assert_eq!(found(&choices, "1"), None);
    assert_eq!(Choices::open(folder.path()).counts().0, CHOSEN_MAX);
}

#[test]
fn a_file_that_makes_no_sense_is_set_aside_and_not_lost() {
    for text in [
        "{ not json",
        "[]",
        r#"{"version":2,"sessions":[]}"#,
        r#"{"version":1,"sessions":[{"id":"x"}]}"#,
        "",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sessions.json");
        fs::write(&file, text).unwrap();
        assert_eq!(Choices::open(folder.path()).counts(), (0, 0));
        assert!(!file.exists());
        let aside = folder.path().join("sessions.unreadable.json");
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
    }
}

#[tokio::test]
async fn what_cannot_be_written_holds_all_the_same_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let choices = Arc::new(Choices::open(&gone));
    let error = choices
        .choose(id("a"), pinned("openai:a"), at(0))
        .await
        .unwrap_err();
    assert!(error.contains("sessions.json can't be written"), "{error}");
    assert_eq!(found(&choices, "a"), Some(pinned("openai:a")));
    fs::create_dir(&gone).unwrap();
    choices.choose(id("b"), pinned("openai:b"), at(0)).await.unwrap();
    assert_eq!(Choices::open(&gone).counts(), (2, 2), "the next write has both");
}

#[tokio::test]
async fn many_at_once_are_all_written() {
    const AT_ONCE: usize = 64;
    let folder = tempfile::tempdir().unwrap();
    let choices = Arc::new(Choices::open(folder.path()));
    let all = (0..AT_ONCE).map(|place| {
        let (choices, folder) = (&choices, folder.path());
        async move {
            let chosen = pinned(&format!("openai:{place}"));
            choices
                .choose(id(&place.to_string()), chosen, at(0))
                .await
                .unwrap();
            assert!(found(&Choices::open(folder), &place.to_string()).is_some());
        }
    });
    futures_util::future::join_all(all).await;
    assert_eq!(Choices::open(folder.path()).counts(), (AT_ONCE, AT_ONCE));
}

#[test]
fn where_nothing_was_ever_chosen_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    Choices::open(folder.path()).save().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
