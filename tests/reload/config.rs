//! The config.

use serde_json::json;

use super::support::{CHAT, Call, eventually};
use super::{config_text, emulator, home, reload, served_by, status, write_config};

#[tokio::test]
async fn a_broken_config_changes_nothing_until_it_is_mended() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    write_config(&home, "{ gateway: { port: \"no\" } }");
    eventually("the failed reload in status", || {
        (status(&gateway)["gateway"]["reloaded"]["applied"] == false).then_some(())
    });
    let errors = status(&gateway)["gateway"]["reloaded"]["errors"].to_string();
    assert!(
        errors.contains("gateway.port") && errors.contains(":1:"),
        "{errors}"
    );
    assert_eq!(served_by(&gateway), "openai:a");
    write_config(&home, &config_text(&emulator, json!({})));
    assert_eq!(reload(&gateway)["applied"], true);
    assert_eq!(served_by(&gateway), "openai:a");
}

#[tokio::test]
async fn a_provider_comes_and_goes() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    let call = || {
        let body = r#"{"model":"mine/gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#;
        Call::post("/v1/chat/completions", body).header("content-type", "application/json")
    };
    assert_eq!(call().send(gateway.address).status, 404);
    let mine = json!({ "models": { "providers": { "mine": {
        "baseUrl": format!("{}/v1", emulator.base_url()),
        "apiKey": super::key("openai", "a"),
    } } } });
    write_config(&home, &config_text(&emulator, mine));
    assert_eq!(reload(&gateway)["applied"], true);
    let served = call().send(gateway.address);
    assert_eq!(served.status, 200, "{}", served.text());
    assert_eq!(served.header("x-coderclaw-profile"), Some("mine:config"));
    write_config(&home, &config_text(&emulator, json!({})));
    reload(&gateway);
    assert_eq!(call().send(gateway.address).status, 404);
}

#[tokio::test]
async fn a_token_is_wanted_from_the_next_request_on() {
    const TOKEN: &str = "gw-4f9aKq2LmZx81TyvWcRdEuHb";

    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    let with_token = json!({ "gateway": { "auth": { "token": TOKEN } } });
    write_config(&home, &config_text(&emulator, with_token));
    reload(&gateway);
    assert_eq!(CHAT.call().send(gateway.address).status, 401);
    let shown = CHAT.call().header("authorization", &format!("Bearer {TOKEN}"));
    assert_eq!(shown.send(gateway.address).status, 200);
    assert_eq!(Call::post("/reload", "").send(gateway.address).status, 401);
    assert_eq!(Call::post("/clear", "{}").send(gateway.address).status, 401);
}

#[tokio::test]
async fn what_only_a_restart_changes_is_said() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    let other = json!({ "gateway": { "workers": 1, "limits": { "connections": 99 } } });
    write_config(&home, &config_text(&emulator, other));
    let later = json!(["gateway.workers", "gateway.limits.connections"]);
    assert_eq!(reload(&gateway)["afterRestart"], later);
    assert_eq!(reload(&gateway)["afterRestart"], later, "until it is restarted");
    write_config(&home, &config_text(&emulator, json!({})));
    assert_eq!(reload(&gateway)["afterRestart"], json!([]));
}

#[tokio::test]
async fn another_limit_of_one_credential_is_told() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], json!({}));
    let gateway = home.gateway(&[]).await;
    let limited = json!({ "auth": { "profiles": { "openai:a": { "limits": { "rpm": 7 } } } } });
    write_config(&home, &config_text(&emulator, limited));
    reload(&gateway);
    let told = status(&gateway)["gateway"]["reloaded"]["changes"].to_string();
    assert!(told.contains("changed openai:a\""), "{told}");
}

#[tokio::test]
async fn a_page_of_another_site_gives_no_orders() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    for path in ["/reload", "/clear"] {
        let foreign = Call::post(path, "{}").header("origin", "https://evil.example");
        assert_eq!(foreign.send(gateway.address).status, 403, "{path}");
        assert_eq!(Call::get(path).send(gateway.address).status, 405, "{path}");
    }
}

#[tokio::test]
async fn the_default_model_is_another_one_at_the_next_request() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    let asked = || {
        let body = r#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#;
        let call = Call::post("/v1/chat/completions", body).header("content-type", "application/json");
        let heard = call.send(gateway.address);
        let answer: serde_json::Value = serde_json::from_str(&heard.text()).unwrap_or_default();
        (heard.status, answer["model"].as_str().map(str::to_owned))
    };
    assert_eq!(asked().0, 404, "none is configured");
    for model in ["gpt-4o-mini", "gpt-5-mini"] {
        let ended = home.run(&["models", "set", &format!("openai/{model}")]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("obeys from now on."), "{}", ended.stdout);
        assert_eq!(asked(), (200, Some(model.to_owned())));
    }
    let ended = home
        .run(&["models", "aliases", "add", "fast", "openai/gpt-4o-mini"])
        .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    home.run(&["models", "set", "fast"]).await;
    assert_eq!(asked(), (200, Some("gpt-4o-mini".to_owned())));
}
