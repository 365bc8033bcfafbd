//! References as JSON.

use coderclaw::credentials::reference::{ProvidedBy, SecretRef};
use proptest::prelude::*;
use serde_json::{Value, json};

fn described(value: &Value) -> Result<String, String> {
    SecretRef::parse(value)
        .map(|reference| reference.describe())
        .map_err(|error| error.to_string())
}

#[test]
fn every_form_is_read_and_shown() {
    let check = |value: Value, shown: &str| assert_eq!(described(&value), Ok(shown.to_owned()), "{value}");
    check(json!("${OPENAI_KEY}"), "env OPENAI_KEY");
    check(json!(" ${openai_key} "), "env openai_key");
    check(json!("$OPENAI_KEY"), "env OPENAI_KEY");
    check(json!("secretref-env:OPENAI_KEY"), "env OPENAI_KEY");
    check(json!("__env__:OPENAI_KEY"), "env OPENAI_KEY");
    check(json!({"source": "env", "id": "OPENAI_KEY"}), "env OPENAI_KEY");
    check(
        json!({"source": "env", "provider": "default", "id": "A", "new": [1]}),
        "env A",
    );
    check(json!({"source": "file", "path": "~/x"}), "file ~/x");
    check(json!({"source": "file", "path": "/x", "id": "value"}), "file /x");
    check(
        json!({"source": "file", "path": "~/x", "id": "/a/b"}),
        "file ~/x#/a/b",
    );
    check(
        json!({"source": "file", "provider": "main", "id": "/a~1b/~0"}),
        "file main:/a~1b/~0",
    );
    check(json!({"source": "file", "id": "value"}), "file default:value");
    check(
        json!({"source": "exec", "command": ["op", "read", "op://a/b"]}),
        "exec op",
    );
    check(
        json!({"source": "exec", "provider": "vault", "id": "a/b#c"}),
        "exec vault:a/b#c",
    );
    check(
        json!({"source": "keyring", "service": "coderclaw", "account": "openai:work"}),
        "keyring coderclaw/openai:work",
    );
}

#[test]
fn what_is_none_is_refused_without_being_repeated() {
    let secret = "Zx81mQp0aLw7VbTn";
    for value in [
        json!(secret),
        json!(format!("${{{secret} }}")),
        json!("$lower"),
        json!("${}"),
        json!(7),
        json!(null),
        json!([secret]),
        json!({}),
        json!({"source": secret}),
        json!({"source": 7}),
        json!({"source": "env"}),
        json!({"source": "env", "id": ""}),
        json!({"source": "env", "id": format!("sk-{secret}")}),
        json!({"source": "env", "id": "A", "provider": secret}),
        json!({"source": "file"}),
        json!({"source": "file", "path": secret}),
        json!({"source": "file", "path": "./x"}),
        json!({"source": "file", "path": "/x\u{0}"}),
        json!({"source": "file", "path": "/x", "id": secret}),
        json!({"source": "file", "provider": "main", "id": "/a~2"}),
        json!({"source": "file", "provider": "main"}),
        json!({"source": "exec"}),
        json!({"source": "exec", "command": secret}),
        json!({"source": "exec", "command": []}),
        json!({"source": "exec", "command": [" ", secret]}),
        json!({"source": "exec", "command": ["op", 7]}),
        json!({"source": "exec", "provider": "vault", "id": "a/../b"}),
        json!({"source": "exec", "provider": "vault", "id": format!("/{secret}")}),
        json!({"source": "keyring", "service": secret}),
        json!({"source": "keyring", "account": secret}),
    ] {
        let error = described(&value).unwrap_err();
        assert!(error.starts_with("not a reference: "), "{error}");
        assert!(!error.contains(secret), "{error}");
    }
    assert_eq!(
        described(&json!({"source": "fil"})).unwrap_err(),
        "not a reference: unknown source (did you mean `file`?); there are env, file, exec and keyring"
    );
}

#[test]
fn what_we_write_is_what_the_older_tools_read_where_they_have_it() {
    let check = |reference: SecretRef, json: Value| assert_eq!(reference.to_json(), json);
    check(SecretRef::env("A"), json!({"source": "env", "id": "A"}));
    check(
        SecretRef::Provided {
            source: ProvidedBy::Exec,
            provider: Some("vault".to_owned()),
            id: "a/b".to_owned(),
        },
        json!({"source": "exec", "provider": "vault", "id": "a/b"}),
    );
    check(
        SecretRef::Command {
            argv: vec!["op".to_owned(), "read".to_owned()],
        },
        json!({"source": "exec", "command": ["op", "read"]}),
    );
}

fn references() -> impl Strategy<Value = SecretRef> {
    let provider = || proptest::option::of("[a-z][a-z0-9_-]{0,10}");
    let text = || "[!-~]([ -~]{0,10}[!-~])?";
    let pointer = || "(/([a-zA-Z0-9 .]|~0|~1){0,6}){1,3}".prop_map(|pointer| pointer.trim().to_owned());
    prop_oneof![
        (provider(), "[A-Za-z_][A-Za-z0-9_]{0,12}")
            .prop_map(|(provider, name)| SecretRef::Env { provider, name }),
        ("(/|~/)[!-~]{1,12}", proptest::option::of(pointer()))
            .prop_map(|(path, pointer)| SecretRef::File { path, pointer }),
        proptest::collection::vec(text(), 1..4).prop_map(|argv| SecretRef::Command { argv }),
        (text(), text()).prop_map(|(service, account)| SecretRef::Keyring { service, account }),
        (provider(), pointer()).prop_map(|(provider, id)| SecretRef::Provided {
            source: ProvidedBy::File,
            provider,
            id
        }),
        (provider(), "[a-z0-9][a-z0-9_:/#-]{0,12}").prop_map(|(provider, id)| SecretRef::Provided {
            source: ProvidedBy::Exec,
            provider,
            id
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(reference in references()) {
        prop_assert_eq!(SecretRef::parse(&reference.to_json()), Ok(reference));
    }

    /// No JSON makes the reader panic.
    #[test]
    fn any_object_is_read_or_refused(
        source in prop_oneof![Just("env"), Just("file"), Just("exec"), Just("keyring")],
        fields in proptest::collection::btree_map(
            prop_oneof![Just("id"), Just("provider"), Just("path"), Just("command"), Just("service"), Just("account")],
            prop_oneof![any::<String>().prop_map(Value::from), Just(json!(["a", 1])), Just(Value::Null)],
            0..6,
        ),
    ) {
        let mut value = json!(fields);
        value["source"] = source.into();
        if let Ok(reference) = SecretRef::parse(&value) {
            prop_assert_eq!(SecretRef::parse(&reference.to_json()), Ok(reference));
        }
    }
}
