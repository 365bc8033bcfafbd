//! The control paths and who may use them.

use coderclaw::emulator::{
    Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, KeySecret, RunningEmulator,
};
use serde_json::{Value, json};

use crate::client::{Ask, KEY, chat, messages};

fn emulator() -> RunningEmulator {
    let config = EmulatorConfig {
        keys: vec![KeyConfig::new("first", KEY)],
        ..EmulatorConfig::default()
    };
    Emulator::start(config).expect("starts")
}

fn get(emulator: &RunningEmulator, path: &str) -> Value {
    Ask::new("GET", &format!("/__emulator/{path}"))
        .send(emulator)
        .json()
}

#[test]
fn statistics_name_keys_but_never_show_them() {
    let emulator = emulator();
    chat(false).send(&emulator);
    messages(true).send(&emulator);
    Ask::new("GET", &format!("/v1beta/models?key={KEY}&pageSize=2")).send(&emulator);
    let stats = get(&emulator, "stats");
    assert_eq!(stats["requests"], 3);
    assert_eq!(stats["keys"][0]["name"], "first");
    assert_eq!(stats["keys"][0]["requests"], 3);
    assert_eq!(stats["keys"][0]["streamsDone"], 1);
    assert_eq!(stats["keys"][0]["inFlight"], 0);
    let by_secret = Fault::new(FaultKind::Quota).for_key(KEY);
    emulator.set_faults(vec![by_secret]).expect("set");
    let log = get(&emulator, "log?limit=2");
    assert_eq!(log.as_array().unwrap().len(), 2);
    assert_eq!(log[0]["credentials"][0]["place"], "x-api-key");
    assert_eq!(log[1]["credentials"][0]["place"], "?key");
    assert_eq!(log[0]["key"], "first");
    assert_eq!(log[0]["model"], "claude-test");
    assert_eq!(log[0]["bodySha256"].as_str().unwrap().len(), 64);
    let everything = format!(
        "{stats}{log}{}{}{:?}",
        get(&emulator, "faults"),
        get(&emulator, "config"),
        emulator.stats()
    );
    assert!(!everything.contains(&KEY[8..20]), "{everything}");
}

#[test]
fn reset_forgets_and_faults_come_and_go() {
    let emulator = emulator();
    let added = Ask::post(
        "/__emulator/faults",
        &json!({"fault": "rate_limit", "key": "first", "first": 1}),
    )
    .send(&emulator)
    .json();
    let id = added["ids"][0].as_u64().unwrap();
    assert_eq!(chat(false).send(&emulator).status, 429);
    assert_eq!(chat(false).send(&emulator).status, 200);
    assert_eq!(emulator.stats().faults[&id], 1);
    assert_eq!(emulator.stats().key("first").unwrap().faults["rate_limit"], 1);
    assert_eq!(get(&emulator, "faults")[0]["fired"], 1);
    Ask::new("POST", "/__emulator/reset").send(&emulator);
    assert_eq!(emulator.stats().key("first").unwrap().requests, 0);
    assert_eq!(chat(false).send(&emulator).status, 429);
    let none = Ask::new("DELETE", "/__emulator/faults/999").send(&emulator);
    assert_eq!(none.status, 404);
    Ask::new("DELETE", "/__emulator/faults").send(&emulator);
    assert_eq!(get(&emulator, "faults"), json!([]));
    let wrong = Ask::post("/__emulator/faults", &json!({"fault": "status"})).send(&emulator);
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains("faults[0]: `status` is missing"),
        "{}",
        wrong.body
    );
}

#[test]
fn a_config_that_was_read_can_be_changed_and_put_back() {
    let emulator = emulator();
    let mut config = get(&emulator, "config");
    config["keys"][0]["dead"] = json!(true);
    let put = Ask::new("PUT", "/__emulator/config")
        .text(&config.to_string())
        .send(&emulator);
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(chat(false).send(&emulator).status, 401);
    let wrong = Ask::new("PUT", "/__emulator/config")
        .text("{\n  worker: 2 }")
        .send(&emulator);
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.body.contains("line 2") && wrong.body.contains("worker"),
        "{}",
        wrong.body
    );
}

#[test]
fn strangers_are_kept_out() {
    let emulator = emulator();
    let port = emulator.addr().port();
    let ask = |name: &str, value: &str| {
        Ask::new("GET", "/__emulator/stats")
            .header(name, value)
            .send(&emulator)
            .status
    };
    assert_eq!(ask("host", "evil.example"), 403);
    assert_eq!(ask("origin", "https://evil.example"), 403);
    assert_eq!(ask("origin", "null"), 403);
    assert_eq!(ask("sec-fetch-site", "cross-site"), 403);
    assert_eq!(ask("origin", &format!("http://127.0.0.1:{port}")), 200);
    assert_eq!(ask("origin", "http://127.0.0.1:1"), 403);
    assert_eq!(ask("host", &format!("localhost:{port}")), 200);
    let config = EmulatorConfig {
        control_token: Some(KeySecret::new("a-control-token")),
        ..EmulatorConfig::default()
    };
    let closed = Emulator::start(config).expect("starts");
    let with = |token: &str| {
        Ask::new("GET", "/__emulator/stats")
            .key(token)
            .send(&closed)
            .status
    };
    assert_eq!((with("wrong"), with("a-control-token")), (403, 200));
    assert_eq!(Ask::new("GET", "/__emulator/nothing").send(&emulator).status, 404);
    let method = Ask::new("POST", "/__emulator/stats").send(&emulator);
    assert_eq!((method.status, method.header("allow")), (405, Some("GET")));
}

#[test]
fn bad_configs_are_refused_with_their_place() {
    let refused = |text: &str| EmulatorConfig::parse(text).expect_err("refused").to_string();
    assert!(refused("{ keys: [ { key: '' } ] }").contains("`keys[0].key`"));
    assert!(refused("{ keys: [ { key: 'a' }, { key: 'a' } ] }").contains("configured twice"));
    assert!(refused("{ keys: [ { key: 'a', provider: 'opnai' } ] }").contains("unknown provider `opnai`"));
    assert!(refused("{\n limits: { rpm: 'many' } }").contains("line 2"));
    assert!(refused("{ faults: [ { fault: 'redirect' } ] }").contains("`faults[0]`"));
    assert!(refused("{ timeScale: 0 }").contains("timeScale"));
    assert!(EmulatorConfig::parse("{ // a comment\n port: 0, }").is_ok());
}

#[test]
fn an_address_that_is_taken_is_named() {
    let emulator = emulator();
    let config = EmulatorConfig {
        port: emulator.addr().port(),
        ..EmulatorConfig::default()
    };
    let error = Emulator::start(config).expect_err("taken").to_string();
    assert!(
        error.contains(&emulator.addr().to_string()) && error.contains("--port"),
        "{error}"
    );
    let address = emulator.addr();
    emulator.add_fault(Fault::new(FaultKind::Quota)).expect("added");
    emulator.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}
