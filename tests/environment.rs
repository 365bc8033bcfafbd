//! Credentials found in the environment, and the pools made of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "environment/pool.rs"]
mod pool;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;

use coderclaw::config::normalise_provider_id;
use coderclaw::credentials::environment::{Discovered, Layer, Variables, discover};
use coderclaw_actors::domain::credential::{AuthProfile, CredentialKind};
use serde_json::Value;
use vectors::vectors;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn found(provider: &str, pairs: &[(&str, &str)]) -> Discovered {
    discover(provider, &Variables::of(&environment(pairs)))
}

fn ids(profiles: &[AuthProfile]) -> Vec<&str> {
    profiles.iter().map(|profile| profile.id.as_str()).collect()
}

fn values(profiles: &[AuthProfile]) -> Vec<&str> {
    profiles.iter().map(|profile| profile.secret.expose()).collect()
}

// === vectors ===

fn vector_environment(vector: &Value) -> Variables {
    let pairs = vector["input"]["env"].as_object().unwrap();
    let map: BTreeMap<String, String> = pairs
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    Variables::of(&map)
}

fn expected(vector: &Value) -> Vec<&str> {
    let list = vector["expected"].as_array().unwrap();
    list.iter().map(|value| value.as_str().unwrap()).collect()
}

#[test]
fn vectors_of_environment_keys() {
    for vector in vectors("env_keys") {
        let discovered = discover(
            vector["input"]["provider"].as_str().unwrap(),
            &vector_environment(&vector),
        );
        let secrets: Vec<&str> = discovered
            .secrets()
            .iter()
            .map(|secret| secret.expose())
            .collect();
        assert_eq!(secrets, expected(&vector), "{}", vector["id"]);
    }
}

// === names, ids, kinds ===

#[test]
fn ids_tell_the_variable_and_the_place_among_items_that_are_not_blank() {
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEYS", ", a ;;b\nc,a"),
            ("OPENAI_API_KEY", "d"),
            ("OPENAI_API_KEY_2", "e"),
        ],
    );
    assert_eq!(
        ids(&discovered.profiles),
        [
            "openai:env:OPENAI_API_KEYS#1",
            "openai:env:OPENAI_API_KEYS#2",
            "openai:env:OPENAI_API_KEYS#3",
            "openai:env:OPENAI_API_KEYS#4",
            "openai:env:OPENAI_API_KEY",
            "openai:env:OPENAI_API_KEY_2",
        ]
    );
    assert_eq!(values(&discovered.profiles), ["a", "b", "c", "a", "d", "e"]);
    assert_eq!(discovered.secrets().len(), 5);
    assert_eq!(
        found("openai", &[("OPENAI_API_KEYS", "only")]).profiles[0]
            .id
            .as_str(),
        "openai:env:OPENAI_API_KEYS#1"
    );
}

#[test]
fn numbers_sort_as_numbers_and_names_bytewise_after_them() {
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEY_B", "kb"),
            ("OPENAI_API_KEY_a", "ka"),
            ("OPENAI_API_KEY_100000000000000000000000", "huge"),
            ("OPENAI_API_KEY_10", "k10"),
            ("OPENAI_API_KEY_09", "k09"),
            ("OPENAI_API_KEY_2", "k2"),
            ("OPENAI_API_KEY_2B", "k2b"),
            ("OPENAI_API_KEY_0", "k0"),
        ],
    );
    assert_eq!(
        values(&discovered.profiles),
        ["k0", "k2", "k09", "k10", "huge", "k2b", "kb", "ka"]
    );
}

#[test]
fn names_that_hold_something_else_are_no_keys() {
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEY_PATH", "/x"),
            ("OPENAI_API_KEY_URL", "https://x"),
            ("OPENAI_API_KEY_WORK_ID", "key_123"),
            ("OPENAI_API_KEY_NAME", "mine"),
            ("OPENAI_API_KEY_", "nameless"),
            ("OPENAI_API_KEYRING", "no"),
            ("XOPENAI_API_KEY", "no"),
            ("OPENAI_API_KEY_CURL", "k"),
        ],
    );
    assert_eq!(values(&discovered.profiles), ["k"]);
    assert_eq!(discovered.warnings, []);
}

#[test]
fn line_breaks_and_outer_white_space_go_from_a_key() {
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEY", " \tsk-abc\r\ndef\u{2028}ghi\n"),
            ("OPENAI_API_KEY_1", "\u{2029}\n"),
        ],
    );
    assert_eq!(values(&discovered.profiles), ["sk-abcdefghi"]);
}

#[test]
fn a_value_that_no_header_can_carry_is_left_out_and_not_shown() {
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEY", "sk-pröj-secretsecret"),
            ("OPENAI_API_KEYS", "k1"),
        ],
    );
    assert_eq!(values(&discovered.profiles), ["k1"]);
    let warning = discovered.warnings[0].to_string();
    assert!(warning.contains("env: OPENAI_API_KEY"), "{warning}");
    assert!(!warning.contains("secret"), "{warning}");
}

#[test]
fn tokens_are_told_from_keys() {
    let discovered = found(
        "anthropic",
        &[
            ("ANTHROPIC_OAUTH_TOKEN", "t"),
            ("ANTHROPIC_API_KEY", "sk-ant-oat01-abcdef"),
            ("ANTHROPIC_API_KEYS", "sk-ant-api03-abcdef"),
            ("CODERCLAW_LIVE_ANTHROPIC_KEYS", "l1,l2"),
        ],
    );
    let kinds: Vec<(&str, CredentialKind)> = discovered
        .profiles
        .iter()
        .map(|profile| (profile.secret.expose(), profile.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("sk-ant-api03-abcdef", CredentialKind::ApiKey),
            ("l1", CredentialKind::ApiKey),
            ("l2", CredentialKind::ApiKey),
            ("sk-ant-oat01-abcdef", CredentialKind::Token),
            ("t", CredentialKind::Token),
        ]
    );
}

#[test]
fn google_reads_its_older_names_last() {
    let discovered = found(
        "google",
        &[
            ("GOOGLE_API_KEY", "k4"),
            ("GOOGLE_API_KEYS", "k3"),
            ("GEMINI_API_KEY_9", "k2"),
            ("GEMINI_API_KEY", "k1"),
        ],
    );
    assert_eq!(values(&discovered.profiles), ["k1", "k2", "k3", "k4"]);
    assert_eq!(discovered.profiles[0].id.as_str(), "google:env:GEMINI_API_KEY");
}

#[test]
fn ids_of_providers_are_normalised() {
    for (written, id) in [
        (" OpenAI ", "openai"),
        ("z.ai", "zai"),
        ("Z-AI", "zai"),
        ("kimi-code", "kimi-coding"),
        ("my.corp", "my.corp"),
    ] {
        assert_eq!(normalise_provider_id(written), id);
    }
    assert_eq!(
        values(&found("my.corp-2", &[("MY_CORP_2_API_KEY", "k")]).profiles),
        ["k"]
    );
}

#[test]
fn a_blank_override_overrides_nothing() {
    let discovered = found(
        "openai",
        &[("CODERCLAW_LIVE_OPENAI_KEY", " \n"), ("OPENAI_API_KEY", "k")],
    );
    assert!(!discovered.live);
    assert_eq!(values(&discovered.profiles), ["k"]);
}

// === files of keys ===

#[test]
fn a_file_of_keys_stands_where_its_name_sorts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, "\u{feff}f1\r\n\n  f2  \nk2\n").unwrap();
    let path = path.to_str().unwrap();
    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEY", "k0"),
            ("OPENAI_API_KEY_2", "k2"),
            ("OPENAI_API_KEY_A", "ka"),
            ("OPENAI_API_KEY_FILE", path),
            ("OPENAI_API_KEY_Z", "kz"),
        ],
    );
    assert_eq!(
        values(&discovered.profiles),
        ["k0", "k2", "ka", "f1", "f2", "k2", "kz"]
    );
    assert_eq!(
        discovered.profiles[3].id.as_str(),
        "openai:env:OPENAI_API_KEY_FILE#1"
    );
    assert_eq!(&*discovered.profiles[3].source, "env: OPENAI_API_KEY_FILE");

    let discovered = found(
        "openai",
        &[
            ("OPENAI_API_KEYS_FILE", path),
            ("OPENAI_API_KEYS", "l1"),
            ("OPENAI_API_KEY_WORK_FILE", "~/keys"),
            ("HOME", folder.path().to_str().unwrap()),
        ],
    );
    assert_eq!(
        ids(&discovered.profiles),
        [
            "openai:env:OPENAI_API_KEYS#1",
            "openai:env:OPENAI_API_KEYS_FILE#1",
            "openai:env:OPENAI_API_KEYS_FILE#2",
            "openai:env:OPENAI_API_KEYS_FILE#3",
            "openai:env:OPENAI_API_KEY_WORK_FILE#1",
            "openai:env:OPENAI_API_KEY_WORK_FILE#2",
            "openai:env:OPENAI_API_KEY_WORK_FILE#3",
        ]
    );
}

#[test]
fn a_file_of_keys_that_cannot_be_read_is_a_warning_without_what_stood_there() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    // Nobody writes to it: reading it would never end.
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for value in [
        "sk-proj-pasted-by-mistake",
        folder.path().to_str().unwrap(),
        binary.to_str().unwrap(),
        pipe.to_str().unwrap(),
    ] {
        let discovered = found(
            "openai",
            &[("OPENAI_API_KEY_FILE", value), ("OPENAI_API_KEY", "k")],
        );
        assert_eq!(values(&discovered.profiles), ["k"]);
        let warning = discovered.warnings[0].to_string();
        assert!(warning.contains("env: OPENAI_API_KEY_FILE"), "{warning}");
        assert!(!warning.contains("pasted"), "{warning}");
    }
}

// === layers ===

#[test]
fn the_environment_is_filled_and_never_overridden() {
    let state = tempfile::tempdir().unwrap();
    fs::write(
        state.path().join(".env"),
        "OPENAI_API_KEY=from-dotenv\n# comment\nexport OPENAI_API_KEY_1='one'\nOPENAI_API_KEY_1=\"two\"\nOPENAI_API_KEY_2=two\n",
    )
    .unwrap();
    let process = environment(&[("OPENAI_API_KEY", "from-process"), ("OPENAI_API_KEY_2", "  ")]);
    let mut variables = Variables::of(&process);
    assert_eq!(variables.fill_from_dotenv(state.path()), []);
    variables.fill(
        Layer::ConfigVars,
        [("OPENAI_API_KEY_1", "config"), ("OPENAI_API_KEY_3", "three")],
    );
    let discovered = discover("openai", &variables);
    let sources: Vec<(&str, &str)> = discovered
        .profiles
        .iter()
        .map(|profile| (profile.secret.expose(), &*profile.source))
        .collect();
    assert_eq!(
        sources,
        [
            ("from-process", "env: OPENAI_API_KEY"),
            ("two", ".env: OPENAI_API_KEY_1"),
            ("two", ".env: OPENAI_API_KEY_2"),
            ("three", "config env.vars: OPENAI_API_KEY_3"),
        ]
    );
}

#[test]
fn a_bad_line_of_the_dotenv_file_is_counted_and_not_shown() {
    let state = tempfile::tempdir().unwrap();
    fs::write(
        state.path().join(".env"),
        "OPENAI_API_KEY=k\nsk-proj-pasted-alone pasted\nGROQ_API_KEY=g\n",
    )
    .unwrap();
    let mut variables = Variables::default();
    let warnings = variables.fill_from_dotenv(state.path());
    assert_eq!(warnings.len(), 1);
    assert!(!warnings[0].to_string().contains("pasted"));
    assert_eq!(values(&discover("groq", &variables).profiles), ["g"]);
}

#[test]
fn nothing_shows_a_value() {
    let variables = Variables::of(&environment(&[("OPENAI_API_KEY", "sk-proj-abcdefghijkl")]));
    let discovered = discover("openai", &variables);
    for shown in [format!("{variables:?}"), format!("{discovered:?}")] {
        assert!(!shown.contains("abcdefgh"), "{shown}");
    }
}
