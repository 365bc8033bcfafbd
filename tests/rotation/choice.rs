//! Which key is next: order, strategy, override, and the limits that the config sets.

use coderclaw::emulator::{Behaviour, EmulatorConfig};
use serde_json::json;

use crate::support::{CHAT, FORMATS, Rig, Scripted, Seen, TestGateway, eventually, key, reply};

const GOOD: &str = r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

fn good() -> Scripted {
    Scripted::answering(reply("200 OK", &[("content-type", "application/json")], GOOD))
}

fn keys_of(upstream: &Scripted) -> Vec<String> {
    upstream.seen().iter().map(Seen::key).map(str::to_owned).collect()
}

#[test]
fn by_default_the_first_key_serves_until_it_rests() {
    for format in FORMATS {
        let rig = Rig::new(format, &["first", "second", "third"]);
        for _ in 0..5 {
            assert_eq!(rig.call().status, 200);
        }
        assert_eq!(rig.requests(), [5, 0, 0], "{}", format.name());
    }
}

#[test]
fn balanced_spreads_evenly() {
    let config = json!({ "auth": { "rotation": { "strategy": "balanced" } } });
    for format in FORMATS {
        let rig = Rig::with(
            format,
            &["first", "second", "third"],
            EmulatorConfig::default(),
            config.clone(),
        );
        for _ in 0..9 {
            assert_eq!(rig.call().status, 200);
            rig.advance(1);
        }
        assert_eq!(rig.requests(), [3, 3, 3], "{}", format.name());
    }
}

#[test]
fn the_live_key_stands_alone() {
    let upstream = good();
    let live = key("openai", "live");
    let gateway = TestGateway::with_config(
        &upstream.url(),
        &[
            ("CODERCLAW_LIVE_OPENAI_KEY", &live),
            (
                "OPENAI_API_KEYS",
                &format!("{},{}", key("openai", "a"), key("openai", "b")),
            ),
            ("OPENAI_API_KEY", &key("openai", "c")),
        ],
        json!({ "models": { "providers": { "openai": { "apiKey": key("openai", "config") } } } }),
    );
    for _ in 0..3 {
        assert_eq!(CHAT.call().send(gateway.address).status, 200);
    }
    assert_eq!(keys_of(&upstream), [live.as_str(); 3]);
    assert_eq!(gateway.credentials("openai").len(), 1);
}

#[test]
fn the_configured_order_names_exactly_the_members() {
    let keys = ["a", "b", "c"].map(|name| key("openai", name));
    let upstream = Scripted::answering(reply(
        "429 Too Many Requests",
        &[("content-type", "application/json"), ("retry-after", "9")],
        r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
    ));
    let gateway = TestGateway::with_config(
        &upstream.url(),
        &[("OPENAI_API_KEYS", &keys.join(","))],
        json!({ "auth": { "order": { "openai": [CHAT.profile(3), CHAT.profile(1)] } } }),
    );
    assert_eq!(CHAT.call().send(gateway.address).attempts(), 2);
    assert_eq!(keys_of(&upstream), [keys[2].as_str(), keys[0].as_str()]);
}

#[test]
fn the_same_secret_twice_is_one_key() {
    let upstream = Scripted::answering(reply(
        "429 Too Many Requests",
        &[("content-type", "application/json"), ("retry-after", "9")],
        r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
    ));
    let (a, b) = (key("openai", "a"), key("openai", "b"));
    let gateway = TestGateway::start(
        &upstream.url(),
        &[
            ("OPENAI_API_KEYS", &format!("{a};{b} {a}\n,{a}")),
            ("OPENAI_API_KEY", &b),
            ("OPENAI_API_KEY_1", &a),
        ],
    );
    assert_eq!(CHAT.call().send(gateway.address).attempts(), 2);
    assert_eq!(keys_of(&upstream), [a, b]);
}

#[test]
fn no_key_ever_has_more_requests_at_once_than_the_config_allows() {
    let emulator = EmulatorConfig {
        behaviour: Behaviour {
            latency_ms: Some(150),
            ..Behaviour::default()
        },
        ..EmulatorConfig::default()
    };
    let config = json!({ "models": { "providers": { "openai": { "limits": { "concurrency": 2 } } } } });
    let rig = Rig::with(CHAT, &["first", "second", "third"], emulator, config);
    let address = rig.gateway.address;
    let callers: Vec<_> = (0..12)
        .map(|place| {
            std::thread::spawn(move || {
                let call = if place % 2 == 0 {
                    CHAT.call()
                } else {
                    CHAT.stream()
                };
                call.send(address)
            })
        })
        .collect();
    let heard: Vec<_> = callers
        .into_iter()
        .map(|caller| caller.join().expect("the caller hears"))
        .collect();
    let served = heard.iter().filter(|heard| heard.status == 200).count();
    assert!(served >= 6, "{served} of 12 were served, and six fit at once");
    for refused in heard.iter().filter(|heard| heard.status != 200) {
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert!(refused.header("retry-after").is_some());
    }
    let stats = rig.emulator.stats();
    for key in &stats.keys {
        assert!(key.in_flight_peak <= 2, "{key:?}");
    }
    eventually("every permit is given back", || {
        let idle = rig
            .gateway
            .credentials("openai")
            .iter()
            .all(|credential| credential.in_flight == 0);
        idle.then_some(())
    });
    assert_eq!(rig.call().status, 200);
}

#[test]
fn no_key_ever_has_more_requests_a_minute_than_the_config_allows() {
    let config = json!({ "models": { "providers": { "openai": { "limits": { "rpm": 3 } } } } });
    let rig = Rig::with(CHAT, &["first", "second"], EmulatorConfig::default(), config);
    let statuses: Vec<u16> = (0..7).map(|_| rig.call().status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    assert_eq!(rig.requests(), [3, 3]);
    let heard = rig.call();
    assert_eq!(heard.json()["error"]["type"], "rate_limit_error");
    let wait: u64 = heard
        .header("retry-after")
        .expect("a wait is told")
        .parse()
        .expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    rig.advance(wait);
    assert_eq!(rig.call().status, 200);
}

#[test]
fn limits_of_one_profile_bind_it_alone() {
    let config = json!({ "auth": { "profiles": { CHAT.profile(1): { "limits": { "rpm": 1 } } } } });
    let rig = Rig::with(CHAT, &["first", "second"], EmulatorConfig::default(), config);
    for _ in 0..5 {
        assert_eq!(rig.call().status, 200);
    }
    assert_eq!(rig.requests(), [1, 4]);
}
