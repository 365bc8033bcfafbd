//! A throttle of one key is no throttle of the caller.

use coderclaw::emulator::{EmulatorConfig, Fault, FaultKind, KeyConfig, Limits};
use coderclaw_actors::StateName;
use serde_json::json;

use crate::support::{CHAT, Call, FORMATS, Rig, key};

const LIMITS: [FaultKind; 4] = [
    FaultKind::RateLimit,
    FaultKind::TokenLimit,
    FaultKind::DayLimit,
    FaultKind::Quota,
];

#[test]
fn every_limit_of_every_format_rotates_and_the_key_is_left_alone() {
    for format in FORMATS {
        for limit in LIMITS {
            let what = format!("{} {}", format.name(), limit.as_str());
            let rig = Rig::new(format, &["first", "second"]);
            rig.fault(Fault::new(limit).for_key("first"));
            for stream in [false, true] {
                let heard = if stream { rig.stream() } else { rig.call() };
                assert_eq!(heard.status, 200, "{what}: {}", heard.text());
                assert_eq!(heard.attempts(), if stream { 1 } else { 2 }, "{what}");
                assert_eq!(
                    heard.header("x-coderclaw-profile"),
                    Some(format.profile(2).as_str()),
                    "{what}"
                );
            }
            assert_eq!(rig.requests(), [1, 2], "{what}");
            let credential = rig.credential("first");
            let states: Vec<StateName> = std::iter::once(credential.state)
                .chain(credential.models.iter().map(|model| model.state))
                .collect();
            let expected = if limit == FaultKind::Quota {
                StateName::Exhausted
            } else {
                StateName::Cooling
            };
            assert!(states.contains(&expected), "{what}: {credential:?}");
            assert_eq!(rig.credential("second").state, StateName::Available, "{what}");
        }
    }
}

#[test]
fn the_limits_of_every_provider_rotate_in_its_own_words() {
    let providers = [
        ("openrouter", "/api/v1"),
        ("groq", "/openai/v1"),
        ("mistral", "/v1"),
        ("deepseek", ""),
        ("xai", "/v1"),
        ("together", "/v1"),
        ("fireworks", "/inference/v1"),
        ("cerebras", "/v1"),
    ];
    for (provider, base) in providers {
        // What OpenRouter words so is a limit of the provider behind it, which no other key would get round.
        let own = |limit: &FaultKind| (provider, *limit) != ("openrouter", FaultKind::TokenLimit);
        for limit in LIMITS.into_iter().filter(own) {
            let what = format!("{provider} {}", limit.as_str());
            let emulator = coderclaw::emulator::Emulator::start(EmulatorConfig {
                keys: ["first", "second"]
                    .map(|name| KeyConfig::new(name, &key(provider, name)))
                    .into(),
                faults: vec![Fault::new(limit).for_key("first")],
                ..EmulatorConfig::default()
            })
            .expect("the emulator starts");
            let root = format!("{}/{provider}{base}", emulator.base_url());
            let variable = format!("{}_API_KEYS", provider.to_uppercase());
            let keys = format!("{} {}", key(provider, "first"), key(provider, "second"));
            let gateway = crate::support::TestGateway::with_config(
                &emulator.base_url(),
                &[(&variable, &keys)],
                json!({ "models": { "providers": { provider: { "baseUrl": root } } } }),
            );
            let body = format!(
                r#"{{"model":"{provider}/some/model","messages":[{{"role":"user","content":"hi"}}]}}"#
            );
            for attempts in [2, 1] {
                let heard = Call::post(CHAT.path, body.clone()).send(gateway.address);
                assert_eq!(heard.status, 200, "{what}: {}", heard.text());
                assert_eq!(heard.attempts(), attempts, "{what}");
                assert_eq!(heard.header("x-coderclaw-provider"), Some(provider), "{what}");
            }
            let stats = emulator.stats();
            assert_eq!(stats.key("first").expect("it was called").requests, 1, "{what}");
            assert_eq!(stats.key("first").expect("it was called").early, 0, "{what}");
        }
    }
}

#[test]
fn a_stated_wait_is_kept_to_the_millisecond_and_no_longer() {
    for format in FORMATS {
        let rig = Rig::new(format, &["first", "second"]);
        rig.fault(
            Fault::new(FaultKind::RateLimit)
                .for_key("first")
                .first(1)
                .retry_after_ms(30_000),
        );
        assert_eq!(rig.call().attempts(), 2, "{}", format.name());
        rig.advance(29);
        assert_eq!(rig.call().attempts(), 1, "{}", format.name());
        assert_eq!(rig.requests(), [1, 2], "{}", format.name());
        rig.advance(2);
        assert_eq!(rig.call().attempts(), 1, "{}", format.name());
        assert_eq!(rig.requests(), [2, 2], "{}", format.name());
        assert_eq!(
            rig.credential("first").models.first().map(|model| model.state),
            None,
            "{}: it has served again",
            format.name()
        );
    }
}

#[test]
fn without_a_word_on_the_wait_a_key_rests_ten_seconds_then_twice_as_long() {
    // Google's and OpenAI's bare 429; nothing in it says when to come back.
    let rig = Rig::new(CHAT, &["first", "second"]);
    rig.fault(
        Fault::new(FaultKind::RateLimit)
            .for_key("first")
            .first(2)
            .retry_after_ms(0),
    );
    let mut calls_of_first = Vec::new();
    for pause in [0, 9, 2, 19, 2] {
        rig.advance(pause);
        assert_eq!(rig.call().status, 200);
        calls_of_first.push(rig.requests()[0]);
    }
    assert_eq!(calls_of_first, [1, 1, 2, 2, 3]);
}

#[test]
fn each_key_is_tried_at_most_once_and_in_the_order_of_the_pool() {
    for format in FORMATS {
        let names = ["one", "two", "three", "four", "five"];
        let rig = Rig::new(format, &names);
        rig.fault(Fault::new(FaultKind::RateLimit).retry_after_ms(5_000));
        let heard = rig.call();
        assert_eq!(heard.status, 429, "{}", format.name());
        assert_eq!(heard.attempts(), names.len(), "{}", format.name());
        assert_eq!(rig.requests(), [1; 5], "{}", format.name());
        let order: Vec<String> = rig
            .emulator
            .log(10)
            .into_iter()
            .map(|entry| entry.key.expect("a key came"))
            .collect();
        assert_eq!(order, names, "{}", format.name());
    }
}

#[test]
fn no_request_makes_more_attempts_than_the_config_allows() {
    let config = json!({ "auth": { "rotation": { "maxAttempts": 2 } } });
    let rig = Rig::with(CHAT, &["one", "two", "three"], EmulatorConfig::default(), config);
    rig.fault(Fault::new(FaultKind::RateLimit).retry_after_ms(5_000));
    let heard = rig.call();
    assert_eq!((heard.status, heard.attempts()), (429, 2));
    // The third key could serve at once.
    assert_eq!(heard.header("retry-after"), Some("1"));
    assert_eq!(rig.requests(), [1, 1, 0]);
}

#[test]
fn a_throttle_of_one_model_leaves_the_others_to_the_same_key() {
    let rig = Rig::new(CHAT, &["first", "second"]);
    let mut fault = Fault::new(FaultKind::TokenLimit).for_key("first");
    fault.model = Some("gpt-large".to_owned());
    rig.fault(fault);
    let call = |model: &str| {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
        let heard = rig.send(Call::post(CHAT.path, body));
        assert_eq!(heard.status, 200, "{}", heard.text());
        heard
            .header("x-coderclaw-profile")
            .expect("a profile served it")
            .to_owned()
    };
    assert_eq!(call("gpt-large"), CHAT.profile(2));
    assert_eq!(call("gpt-small"), CHAT.profile(1));
    assert_eq!(call("gpt-large"), CHAT.profile(2));
    assert_eq!(rig.requests(), [2, 2]);
    let credential = rig.credential("first");
    assert_eq!(credential.state, StateName::Available);
    assert_eq!(credential.models.len(), 1);
    assert_eq!(credential.models[0].class.as_str(), "gpt-large");
    assert_eq!(credential.models[0].state, StateName::Cooling);
}

#[test]
fn real_buckets_of_the_provider_are_never_hit_before_they_have_refilled() {
    let limits = Limits {
        rpm: Some(2),
        ..Limits::default()
    };
    let emulator = EmulatorConfig {
        limits,
        ..EmulatorConfig::default()
    };
    let rig = Rig::with(CHAT, &["first", "second", "third"], emulator, json!({}));
    let statuses: Vec<u16> = (0..8).map(|_| rig.call().status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429]);
    let stats = rig.emulator.stats();
    assert!(stats.keys.iter().all(|key| key.early == 0), "{stats:?}");
    // Two each, and one each that was refused: the last call found every key resting and made none.
    assert_eq!(rig.requests(), [3, 3, 3]);
}
