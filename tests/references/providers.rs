//! The older tools' `secrets.providers`, as their config writes them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{Home, KEY};

/// A config with these `secrets`.
fn home_with(secrets: &Value) -> Home {
    let home = Home::new();
    let config = json!({ "secrets": secrets }).to_string();
    home.with_config(&config)
}

impl Home {
    /// What a reference comes to under the loaded config.
    fn provided(&self, reference: &Value) -> Result<String, String> {
        let settings = self.load().unwrap();
        super::resolve(&settings.resolver, reference).map_err(|error| self.shown(&error))
    }
}

/// A provider that runs a script of the shell.
fn scripted(script: &str, more: Value) -> Value {
    let mut provider = json!({
        "source": "exec", "command": "/bin/sh", "args": ["-c", script], "allowSymlinkCommand": true,
        "passEnv": ["PATH"], "timeoutMs": 30000,
    });
    if let Value::Object(fields) = more {
        for (name, value) in fields {
            provider[name] = value;
        }
    }
    provider
}

#[test]
fn files_are_json_or_a_single_value() {
    let home = home_with(&json!({
        "providers": {
            "main": { "source": "file", "path": "~/keys.json" },
            "one": { "source": "file", "path": "~/one", "mode": "singleValue" },
            "small": { "source": "file", "path": "~/one", "mode": "singleValue", "maxBytes": 4 },
        },
        "defaults": { "file": "one" },
    }));
    home.file("keys.json", &json!({"openai": {"key": KEY}}).to_string());
    home.file("one", &format!("{KEY}\n"));
    let file =
        |provider: &str, id: &str| home.provided(&json!({"source": "file", "provider": provider, "id": id}));
    assert_eq!(file("main", "/openai/key"), Ok(KEY.to_owned()));
    assert_eq!(file("one", "value"), Ok(KEY.to_owned()));
    assert_eq!(
        home.provided(&json!({"source": "file", "id": "value"})),
        Ok(KEY.to_owned())
    );
    for (provider, id, why) in [
        ("main", "value", "must be a pointer"),
        ("one", "/a", "must be `value`"),
        ("small", "value", "larger than 4 B"),
        (
            "mian",
            "/a",
            "the config has no secrets.providers.mian (did you mean `main`?)",
        ),
    ] {
        let error = file(provider, id).unwrap_err();
        assert!(
            error.starts_with(&format!("file {provider}:{id}: ")) && error.contains(why),
            "{error}"
        );
    }
    let error = home
        .provided(&json!({"source": "exec", "provider": "main", "id": "a"}))
        .unwrap_err();
    assert_eq!(
        error,
        "exec main:a: secrets.providers.main has source `file`, not `exec`"
    );
}

#[test]
fn a_file_that_others_may_read_is_refused_unless_that_is_meant() {
    let file = |insecure: bool| {
        let home = home_with(&json!({ "providers": {
            "one": { "source": "file", "path": "~/one", "mode": "singleValue", "allowInsecurePath": insecure },
        } }));
        fs::set_permissions(home.file("one", KEY), fs::Permissions::from_mode(0o644)).unwrap();
        home.provided(&json!({"source": "file", "provider": "one", "id": "value"}))
    };
    assert_eq!(file(true), Ok(KEY.to_owned()));
    assert_eq!(
        file(false).unwrap_err(),
        "file one:value: others may read or write [home]/one; run `chmod 600 [home]/one`, or set `allowInsecurePath` if \
         that is meant"
    );
}

#[test]
fn variables_may_be_limited_to_a_list() {
    let home = home_with(&json!({
        "providers": { "listed": { "source": "env", "allowlist": ["GOOD"] }, "all": { "source": "env" } },
        "defaults": { "env": "listed" },
    }))
    .set("GOOD", "good")
    .set("OTHER", "other");
    let env = |reference: Value| home.provided(&reference);
    assert_eq!(env(json!("${GOOD}")), Ok("good".to_owned()));
    assert_eq!(
        env(json!({"source": "env", "provider": "all", "id": "OTHER"})),
        Ok("other".to_owned())
    );
    assert_eq!(
        env(json!("${OTHER}")).unwrap_err(),
        "env OTHER: the variable is not on secrets.providers.listed.allowlist"
    );
}

#[test]
fn programs_speak_the_protocol() {
    let answer = |values: &str| format!("cat > ~/question; echo '{{\"protocolVersion\": 1, {values}}}'");
    let home = home_with(&json!({ "providers": {
        "good": scripted(&answer(&format!("\"values\": {{\"a/b\": \"{KEY}\"}}")), json!({"passEnv": ["PATH", "HOME"]})),
        "none": scripted(&answer("\"values\": {}"), json!({"passEnv": ["PATH", "HOME"]})),
        "sorry": scripted(
            &answer(&format!("\"values\": {{}}, \"errors\": {{\"a/b\": {{\"message\": \"no {KEY} there\"}}}}")),
            json!({"passEnv": ["PATH", "HOME"]}),
        ),
        "newer": scripted("echo '{\"protocolVersion\": 2, \"values\": {}}'", json!({})),
        "plain": scripted("echo plain", json!({})),
        "fails": scripted("echo \"sealed\" >&2; exit 2", json!({})),
    } }));
    let ask = |provider: &str| home.provided(&json!({"source": "exec", "provider": provider, "id": "a/b"}));
    assert_eq!(ask("good"), Ok(KEY.to_owned()));
    let question: Value = serde_json::from_str(&home.read("question")).unwrap();
    assert_eq!(
        question,
        json!({"protocolVersion": 1, "provider": "good", "ids": ["a/b"]})
    );
    for (provider, why) in [
        ("none", "its answer has no value for the id"),
        ("sorry", "it has no value for the id: no "),
        ("newer", "expected `protocolVersion` 1 in its answer"),
        (
            "plain",
            "it printed no JSON; set `jsonOnly: false` if it prints the secret alone",
        ),
        ("fails", "failed with exit code 2: sealed"),
    ] {
        let error = ask(provider).unwrap_err();
        assert!(
            error.starts_with(&format!("exec {provider}:a/b: ")) && error.contains(why),
            "{error}"
        );
        assert!(!error.contains("9vTq2LxW"), "{error}");
    }
}

#[test]
fn programs_may_print_the_value_alone() {
    let plain = |script: &str| scripted(script, json!({"jsonOnly": false}));
    let home = home_with(&json!({ "providers": {
        "plain": plain(&format!("echo {KEY}")),
        "text": plain(&format!("echo '\"{KEY}\"'")),
        "digits": plain("echo 00123456789"),
        "number": plain("echo 123456789"),
        "protocol": plain(&format!("echo '{{\"protocolVersion\":1,\"values\":{{\"value\":\"{KEY}\"}}}}'")),
        "lines": plain("echo a; echo b"),
    } }));
    let ask = |provider: &str| home.provided(&json!({"source": "exec", "provider": provider, "id": "value"}));
    for provider in ["plain", "text", "protocol"] {
        assert_eq!(ask(provider), Ok(KEY.to_owned()), "{provider}");
    }
    assert_eq!(ask("digits"), Ok("00123456789".to_owned()));
    assert_eq!(ask("number"), Ok("123456789".to_owned()));
    assert!(ask("lines").unwrap_err().contains("expected one line, got 2"));
}

#[test]
fn programs_get_the_variables_that_are_passed_on_and_their_own() {
    let home = home_with(&json!({ "providers": {
        "vars": scripted(
            "echo \"$PASSED-$OWN-${HIDDEN:-none}\"",
            json!({"jsonOnly": false, "passEnv": ["PASSED", "ABSENT"], "env": {"OWN": "own"}}),
        ),
    } }))
    .set("PASSED", "passed")
    .set("HIDDEN", "hidden");
    let ask = home.provided(&json!({"source": "exec", "provider": "vars", "id": "value"}));
    assert_eq!(ask, Ok("passed-own-none".to_owned()));
}

#[test]
fn a_program_must_be_one_to_trust() {
    let ask = |more: Value, mode: u32| {
        let home = Home::new();
        fs::set_permissions(
            home.file("program", "#!/bin/sh\n"),
            fs::Permissions::from_mode(mode),
        )
        .unwrap();
        std::os::unix::fs::symlink(home.path("program"), home.path("link")).unwrap();
        let mut provider = json!({"source": "exec", "command": "~/program"});
        for (name, value) in more.as_object().unwrap() {
            provider[name] = value.clone();
        }
        let config = json!({"secrets": {"providers": {"program": provider}}}).to_string();
        let home = home.with_config(&config);
        home.provided(&json!({"source": "exec", "provider": "program", "id": "value"}))
            .unwrap_err()
    };
    for (more, mode, why) in [
        (
            json!({}),
            0o722,
            "others may change [home]/program; run `chmod go-w [home]/program`",
        ),
        (
            json!({"command": "~/link"}),
            0o700,
            "[home]/link is a symbolic link",
        ),
        (
            json!({"command": "~/none"}),
            0o700,
            "there is no program [home]/none",
        ),
        (json!({"command": "~/state"}), 0o700, "[home]/state is not a file"),
        (
            json!({"trustedDirs": ["/opt"]}),
            0o700,
            "[home]/program is outside `trustedDirs`",
        ),
    ] {
        let error = ask(more, mode);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn what_only_another_tool_has_is_kept_and_refused_when_asked() {
    let home = home_with(&json!({ "providers": {
        "cloud": { "source": "gcp", "project": "p" },
        "plugin": { "source": "exec", "pluginIntegration": { "pluginId": "acme" } },
    }, "resolution": { "maxProviderConcurrency": 4 } }));
    let warnings = home.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("secrets.providers.cloud.source: kept and not used")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("secrets.providers.plugin.pluginIntegration: kept and not used")),
        "{warnings:?}"
    );
    let error = home
        .provided(&json!({"source": "exec", "provider": "plugin", "id": "a"}))
        .unwrap_err();
    assert!(error.contains("name the program as `command`"), "{error}");
}

#[test]
fn a_provider_that_makes_no_sense_is_refused_with_its_place() {
    for (secrets, what) in [
        (
            json!({"providers": {"A b": {"source": "env"}}}),
            "expected a name of a-z",
        ),
        (json!({"providers": {"a": {}}}), "expected a `source`"),
        (json!({"providers": {"a": {"source": "file"}}}), "expected `path`"),
        (
            json!({"providers": {"a": {"source": "file", "path": "x"}}}),
            "absolute or with `~/`",
        ),
        (
            json!({"providers": {"a": {"source": "file", "path": "/x", "mode": "xml"}}}),
            "one of \"json\", \"singleValue\"",
        ),
        (
            json!({"providers": {"a": {"source": "exec"}}}),
            "expected `command`",
        ),
        (
            json!({"providers": {"a": {"source": "exec", "command": "op"}}}),
            "absolute or with `~/`",
        ),
        (json!({"defaults": {"env": 7}}), "the name of a provider"),
    ] {
        let home = home_with(&secrets);
        let error = home.load().unwrap_err().to_string();
        assert!(
            error.contains("coderclaw.json:1:") && error.contains(what),
            "{error}"
        );
    }
}
