//! The models that stand in for the default one, once no key can serve it.

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, RunningEmulator};
use serde_json::{Value, json};

use crate::support::{CHAT, Call, Heard, TestGateway, key};

const BODY: &str = r#"{ "model" : "auto", "messages":[{"role":"user","content":"hi"}]}"#;

/// `openai/big`, then `openai/small`, then a model of a provider without a key, then `groq/other`.
fn rig() -> (RunningEmulator, TestGateway) {
    let emulator = Emulator::start(EmulatorConfig::default()).expect("the emulator starts");
    let config = json!({
        "models": { "providers": { "groq": { "baseUrl": format!("{}/groq/openai/v1", emulator.base_url()) } } },
        "agents": { "defaults": { "model": {
            "primary": "openai/big",
            "fallbacks": ["openai/small", "mistral/nobody", "anthropic/another-format", "groq/other"],
        } } },
    });
    let keys = format!("{},{}", key("openai", "a"), key("openai", "b"));
    let environment = [
        ("OPENAI_API_KEYS", keys.as_str()),
        ("GROQ_API_KEY", &key("groq", "a")),
        ("ANTHROPIC_API_KEY", &key("anthropic", "a")),
    ];
    let gateway = TestGateway::with_config(&emulator.base_url(), &environment, config);
    (emulator, gateway)
}

fn throttle(emulator: &RunningEmulator, model: &str) {
    let mut fault = Fault::new(FaultKind::TokenLimit).retry_after_ms(20_000);
    fault.model = Some(model.to_owned());
    emulator.add_fault(fault).expect("the fault makes sense");
}

/// The models that were asked for upstream, in order.
fn models(emulator: &RunningEmulator) -> Vec<String> {
    emulator.log(100).into_iter().map(|entry| entry.model).collect()
}

fn ask(gateway: &TestGateway) -> Heard {
    Call::post(CHAT.path, BODY).send(gateway.address)
}

#[test]
fn while_a_key_can_serve_the_model_no_other_is_asked() {
    let (emulator, gateway) = rig();
    let mut fault = Fault::new(FaultKind::RateLimit).for_key(&key("openai", "a"));
    fault.model = Some("big".to_owned());
    emulator.add_fault(fault).expect("the fault makes sense");
    assert_eq!((ask(&gateway).status, ask(&gateway).status), (200, 200));
    assert_eq!(models(&emulator), ["big", "big", "big"]);
}

#[test]
fn once_every_key_is_throttled_the_next_model_serves() {
    let (emulator, gateway) = rig();
    throttle(&emulator, "big");
    for attempts in [3, 1] {
        let heard = ask(&gateway);
        assert_eq!(heard.status, 200, "{}", heard.text());
        assert_eq!(heard.json()["model"], "small");
        assert_eq!(heard.attempts(), attempts);
    }
    throttle(&emulator, "small");
    let heard = ask(&gateway);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-provider"), Some("groq"));
    assert_eq!(
        models(&emulator),
        ["big", "big", "small", "small", "small", "small", "other"]
    );
}

#[test]
fn when_the_last_model_fails_too_its_error_goes_to_the_caller() {
    let (emulator, gateway) = rig();
    for model in ["big", "small", "other"] {
        throttle(&emulator, model);
    }
    let heard = ask(&gateway);
    assert_eq!(heard.status, 429);
    assert_eq!(heard.attempts(), 5);
    assert_eq!(heard.header("x-coderclaw-provider"), Some("groq"));
    let message = heard.json()["error"]["message"].clone();
    let message = message.as_str().expect("a message");
    assert!(message.contains("service tier"), "groq's own words: {message}");
    assert!(heard.header("retry-after").is_some());
    // Now every key of every model rests, and nobody is asked.
    assert_eq!(ask(&gateway).status, 429);
    assert_eq!(models(&emulator).len(), 5);
}

#[test]
fn a_failure_that_no_key_would_mend_is_no_reason_for_another_model() {
    let (emulator, gateway) = rig();
    let mut fault = Fault::new(FaultKind::Status);
    fault.status = Some(500);
    emulator.add_fault(fault).expect("the fault makes sense");
    assert_eq!(ask(&gateway).status, 500);
    assert_eq!(models(&emulator), ["big"]);
}

#[test]
fn a_model_that_is_not_the_default_has_no_fallbacks() {
    let (emulator, gateway) = rig();
    throttle(&emulator, "mine");
    let body: Value = json!({ "model": "openai/mine", "messages": [] });
    let heard = Call::post(CHAT.path, body.to_string()).send(gateway.address);
    assert_eq!(heard.status, 429);
    assert_eq!(models(&emulator), ["mine", "mine"]);
}
