//! Keys and tokens of the config that are references.

use super::{Home, KEY};

fn with_key(api_key: &str) -> Home {
    Home::new().with_config(&format!(
        "{{ models: {{ providers: {{ groq: {{ apiKey: {api_key} }} }} }} }}"
    ))
}

/// The value and the source of the only member of Groq's pool.
fn member(home: &Home) -> (String, String) {
    let settings = home.load().unwrap();
    let members = &settings.pool("groq").unwrap().members;
    assert_eq!(members.len(), 1, "{:?}", settings.warnings);
    let member = &members[0];
    (member.secret.expose().to_owned(), member.source.to_string())
}

#[test]
fn a_key_may_be_text_a_variable_or_a_reference() {
    let source = |how: &str| format!("config: models.providers.groq.apiKey{how}");
    let plain = with_key(&format!("'{KEY}'"));
    assert_eq!(member(&plain), (KEY.to_owned(), source("")));
    for form in [
        "'${MY_KEY}'",
        "'$MY_KEY'",
        "{ source: 'env', id: 'MY_KEY', note: 'mine' }",
    ] {
        let home = with_key(form).set("MY_KEY", KEY);
        assert_eq!(member(&home), (KEY.to_owned(), source(" (env MY_KEY)")), "{form}");
        assert!(home.warnings().is_empty());
    }
    let home = with_key("{ source: 'file', path: '~/keys.json', id: '/groq' }");
    home.file("keys.json", &format!("{{\"groq\": \"{KEY}\"}}"));
    assert_eq!(
        member(&home),
        (KEY.to_owned(), source(" (file ~/keys.json#/groq)"))
    );
    let home = with_key(&format!("{{ source: 'exec', command: ['echo', '{KEY}'] }}"));
    assert_eq!(member(&home), (KEY.to_owned(), source(" (exec echo)")));
}

#[test]
fn the_variable_may_stand_in_env_vars_and_in_dotenv() {
    let home = Home::new().with_config(&format!(
        "{{ env: {{ vars: {{ MY_KEY: '{KEY}' }} }}, models: {{ providers: {{ groq: {{ apiKey: '${{MY_KEY}}' }} }} }} }}"
    ));
    assert_eq!(member(&home).0, KEY);
    let home = with_key("'${MY_KEY}'");
    home.file("state/.env", &format!("MY_KEY={KEY}\n"));
    assert_eq!(member(&home).0, KEY);
}

#[test]
fn a_key_that_cannot_be_had_is_a_warning_with_its_place() {
    let home = with_key("'${MY_KEY}'");
    assert!(home.load().unwrap().pool("groq").unwrap().members.is_empty());
    assert_eq!(
        home.warnings(),
        [
            "[home]/state/coderclaw.json:1:42: models.providers.groq.apiKey: env MY_KEY: the variable is not set, or \
             blank; set it in the gateway's environment, in .env of the state folder or in env.vars"
        ]
    );
    // A live key is the whole pool: the program is not run.
    let home = with_key("{ source: 'exec', command: ['sh', '-c', 'echo x >> ~/ran'] }")
        .set("CODERCLAW_LIVE_GROQ_KEY", KEY);
    assert_eq!(member(&home).0, KEY);
    assert!(home.warnings().is_empty() && home.read("ran").is_empty());
}

#[test]
fn a_reference_that_is_none_is_refused_with_its_place() {
    for form in [
        "'${NOT A NAME}'",
        "{ source: 'env' }",
        "{ }",
        "{ source: 'exec', command: 'op read x' }",
    ] {
        let error = with_key(form).load().unwrap_err().to_string();
        assert!(
            error.contains("coderclaw.json:1:42: models.providers.groq.apiKey: not a reference: "),
            "{error}"
        );
    }
}

#[test]
fn the_gateways_token_may_be_a_reference() {
    let token =
        |form: &str| Home::new().with_config(&format!("{{ gateway: {{ auth: {{ token: {form} }} }} }}"));
    let home = token("'${MY_TOKEN}'").set("MY_TOKEN", " s3cret\n");
    assert_eq!(home.load().unwrap().gateway.token.unwrap().expose(), "s3cret");
    let home = token("{ source: 'file', path: '~/token' }");
    let error = home.load().unwrap_err();
    assert_eq!(
        home.shown(&error),
        "[home]/state/coderclaw.json:1:29: gateway.auth.token: file ~/token: there is no such file"
    );
    home.file("token", "from-file\n");
    assert_eq!(home.load().unwrap().gateway.token.unwrap().expose(), "from-file");
    // The environment's token counts, and the reference is not followed.
    let home = token("'${ABSENT}'").set("CODERCLAW_GATEWAY_TOKEN", "from-environment");
    assert_eq!(
        home.load().unwrap().gateway.token.unwrap().expose(),
        "from-environment"
    );
}

#[test]
fn values_that_do_not_count_are_said_aloud() {
    let home = Home::new()
        .with_config("{ env: { vars: { GROQ_API_KEY: 'c', OPENAI_API_KEY_2: 'same', HTTPS_PROXY: 'x', XAI_API_KEY: 'v' } } }")
        .set("GROQ_API_KEY", "a")
        .set("OPENAI_API_KEY_2", " same\n")
        .set("HTTPS_PROXY", "y")
        .set("XAI_API_KEY", " ");
    home.file("state/.env", "GROQ_API_KEY=b\nGROQ_API_KEY=b2\n");
    assert_eq!(
        home.warnings(),
        [
            ".env: GROQ_API_KEY: is shadowed: `env: GROQ_API_KEY` has another value and counts; remove one of the two",
            "config env.vars: GROQ_API_KEY: is shadowed: `env: GROQ_API_KEY` has another value and counts; remove one of the two",
            "env: XAI_API_KEY: is blank, which is as good as absent: `config env.vars: XAI_API_KEY` counts; remove the blank one",
        ]
    );
    assert_eq!(member(&home), ("a".to_owned(), "env: GROQ_API_KEY".to_owned()));
}
