//! One line a request, spans from request to attempt, and nothing of the prompt.

use std::time::Duration;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{GatewayProcess, Home, RawConnection, key, post};

const PATIENCE: Duration = Duration::from_secs(20);
const PROMPT: &str = "zebra quorum jackdaw";
const CHAT: &str = "/v1/chat/completions";
/// A model that the provider refuses with every key.
const REFUSED: &str = "refused-model";

/// Two keys, of which the first is throttled, and a gateway in front that logs as `arguments` say.
async fn house(arguments: &[&str]) -> (RunningEmulator, Home, GatewayProcess) {
    let names = ["first", "second"];
    let keys = names.map(|name| key("openai", name));
    let mut refused = Fault::new(FaultKind::Status);
    refused.model = Some(REFUSED.to_owned());
    refused.status = Some(400);
    let emulator = Emulator::start(EmulatorConfig {
        keys: (names.iter().zip(&keys))
            .map(|(name, key)| KeyConfig::new(name, key))
            .collect(),
        faults: vec![refused, Fault::new(FaultKind::RateLimit).for_key("first")],
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let list = keys.join(",");
    let home = Home::new(&emulator.base_url(), &[("OPENAI_API_KEYS", &list)], json!({}));
    let gateway = home.gateway(arguments).await;
    (emulator, home, gateway)
}

/// Asks for `model`; the status and the length of the answer's body.
pub(crate) async fn ask(gateway: &GatewayProcess, model: &str, stream: bool) -> (u16, u64) {
    let messages = json!([{"role": "user", "content": PROMPT}]);
    let body = json!({"model": model, "stream": stream, "messages": messages});
    let mut caller = RawConnection::open(gateway.address).await;
    let answer = caller.call(&post(CHAT, &body.to_string())).await;
    (answer.status(), answer.text().len() as u64)
}

/// Everything that was logged, once the gateway has ended.
pub(crate) async fn logged(mut gateway: GatewayProcess) -> String {
    gateway.signal(Signal::SIGTERM);
    let status = gateway.exit(PATIENCE).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    gateway.stderr()
}

fn of_target<'a>(lines: &'a [Value], target: &str) -> Vec<&'a Value> {
    let of_target = lines.iter().filter(|line| line["target"] == json!(target));
    of_target.collect()
}

#[tokio::test]
async fn one_line_a_request_tells_what_it_came_to() {
    let (_emulator, _home, gateway) = house(&["--log-format", "json"]).await;
    let rotated = ask(&gateway, "gpt-5", false).await;
    let streamed = ask(&gateway, "gpt-5", true).await;
    let refused = ask(&gateway, REFUSED, false).await;
    let unknown = ask(&gateway, "nobody/model", false).await;
    let text = logged(gateway).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let requests: Vec<Value> = of_target(&lines, "coderclaw::request")
        .into_iter()
        .map(|line| {
            json!([
                line["status"],
                line["bytes"],
                line["attempts"],
                line["error"],
                line["ending"],
                line["profile"]
            ])
        })
        .collect();
    let (first, second) = ("openai:env:OPENAI_API_KEYS#1", "openai:env:OPENAI_API_KEYS#2");
    let expected = [
        json!([200, rotated.1, 2, null, "complete", second]),
        json!([200, streamed.1, 1, null, "complete", second]),
        json!([400, refused.1, 1, "caller_fault", "complete", first]),
        json!([404, unknown.1, 0, "unknown_provider", "complete", null]),
    ];
    assert_eq!(requests, expected, "{text}");
}

#[tokio::test]
async fn spans_lead_from_the_request_to_its_attempts() {
    let (_emulator, _home, gateway) = house(&["--log-format", "json", "--log-level", "debug"]).await;
    assert_eq!(ask(&gateway, "gpt-5", false).await.0, 200);
    let text = logged(gateway).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let id = &of_target(&lines, "coderclaw::request")[0]["id"];
    let attempts: Vec<&Value> = of_target(&lines, "coderclaw")
        .into_iter()
        .filter(|line| line["spans"][1]["name"] == json!("attempt"))
        .collect();
    assert_eq!(attempts.len(), 2, "{text}");
    for (attempt, (n, profile, message)) in attempts.iter().zip([
        (1, "openai:env:OPENAI_API_KEYS#1", "attempt failed"),
        (2, "openai:env:OPENAI_API_KEYS#2", "attempt committed"),
    ]) {
        let request = json!({"name": "request", "id": id});
        assert_eq!(attempt["spans"][0], request, "{attempt}");
        let span = json!({"name": "attempt", "n": n, "provider": "openai", "profile": profile});
        assert_eq!(attempt["spans"][1], span, "{attempt}");
        assert_eq!(attempt["message"], json!(message), "{attempt}");
    }
    assert_eq!(attempts[0]["class"], json!("rate_limit"));
}

#[tokio::test]
async fn text_is_a_line_of_pairs_and_tells_nothing_of_the_prompt() {
    let (_emulator, _home, gateway) = house(&["--log-level", "trace"]).await;
    assert_eq!(ask(&gateway, "gpt-5", true).await.0, 200);
    assert_eq!(ask(&gateway, REFUSED, false).await.0, 400);
    let text = logged(gateway).await;
    let requests = text.lines().filter(|line| line.contains(" coderclaw::request: "));
    assert_eq!(requests.count(), 2, "{text}");
    for word in PROMPT.split(' ') {
        assert!(!text.contains(word), "{word}");
    }
}
