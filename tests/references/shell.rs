//! Variables of the login shell: the real one, with a `.profile` of its own.

use super::{Home, KEY};

const ENABLED: &str = "{ env: { shellEnv: { enabled: true, timeoutMs: 30000 } } }";

fn home_with(config: &str, profile: &str) -> Home {
    let home = Home::new().with_config(config);
    home.file(".profile", profile);
    home
}

fn source(home: &Home, provider: &str) -> Vec<String> {
    let settings = home.load().unwrap();
    let members = settings.pool(provider).unwrap().members.iter();
    members.map(|member| member.source.to_string()).collect()
}

#[test]
fn each_missing_name_is_filled_on_its_own() {
    let profile = format!(
        "echo welcome; echo OPENAI_API_KEY=noise\n\
         export GROQ_API_KEY=shadowed OPENAI_API_KEY={KEY} OPENAI_API_KEYS='a,b' OPENAI_API_KEY_2=two\n\
         export CODERCLAW_GATEWAY_PORT=4321 CODERCLAW_STATE_DIR=/elsewhere UNRELATED_TOKEN=secret XAI_API_KEY=''\n"
    );
    let home = home_with(ENABLED, &profile).set("GROQ_API_KEY", "from-process");
    let settings = home.load().unwrap();
    assert!(settings.shell_env.enabled);
    assert_eq!(
        settings.shell_env.applied,
        [
            "CODERCLAW_GATEWAY_PORT",
            "OPENAI_API_KEY",
            "OPENAI_API_KEYS",
            "OPENAI_API_KEY_2"
        ]
    );
    assert_eq!(settings.gateway.port(), 4321);
    assert_eq!(source(&home, "groq"), ["env: GROQ_API_KEY"]);
    assert_eq!(
        source(&home, "openai"),
        [
            "shell env: OPENAI_API_KEYS",
            "shell env: OPENAI_API_KEYS",
            "shell env: OPENAI_API_KEY",
            "shell env: OPENAI_API_KEY_2"
        ]
    );
    assert_eq!(
        home.warnings(),
        [
            "shell env: GROQ_API_KEY: is shadowed: `env: GROQ_API_KEY` has another value and counts; remove one of the two"
        ]
    );
    assert!(!format!("{settings:?}").contains("9vTq2LxW"));
}

#[test]
fn a_variable_that_the_config_names_is_looked_for_too() {
    let config = "{ env: { shellEnv: { enabled: true, timeoutMs: 30000 } }, models: { providers: { groq: { apiKey: '${MY_OWN_KEY}' } } } }";
    let home = home_with(config, &format!("export MY_OWN_KEY={KEY}\n"));
    assert_eq!(
        source(&home, "groq"),
        ["config: models.providers.groq.apiKey (env MY_OWN_KEY)"]
    );
}

#[test]
fn a_variable_that_a_store_names_is_looked_for_too() {
    let home = home_with(ENABLED, &format!("export MY_STORED_KEY={KEY}\n"));
    std::fs::create_dir_all(home.path("state/agents/main/agent")).unwrap();
    home.file(
        "state/agents/main/agent/auth-profiles.json",
        r#"{"version": 1, "profiles": {"groq:work": {"type": "api_key", "provider": "groq",
            "keyRef": {"source": "env", "provider": "default", "id": "MY_STORED_KEY"}}}}"#,
    );
    assert_eq!(source(&home, "groq"), ["store: env MY_STORED_KEY"]);
}

#[test]
fn it_is_asked_only_if_someone_says_so() {
    let profile = format!("echo x >> ~/ran; export OPENAI_API_KEY={KEY}\n");
    let home = home_with("{}", &profile);
    assert!(source(&home, "openai").is_empty() && home.read("ran").is_empty());
    let settings = home.load().unwrap();
    assert!(!settings.shell_env.enabled && settings.shell_env.applied.is_empty());

    let home = home_with("{}", &profile)
        .set("CODERCLAW_LOAD_SHELL_ENV", "true")
        .set("CODERCLAW_SHELL_ENV_TIMEOUT_MS", "30000");
    assert_eq!(source(&home, "openai"), ["shell env: OPENAI_API_KEY"]);
    let home = home.set("CODERCLAW_LOAD_SHELL_ENV", "0");
    assert!(source(&home, "openai").is_empty());
    let home = home_with(ENABLED, &profile).set("CODERCLAW_DEFER_SHELL_ENV_FALLBACK", "1");
    assert!(source(&home, "openai").is_empty() && home.read("ran").is_empty());
}

#[test]
fn a_reload_does_not_run_it_again_unless_its_settings_changed() {
    let home = home_with(ENABLED, "echo x >> ~/ran; export OPENAI_API_KEY=first\n");
    assert_eq!(source(&home, "openai").len(), 1);
    let config = ENABLED.replace(
        "{ env",
        "{ models: { providers: { groq: { limits: { rpm: 1 } } } }, env",
    );
    let home = home.with_config(&config);
    assert_eq!(source(&home, "openai").len(), 1);
    assert_eq!(home.read("ran").lines().count(), 1);
    let home = home.with_config(&ENABLED.replace("30000", "30001"));
    assert_eq!(source(&home, "openai").len(), 1);
    assert_eq!(home.read("ran").lines().count(), 2);
}

#[test]
fn a_failure_is_a_warning_and_nothing_else() {
    let check = |home: Home, told: &str| {
        let warnings = home.warnings();
        assert!(
            warnings.iter().any(|warning| warning.contains(told)),
            "{warnings:?}"
        );
        let settings = home.load().unwrap();
        assert!(settings.shell_env.enabled && settings.shell_env.applied.is_empty());
    };
    let subject = "env.shellEnv: the login shell gave no variables: ";
    check(
        home_with(ENABLED, &format!("echo 'broken {KEY}' >&2; exit 3\n")),
        &format!("{subject}`/bin/sh` failed with exit code 3: broken *****"),
    );
    check(
        home_with(
            "{ env: { shellEnv: { enabled: true, timeoutMs: 300 } } }",
            "sleep 60\n",
        ),
        &format!("{subject}`/bin/sh` was killed: it did not end within 300ms"),
    );
    check(
        home_with(ENABLED, "").set("SHELL", "/no/such/shell"),
        &format!("{subject}`/no/such/shell` is not there"),
    );
    check(
        home_with(ENABLED, "head -c 3000000 /dev/zero | tr '\\0' x\n"),
        &format!("{subject}`/bin/sh` was killed: it printed more than 2.0 MiB"),
    );
    check(
        home_with(ENABLED, "").set("CODERCLAW_SHELL_ENV_TIMEOUT_MS", "soon"),
        "env: CODERCLAW_SHELL_ENV_TIMEOUT_MS: expected a number of milliseconds; it is ignored",
    );
}

#[test]
fn what_start_files_leave_running_is_not_waited_for() {
    let home = home_with(
        "{ env: { shellEnv: { enabled: true, timeoutMs: 5000 } } }",
        "sleep 6 &\nexport OPENAI_API_KEY=found\n",
    );
    assert_eq!(source(&home, "openai"), ["shell env: OPENAI_API_KEY"]);
    assert!(home.warnings().is_empty());
}

#[test]
fn a_shell_that_is_no_whole_path_is_not_run() {
    let home = home_with(ENABLED, "export OPENAI_API_KEY=found\n").set("SHELL", "sh -c");
    assert_eq!(source(&home, "openai"), ["shell env: OPENAI_API_KEY"]);
}
