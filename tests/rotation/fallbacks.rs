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

fn fails(emulator: &RunningEmulator, model: &str, status: u16) {
    let mut fault = Fault::new(FaultKind::Status);
    (fault.model, fault.status) = (Some(model.to_owned()), Some(status));
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
fn when_the_last_model_fails_too_the_caller_hears_of_each() {
    let (emulator, gateway) = rig();
    for model in ["big", "small", "other"] {
        throttle(&emulator, model);
    }
    for attempts in [5, 0] {
        let heard = ask(&gateway);
        assert_eq!(heard.status, 429);
        assert_eq!(heard.attempts(), attempts);
        let message = heard.json()["error"]["message"].clone();
        let message = message.as_str().expect("a message");
        for part in [
            "All models failed (4): openai/big: ",
            " | openai/small: ",
            " | groq/other: ",
            " | mistral/nobody: no credential",
        ] {
            assert!(message.contains(part), "{part} is missing in {message}");
        }
        assert!(heard.header("retry-after").is_some());
    }
    assert_eq!(models(&emulator).len(), 5);
}

#[test]
fn a_failure_that_no_caller_can_mend_is_a_reason_for_another_model() {
    let (emulator, gateway) = rig();
    fails(&emulator, "big", 500);
    assert_eq!(ask(&gateway).status, 200);
    assert_eq!(models(&emulator), ["big", "small"]);
}

#[test]
fn a_stand_in_that_refuses_the_request_leaves_it_to_the_next() {
    let (emulator, gateway) = rig();
    fails(&emulator, "big", 500);
    fails(&emulator, "small", 400);
    let heard = ask(&gateway);
    assert_eq!(heard.status, 200, "{}", heard.text());
    assert_eq!(heard.header("x-coderclaw-model"), Some("groq/other"));
    assert_eq!(models(&emulator), ["big", "small", "other"]);
}

#[test]
fn the_primary_serves_again_as_soon_as_it_is_well() {
    let (emulator, gateway) = rig();
    let mut fault = Fault::new(FaultKind::Status).first(2);
    fault.status = Some(503);
    emulator.add_fault(fault).expect("the fault makes sense");
    let standing_in = || {
        let status = Call::get("/status").send(gateway.address).json();
        status["fallingBack"].clone()
    };
    assert_eq!(standing_in(), Value::Null);
    // The first fault hits the primary, the second the first model that stands in.
    let heard = ask(&gateway);
    assert_eq!(heard.header("x-coderclaw-model"), Some("groq/other"));
    let now = standing_in();
    let expected = [
        ("agentId", "main"),
        ("primary", "openai/big"),
        ("standIn", "groq/other"),
    ];
    for (field, value) in expected {
        assert_eq!(now[0][field], value, "{now}");
    }
    assert_eq!(
        (now[0]["requests"].as_u64(), now.as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    let heard = ask(&gateway);
    assert_eq!(heard.header("x-coderclaw-model"), Some("openai/big"));
    assert_eq!(standing_in(), Value::Null);
    let metrics = Call::get("/metrics").send(gateway.address).text();
    let line = r#"coderclaw_fallbacks_total{from="openai/big",to="groq/other"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(
        !metrics.contains("coderclaw_rotations_total{"),
        "no credential was rotated: {metrics}"
    );
}

#[test]
fn each_agent_has_its_own_models() {
    let emulator = Emulator::start(EmulatorConfig::default()).expect("the emulator starts");
    let config = json!({ "agents": {
        "defaults": { "model": { "primary": "openai/big", "fallbacks": ["openai/small"] } },
        "list": [
            { "id": "own", "model": { "primary": "openai/big", "fallbacks": ["openai/third"] } },
            { "id": "strict", "model": { "primary": "openai/big", "fallbacks": [] } },
            { "id": "heir", "model": "openai/fourth" },
        ],
    } });
    let keys = [("OPENAI_API_KEY", key("openai", "a"))];
    let keys = keys.each_ref().map(|(name, key)| (*name, key.as_str()));
    let gateway = TestGateway::with_config(&emulator.base_url(), &keys, config);
    for model in ["big", "fourth"] {
        fails(&emulator, model, 503);
    }
    let served_by = |name: &str| {
        let body = json!({ "model": name, "messages": [] }).to_string();
        let heard = Call::post(CHAT.path, body).send(gateway.address);
        let model = heard.header("x-coderclaw-model").expect("a model").to_owned();
        (heard.status, model)
    };
    for (name, status, model) in [
        ("auto", 200, "openai/small"),
        ("coderclaw", 200, "openai/small"),
        ("coderclaw:main", 200, "openai/small"),
        ("openai/big", 200, "openai/small"),
        ("big", 200, "openai/small"),
        ("coderclaw:own", 200, "openai/third"),
        ("coderclaw:STRICT", 503, "openai/big"),
        ("coderclaw:heir", 200, "openai/small"),
        ("openai/fourth", 503, "openai/fourth"),
    ] {
        assert_eq!(served_by(name), (status, model.to_owned()), "{name}");
    }
    for (agent, status, model) in [
        ("own", 200, "openai/third"),
        ("strict", 503, "openai/big"),
        ("heir", 200, "openai/small"),
    ] {
        let call = Call::post(CHAT.path, BODY).header("x-coderclaw-agent-id", agent);
        let heard = call.send(gateway.address);
        let served_by = heard.header("x-coderclaw-model");
        assert_eq!((heard.status, served_by), (status, Some(model)), "{agent}");
    }
    let standing_in = Call::get("/status").send(gateway.address).json()["fallingBack"].clone();
    let agents = standing_in
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["agentId"].clone());
    assert_eq!(
        agents.collect::<Vec<Value>>(),
        [json!("main"), json!("own"), json!("heir")]
    );
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
