//! Serving well: callers that go away, read slowly, ask for too much, or share a connection; and panics.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "serving/backpressure.rs"]
mod backpressure;
#[path = "serving/connections.rs"]
mod connections;
#[path = "serving/gone.rs"]
mod gone;
#[path = "serving/limits.rs"]
mod limits;
#[path = "serving/panics.rs"]
mod panics;
#[path = "serving/tls.rs"]
mod tls;

use std::time::Duration;

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, Fault, KeyConfig, RunningEmulator};
use serde_json::{Value, json};

use support::{TestGateway, key, post};

/// What the issue promises: a caller that is gone costs the provider at most this.
const CALLER_GONE_MAX: Duration = Duration::from_secs(1);
/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway in front of an emulator, with one key a provider.
struct House {
    emulator: RunningEmulator,
    gateway: TestGateway,
}

impl House {
    fn new(behaviour: Behaviour, faults: Vec<Fault>, config: Value) -> Self {
        let emulator = Emulator::start(EmulatorConfig {
            behaviour,
            faults,
            keys: ["openai", "anthropic", "google"]
                .map(|provider| KeyConfig::new(provider, &key(provider, "one")))
                .into(),
            ..EmulatorConfig::default()
        })
        .expect("the emulator starts");
        let gateway = TestGateway::with_config(
            &emulator.base_url(),
            &[
                ("OPENAI_API_KEY", &key("openai", "one")),
                ("ANTHROPIC_API_KEY", &key("anthropic", "one")),
                ("GEMINI_API_KEY", &key("google", "one")),
            ],
            config,
        );
        Self { emulator, gateway }
    }

    /// What the emulator counted for the key of `provider`.
    fn seen(&self, provider: &str) -> coderclaw::emulator::KeyStats {
        self.emulator.stats().key(provider).cloned().unwrap_or_default()
    }

    /// Requests under way at the gateway, and leases that are held.
    fn under_way(&self, provider: &str) -> (usize, usize) {
        (
            self.gateway.shared.in_flight.count(),
            self.gateway.leases(provider),
        )
    }
}

/// One way of asking, in one dialect.
#[derive(Clone, Copy, Debug)]
struct Ask {
    provider: &'static str,
    path: &'static str,
    /// `{}` stands for what the user says.
    body: &'static str,
}

const STREAMS: [Ask; 4] = [
    Ask {
        provider: "openai",
        path: "/v1/chat/completions",
        body: r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"{}"}]}"#,
    },
    Ask {
        provider: "openai",
        path: "/v1/responses",
        body: r#"{"model":"gpt-4o-mini","stream":true,"input":"{}"}"#,
    },
    Ask {
        provider: "anthropic",
        path: "/v1/messages",
        body: r#"{"model":"claude-sonnet-4-5","max_tokens":4096,"stream":true,"messages":[{"role":"user","content":"{}"}]}"#,
    },
    Ask {
        provider: "google",
        path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"{}"}]}]}"#,
    },
];

const WHOLES: [Ask; 3] = [
    Ask {
        provider: "openai",
        path: "/v1/chat/completions",
        body: r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"{}"}]}"#,
    },
    Ask {
        provider: "anthropic",
        path: "/v1/messages",
        body: r#"{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":"{}"}]}"#,
    },
    Ask {
        provider: "google",
        path: "/v1beta/models/gemini-2.5-flash:generateContent",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"{}"}]}]}"#,
    },
];

impl Ask {
    fn saying(&self, text: &str) -> String {
        self.body.replace("{}", text)
    }

    fn request(&self) -> Vec<u8> {
        post(self.path, &self.saying("say something"))
    }

    /// Where this dialect's error bodies name the gateway's own code.
    fn error_code(&self, body: &Value) -> Value {
        let error = &body["error"];
        match self.provider {
            "google" => error["details"][0]["reason"].clone(),
            _ => error["code"].clone(),
        }
    }

    /// That `answer` is an error as this dialect's SDKs read it: its status, and the gateway's code for the cause.
    fn assert_error(&self, answer: &support::RawAnswer, status: u16, code: &str) {
        assert_eq!(answer.status(), status, "{self:?}: {}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        let body = answer.json();
        assert_eq!(self.error_code(&body), json!(code), "{self:?}: {body}");
        assert!(body["error"]["message"].is_string(), "{self:?}: {body}");
        match self.provider {
            "anthropic" => assert_eq!(body["type"], json!("error"), "{body}"),
            "google" => assert_eq!(body["error"]["code"], json!(status), "{body}"),
            _ => assert!(body["error"]["type"].is_string(), "{body}"),
        }
    }
}
