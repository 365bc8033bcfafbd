//! What is refused, with its place; what is warned of.

use super::{Home, loaded};

/// Checks the message of a config that is refused.
fn refused(config: &str, expected: &str) {
    assert_eq!(Home::with(config).error(), expected, "{config}");
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_was_expected() {
    refused(
        "{\n  gateway: {\n    port: \"abc\",\n  },\n}",
        "coderclaw.json:3:11: gateway.port: expected a port from 1 to 65535, got \"abc\"",
    );
    refused(
        "{ gateway: { port: 0 } }",
        "coderclaw.json:1:20: gateway.port: expected a port from 1 to 65535, got 0",
    );
    refused(
        "{ gateway: { port: 65536 } }",
        "coderclaw.json:1:20: gateway.port: expected a port from 1 to 65535, got 65536",
    );
    refused(
        "{ gateway: { timeouts: { idle: -5 } } }",
        "coderclaw.json:1:32: gateway.timeouts.idle: expected a duration from 1ms to 366 days, a number of milliseconds or text such as \"10s\", got -5",
    );
    refused(
        "{ gateway: [] }",
        "coderclaw.json:1:12: gateway: expected an object, got a list",
    );
    refused("[]", "coderclaw.json:1:1: expected an object, got a list");
    refused(
        "{ gateway: { chatCommands: \"allways\", limits: { sessions: 0 } } }",
        "coderclaw.json:1:28: gateway.chatCommands: expected one of \"session\", \"always\", \"off\" (did you mean `always`?), got \"allways\"\n\
         coderclaw.json:1:59: gateway.limits.sessions: expected a number of sessions from 1 to 100000000, got 0",
    );
    refused(
        "{ auth: { rotation: { on: [\"rate_limt\"] } } }",
        "coderclaw.json:1:28: auth.rotation.on[0]: expected one of \"rate_limit\", \"quota_window\", \"quota_hard\", \"auth\", \"permission\", \"model_access\", \"overloaded\", \"transient_server\", \"timeout\" (did you mean `rate_limit`?), got \"rate_limt\"",
    );
}

#[test]
fn sizes_and_durations_have_limits() {
    for config in [
        "{ gateway: { limits: { body: 0 } } }",
        "{ gateway: { limits: { body: \"1PiB\" } } }",
        "{ gateway: { limits: { body: -1 } } }",
        "{ gateway: { limits: { body: \"lots\" } } }",
        "{ gateway: { limits: { header: 1 } } }",
        "{ gateway: { limits: { header: '129KiB' } } }",
        "{ gateway: { limits: { inFlight: 0 } } }",
        "{ gateway: { limits: { inFlight: 1.5 } } }",
        "{ gateway: { limits: { inFlight: NaN } } }",
        "{ gateway: { limits: { body: 100, bufferedBodies: 99 } } }",
        "{ gateway: { timeouts: { total: \"0s\" } } }",
        "{ gateway: { timeouts: { total: Infinity } } }",
        "{ gateway: { timeouts: { total: \"500 years\" } } }",
        "{ gateway: { workers: 0 } }",
        "{ auth: { cooldowns: { throttleMin: \"10m\" } } }",
        "{ auth: { cooldowns: { billingBackoffHours: 0 } } }",
        "{ models: { providers: { openai: { limits: { rpm: 0 } } } } }",
    ] {
        assert!(Home::with(config).load().is_err(), "{config}");
    }
}

#[test]
fn several_problems_are_told_at_once_in_the_order_of_the_file() {
    let error = Home::with(
        "{\n auth: { rotation: { strategy: 'x' } },\n gateway: { port: 0,\n bind: 'nowhere' },\n models: { providers: { openai: { baseUrl: 'ftp://x' } } } }",
    )
    .error();
    let places: Vec<&str> = error
        .lines()
        .filter_map(|line| line.split(": expected").next())
        .collect();
    assert_eq!(
        places,
        [
            "coderclaw.json:2:32: auth.rotation.strategy",
            "coderclaw.json:3:19: gateway.port",
            "coderclaw.json:4:8: gateway.bind",
            "coderclaw.json:5:44: models.providers.openai.baseUrl",
        ]
    );
}

#[test]
fn text_that_is_not_json5_is_refused_with_its_place() {
    refused(
        "{\n  gateway: {\n",
        "coderclaw.json:2:12: not JSON5: unterminated object",
    );
    refused("{ a: 1 b: 2 }", "coderclaw.json:1:7: not JSON5: expected comma");
    for config in ["{ a: }", "{} {}", "{ \"a: 1 }", "}", &"[".repeat(100_000)] {
        let error = Home::with(config).error();
        assert!(error.starts_with("coderclaw.json:1:"), "{error}");
    }
}

#[test]
fn duplicates_are_refused() {
    refused(
        "{ gateway: { port: 1,\n port: 2 } }",
        "coderclaw.json:2:2: gateway.port: duplicate key: it already stands at line 1; remove one",
    );
    refused(
        "{ models: { providers: { openai: {},\n OpenAI: {} } } }",
        "coderclaw.json:2:10: models.providers.OpenAI: duplicate provider: `openai` already stands at line 1; remove one",
    );
    refused(
        "{ models: { providers: { 'z.ai': { baseUrl: 'https://z' },\n zai: { baseUrl: 'https://z' } } } }",
        "coderclaw.json:2:7: models.providers.zai: duplicate provider: `zai` already stands at line 1; remove one",
    );
    for config in [
        "{ agents: { list: [{ id: 'a' }, { id: 'A' }] } }",
        "{ agents: { list: [{ id: 'a', default: true }, { id: 'b', default: true }] } }",
        "{ agents: { defaults: { models: { 'openai/a': { alias: 'x' }, 'openai/b': { alias: 'X' } } } } }",
        "{ auth: { order: { openai: [], OpenAI: [] } } }",
    ] {
        assert!(Home::with(config).load().is_err(), "{config}");
    }
}

#[test]
fn wrong_providers_are_refused() {
    refused(
        "{ models: { providers: { openia: { apiKey: 'k' } } } }",
        "coderclaw.json:1:34: models.providers.openia: expected a `baseUrl`, since `openia` is not built in (did you mean `openai`?)",
    );
    refused(
        "{ models: { providers: { 'a b': { baseUrl: 'https://x' } } } }",
        "coderclaw.json:1:33: models.providers[\"a b\"]: expected a provider id of letters, digits, `.`, `_` and `-`, at most 64 characters",
    );
    for config in [
        "{ models: { providers: { x: { baseUrl: 'https://u:p@x' } } } }",
        "{ models: { providers: { x: { baseUrl: 'https://x?key=1' } } } }",
        "{ models: { providers: { x: { baseUrl: 'x' } } } }",
        "{ models: { providers: { x: { baseUrl: 'https://x', api: [] } } } }",
        "{ models: { providers: { x: { baseUrl: 'https://x', api: 'soap' } } } }",
        "{ models: { providers: { x: { baseUrl: 'https://x', models: [{ name: 'n' }] } } } }",
        "{ models: { providers: { openai: { headers: { Host: 'x' } } } } }",
        "{ models: { providers: { openai: { headers: { 'transfer-encoding': 'x' } } } } }",
        "{ models: { providers: { openai: { headers: { Authorization: 'x' } } } } }",
        "{ models: { providers: { openai: { headers: { 'a b': 'x' } } } } }",
        "{ models: { providers: { openai: { headers: { a: 'x\\ny' } } } } }",
        "{ models: { providers: { openai: { headers: { a: '1', A: '2' } } } } }",
    ] {
        assert!(Home::with(config).load().is_err(), "{config}");
    }
}

#[test]
fn models_that_lead_nowhere_are_refused_where_they_stand() {
    let text = r#"{
  agents: {
    defaults: {
      model: { primary: "opnai/gpt-5", fallbacks: ["groq/llama", "gpt-5-mini", "Groc/llama"] },
      models: { "nobody/x": { alias: "broken" }, "xai/grok-4": { alias: "smart" } },
    },
    list: [
      { id: "a", model: "word" },
      { id: "b", model: { fallbacks: ["smart", "smrt", "broken", "openai/"] } },
    ],
  },
}"#;
    insta::assert_snapshot!(Home::with(text).error());
}

#[test]
fn a_fallback_of_another_format_than_its_primary_is_a_warning() {
    let text = r#"{
  agents: {
    defaults: { model: { primary: "openai/gpt-5", fallbacks: ["anthropic/claude", "openrouter/x"] } },
    list: [
      { id: "a", model: { fallbacks: ["google/gemini"] } },
      { id: "b", model: "anthropic/claude" },
    ],
  },
}"#;
    insta::assert_snapshot!(Home::with(text).warnings().join("\n"));
}

#[test]
fn wrong_fallbacks_are_refused() {
    let many = vec!["\"openai/m\""; 33].join(",");
    refused(
        &format!("{{ agents: {{ defaults: {{ model: {{ fallbacks: [{many}] }} }} }} }}"),
        "coderclaw.json:1:45: agents.defaults.model.fallbacks: expected at most 32 models, got 33",
    );
    refused(
        "{ agents: { defaults: { model: { fallbacks: 'openai/m' } } } }",
        "coderclaw.json:1:45: agents.defaults.model.fallbacks: expected a list, each a model such as \"openai/gpt-5\" or an alias, got text",
    );
    refused(
        "{ agents: { defaults: { model: { fallbacks: ['openai/m', ' '] } } } }",
        "coderclaw.json:1:58: agents.defaults.model.fallbacks[1]: expected a model such as \"openai/gpt-5\" or an alias, got \" \"",
    );
}

#[test]
fn no_secret_is_shown_by_any_error_or_warning() {
    let secret = "sk-proj-Zx81mQp0aLw7VbTn";
    for config in [
        format!("{{ models: {{ providers: {{ openai: {{ apiKey: ['{secret}'] }} }} }} }}"),
        format!("{{ models: {{ providers: {{ openai: {{ apiKey: '{secret}ü' }} }} }} }}"),
        format!("{{ models: {{ providers: {{ openai: '{secret}' }} }} }}"),
        format!("{{ models: {{ providers: {{ openai: {{ baseUrl: 'https://{secret}@x' }} }} }} }}"),
        format!("{{ models: {{ providers: {{ openai: {{ headers: {{ a: '{secret}\\n1' }} }} }} }} }}"),
        format!("{{ gateway: {{ auth: {{ token: {{ '{secret}': 1 }} }} }} }}"),
        format!("{{ gateway: {{ port: '{secret}' }} }}"),
        format!("{{ env: {{ vars: {{ OPENAI_API_KEY: ['{secret}'] }} }} }}"),
        format!("{{ env: {{ shellEnv: '{secret}' }} }}"),
        format!("{{ models: {{ providers: {{ openai: {{ apiKey: '${{{secret}}}' }} }} }} }}"),
        format!(
            "{{ models: {{ providers: {{ openai: {{ apiKey: {{ source: 'env', id: '{secret}' }} }} }} }} }}"
        ),
        format!("{{ models: {{ providers: {{ openai: {{ apiKey: {{ source: '{secret}' }} }} }} }} }}"),
        format!(
            "{{ models: {{ providers: {{ openai: {{ apiKey: {{ source: 'exec', command: 'op {secret}' }} }} }} }} }}"
        ),
        format!(
            "{{ secrets: {{ providers: {{ a: {{ source: 'exec', command: '/op', args: '{secret}' }} }} }} }}"
        ),
        format!(
            "{{ secrets: {{ providers: {{ a: {{ source: 'exec', command: '/op', env: {{ T: ['{secret}'] }} }} }} }} }}"
        ),
        format!("{{ agents: {{ defaults: {{ model: '{secret}' }} }} }}"),
        format!("{{ agents: {{ defaults: {{ model: {{ fallbacks: ['{secret}'] }} }} }} }}"),
        format!("{{ gateway: '{secret}"),
        format!("{{ gateway: {secret} }}"),
    ] {
        let home = Home::with(&config);
        let error = home.load().unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("Zx81mQp0"), "{shown}");
        }
    }
    let settings = loaded(&format!(
        "{{ models: {{ providers: {{ openai: {{ apiKey: '{secret}', headers: {{ a: '{secret}' }} }} }} }},
            gateway: {{ auth: {{ token: '{secret}' }} }}, env: {{ vars: {{ GROQ_API_KEY: '{secret}' }} }} }}"
    ));
    assert!(!format!("{settings:?}").contains("Zx81mQp0"));
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    let home =
        Home::with("{\n gateway: { prot: 1 },\n modles: {},\n agents: { list: [{ id: 'a', nmae: 'x' }] } }");
    assert_eq!(
        home.warnings(),
        [
            "coderclaw.json:2:13: gateway.prot: unknown key, kept and ignored (did you mean `port`?)",
            "coderclaw.json:3:2: modles: unknown key, kept and ignored (did you mean `models`?)",
            "coderclaw.json:4:30: agents.list[0].nmae: unknown key, kept and ignored",
        ]
    );
}

#[test]
fn a_known_key_without_effect_is_a_warning() {
    let home =
        Home::with("{ gateway: { queue: { max: 1 } }, auth: { cooldowns: { failureWindowHours: 24 } } }");
    let warnings = home.warnings().join("\n");
    for key in ["gateway.queue", "auth.cooldowns.failureWindowHours"] {
        assert!(
            warnings.contains(&format!("{key}: ")),
            "{key} is missing in {warnings}"
        );
    }
}

proptest::proptest! {
    /// No text makes the reader panic, and what is refused is refused with a place.
    #[test]
    fn any_text_is_read_or_refused(text in "[{}\\[\\]:,'\"a-c0-9.x+\u{e9} \n/*-]{0,60}") {
        if Home::with(&text).load().is_err() {
            let error = Home::with(&text).error();
            proptest::prop_assert!(error.starts_with("coderclaw.json:"), "{}", error);
        }
    }
}
