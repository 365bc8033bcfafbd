//! No piece of a secret comes out anywhere: every fault is provoked, with providers that repeat the key that they
//! refuse, and everything that the real binary says is searched.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "canary/corpus.rs"]
mod corpus;
#[path = "canary/faults.rs"]
mod faults;
#[path = "canary/panics.rs"]
mod panics;
#[path = "canary/stored.rs"]
mod stored;

use std::time::Duration;

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, Fault, RunningEmulator};
use futures_util::{StreamExt as _, stream};
use nix::sys::signal::Signal;
use serde_json::json;

use corpus::{Corpus, Kind, Secrets};
use support::{GatewayProcess, Home, RawConnection, get, key, post_with};

const ROUNDS_AT_ONCE: usize = 4;
const EXIT_MAX: Duration = Duration::from_secs(10);

/// Path and body; `{}` stands for the prompt.
const ASKS: [(&str, &str); 13] = [
    (
        "/v1/chat/completions",
        r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"{}"}]}"#,
    ),
    ("/v1/responses", r#"{"model":"gpt-4o-mini","input":"{}"}"#),
    (
        "/v1/responses",
        r#"{"model":"gpt-4o-mini","stream":true,"input":"{}"}"#,
    ),
    (
        "/v1/embeddings",
        r#"{"model":"text-embedding-3-small","input":"{}"}"#,
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"groq/llama-3.3-70b","stream":true,"messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"mistral/mistral-large","messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1/messages",
        r#"{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1/messages",
        r#"{"model":"claude-sonnet-4-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1/messages/count_tokens",
        r#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"{}"}]}"#,
    ),
    (
        "/v1beta/models/gemini-2.5-flash:generateContent",
        r#"{"contents":[{"role":"user","parts":[{"text":"{}"}]}]}"#,
    ),
    (
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        r#"{"contents":[{"role":"user","parts":[{"text":"{}"}]}]}"#,
    ),
    (
        "/proxy/openai/v1/chat/completions",
        r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"{}"}]}"#,
    ),
];

/// What a session says to the gateway itself, and a word to the provider that it is pinned at.
const COMMANDS: [&str; 7] = [
    "/model",
    "/model list",
    "/model gpt-4o-mini",
    "/model openai/gpt-4o-mini@env:OPENAI_API_KEYS#2",
    "hello",
    "/model status",
    "/model nonsense@nobody",
];

/// Everything secret that a gateway is told, and everything that a caller tells it.
fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    for (provider, names) in [
        ("openai", &["one", "two"][..]),
        ("anthropic", &["one", "two"]),
        ("google", &["one", "two"]),
        ("groq", &["config"]),
        ("mistral", &["file"]),
    ] {
        for name in names {
            secrets.add(&format!("{provider} {name}"), &key(provider, name));
        }
    }
    for name in [
        "anthropic token",
        "gateway token",
        "config header",
        "caller's own key",
        "session key",
    ] {
        secrets.add(name, &key("other", name));
    }
    secrets
}

/// One gateway in front of an emulator with `fault`, with every kind of secret that it can be given.
struct Round<'a> {
    secrets: &'a Secrets,
    emulator: RunningEmulator,
    home: Home,
    gateway: GatewayProcess,
}

impl<'a> Round<'a> {
    async fn start(secrets: &'a Secrets, faults: Vec<Fault>) -> Self {
        let emulator = Emulator::start(EmulatorConfig {
            echo_key: true,
            faults,
            behaviour: Behaviour {
                echo: Some(true),
                ..Behaviour::default()
            },
            ..EmulatorConfig::default()
        })
        .expect("the emulator starts");
        let keys = |provider: &str| format!("{},{}", key(provider, "one"), key(provider, "two"));
        let upstream = emulator.base_url();
        let home = Home::new(
            &upstream,
            &[
                ("OPENAI_API_KEYS", &keys("openai")),
                ("ANTHROPIC_API_KEYS", &keys("anthropic")),
                ("ANTHROPIC_OAUTH_TOKEN", &key("other", "anthropic token")),
                ("GEMINI_API_KEYS", &keys("google")),
                ("MISTRAL_API_KEY_FILE", "~/mistral.keys"),
                ("CODERCLAW_GATEWAY_TOKEN", &key("other", "gateway token")),
            ],
            json!({
                "models": { "providers": {
                    "openai": { "headers": { "x-team-secret": key("other", "config header") } },
                    "groq": { "baseUrl": format!("{upstream}/openai/v1"), "apiKey": key("groq", "config") },
                    "mistral": { "baseUrl": format!("{upstream}/v1") },
                } },
                "gateway": {
                    "timeouts": { "firstByte": "300ms", "idle": "300ms", "total": "2s", "hold": "200ms" },
                },
            }),
        );
        let keys_of_a_file = home.state().join("../mistral.keys");
        std::fs::write(keys_of_a_file, key("mistral", "file")).expect("a file");
        let gateway = home.gateway(&["--log-level", "trace"]).await;
        Self {
            secrets,
            emulator,
            home,
            gateway,
        }
    }

    /// Asks in every format and keeps all that comes back.
    async fn ask_everything(&self, what: &str, corpus: &mut Corpus) {
        let token = key("other", "gateway token");
        let own = key("other", "caller's own key");
        let bearer = format!("Bearer {token}");
        for (n, (path, body)) in ASKS.iter().enumerate() {
            let question = if path.contains('?') { '&' } else { '?' };
            let body = body.replace("{}", self.secrets.prompt());
            let request = match n % 4 {
                0 => post_with(path, &[("authorization", &bearer), ("x-api-key", &own)], &body),
                1 => post_with(path, &[("x-api-key", &token), ("x-goog-api-key", &own)], &body),
                2 => post_with(
                    &format!("{path}{question}key={own}"),
                    &[("x-goog-api-key", &token)],
                    &body,
                ),
                _ => post_with(
                    &format!("{path}{question}key={token}"),
                    &[("authorization", &format!("Bearer {own}"))],
                    &body,
                ),
            };
            self.keep_answer(&format!("{what}: {path}"), &request, corpus)
                .await;
        }
        for path in ["/v1/models", "/v1beta/models", "/status", "/metrics", "/nowhere"] {
            let path_with_key = format!("{path}?key={token}");
            let kind = if path.starts_with("/v1") {
                Kind::Answer
            } else {
                Kind::Own
            };
            self.keep(&format!("{what}: {path}"), &get(&path_with_key), kind, corpus)
                .await;
        }
        // Somebody who holds a provider's key and no token is told nothing either.
        let stranger = post_with(ASKS[0].0, &[("x-api-key", &own)], ASKS[0].1);
        self.keep_answer(&format!("{what}: stranger"), &stranger, corpus)
            .await;
    }

    /// Says everything that the gateway answers itself, in a session whose key is as secret as the rest.
    async fn say_commands(&self, what: &str, corpus: &mut Corpus) {
        let bearer = format!("Bearer {}", key("other", "gateway token"));
        let session = key("other", "session key");
        for command in COMMANDS {
            let body = json!({ "model": "openai/gpt-4o-mini", "messages": [{ "role": "user", "content": command }] });
            let headers = [
                ("authorization", bearer.as_str()),
                ("x-coderclaw-session-key", &session),
            ];
            let request = post_with("/v1/chat/completions", &headers, &body.to_string());
            self.keep_answer(&format!("{what}: {command}"), &request, corpus)
                .await;
        }
        let bad = format!("{session}\u{85}");
        let request = post_with(
            ASKS[0].0,
            &[("authorization", &bearer), ("x-coderclaw-session-key", &bad)],
            ASKS[0].1,
        );
        self.keep_answer(&format!("{what}: bad session key"), &request, corpus)
            .await;
        let written = std::fs::read_to_string(self.home.state().join("sessions.json"));
        assert!(
            written.is_ok_and(|text| text.contains("OPENAI_API_KEYS#2")),
            "{what}: nothing is pinned"
        );
    }

    async fn keep_answer(&self, place: &str, request: &[u8], corpus: &mut Corpus) {
        self.keep(place, request, Kind::Answer, corpus).await;
    }

    async fn keep(&self, place: &str, request: &[u8], kind: Kind, corpus: &mut Corpus) {
        let mut caller = RawConnection::open(self.gateway.address).await;
        caller.send(request).await;
        let Some(head) = caller.try_head().await else {
            return;
        };
        let (body, _) = caller.body(&head).await;
        corpus.statuses.insert(head.status);
        corpus.add(
            kind,
            &format!("{place}, headers"),
            format!("{:?}", head.headers).as_bytes(),
        );
        corpus.add(kind, &format!("{place}, body"), &body);
    }

    /// What the commands say while the gateway runs; then stops it and keeps its log and its files.
    async fn finish(mut self, what: &str, corpus: &mut Corpus) {
        for command in [
            &["models", "status"][..],
            &["models", "status", "--json"],
            &["models", "status", "--plain"],
            &["status"],
            &["status", "--json"],
            &["gateway", "status", "--json"],
        ] {
            let ended = self.home.run(command).await;
            assert_ne!(ended.stdout, "", "{command:?}: {}", ended.stderr);
            corpus.add(
                Kind::Own,
                &format!("{what}: {command:?}, stdout"),
                ended.stdout.as_bytes(),
            );
            corpus.add(
                Kind::Own,
                &format!("{what}: {command:?}, stderr"),
                ended.stderr.as_bytes(),
            );
        }
        self.gateway.signal(Signal::SIGTERM);
        assert!(self.gateway.exit(EXIT_MAX).await.is_some(), "{what}: it goes on");
        let log = self.gateway.stderr();
        assert!(
            log.contains("TRACE") && log.contains("request"),
            "{what}: no trace in the log"
        );
        corpus.add(Kind::Own, &format!("{what}: log"), log.as_bytes());
        corpus.add(
            Kind::Own,
            &format!("{what}: stdout"),
            self.gateway.stdout().as_bytes(),
        );
        for entry in std::fs::read_dir(self.home.state()).expect("the state folder") {
            let path = entry.expect("an entry").path();
            // The config is the user's own, and holds what the user wrote there.
            if path.is_file() && path.file_name().is_some_and(|name| name != "coderclaw.json") {
                let text = std::fs::read(&path).expect("a file of ours");
                corpus.add(Kind::Own, &format!("{what}: {}", path.display()), &text);
            }
        }
    }
}

/// The emulator does what the canary is about: it repeats the key, in the body and in a header.
#[tokio::test]
async fn the_provider_really_echoes_the_key() {
    let secrets = secrets();
    let faults = vec![Fault::new(coderclaw::emulator::FaultKind::RateLimit)];
    let round = Round::start(&secrets, faults).await;
    let mut direct = RawConnection::open(round.emulator.addr()).await;
    let bearer = format!("Bearer {}", key("openai", "one"));
    let answer = direct
        .call(&post_with(ASKS[0].0, &[("authorization", &bearer)], ASKS[0].1))
        .await;
    let mut corpus = Corpus::default();
    corpus.add(
        Kind::Answer,
        "headers",
        format!("{:?}", answer.head.headers).as_bytes(),
    );
    corpus.add(Kind::Answer, "body", &answer.body);
    assert_eq!(corpus.leaks(&secrets).len(), 2, "{}", answer.status());
}

#[tokio::test]
async fn no_secret_comes_out_whatever_the_provider_does() {
    let secrets = secrets();
    let secrets = &secrets;
    let rounds = faults::all().into_iter().map(async |(what, faults)| {
        let mut corpus = Corpus::default();
        let round = Round::start(secrets, faults).await;
        round.ask_everything(&what, &mut corpus).await;
        round.say_commands(&what, &mut corpus).await;
        let seen = round.emulator.stats().requests;
        assert!(seen >= 8, "{what}: only {seen} requests came to the provider");
        round.finish(&what, &mut corpus).await;
        corpus
    });
    // Most of a round is waiting for a provider that hangs.
    let mut rounds = stream::iter(rounds).buffer_unordered(ROUNDS_AT_ONCE);
    let mut corpus = Corpus::default();
    while let Some(round) = rounds.next().await {
        corpus.join(round);
    }
    for status in [200, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        assert!(corpus.statuses.contains(&status), "no {status} was provoked");
    }
    let leaks = corpus.leaks(secrets);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}
