//! `models auth login` at the emulator's identity provider.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use coderclaw::emulator::{Emulator, EmulatorConfig, IdpConfig, RunningEmulator};
use serde_json::json;

use super::session::{CTRL_C, ENTER};
use super::{Home, Session};

/// An identity provider, and a home whose provider `openai` takes its logins.
fn scene() -> (RunningEmulator, Home) {
    let config = EmulatorConfig {
        // As fast as the protocol allows.
        idp: IdpConfig {
            interval_s: 1,
            ..IdpConfig::default()
        },
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start(config).unwrap();
    let at = |path: &str| format!("{}/__idp/{path}", emulator.base_url());
    let oauth = json!({
        "authorizeUrl": at("authorize"), "tokenUrl": at("token"), "deviceUrl": at("device"), "clientId": "app-of-the-user",
        "accountIdClaim": "https://idp.example/auth.account_id",
    });
    let home = Home::new()
        .config(&json!({ "models": { "providers": { "openai": { "oauth": oauth } } } }).to_string());
    (emulator, home)
}

/// What a browser gets at an address, head and body.
fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Where the authorize page sends a browser.
fn approve(url: &str) -> String {
    let answer = get(url);
    let line = answer
        .lines()
        .find(|line| line.to_lowercase().starts_with("location: "));
    line.unwrap().split_once(' ').unwrap().1.trim().to_owned()
}

fn logged_in(home: &Home, ended: &super::session::Ended) {
    assert_eq!(ended.code, Some(0), "{:?}", ended.transcript);
    let profiles = home.stored("main")["profiles"].clone();
    let (id, profile) = profiles.as_object().unwrap().iter().next().unwrap();
    assert_eq!(profile["type"], "oauth");
    assert!(
        profile["expires"].as_u64().is_some() && profile["accountId"].is_string(),
        "{id}"
    );
    for token in ["access", "refresh"] {
        let token = profile[token].as_str().unwrap();
        assert!(!ended.transcript.contains(token) && !home.config_text().contains(token));
    }
    let config: serde_json::Value = serde_json::from_str(&home.config_text()).unwrap();
    assert_eq!(config["auth"]["profiles"][id]["mode"], "oauth");
}

#[test]
fn the_address_is_pasted_where_there_is_no_browser() {
    let (_emulator, home) = scene();
    let mut session = Session::start(&home, &["login", "--provider", "openai", "--paste"]);
    let url = session
        .expect("Open this address to log in:")
        .line_with("http://");
    session
        .expect("Address or code:")
        .send("http://127.0.0.1:1/callback?code=c&state=of-another")
        .send(ENTER);
    session.expect("paste it again");
    session
        .send(&approve(&url))
        .send(ENTER)
        .expect("Auth profile: openai:");
    logged_in(&home, &session.end());
}

#[test]
fn a_browser_comes_back_by_itself() {
    let (_emulator, home) = scene();
    let home = home.variable("DISPLAY", ":0");
    let mut session = Session::start(&home, &["login", "--provider", "openai", "--profile-id", "me"]);
    let url = session
        .expect("Open this address to log in:")
        .line_with("http://");
    session.expect("Waiting for the browser");
    assert!(get(&approve(&url)).contains("200 OK"));
    session.expect("Auth profile: openai:me (openai/oauth)");
    logged_in(&home, &session.end());
}

#[test]
fn a_code_is_typed_in_elsewhere() {
    let (emulator, home) = scene();
    let mut session = Session::start(&home, &["login", "--provider", "openai"]);
    let code = session.expect("and type in").line_with(" ");
    assert!(emulator.decide_device(&code, true), "{code}");
    session.expect("Auth profile: openai:");
    logged_in(&home, &session.end());
}

#[test]
fn ctrl_c_gives_up_and_saves_nothing() {
    let (_emulator, home) = scene();
    let home = home.variable("DISPLAY", ":0");
    let before = home.config_text();
    for (flag, at) in [
        ("--device", "Ctrl-C gives up"),
        ("--paste", "Address or code:"),
        ("--wait=9m", "Ctrl-C gives up"),
    ] {
        let mut session = Session::start(&home, &["login", "--provider", "openai", flag]);
        session.expect(at).send(CTRL_C);
        let ended = session.end();
        assert_eq!(ended.code, Some(1), "{flag}: {:?}", ended.transcript);
        assert!(
            ended.transcript.contains("nothing was saved"),
            "{flag}: {:?}",
            ended.transcript
        );
        assert!(ended.restored);
    }
    assert_eq!(home.config_text(), before);
    assert!(!home.store_path("main").exists());
}
