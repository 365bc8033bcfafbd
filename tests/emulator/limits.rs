//! Allowances: what they admit, what their headers tell, how their errors read.

use coderclaw::emulator::{
    Credit, Emulator, EmulatorConfig, KeyConfig, KeySecret, Limits, OrgConfig, RunningEmulator,
};

use crate::client::{Ask, KEY, chat, chat_body, generate, messages};

fn with_key(key: KeyConfig) -> RunningEmulator {
    let config = EmulatorConfig {
        keys: vec![key],
        ..EmulatorConfig::default()
    };
    Emulator::start(config).expect("starts")
}

fn limited(limits: Limits) -> RunningEmulator {
    with_key(KeyConfig::new("only", KEY).with_limits(limits))
}

fn rpm(rpm: u64) -> Limits {
    Limits {
        rpm: Some(rpm),
        ..Limits::default()
    }
}

#[test]
fn openai_tells_true_numbers_and_refuses_with_a_wait() {
    let emulator = limited(Limits {
        rpm: Some(2),
        tpm: Some(10_000),
        ..Limits::default()
    });
    let first = chat(false).send(&emulator);
    assert_eq!(first.header("x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("1"));
    assert_eq!(first.header("x-ratelimit-reset-requests"), Some("30s"));
    let used: u64 = first.json()["usage"]["total_tokens"].as_u64().unwrap();
    assert_eq!(
        first.header("x-ratelimit-remaining-tokens"),
        Some((10_000 - used).to_string().as_str())
    );
    assert_eq!(chat(false).send(&emulator).status, 200);
    let refused = chat(false).send(&emulator);
    assert_eq!(refused.status, 429);
    let body = refused.json();
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    assert_eq!(body["error"]["type"], "requests");
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Limit 2, Used 2")
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    let exact: u64 = refused.header("retry-after-ms").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait) && exact <= wait * 1000, "{wait} {exact}");
    let stats = emulator.stats();
    let key = stats.key("only").unwrap();
    assert_eq!(
        (key.requests, key.succeeded, key.statuses[&429], key.early),
        (3, 2, 1, 0)
    );
    assert_eq!(chat(false).send(&emulator).status, 429);
    assert_eq!(emulator.stats().key("only").unwrap().early, 1);
}

#[test]
fn buckets_refill_at_the_emulators_own_time() {
    let mut config = EmulatorConfig {
        time_scale: 600.0,
        ..EmulatorConfig::default()
    };
    config.keys.push(KeyConfig::new("only", KEY).with_limits(rpm(1)));
    let emulator = Emulator::start(config).expect("starts");
    assert_eq!(chat(false).send(&emulator).status, 200);
    let refused = chat(false).send(&emulator);
    // A minute takes 100 ms of the caller's.
    let wait: u64 = refused.header("retry-after-ms").unwrap().parse().unwrap();
    assert!(wait <= 100, "{wait}");
    crate::client::until("the bucket refills", || chat(false).send(&emulator).status == 200);
}

#[test]
fn tokens_days_and_concurrency_have_their_own_words() {
    let tokens = limited(Limits {
        tpm: Some(60),
        ..Limits::default()
    });
    assert_eq!(chat(false).send(&tokens).status, 200);
    let refused = chat(false).send(&tokens).json();
    assert_eq!(refused["error"]["type"], "tokens");
    let small = limited(Limits {
        tpm: Some(5),
        ..Limits::default()
    });
    let large = chat(false).send(&small).json();
    assert!(
        large["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Request too large")
    );
    let day = limited(Limits {
        rpd: Some(1),
        ..Limits::default()
    });
    chat(false).send(&day);
    assert!(
        chat(false).send(&day).json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("requests per day (RPD)")
    );
    let one = limited(Limits {
        concurrency: Some(0),
        ..Limits::default()
    });
    assert_eq!(chat(false).send(&one).status, 429);
}

#[test]
fn anthropic_and_google_tell_it_their_way() {
    let emulator = limited(rpm(1));
    let first = messages(false).send(&emulator);
    assert_eq!(first.header("anthropic-ratelimit-requests-limit"), Some("1"));
    assert!(
        first
            .header("anthropic-ratelimit-requests-reset")
            .unwrap()
            .ends_with('Z')
    );
    let refused = messages(false).send(&emulator);
    assert_eq!(
        (refused.status, refused.json()["error"]["type"].as_str()),
        (429, Some("rate_limit_error"))
    );
    assert_eq!(refused.header("retry-after"), Some("60"));
    let google = generate("generateContent").send(&emulator);
    assert_eq!((google.status, google.header("retry-after")), (429, None));
    let error = &google.json()["error"];
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["details"][2]["retryDelay"], "60s");
    assert!(
        error["details"][0]["violations"][0]["quotaId"]
            .as_str()
            .unwrap()
            .contains("PerMinute")
    );
}

#[test]
fn every_mounted_provider_speaks_its_own_way() {
    let limits = Limits {
        rpm: Some(1),
        rpd: Some(9),
        tpm: Some(10_000),
        ..Limits::default()
    };
    let expected = [
        ("groq/openai/v1", "x-ratelimit-limit-requests", "9"),
        ("mistral/v1", "x-ratelimit-limit-req-minute", "1"),
        ("openrouter/api/v1", "x-ratelimit-remaining", "0"),
        ("together/v1", "x-ratelimit-limit", "1"),
        ("cerebras/v1", "x-ratelimit-limit-requests-day", "9"),
        ("fireworks/inference/v1", "x-ratelimit-over-limit", "no"),
        ("xai/v1", "x-ratelimit-limit-tokens", "10000"),
    ];
    for (base, header, value) in expected {
        let emulator = limited(limits.clone());
        let ask = || Ask::post(&format!("/{base}/chat/completions"), &chat_body(false)).key(KEY);
        assert_eq!(ask().send(&emulator).header(header), Some(value), "{base}");
        let refused = ask().send(&emulator);
        assert_eq!(refused.status, 429, "{base}");
        assert!(refused.json().is_object(), "{base}");
    }
    let deepseek = limited(rpm(1));
    assert_eq!(
        Ask::post("/deepseek/chat/completions", &chat_body(false))
            .key(KEY)
            .send(&deepseek)
            .status,
        200
    );
}

#[test]
fn keys_of_one_organisation_share_one_allowance() {
    let mut config = EmulatorConfig::default();
    config.orgs.insert(
        "acme".into(),
        OrgConfig {
            limits: rpm(2),
            credit: Credit::default(),
        },
    );
    for (name, key) in [
        ("one", "sk-proj-one-aaaaaaaaaaaa"),
        ("two", "sk-proj-two-bbbbbbbbbbbb"),
    ] {
        config.keys.push(KeyConfig {
            org: Some("acme".into()),
            ..KeyConfig::new(name, key)
        });
    }
    let emulator = Emulator::start(config).expect("starts");
    let ask = |key| {
        Ask::post("/v1/chat/completions", &chat_body(false))
            .key(key)
            .send(&emulator)
            .status
    };
    assert_eq!(ask("sk-proj-one-aaaaaaaaaaaa"), 200);
    assert_eq!(ask("sk-proj-two-bbbbbbbbbbbb"), 200);
    assert_eq!(ask("sk-proj-one-aaaaaaaaaaaa"), 429);
    assert_eq!(ask("sk-proj-two-bbbbbbbbbbbb"), 429);
    assert_eq!(ask("sk-proj-stranger-cccccc"), 200);
}

#[test]
fn money_runs_out_in_each_providers_way() {
    let broke = || with_key(KeyConfig::new("only", KEY).with_credit(1));
    let openai = broke();
    assert_eq!(chat(false).send(&openai).status, 200);
    let quota = chat(false).send(&openai);
    assert_eq!(
        (quota.status, quota.json()["error"]["type"].as_str()),
        (429, Some("insufficient_quota"))
    );
    assert_eq!(quota.header("retry-after"), None);
    let anthropic = messages(false).send(&openai);
    assert_eq!(anthropic.status, 400);
    assert!(anthropic.body.contains("credit balance is too low"));
    assert_eq!(generate("generateContent").send(&openai).status, 402);
}

#[test]
fn dead_keys_are_refused_with_part_of_the_key_or_all_of_it() {
    let dead = KeyConfig {
        dead: true,
        ..KeyConfig::new("only", KEY)
    };
    let masked = chat(false).send(&with_key(dead.clone()));
    assert_eq!(masked.status, 401);
    let message = masked.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains(&KEY[..8]) && message.contains("****") && !message.contains(KEY),
        "{message}"
    );
    let echoing = with_key(KeyConfig {
        echo_key: true,
        ..dead.clone()
    });
    let echoed = chat(false).send(&echoing);
    assert!(echoed.body.contains(KEY) && echoed.header("x-request-credential") == Some(KEY));
    assert!(echoed.json().is_object());
    assert_eq!(
        generate("generateContent").send(&with_key(dead)).json()["error"]["details"][0]["reason"],
        "API_KEY_INVALID"
    );
    let suspended = KeyConfig {
        suspended: true,
        ..KeyConfig::new("only", KEY)
    };
    assert_eq!(chat(false).send(&with_key(suspended)).status, 403);
    let strict = EmulatorConfig {
        allow_unknown_keys: false,
        allow_unknown_models: false,
        keys: vec![KeyConfig {
            key: KeySecret::new("sk-known-000000"),
            ..KeyConfig::default()
        }],
        ..EmulatorConfig::default()
    };
    let strict = Emulator::start(strict).expect("starts");
    assert_eq!(chat(false).send(&strict).status, 401);
    let known = Ask::post("/v1/chat/completions", &chat_body(false))
        .key("sk-known-000000")
        .send(&strict);
    assert_eq!(
        (known.status, known.json()["error"]["code"].as_str()),
        (404, Some("model_not_found"))
    );
}
