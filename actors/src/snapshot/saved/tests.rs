use std::time::Duration;

use super::*;
use crate::domain::cooldown::{CooldownPolicy, SettleTerms};
use crate::domain::lease::{LeaseRequest, Tried};
use crate::domain::lease_book::LeaseBook;
use crate::domain::outcome::{Cooldown, ErrorClass, Outcome, Scope, ScopeOwner, Verdict};
use crate::domain::plan::Strategy;
use crate::domain::selection::Selection;
use crate::testing::{clock, profile};

fn book(names: &[&str], saved: Option<&SavedPool>) -> LeaseBook {
    let profiles: Vec<_> = names.iter().map(|name| profile("openai", name)).collect();
    LeaseBook::new(
        ProviderId::new("openai"),
        profiles,
        Strategy::Priority,
        CooldownPolicy::default(),
        clock(),
        saved,
    )
}

/// One attempt with the first that is free, which ends in `class`, or well.
fn attempt(book: &LeaseBook, class: Option<ErrorClass>, per_model: bool) {
    let ticket = book.lease(&LeaseRequest {
        class: &ModelClass::new("gpt-5"),
        tried: &Tried::default(),
        selection: Selection::Any,
        agent: None,
        terms: SettleTerms::default(),
    });
    let outcome = class.map_or(Outcome::Success, |class| {
        Outcome::Failed(Verdict {
            class,
            scope: Scope {
                owner: ScopeOwner::Key,
                per_model,
            },
            cooldown: Cooldown::hinted(Duration::from_mins(1)),
            hint: None,
        })
    });
    book.settle(&ticket.unwrap(), &outcome);
}

fn reread(saved: &SavedPool) -> SavedPool {
    serde_json::from_str(&serde_json::to_string(saved).unwrap()).unwrap()
}

#[test]
fn counters_outlive_the_process_of_credentials_that_nothing_else_is_said_of() {
    let before = book(&["a", "b"], None);
    attempt(&before, None, false);
    attempt(&before, Some(ErrorClass::RateLimit), false);
    let saved = reread(&before.export());
    assert_eq!(saved.0.len(), 1, "b was never used");
    let after = book(&["b", "a"], Some(&saved)).snapshot();
    let [unused, used] = &after.credentials[..] else {
        panic!("{after:?}");
    };
    assert_eq!((used.requests, used.throttles), (2, 1));
    assert_eq!(used.last_used_ms, Some(1_770_000_000_000));
    assert_eq!((unused.requests, unused.last_used_ms), (0, None));
    let success = book(&["a"], None);
    attempt(&success, None, false);
    let saved = reread(&success.export());
    assert_eq!(saved.0[0].standing, None);
    assert_eq!(saved.0[0].requests, 1);
}

#[test]
fn a_file_from_before_there_were_counters_is_understood() {
    let fingerprint = profile("openai", "a").secret.fingerprint();
    let text = format!(
        r#"[{{"profile":"openai:a","fingerprint":"{fingerprint}",
            "standing":{{"state":"disabled","reason":"auth_dead"}}}}]"#
    );
    let saved: SavedPool = serde_json::from_str(&text).unwrap();
    let credential = &book(&["a"], Some(&saved)).snapshot().credentials[0];
    assert_eq!(credential.state, StateName::Disabled);
    assert_eq!((credential.requests, credential.last_used_ms), (0, None));
}

#[test]
fn a_profile_is_cleared_without_a_gateway_as_with_one() {
    for (class, per_model) in [
        (ErrorClass::RateLimit, true),
        (ErrorClass::RateLimit, false),
        (ErrorClass::QuotaHard, false),
        (ErrorClass::AuthDead, false),
    ] {
        let before = book(&["a", "b"], None);
        attempt(&before, Some(class), per_model);
        attempt(&before, Some(class), per_model);
        let mut state = SavedState::default();
        state.0.insert(ProviderId::new("openai"), before.export());
        assert!(state.clear(&ProfileId::new("openai:a")));
        assert!(!state.clear(&ProfileId::new("openai:a")));
        assert!(!state.clear(&ProfileId::new("openai:nobody")));
        let after = book(&["a", "b"], state.0.get("openai")).snapshot();
        let [cleared, other] = &after.credentials[..] else {
            panic!("{after:?}");
        };
        assert_eq!(cleared.state, StateName::Available, "{class}");
        assert_eq!(cleared.models, [], "{class}");
        assert_eq!(cleared.requests, 1, "{class}: counters stay");
        let rests = other.state != StateName::Available || !other.models.is_empty();
        assert!(rests, "{class}: the other one still does");
        assert!(!before.clear(&ProfileId::new("openai:a")).is_empty(), "{class}");
        assert!(before.clear(&ProfileId::new("openai:a")).is_empty(), "{class}");
        let live = &before.snapshot().credentials[0];
        assert_eq!(
            (live.state, live.models.len()),
            (StateName::Available, 0),
            "{class}"
        );
    }
}

#[test]
fn nothing_is_left_of_a_cleared_profile_that_was_never_used() {
    let fingerprint = profile("openai", "a").secret.fingerprint();
    let text = format!(
        r#"{{"openai":[{{"profile":"openai:a","fingerprint":"{fingerprint}",
            "standing":{{"state":"disabled","reason":"auth_dead"}}}}]}}"#
    );
    let mut state: SavedState = serde_json::from_str(&text).unwrap();
    assert!(state.clear(&ProfileId::new("openai:a")));
    assert_eq!(state.0["openai"], SavedPool::default());
}
