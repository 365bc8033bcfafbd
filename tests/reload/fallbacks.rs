//! The models that stand in for another.

use coderclaw::emulator::{Fault, FaultKind};
use serde_json::{Value, json};

use super::support::{CHAT, Call};
use super::{config_text, emulator, home, reload, status, write_config};

fn fallbacks(names: &Value) -> Value {
    json!({ "agents": { "defaults": { "model": { "primary": "openai/big", "fallbacks": names } } } })
}

#[tokio::test]
async fn other_fallbacks_are_in_force_at_once_and_wrong_ones_change_nothing() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], fallbacks(&json!(["openai/small"])));
    let mut fault = Fault::new(FaultKind::Overloaded);
    fault.model = Some("big".to_owned());
    emulator.add_fault(fault).expect("the fault makes sense");
    let gateway = home.gateway(&[]).await;
    let served_by = || {
        let body = r#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#;
        let heard = Call::post(CHAT.path, body).send(gateway.address);
        heard.header("x-coderclaw-model").expect("a model").to_owned()
    };
    assert_eq!(served_by(), "openai/small");
    write_config(&home, &config_text(&emulator, fallbacks(&json!(["opnai/small"]))));
    let refused = reload(&gateway);
    assert_eq!(refused["applied"], false);
    let error = refused["errors"][0].as_str().expect("a line").to_owned();
    assert!(error.contains("coderclaw.json:1:"), "{error}");
    assert!(
        error.ends_with(
            "agents.defaults.model.fallbacks[0]: unknown provider `opnai` (did you mean `openai`?)"
        ),
        "{error}"
    );
    assert_eq!(served_by(), "openai/small", "the last good ones are in force");
    assert_eq!(status(&gateway)["fallingBack"][0]["requests"], 2);
    write_config(
        &home,
        &config_text(&emulator, fallbacks(&json!(["openai/third"]))),
    );
    assert_eq!(reload(&gateway)["applied"], true);
    assert_eq!(served_by(), "openai/third");
    write_config(&home, &config_text(&emulator, fallbacks(&json!([]))));
    reload(&gateway);
    assert_eq!(served_by(), "openai/big");
    assert_eq!(
        status(&gateway)["fallingBack"],
        Value::Null,
        "nothing stands in any more"
    );
}
