//! `coderclaw.json` as users write it: what is taken, what is refused and where, what is warned of.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail a test as tests do"
)]

#[path = "config/base_url.rs"]
mod base_url;
#[path = "config/catalogue.rs"]
mod catalogue;
#[path = "config/edit.rs"]
mod edit;
#[path = "config/files.rs"]
mod files;
#[path = "config/offers.rs"]
mod offers;
#[path = "config/refusals.rs"]
mod refusals;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

use coderclaw::config::{AuthScheme, Bind, ChatCommands, ConfigError, Limits, LogFormat, Settings, Timeouts};
use coderclaw::wire::Api;
use coderclaw_actors::domain::outcome::ErrorClass;
use coderclaw_actors::{CooldownPolicy, RotationPolicy, Strategy};
use tempfile::TempDir;

/// A state folder of its own, and the environment that names it.
struct Home {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Home {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_str().unwrap().to_owned();
        Self {
            folder,
            environment: BTreeMap::from([("CODERCLAW_STATE_DIR".to_owned(), state)]),
        }
    }

    fn with(config: &str) -> Self {
        let home = Self::empty();
        fs::write(home.folder.path().join("coderclaw.json"), config).unwrap();
        home
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        Settings::load(&self.environment)
    }

    /// The error without the folder's path.
    fn error(&self) -> String {
        let error = self.load().unwrap_err().to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// The warnings without the folder's path.
    fn warnings(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let warnings = self.load().unwrap().warnings;
        warnings
            .iter()
            .map(|warning| warning.to_string().replace(&folder, ""))
            .collect()
    }
}

fn loaded(config: &str) -> Settings {
    Home::with(config).load().unwrap()
}

#[test]
fn without_a_file_everything_has_its_default() {
    for settings in [
        Home::empty().load().unwrap(),
        loaded(""),
        loaded("// nothing\n"),
        loaded("{}"),
    ] {
        assert_eq!(settings.gateway.port(), 18789);
        assert_eq!(settings.gateway.bind, Bind::Loopback);
        assert_eq!(settings.gateway.limits, Limits::default());
        assert_eq!(settings.gateway.timeouts, Timeouts::default());
        assert_eq!(settings.rotation, RotationPolicy::default());
        assert_eq!(settings.cooldowns, CooldownPolicy::default());
        assert_eq!(settings.providers.len(), 11);
        assert_eq!(settings.default_agent, "main");
        assert_eq!(settings.warnings, []);
    }
    assert!(!Home::empty().load().unwrap().config_exists);
    assert!(loaded("{}").config_exists);
}

#[test]
fn all_of_json5_is_read() {
    let settings = loaded(
        "{ // comment\n gateway: { 'port': 0x1F90, \"log\": { level: 'de\\\nbug', }, limits: { body: +1e6, attempts: 5. } }, /* x */ }",
    );
    assert_eq!(settings.gateway.port(), 8080);
    assert_eq!(
        settings.gateway.log.level,
        tracing::level_filters::LevelFilter::DEBUG
    );
    assert_eq!(settings.gateway.limits.body, 1_000_000);
    assert_eq!(settings.rotation.attempts_max.get(), 5);
}

#[test]
fn every_value_of_the_gateway_is_taken() {
    let settings = loaded(
        r#"{ gateway: {
            port: 9000, bind: "lan", workers: 3, auth: { token: " s3cret-token\n" },
            allowedHosts: ["Gateway.example"], allowedOrigins: ["HTTPS://App.example:443/", "http://localhost:3000"],
            limits: { body: "1MiB", bufferedBodies: "10 MB", header: 16384, connections: 7, inFlight: 8, attempts: 9, sessions: 10 },
            timeouts: { connect: "1500ms", firstByte: 2000, fallback: "20s", idle: "1m 30s", total: "2h", hold: 100, drain: "5s" },
            log: { format: "json", level: "warn" }, chatCommands: "always",
        } }"#,
    );
    let gateway = &settings.gateway;
    assert_eq!((gateway.port(), gateway.bind), (9000, Bind::Lan));
    assert_eq!(gateway.workers, NonZeroUsize::new(3));
    assert_eq!(gateway.token.as_ref().unwrap().expose(), "s3cret-token");
    assert_eq!(gateway.allowed_hosts, ["gateway.example"]);
    assert_eq!(
        gateway.allowed_origins,
        ["https://app.example", "http://localhost:3000"]
    );
    let limits = Limits {
        body: 1 << 20,
        buffered_bodies: 10_000_000,
        header: 16384,
        connections: 7,
        in_flight: 8,
        attempts: NonZeroUsize::new(9).unwrap(),
        sessions: 10,
    };
    assert_eq!(gateway.limits, limits);
    let timeouts = Timeouts {
        connect: Duration::from_millis(1500),
        first_byte: Duration::from_secs(2),
        fallback: Some(Duration::from_secs(20)),
        idle: Duration::from_secs(90),
        total: Duration::from_hours(2),
        hold: Duration::from_millis(100),
        drain: Duration::from_secs(5),
    };
    assert_eq!(gateway.timeouts, timeouts);
    assert_eq!(gateway.log.format, LogFormat::Json);
    assert_eq!(gateway.chat_commands, ChatCommands::Always);
    assert_eq!(settings.rotation.attempts_max.get(), 9);
    assert_eq!(settings.warnings, []);
}

#[test]
fn bind_addresses() {
    for (text, loopback, count) in [
        ("loopback", true, 2),
        ("127.0.0.2", true, 1),
        ("::1", true, 1),
        ("[::1]", true, 1),
        ("::ffff:127.0.0.1", true, 1),
        ("lan", false, 1),
        ("0.0.0.0", false, 1),
        ("192.168.1.5", false, 1),
    ] {
        let bind: Bind = text.parse().unwrap();
        assert_eq!(
            (bind.is_loopback(), bind.addresses().len()),
            (loopback, count),
            "{text}"
        );
    }
    assert!("example.com".parse::<Bind>().is_err());
}

#[test]
fn rotation_widens_and_cooldowns_know_the_older_names() {
    let settings = loaded(
        r#"{ auth: {
            rotation: { on: ["overloaded", "auth"], strategy: "balanced", maxAttempts: 4 },
            cooldowns: { throttleMin: "1s", billingBackoffHours: 0.5, billingMaxHours: 12, exhaustedMax: "3h" },
        } }"#,
    );
    let on = &settings.rotation.on;
    for class in [
        ErrorClass::RateLimit,
        ErrorClass::QuotaWindow,
        ErrorClass::QuotaHard,
        ErrorClass::Overloaded,
        ErrorClass::AuthDead,
    ] {
        assert!(on.contains(&class), "{class}");
    }
    assert!(!on.contains(&ErrorClass::Timeout) && !on.contains(&ErrorClass::CallerFault));
    assert_eq!(settings.strategy, Strategy::Balanced);
    assert_eq!(settings.rotation.attempts_max.get(), 4);
    assert_eq!(settings.cooldowns.throttle_first, Duration::from_secs(1));
    assert_eq!(settings.cooldowns.exhausted_first, Duration::from_mins(30));
    assert_eq!(settings.cooldowns.exhausted_longest, Duration::from_hours(3));
}

#[test]
fn built_in_providers_are_changed_and_others_added() {
    let settings = loaded(
        r#"{ models: { providers: {
            OpenAI: { baseUrl: "http://127.0.0.1:9/v1/", apiKey: "sk-config", models: ["gpt-5", { id: "o9", cost: {} }],
                      limits: { rpm: 60, concurrency: 4 }, headers: { "X-Team": "blue" } },
            "my.claude": { baseUrl: "https://claude.corp", api: "anthropic-messages" },
            local: { baseUrl: "http://localhost:8000", api: ["openai-completions", "openai-responses"] },
            bearer: { baseUrl: "https://b.example", api: "anthropic-messages", authHeader: true },
        } } }"#,
    );
    assert_eq!(settings.warnings, []);
    let openai = settings.provider("openai").unwrap();
    assert_eq!(
        openai.base.join("/v1", "/chat/completions", None).unwrap(),
        "http://127.0.0.1:9/v1/chat/completions"
    );
    assert_eq!(openai.models, ["gpt-5", "o9"]);
    assert!(openai.builtin && openai.apis.contains(Api::OpenaiResponses));
    assert_eq!(openai.headers["x-team"], "blue");
    assert!(!format!("{openai:?}").contains("blue"));
    let member = &settings.pool("openai").unwrap().members[0];
    assert_eq!(
        (member.id.as_str(), member.secret.expose()),
        ("openai:config", "sk-config")
    );
    assert_eq!(member.limits.rpm.unwrap().get(), 60);
    assert_eq!(member.limits.concurrency.unwrap().get(), 4);

    let claude = settings.provider("my.claude").unwrap();
    assert_eq!(claude.auth, AuthScheme::XApiKey);
    assert!(claude.apis.contains(Api::AnthropicMessages) && !claude.apis.contains(Api::OpenaiCompletions));
    assert_eq!(settings.provider("local").unwrap().apis.iter().count(), 2);
    assert_eq!(settings.provider("bearer").unwrap().auth, AuthScheme::Bearer);
}

#[test]
fn the_environment_comes_before_the_file() {
    let home = Home::with(
        r#"{ gateway: { port: 1000, auth: { token: "from-config" } }, env: { vars: { GROQ_API_KEY: "from-vars", OPENAI_API_KEY: "x" } } }"#,
    )
    .set("CODERCLAW_GATEWAY_PORT", " 2000 ")
    .set("CODERCLAW_GATEWAY_TOKEN", "from-environment")
    .set("OPENAI_API_KEY", "from-process");
    let settings = home.load().unwrap();
    assert_eq!(settings.gateway.port(), 2000);
    assert_eq!(
        settings.gateway.token.as_ref().unwrap().expose(),
        "from-environment"
    );
    assert_eq!(
        home.warnings(),
        [
            "config env.vars: OPENAI_API_KEY: is shadowed: `env: OPENAI_API_KEY` has another value and counts; remove one of the two",
            "env: CODERCLAW_GATEWAY_TOKEN: differs from gateway.auth.token of the config and is used instead of it",
        ]
    );
    let source = |id: &str| settings.pool(id).unwrap().members[0].source.to_string();
    assert_eq!(source("openai"), "env: OPENAI_API_KEY");
    assert_eq!(source("groq"), "config env.vars: GROQ_API_KEY");
}

#[test]
fn variables_may_stand_in_env_itself_and_come_before_vars() {
    let settings = loaded(
        r#"{ env: { GROQ_API_KEY: "inline", vars: { GROQ_API_KEY: "vars", XAI_API_KEY: "x" }, MISTRAL_API_KEY: " " } }"#,
    );
    let members = |id: &str| settings.pool(id).unwrap().members.len();
    assert_eq!(
        settings.pool("groq").unwrap().members[0].secret.expose(),
        "inline"
    );
    assert_eq!((members("groq"), members("xai"), members("mistral")), (1, 1, 0));
    assert_eq!(settings.warnings, []);
}

#[test]
fn a_blank_token_is_none() {
    let home = Home::with(r#"{ gateway: { auth: { token: "  " } } }"#).set("CODERCLAW_GATEWAY_TOKEN", " ");
    assert_eq!(home.load().unwrap().gateway.token, None);
}

#[test]
fn an_order_of_the_config_makes_the_pool() {
    let home = Home::with(
        r#"{ auth: { order: { OpenAI: ["openai:env:OPENAI_API_KEYS#2", "openai:env:OPENAI_API_KEY9"], nobody: [] },
                     profiles: { "openai:env:OPENAI_API_KEYS#2": { provider: "openai", mode: "api_key", email: "a@b.c", limits: { rpm: 5 } } } } }"#,
    )
    .set("OPENAI_API_KEYS", "k1,k2,k3");
    let settings = home.load().unwrap();
    let members = &settings.pool("openai").unwrap().members;
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].secret.expose(), "k2");
    assert_eq!(members[0].limits.rpm.unwrap().get(), 5);
    let warnings = home.warnings().join("\n");
    assert!(
        warnings.contains("there is no credential `openai:env:OPENAI_API_KEY9`"),
        "{warnings}"
    );
    assert!(warnings.contains("there is no provider `nobody`"), "{warnings}");
}
