//! What a gateway refuses to start with, and how it is found while it runs.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::support::{Ended, GatewayProcess, Home, RawConnection, post};
use super::{CHAT, EXIT_MAX, PATIENCE, WHOLE, emulator, home};

fn found(home: &Home) -> Value {
    let text = std::fs::read(home.state().join("gateway.json")).expect("gateway.json");
    serde_json::from_slice(&text).expect("JSON")
}

async fn assert_serves(gateway: &GatewayProcess) {
    let mut caller = RawConnection::open(gateway.address).await;
    assert_eq!(caller.call(&post(CHAT, WHOLE)).await.status(), 200);
}

/// Exit 1, with everything in `said` on stderr.
fn assert_refusal(ended: &Ended, said: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for text in said {
        assert!(ended.stderr.contains(text), "no `{text}` in {}", ended.stderr);
    }
}

#[tokio::test]
async fn it_is_found_in_its_state_folder_by_its_owner_alone() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    let mut gateway = home.gateway(&[]).await;
    let file = home.state().join("gateway.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = found(&home);
    assert_eq!(told["pid"], json!(gateway.pid()));
    assert_eq!(told["addresses"], json!([gateway.address.to_string()]));
    assert!(
        told["startedAtMs"]
            .as_u64()
            .is_some_and(|ms| ms > 1_700_000_000_000)
    );
    let status = home.run(&["gateway", "status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.exit(EXIT_MAX).await.is_some());
    assert!(!file.exists());
    assert_eq!(home.run(&["gateway", "status"]).await.code, Some(1));
}

#[tokio::test]
async fn a_second_one_on_the_same_state_folder_is_refused() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    let gateway = home.gateway(&[]).await;
    let before = found(&home);
    let second = home.run(&["gateway", "run", "--port", "0"]).await;
    let pid = gateway.pid().to_string();
    assert_refusal(&second, &["another gateway", &pid, "--state-dir"]);
    assert_eq!(found(&home), before, "the first is still found");
    assert_serves(&gateway).await;
}

#[tokio::test]
async fn what_a_dead_one_left_does_not_matter() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    let mut killed = home.gateway(&[]).await;
    killed.signal(Signal::SIGKILL);
    assert!(killed.exit(PATIENCE).await.is_some());
    assert_eq!(found(&home)["pid"], json!(killed.pid()), "it could not tidy up");
    assert_eq!(home.run(&["gateway", "status"]).await.code, Some(1));
    let next = home.gateway(&[]).await;
    assert_eq!(found(&home)["pid"], json!(next.pid()));
    assert_serves(&next).await;
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    let refused = home.run(&["gateway", "run", "--port", &port]).await;
    assert_refusal(&refused, &[&port, "in use", "--port"]);
    assert!(!home.state().join("gateway.json").exists());
    assert_serves(&home.gateway(&[]).await).await;
}

#[tokio::test]
async fn an_open_address_needs_a_token() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    for bind in ["lan", "0.0.0.0", "::"] {
        let refused = home.run(&["gateway", "run", "--port", "0", "--bind", bind]).await;
        assert_refusal(&refused, &["token", "CODERCLAW_GATEWAY_TOKEN", "--bind"]);
        assert!(!home.state().join("gateway.json").exists());
    }
    let token = "a-token-of-some-length";
    let open = json!({ "gateway": { "auth": { "token": token }, "bind": "lan" } });
    let home = super::home(&emulator, open);
    let gateway = home.gateway(&[]).await;
    let address = (std::net::Ipv4Addr::LOCALHOST, gateway.address.port()).into();
    let mut caller = RawConnection::open(address).await;
    let bearer = format!("Bearer {token}");
    let request = super::support::post_with(CHAT, &[("authorization", &bearer)], WHOLE);
    assert_eq!(caller.call(&request).await.status(), 200);
    let mut stranger = RawConnection::open(address).await;
    assert_eq!(stranger.call(&post(CHAT, WHOLE)).await.status(), 401);
}

#[tokio::test]
async fn a_bad_address_is_refused() {
    let emulator = emulator();
    let home = home(&emulator, json!({}));
    // An address of no machine: it is kept for documentation.
    let config = home.state().join("coderclaw.json");
    let before = std::fs::read(&config).unwrap();
    let with_token = Home::new(
        &emulator.base_url(),
        &[("CODERCLAW_GATEWAY_TOKEN", "a-token-of-some-length")],
        json!({}),
    );
    let refused = with_token
        .run(&["gateway", "run", "--port", "0", "--bind", "192.0.2.1"])
        .await;
    assert_refusal(&refused, &["192.0.2.1", "--bind"]);
    // What is no address at all is a matter of the command line.
    let no_address = home.run(&["gateway", "run", "--bind", "nowhere at all"]).await;
    assert_ne!(no_address.code, Some(0));
    assert!(no_address.stderr.contains("--bind"), "{no_address:?}");
    assert_eq!(std::fs::read(&config).unwrap(), before);
}
