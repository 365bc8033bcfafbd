//! A session that somebody pinned to a credential: served by that one alone, and told so when it can't be.

use std::time::Duration;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::chat::{KEY, SESSION, chat, said, say, two_keys};
use crate::support::{CHAT, Call, FORMATS, Format, GatewayProcess, Heard, Home, Rig, becomes, key};

const PATIENCE: Duration = Duration::from_secs(20);

fn config(format: Format) -> Value {
    let provider = format.provider;
    json!({ "agents": { "defaults": {
        "model": { "primary": format!("{provider}/{}", format.model), "fallbacks": [format!("{provider}/other")] },
    } } })
}

fn rig(format: Format) -> Rig {
    two_keys(format, config(format))
}

/// Pins the session to the second key.
fn pin(rig: &Rig, format: Format) {
    let name = format!(
        "/model {}/{}@{}",
        format.provider,
        format.model,
        format.profile(2)
    );
    let told = said(&rig.send(say(format, &name)));
    assert!(
        told.contains(&format!("Pinned to `{}`", format.profile(2))),
        "{told}"
    );
}

fn error(heard: &Heard) -> (u16, String, String) {
    let error = heard.json()["error"].clone();
    let code = error["code"]
        .as_str()
        .or_else(|| error.pointer("/details/0/reason")?.as_str());
    let message = error["message"].as_str().expect("a message");
    (
        heard.status,
        code.unwrap_or_default().to_owned(),
        message.to_owned(),
    )
}

#[test]
fn a_pinned_session_is_served_by_its_credential_alone() {
    for format in FORMATS {
        let rig = rig(format);
        pin(&rig, format);
        for _ in 0..3 {
            assert_eq!(rig.send(say(format, "hello")).status, 200);
        }
        // A model that the body names goes to the pin's provider too.
        assert_eq!(rig.send(format.call().header(SESSION, KEY)).status, 200);
        assert_eq!(rig.requests(), [0, 4], "{}", format.name());
        assert_eq!(rig.send(format.call().header(SESSION, "another")).status, 200);
        assert_eq!(rig.requests(), [1, 4]);
        let told = said(&rig.send(say(
            format,
            &format!("/model {}/{}", format.provider, format.model),
        )));
        assert!(
            told.contains("The pin to") && told.contains("is released"),
            "{told}"
        );
        rig.advance(1);
        let status = rig.send(Call::get("/status")).json();
        assert_eq!(
            status["gateway"]["sessions"],
            json!({ "held": 2, "chosen": 1, "pinned": 0 })
        );
    }
}

#[test]
fn while_the_credential_rests_the_answer_is_its_429_and_says_why() {
    for format in FORMATS {
        let rig = rig(format);
        pin(&rig, format);
        let mut fault = Fault::new(FaultKind::RateLimit);
        fault.key = Some("second".to_owned());
        fault.retry_after_ms = Some(20_000);
        fault.first = Some(1);
        rig.fault(fault);
        let heard = rig.send(say(format, "hello"));
        assert_eq!((heard.status, heard.attempts()), (429, 1), "{}", heard.text());
        rig.advance(5);
        let heard = rig.send(say(format, "hello"));
        let (status, code, message) = error(&heard);
        assert_eq!((status, code.as_str()), (429, "pin_resting"), "{message}");
        assert!(
            message.contains(&format.profile(2)) && message.contains("without `@profile`"),
            "{message}"
        );
        let wait: u64 = heard
            .header("retry-after")
            .expect("a wait")
            .parse()
            .expect("seconds");
        assert!((10..=20).contains(&wait), "{wait}");
        assert_eq!(
            rig.requests(),
            [0, 1],
            "neither the other key nor the fallback was asked: {}",
            format.name()
        );
        rig.advance(wait);
        assert_eq!(rig.send(say(format, "hello")).status, 200);
        assert_eq!(rig.requests(), [0, 2]);
    }
}

#[test]
fn a_disabled_credential_is_told_and_no_sdk_tries_again() {
    for format in FORMATS {
        let mut second = KeyConfig::new("second", &key(format.provider, "second"));
        second.dead = true;
        let emulator = EmulatorConfig {
            keys: vec![second],
            ..EmulatorConfig::default()
        };
        let rig = Rig::with(format, &["first", "second"], emulator, config(format));
        pin(&rig, format);
        assert!(matches!(rig.send(say(format, "hello")).status, 400 | 401));
        for _ in 0..2 {
            let heard = rig.send(say(format, "hello"));
            let (status, code, message) = error(&heard);
            assert_eq!((status, code.as_str()), (400, "pin_unusable"), "{message}");
            assert!(
                message.contains("is disabled") && message.contains("release"),
                "{message}"
            );
            assert_eq!(heard.header("x-should-retry"), Some("false"));
        }
        assert_eq!(rig.requests(), [0, 1], "{}", format.name());
        // It is never unlocked in silence, and always by the word for it.
        said(&rig.send(say(format, "/model default")));
        assert_eq!(rig.send(say(format, "hello")).status, 200);
    }
}

#[test]
fn a_pin_holds_at_its_own_provider_and_nowhere_else() {
    let mut both = config(CHAT);
    both["models"] = json!({ "providers": { "groq": { "baseUrl": "http://127.0.0.1:9/openai/v1", "apiKey": key("groq", "a") } } });
    let rig = Rig::with(CHAT, &["first", "second"], EmulatorConfig::default(), both);
    pin(&rig, CHAT);
    let heard = rig.send(Call::post(CHAT.path, r#"{"model":"groq/x","messages":[]}"#).header(SESSION, KEY));
    assert_eq!(
        (heard.status, heard.header("x-coderclaw-profile")),
        (502, Some("groq:config")),
        "groq's own key was tried: {}",
        heard.text()
    );
    let told = said(&rig.send(say(CHAT, "/model groq/x@openai:env:OPENAI_API_KEYS#2")));
    assert!(
        told.contains("is a credential of provider `openai`, not of `groq`"),
        "{told}"
    );
    assert!(said(&rig.send(say(CHAT, "/model"))).contains("pinned to `openai:env:OPENAI_API_KEYS#2`"));
}

// === the real binary: restarts, reloads, kills ===

fn emulator() -> RunningEmulator {
    Emulator::start(EmulatorConfig {
        keys: ["first", "second"]
            .map(|name| KeyConfig::new(name, &key("openai", name)))
            .into(),
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts")
}

fn home(emulator: &RunningEmulator) -> Home {
    let keys = format!("{},{}", key("openai", "first"), key("openai", "second"));
    Home::new(&emulator.base_url(), &[("OPENAI_API_KEYS", &keys)], config(CHAT))
}

/// Writes the config anew, with `auth.order` of openai.
fn order(home: &Home, ids: &[String]) {
    let path = home.state().join("coderclaw.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
    config["auth"] = json!({ "order": { "openai": ids } });
    std::fs::write(path, config.to_string()).expect("it is written");
}

fn command(gateway: &GatewayProcess, session: &str, text: &str) -> Heard {
    let (path, body) = chat(CHAT, "coderclaw", text, false);
    Call::post(&path, body)
        .header(SESSION, session)
        .send(gateway.address)
}

#[tokio::test]
async fn a_pin_survives_a_restart_and_no_key_is_written_anywhere() {
    let emulator = emulator();
    let home = home(&emulator);
    let pin = format!("/model openai/gpt-test@{}", CHAT.profile(2));
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let mut gateway = home.gateway(&[]).await;
        said(&command(&gateway, KEY, &pin));
        gateway.signal(signal);
        gateway.exit(PATIENCE).await.expect("it ends");
        let mut gateway = home.gateway(&[]).await;
        let heard = command(&gateway, KEY, "hello");
        assert_eq!(
            heard.header("x-coderclaw-profile"),
            Some(CHAT.profile(2).as_str()),
            "{}",
            heard.text()
        );
        assert!(said(&command(&gateway, KEY, "/model")).contains("pinned to"));
        said(&command(&gateway, KEY, "/model openai/gpt-test"));
        gateway.signal(Signal::SIGTERM);
        gateway.exit(PATIENCE).await.expect("it ends");
        let file = std::fs::read_to_string(home.state().join("sessions.json")).expect("it was written");
        for text in [gateway.stdout(), gateway.stderr(), file] {
            assert!(
                !text.contains(KEY) && !text.contains(&key("openai", "second")),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_pin_whose_credential_is_gone_is_told_and_comes_back_with_it() {
    let emulator = emulator();
    let home = home(&emulator);
    let gateway = home.gateway(&[]).await;
    said(&command(
        &gateway,
        KEY,
        &format!("/model openai/gpt-test@{}", CHAT.profile(2)),
    ));
    order(&home, &[CHAT.profile(1)]);
    let status = || command(&gateway, KEY, "hello").status;
    becomes("the pin's credential is gone", PATIENCE, 400, status).await;
    let heard = command(&gateway, KEY, "hello");
    let (_, code, message) = error(&heard);
    assert_eq!(code, "pin_gone", "{message}");
    assert!(
        message.contains("explicit order") && message.contains("`/model <model>` without `@profile`"),
        "{message}"
    );
    assert_eq!(heard.header("x-should-retry"), Some("false"));
    assert!(said(&command(&gateway, KEY, "/model status")).contains("**pinned**, and not among them"));
    order(&home, &[CHAT.profile(1), CHAT.profile(2)]);
    becomes("it is there again", PATIENCE, 200, status).await;
    let heard = command(&gateway, KEY, "hello");
    assert_eq!(
        heard.header("x-coderclaw-profile"),
        Some(CHAT.profile(2).as_str())
    );
}

#[tokio::test]
async fn a_corrupt_file_is_set_aside_and_said() {
    let emulator = emulator();
    let home = home(&emulator);
    std::fs::write(home.state().join("sessions.json"), "{ \"version\": 1, \"sess").expect("it is written");
    let gateway = home.gateway(&[]).await;
    assert_eq!(command(&gateway, KEY, "hello").status, 200);
    let said_so = || {
        let log = gateway.stderr() + &gateway.stdout();
        log.contains("starting without pins") && log.contains("sessions.unreadable.json")
    };
    becomes("it is in the log", PATIENCE, true, said_so).await;
    assert!(home.state().join("sessions.unreadable.json").exists());
    said(&command(&gateway, KEY, "/model openai/gpt-test"));
    assert!(home.state().join("sessions.json").exists());
}

#[tokio::test]
async fn what_could_not_be_written_is_said_in_the_answer() {
    let emulator = emulator();
    let home = home(&emulator);
    let gateway = home.gateway(&[]).await;
    // A folder in its place: even root can't replace it by a file.
    std::fs::create_dir(home.state().join("sessions.json")).expect("a folder");
    let told = said(&command(
        &gateway,
        KEY,
        &format!("/model openai/gpt-test@{}", CHAT.profile(2)),
    ));
    assert!(
        told.contains("could not be written down") && told.contains("lost when the gateway restarts"),
        "{told}"
    );
    let heard = command(&gateway, KEY, "hello");
    assert_eq!(
        heard.header("x-coderclaw-profile"),
        Some(CHAT.profile(2).as_str())
    );
}

#[tokio::test]
async fn a_kill_in_the_middle_of_writes_loses_no_choice_that_was_told() {
    const SESSIONS: usize = 24;
    const KILL_AFTER: usize = 8;
    let emulator = emulator();
    let home = home(&emulator);
    let mut gateway = home.gateway(&[]).await;
    let (told, heard) = std::sync::mpsc::channel();
    let address = gateway.address;
    let callers: Vec<_> = (0..SESSIONS)
        .map(|place| {
            let told = told.clone();
            std::thread::spawn(move || {
                let text = format!("/model openai/gpt-test@{}", CHAT.profile(2));
                let (path, body) = chat(CHAT, "coderclaw", &text, false);
                let call = Call::post(&path, body).header(SESSION, &format!("s-{place}"));
                // The kill makes callers fail: they are not what is tested.
                let heard = std::panic::catch_unwind(|| call.send(address));
                if heard.is_ok_and(|heard| heard.status == 200 && heard.text().contains("Pinned to")) {
                    told.send(place).expect("the test listens");
                }
            })
        })
        .collect();
    let mut confirmed: Vec<usize> = (0..KILL_AFTER)
        .map(|_| heard.recv_timeout(PATIENCE).expect("one is told"))
        .collect();
    gateway.signal(Signal::SIGKILL);
    gateway.exit(PATIENCE).await.expect("it ends");
    for caller in callers {
        drop(caller.join());
    }
    drop(told);
    confirmed.extend(heard.iter());
    let gateway = home.gateway(&[]).await;
    assert!(!home.state().join("sessions.unreadable.json").exists());
    for place in confirmed {
        let shown = said(&command(&gateway, &format!("s-{place}"), "/model"));
        assert!(shown.contains("pinned to"), "{place}: {shown}");
    }
}
