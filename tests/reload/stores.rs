//! Stored profiles and `.env`.

use nix::sys::signal::Signal;
use serde_json::json;

use super::support::{CHAT, Call, Home, eventually, key};
use super::{change, emulator, home, order, profile, put, reload, served_by, status};

#[tokio::test]
async fn stored_profiles_serve_and_a_stored_order_names_them() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], json!({}));
    order(&home, &["b"]);
    let gateway = home.gateway(&[]).await;
    assert_eq!(served_by(&gateway), "openai:b");
    let status = status(&gateway);
    let providers = status["auth"]["providers"].as_array().unwrap();
    let openai = providers.iter().find(|one| one["provider"] == "openai").unwrap();
    assert_eq!(openai["effective"]["kind"], "profiles");
    assert_eq!(openai["credentials"].as_array().unwrap().len(), 1, "{openai}");
}

#[tokio::test]
async fn an_order_is_obeyed_at_the_next_request() {
    let emulator = emulator(&["a", "b", "c"]);
    let home = home(&emulator, &["a", "b", "c"], json!({}));
    let gateway = home.gateway(&[]).await;
    for first in ["c", "a", "b", "c"] {
        order(&home, &[first]);
        assert_eq!(reload(&gateway)["applied"], true);
        assert_eq!(served_by(&gateway), format!("openai:{first}"));
    }
}

#[tokio::test]
async fn a_credential_that_is_removed_serves_no_more_and_one_that_is_added_serves() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    assert_eq!(served_by(&gateway), "openai:a");
    change(&home, |store| {
        put(store, "b");
        assert!(store.remove("openai:a"));
    });
    assert_eq!(reload(&gateway)["applied"], true);
    // The files may have been seen to change before the command asked.
    let changes = status(&gateway)["gateway"]["reloaded"]["changes"].to_string();
    assert!(
        changes.contains("added openai:b") && changes.contains("removed openai:a"),
        "{changes}"
    );
    assert_eq!(served_by(&gateway), "openai:b");
    change(&home, |store| assert!(store.remove("openai:b")));
    reload(&gateway);
    let refused = CHAT.call().send(gateway.address);
    assert_eq!(refused.status, 401, "{}", refused.text());
}

#[tokio::test]
async fn a_change_is_seen_without_anybody_asking() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    change(&home, |store| put(store, "b"));
    order(&home, &["b"]);
    eventually("the new order", || {
        (served_by(&gateway) == "openai:b").then_some(())
    });
    let told = eventually("the line of the log", || {
        Some(gateway.stderr()).filter(|told| told.contains("settings reloaded"))
    });
    assert!(!told.contains(&key("openai", "b")[8..]), "a secret in the log");
}

#[tokio::test]
async fn a_file_of_keys_is_seen_to_change() {
    let emulator = emulator(&["a", "b"]);
    let home = Home::new(
        &emulator.base_url(),
        &[("OPENAI_API_KEYS_FILE", "~/openai.keys")],
        json!({}),
    );
    let keys = home.state().join("../openai.keys");
    std::fs::write(&keys, key("openai", "a")).unwrap();
    let gateway = home.gateway(&[]).await;
    assert_eq!(served_by(&gateway), "openai:env:OPENAI_API_KEYS_FILE#1");
    std::fs::write(&keys, format!("{}\n{}\n", key("openai", "b"), key("openai", "a"))).unwrap();
    eventually("the other key", || {
        CHAT.call().send(gateway.address);
        let stats = emulator.stats();
        stats.key("b").filter(|key| key.requests > 0).map(drop)
    });
}

#[tokio::test]
async fn a_hangup_reads_dotenv_anew() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &[], json!({}));
    let dotenv = home.state().join(".env");
    std::fs::write(&dotenv, format!("OPENAI_API_KEY={}\n", key("openai", "a"))).unwrap();
    let gateway = home.gateway(&[]).await;
    assert_eq!(served_by(&gateway), "openai:env:OPENAI_API_KEY");
    std::fs::write(&dotenv, format!("OPENAI_API_KEY_WORK={}\n", key("openai", "b"))).unwrap();
    gateway.signal(Signal::SIGHUP);
    eventually("the other key", || {
        (served_by(&gateway) == "openai:env:OPENAI_API_KEY_WORK").then_some(())
    });
}

#[tokio::test]
async fn a_store_that_does_not_parse_changes_nothing_and_is_said() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], json!({}));
    let gateway = home.gateway(&[]).await;
    let path = home.state().join("agents/main/agent/auth-profiles.json");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "{ \"profiles\": {, } }").unwrap();
    let reloaded = reload(&gateway);
    assert_eq!(reloaded["applied"], false);
    assert!(
        reloaded["errors"][0]
            .as_str()
            .unwrap()
            .contains("auth-profiles.json:1:16"),
        "{reloaded}"
    );
    assert_eq!(served_by(&gateway), "openai:a");
    assert_eq!(status(&gateway)["gateway"]["reloaded"]["applied"], false);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ \"profiles\": {, } }");
    std::fs::write(&path, good).unwrap();
    assert_eq!(reload(&gateway)["applied"], true);
    assert_eq!(status(&gateway)["gateway"]["reloaded"]["applied"], true);
}

#[tokio::test]
async fn a_rest_outlives_a_reload_and_is_cleared_by_order() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], json!({}));
    order(&home, &["a", "b"]);
    let gateway = home.gateway(&[]).await;
    let throttled = coderclaw::emulator::Fault {
        key: Some("a".to_owned()),
        ..coderclaw::emulator::Fault::new(coderclaw::emulator::FaultKind::RateLimit).retry_after_ms(60_000)
    };
    let fault = emulator.add_fault(throttled).unwrap();
    assert_eq!(served_by(&gateway), "openai:b");
    emulator.remove_fault(fault);
    order(&home, &["a"]);
    reload(&gateway);
    let refused = CHAT.call().send(gateway.address);
    assert_eq!(
        refused.status,
        429,
        "it rests under the new order too: {}",
        refused.text()
    );
    let clear =
        |profile: &str| Call::post("/clear", json!({ "profile": profile }).to_string()).send(gateway.address);
    assert_eq!(clear(profile("a").as_str()).json(), json!({ "cleared": true }));
    assert_eq!(served_by(&gateway), "openai:a");
    let unknown = clear("openai:aa");
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.text().contains("did you mean `openai:a`"),
        "{}",
        unknown.text()
    );
    assert_eq!(Call::post("/clear", "no").send(gateway.address).status, 400);
}
