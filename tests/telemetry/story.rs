//! `/status`, `/metrics`, `coderclaw status` and `coderclaw models status` tell what the provider saw.

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use serde_json::{Value, json};

use crate::support::{GatewayProcess, Home, RawConnection, get, key, post};

const NAMES: [&str; 3] = ["throttled", "unpaid", "healthy"];
const REQUESTS: usize = 3;
const CHAT: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"gpt-5","messages":[{"role":"user","content":"hi"}]}"#;

fn emulator() -> RunningEmulator {
    Emulator::start(EmulatorConfig {
        keys: NAMES
            .map(|name| KeyConfig::new(name, &key("openai", name)))
            .into(),
        faults: vec![
            Fault::new(FaultKind::RateLimit).for_key("throttled"),
            Fault::new(FaultKind::Quota).for_key("unpaid"),
        ],
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts")
}

async fn page(gateway: &GatewayProcess, path: &str) -> String {
    let mut caller = RawConnection::open(gateway.address).await;
    let answer = caller.call(&get(path)).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text()
}

async fn report(home: &Home, command: &[&str]) -> Value {
    let ended = home.run(command).await;
    assert_eq!(ended.code, Some(0), "{command:?}: {}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Of each of the provider's credentials: requests, throttles, state, state for the model, next for the model.
fn story(report: &Value) -> Vec<Value> {
    assert_eq!(report["source"], json!("gateway"));
    let providers = report["auth"]["providers"].as_array().unwrap();
    let openai = providers
        .iter()
        .find(|provider| provider["provider"] == json!("openai"));
    let credentials = openai.unwrap()["credentials"].as_array().unwrap();
    credentials
        .iter()
        .map(|credential| {
            json!([
                credential["requests"],
                credential["throttles"],
                credential["state"],
                credential["models"][0]["state"],
                credential["nextFor"]
            ])
        })
        .collect()
}

#[tokio::test]
async fn everybody_tells_what_the_provider_saw() {
    let emulator = emulator();
    let keys = NAMES.map(|name| key("openai", name)).join(",");
    let home = Home::new(&emulator.base_url(), &[("OPENAI_API_KEYS", &keys)], json!({}));
    let gateway = home.gateway(&[]).await;
    for _ in 0..REQUESTS {
        let mut caller = RawConnection::open(gateway.address).await;
        assert_eq!(caller.call(&post(CHAT, BODY)).await.status(), 200);
    }
    let seen = emulator.stats();
    let seen = NAMES.map(|name| seen.key(name).unwrap().requests);
    assert_eq!(seen, [1, 1, REQUESTS as u64]);

    let expected = [
        json!([1, 1, "available", "cooling", []]),
        json!([1, 1, "exhausted", null, []]),
        json!([REQUESTS, 0, "available", null, ["gpt-5"]]),
    ];
    let status: Value = serde_json::from_str(&page(&gateway, "/status").await).unwrap();
    assert_eq!(story(&status), expected);
    for command in [&["status", "--json"][..], &["models", "status", "--json"]] {
        assert_eq!(story(&report(&home, command).await), expected, "{command:?}");
    }

    let metrics = page(&gateway, "/metrics").await;
    for line in [
        r#"coderclaw_requests_total{provider="openai",endpoint="chat",status="200",ending="complete"} 3"#,
        r#"coderclaw_attempts_total{provider="openai",class="rate_limit"} 1"#,
        r#"coderclaw_attempts_total{provider="openai",class="quota_hard"} 1"#,
        r#"coderclaw_attempts_total{provider="openai",class="success"} 3"#,
        r#"coderclaw_rotations_total{provider="openai"} 2"#,
        r#"coderclaw_credentials{provider="openai",state="exhausted"} 1"#,
    ] {
        assert!(
            metrics.lines().any(|told| told == line),
            "no `{line}` in {metrics}"
        );
    }

    let table = home.run(&["models", "status"]).await.stdout;
    for (n, words) in [(1, "cooling"), (2, "exhausted"), (3, "next for gpt-5")] {
        let id = format!("openai:env:OPENAI_API_KEYS#{n}");
        let mut lines = table.lines().skip_while(|line| !line.contains(&id)).take(2);
        assert!(lines.any(|line| line.contains(words)), "{id}: {table}");
    }
}
