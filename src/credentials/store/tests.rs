use std::fs;
use std::os::unix::fs::PermissionsExt;

use coderclaw_actors::domain::credential::{CredentialKind, ProfileId, ProviderId, Secret};
use serde_json::{Value, json};

use super::*;

const KEY: &str = "sk-proj-4f9aKq2LmZx81TyvWcRdEuHb";
const OTHER_KEY: &str = "sk-proj-9bXn3PqRsTuVwYz0AbCdEfGh";

fn id(id: &str) -> ProfileId {
    ProfileId::new(id)
}

fn openai() -> ProviderId {
    ProviderId::new("openai")
}

fn key(value: &str) -> NewCredential {
    NewCredential::ApiKey(StoredSecret::Here(Secret::new(value.to_owned())))
}

/// A store with `text` in a folder of its own.
fn store_of(text: &str) -> (tempfile::TempDir, StoreFile) {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreFile::of_agent(folder.path(), MAIN_AGENT);
    fs::create_dir_all(store.path().parent().unwrap()).unwrap();
    fs::write(store.path(), text).unwrap();
    (folder, store)
}

fn json_of(store: &StoreFile) -> Value {
    serde_json::from_slice(&fs::read(store.path()).unwrap()).unwrap()
}

fn put(store: &StoreFile, profile: &str, credential: NewCredential) {
    let put = |content: &mut AuthStore| {
        content.put(&id(profile), &openai(), None, credential);
        Ok::<(), StoreError>(())
    };
    store.update(put).unwrap();
}

#[test]
fn a_new_store_is_its_owners_alone_and_as_the_older_tools_write_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreFile::of_agent(folder.path(), "work");
    put(&store, "openai:default", key(KEY));
    let profile = json!({ "type": "api_key", "provider": "openai", "key": KEY });
    assert_eq!(
        json_of(&store),
        json!({ "version": 1, "profiles": { "openai:default": profile } })
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path()), 0o600);
    assert_eq!(mode(store.path().parent().unwrap()), 0o700);
    assert_eq!(store.exposure(), None);
}

#[test]
fn what_is_unknown_survives_in_its_place() {
    let text = json!({
        "version": 1,
        "profiles": {
            "x:y": { "type": "passkey", "provider": "x", "blob": [1, 2] },
            "openai:work": { "type": "api_key", "provider": "openai", "key": KEY, "metadata": { "team": "a" } },
        },
        "order": { "x": ["x:y"] },
        "somethingNew": { "deep": null },
    });
    let (_folder, store) = store_of(&text.to_string());
    put(&store, "openai:work", key(OTHER_KEY));
    let mut expected = text;
    expected["profiles"]["openai:work"]["key"] = json!(OTHER_KEY);
    assert_eq!(json_of(&store), expected);
    let read = store.read().unwrap();
    let unknown: Vec<Unknown> = read.unknown().collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].kind.as_deref(), Some("passkey"));
}

#[test]
fn a_profile_whose_type_changes_keeps_nothing_of_the_old_type() {
    let (_folder, store) = store_of("{}");
    let token = StoredSecret::Here(Secret::new(KEY.to_owned()));
    put(&store, "openai:a", NewCredential::Token(token, Some(5)));
    put(&store, "openai:a", key(OTHER_KEY));
    let profile = json!({ "type": "api_key", "provider": "openai", "key": OTHER_KEY });
    assert_eq!(json_of(&store)["profiles"]["openai:a"], profile);
}

#[test]
fn a_reference_takes_the_place_of_the_secret() {
    let (_folder, store) = store_of("{}");
    put(&store, "openai:a", key(KEY));
    let reference = json!({ "source": "env", "provider": "default", "id": "OPENAI_KEY" });
    put(
        &store,
        "openai:a",
        NewCredential::ApiKey(StoredSecret::Elsewhere(reference.clone())),
    );
    assert!(!fs::read_to_string(store.path()).unwrap().contains(KEY));
    let profile = store.read().unwrap().profile("openai:a").unwrap();
    let expected = StoredCredential::ApiKey {
        key: StoredSecret::Elsewhere(reference),
    };
    assert_eq!(profile.credential, expected);
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let (_folder, store) = store_of("{ \"profiles\" : {} }");
    let before = fs::metadata(store.path()).unwrap().modified().unwrap();
    let removed = store.update(|content| Ok::<_, StoreError>(content.remove("openai:none")));
    assert!(!removed.unwrap());
    assert_eq!(fs::metadata(store.path()).unwrap().modified().unwrap(), before);
}

#[test]
fn a_change_that_fails_writes_nothing() {
    let (_folder, store) = store_of("{}");
    let failed = store.update(|content| {
        content.put(&id("openai:a"), &openai(), None, key(KEY));
        Err::<(), StoreError>(StoreError::Form {
            path: PathBuf::new(),
            key: String::new(),
            expected: "nothing",
        })
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(store.path()).unwrap(), "{}");
}

#[test]
fn a_file_that_does_not_parse_is_left_alone_and_the_place_is_told() {
    for (text, place) in [
        (
            "{\n  \"profiles\": {,}\n}",
            ":2:16: not JSON: key must be a string",
        ),
        ("[]", ": the file: expected an object"),
        ("{\"profiles\":[]}", ": profiles: expected an object"),
        (
            "{\"profiles\":{\"a:b\":1}}",
            ": profiles[\"a:b\"]: expected an object",
        ),
        (
            "{\"version\":2}",
            ": version: expected 1: this file is of a newer program",
        ),
        ("", ":1:0: not JSON: EOF while parsing a value"),
    ] {
        let (_folder, store) = store_of(text);
        let put = |content: &mut AuthStore| {
            content.put(&id("openai:a"), &openai(), None, key(KEY));
            Ok::<(), StoreError>(())
        };
        let error = store.update(put).unwrap_err().to_string();
        assert!(error.ends_with(place), "{error}");
        assert_eq!(fs::read_to_string(store.path()).unwrap(), text);
    }
}

#[test]
fn an_error_never_repeats_the_text() {
    let (_folder, store) = store_of(&format!(
        "{{\"profiles\":{{\"a:b\":{{\"key\":\"{KEY}\" \"{KEY}\"}}}}}}"
    ));
    let error = store.read().unwrap_err();
    assert!(
        !format!("{error} {error:?} {}", error.help()).contains(&KEY[8..]),
        "{error}"
    );
}

#[test]
fn removing_a_profile_removes_what_is_noted_of_it() {
    let text = json!({
        "profiles": { "openai:a": { "type": "api_key", "provider": "openai", "key": KEY },
            "openai:b": { "type": "api_key", "provider": "openai", "key": OTHER_KEY } },
        "order": { "openai": ["openai:a"], "x": ["openai:b", "openai:a"] },
        "lastGood": { "openai": "openai:a" },
        "usageStats": { "openai:a": { "lastUsed": 1 }, "openai:b": { "lastUsed": 2 } },
    });
    let (_folder, store) = store_of(&text.to_string());
    let removed = store.update(|content| Ok::<_, StoreError>(content.remove("openai:a")));
    assert!(removed.unwrap());
    let left = json_of(&store);
    assert_eq!(left["order"], json!({ "x": ["openai:b"] }));
    assert_eq!(left["lastGood"], json!({}));
    assert_eq!(left["usageStats"], json!({ "openai:b": { "lastUsed": 2 } }));
    assert_eq!(left["profiles"].as_object().unwrap().len(), 1);
}

#[test]
fn orders_are_found_under_every_name_of_a_provider() {
    let zai = ProviderId::new("zai");
    let (_folder, store) = store_of("{\"order\":{\"z.ai\":[\"zai:a\",\" \",7],\"openai\":[]}}");
    let content = store.read().unwrap();
    assert_eq!(content.order(&zai), Some(vec![id("zai:a")]));
    assert_eq!(
        content.order(&openai()),
        None,
        "an empty order counts for nothing"
    );
    let set = |order: Option<Vec<ProfileId>>| {
        let set = |content: &mut AuthStore| {
            content.set_order(&zai, order.as_deref());
            Ok::<(), StoreError>(())
        };
        store.update(set).unwrap();
        json_of(&store)["order"].clone()
    };
    assert_eq!(
        set(Some(vec![id("zai:b")])),
        json!({ "openai": [], "zai": ["zai:b"] })
    );
    assert_eq!(set(None), json!({ "openai": [] }));
}

#[test]
fn instants_of_the_older_tools_are_read_and_absurd_ones_are_not() {
    for (written, read) in [
        (json!(1_770_000_000_000_u64), Some(1_770_000_000_000)),
        (json!(1_770_000_000_000.75), Some(1_770_000_000_000)),
        (json!(0), None),
        (json!(-5), None),
        (json!("soon"), None),
        (json!(1e300), None),
    ] {
        let text = json!({ "profiles": { "a:b": { "type": "token", "provider": "a", "token": KEY, "expires": written } } });
        let (_folder, store) = store_of(&text.to_string());
        let profile = store.read().unwrap().profile("a:b").unwrap();
        assert_eq!(profile.credential.expires_ms(), read, "{text}");
        assert_eq!(profile.credential.kind(), CredentialKind::Token);
    }
}

#[test]
fn an_agent_reads_main_through_and_copies_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (main, work) = (
        StoreFile::of_agent(folder.path(), MAIN_AGENT),
        StoreFile::of_agent(folder.path(), "work"),
    );
    put(&main, "openai:a", key(KEY));
    put(&main, "openai:b", key(KEY));
    put(&work, "openai:b", key(OTHER_KEY));
    let order = |content: &mut AuthStore| {
        content.set_order(&openai(), Some(&[id("openai:b"), id("openai:a")]));
        Ok::<(), StoreError>(())
    };
    main.update(order).unwrap();
    let seen = AgentProfiles::read(folder.path(), "work").unwrap();
    let ids: Vec<String> = seen
        .profiles()
        .iter()
        .map(|profile| profile.id.to_string())
        .collect();
    assert_eq!(ids, ["openai:b", "openai:a"]);
    assert_eq!(seen.order(&openai()), Some(vec![id("openai:b"), id("openai:a")]));
    let own = Secret::new(OTHER_KEY.to_owned());
    assert_eq!(
        seen.profiles()[0].credential,
        StoredCredential::ApiKey {
            key: StoredSecret::Here(own)
        }
    );
    assert!(!fs::read_to_string(work.path()).unwrap().contains(KEY));
}

#[test]
fn a_store_that_others_may_read_is_said_and_mended_by_the_next_write() {
    let (_folder, store) = store_of("{}");
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(store.exposure().unwrap().contains("0644"));
    put(&store, "openai:a", key(KEY));
    assert_eq!(store.exposure(), None);
}

proptest::proptest! {
    /// The older tools write what JavaScript computes: not a digit of it changes with something else.
    #[test]
    fn numbers_with_fractions_stay_as_they_are(number in 1e11..1e13_f64) {
        let text = format!("{{\"profiles\":{{}},\"theirs\":{number}}}");
        let (_folder, store) = store_of(&text);
        put(&store, "openai:a", key(KEY));
        let written = fs::read_to_string(store.path()).unwrap();
        let (_, theirs) = written.rsplit_once("\"theirs\": ").unwrap();
        let theirs = theirs.trim_end_matches(['}', '\n']);
        proptest::prop_assert_eq!(theirs.parse(), Ok(number), "{}", theirs);
    }
}
