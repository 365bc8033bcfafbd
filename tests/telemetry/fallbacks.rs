//! That another model stands in is said once, and once that it is over; each request's line says who served it.

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, RunningEmulator};
use serde_json::{Value, json};

use super::logs::{ask, logged};
use crate::support::{GatewayProcess, Home, key};

const BIG: &str = "openai/big";
const SMALL: &str = "openai/small";
const OTHER: &str = "groq/other";

async fn house() -> (RunningEmulator, Home, GatewayProcess) {
    let emulator = Emulator::start(EmulatorConfig::default()).expect("the emulator starts");
    let config = json!({
        "models": { "providers": { "groq": { "baseUrl": format!("{}/groq/openai/v1", emulator.base_url()) } } },
        "agents": { "defaults": { "model": { "primary": BIG, "fallbacks": [SMALL, OTHER] } } },
    });
    let keys = [
        ("OPENAI_API_KEY", key("openai", "a")),
        ("GROQ_API_KEY", key("groq", "a")),
    ];
    let keys = keys.each_ref().map(|(name, key)| (*name, key.as_str()));
    let home = Home::new(&emulator.base_url(), &keys, config);
    let gateway = home.gateway(&["--log-format", "json"]).await;
    (emulator, home, gateway)
}

fn overloaded(emulator: &RunningEmulator, model: &str) {
    let mut fault = Fault::new(FaultKind::Overloaded);
    fault.model = Some(model.to_owned());
    emulator.add_fault(fault).expect("the fault makes sense");
}

#[tokio::test]
async fn the_log_says_once_that_another_model_serves_and_once_that_the_primary_does_again() {
    let (emulator, _home, gateway) = house().await;
    let mut statuses = vec![ask(&gateway, "auto", false).await.0];
    overloaded(&emulator, "big");
    for stream in [false, true, false] {
        statuses.push(ask(&gateway, "auto", stream).await.0);
    }
    overloaded(&emulator, "small");
    for _ in 0..2 {
        statuses.push(ask(&gateway, BIG, false).await.0);
    }
    emulator.set_faults(Vec::new()).expect("none is right");
    for _ in 0..2 {
        statuses.push(ask(&gateway, "auto", false).await.0);
    }
    assert_eq!(statuses, [200; 8]);
    let text = logged(gateway).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |message: &str| -> Vec<&Value> {
        let same = lines.iter().filter(|line| line["message"] == json!(message));
        same.collect()
    };
    let begins: Vec<Value> = of("fallback serves")
        .into_iter()
        .map(|line| json!([line["level"], line["agent"], line["from"], line["to"]]))
        .collect();
    let warned = |to: &str| json!(["WARN", "main", BIG, to]);
    assert_eq!(begins, [warned(SMALL), warned(OTHER)], "{text}");
    let reason = &of("fallback serves")[0]["reason"];
    assert_eq!(*reason, json!("overloaded, status 503 (overloaded)"), "{text}");
    let ends = of("primary serves again");
    assert_eq!(ends.len(), 1, "{text}");
    let end = json!([
        ends[0]["level"],
        ends[0]["agent"],
        ends[0]["model"],
        ends[0]["fallbacks"]
    ]);
    assert_eq!(end, json!(["INFO", "main", BIG, 5]), "{text}");
    let requests: Vec<Value> = of("request")
        .into_iter()
        .map(|line| json!([line["model"], line["fallback_from"], line["attempts"]]))
        .collect();
    let (own, small) = (json!(["big", null, 1]), json!(["small", BIG, 2]));
    let other = json!(["other", BIG, 3]);
    let expected = [&own, &small, &small, &small, &other, &other, &own, &own];
    assert_eq!(requests, expected.map(Clone::clone), "{text}");
}

#[tokio::test]
async fn the_commands_tell_what_is_stood_in_for() {
    let (emulator, home, gateway) = house().await;
    overloaded(&emulator, "big");
    for _ in 0..2 {
        assert_eq!(ask(&gateway, "auto", false).await.0, 200);
    }
    let told = home.run(&["models", "status"]).await;
    let line = "openai/big -> openai/small (requests so far: 2): overloaded, status 503 (overloaded)";
    assert!(told.stdout.contains(line), "{}", told.stdout);
    let json = home.run(&["status", "--json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["fallingBack"][0]["primary"], json!(BIG), "{report:#}");
    emulator.set_faults(Vec::new()).expect("none is right");
    assert_eq!(ask(&gateway, "auto", false).await.0, 200);
    let told = home.run(&["models", "status"]).await;
    assert!(!told.stdout.contains("Falling back"), "{}", told.stdout);
}
