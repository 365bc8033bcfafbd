//! `models status --probe`: one real request with each credential, over real sockets, which changes nothing.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

#[path = "probe/model_lists.rs"]
mod model_lists;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator};
use serde_json::{Value, json};
use support::{Gate, Home, Scripted, Step, chunked_head, key, reply};

/// No gateway listens there, whatever else runs on this machine.
const NOBODY: (&str, &str) = ("CODERCLAW_GATEWAY_PORT", "1");
const PROBE: [&str; 4] = ["models", "status", "--probe", "--json"];

/// What a probe of `home` came to: `auth.probes`.
async fn probed(home: &Home, more: &[&str]) -> Value {
    let ended = home.run(&[&PROBE, more].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    report["auth"]["probes"].clone()
}

fn home(upstream: &str, keys: &str) -> Home {
    let model = json!({ "agents": { "defaults": { "model": "openai/gpt-5" } } });
    Home::new(upstream, &[("OPENAI_API_KEYS", keys), NOBODY], model)
}

/// An emulator that knows a key of each name, and meets it with the fault beside it.
fn emulator(keys: &[(&str, Option<FaultKind>)], echo_key: bool) -> (RunningEmulator, String) {
    let names = keys.iter().map(|(name, _)| *name);
    let secrets: Vec<String> = names.clone().map(|name| key("openai", name)).collect();
    let known = names
        .zip(&secrets)
        .map(|(name, secret)| KeyConfig::new(name, secret));
    let faults = keys
        .iter()
        .filter_map(|(name, fault)| Some(Fault::new((*fault)?).for_key(name)));
    let emulator = Emulator::start(EmulatorConfig {
        keys: known.collect(),
        faults: faults.collect(),
        echo_key,
        ..EmulatorConfig::default()
    });
    (emulator.expect("the emulator starts"), secrets.join(","))
}

/// Every file below a folder, with its content and the time of its last change.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let changed = path.metadata().unwrap().modified().unwrap();
            let content = std::fs::read(&path).unwrap();
            all.insert(path.display().to_string(), (content, changed));
        }
    }
    all
}

fn statuses(probes: &Value) -> Vec<&str> {
    let results = probes["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_outcome_is_told_and_no_file_changes() {
    let (emulator, keys) = emulator(
        &[
            ("good", None),
            ("refused", Some(FaultKind::Unauthorized)),
            ("throttled", Some(FaultKind::RateLimit)),
            ("unpaid", Some(FaultKind::Quota)),
            ("unlucky", Some(FaultKind::Overloaded)),
            ("liar", Some(FaultKind::ErrorIn200)),
            ("cut", Some(FaultKind::MalformedJson)),
        ],
        false,
    );
    let home = home(&emulator.base_url(), &keys);
    let before = files(&home.state());
    let probes = probed(&home, &[]).await;
    assert_eq!(files(&home.state()), before, "a probe changes nothing");
    assert_eq!(
        statuses(&probes),
        [
            "ok",
            "auth",
            "rate_limit",
            "billing",
            "unknown",
            "unknown",
            "unknown"
        ],
        "{probes}"
    );
    assert_eq!(probes["totalTargets"], 7);
    let options = json!({ "profileIds": [], "timeoutMs": 8000, "concurrency": 2, "maxTokens": 8 });
    assert_eq!(probes["options"], options);
    let good = &probes["results"][0];
    assert_eq!(good["model"], "openai/gpt-5");
    assert_eq!(good["profileId"], "openai:env:OPENAI_API_KEYS#1");
    assert_eq!(
        (&good["source"], &good["mode"]),
        (&json!("env"), &json!("api_key"))
    );
    assert!(good["latencyMs"].is_u64() && good["error"].is_null(), "{good}");
    for entry in emulator.log(100) {
        assert_eq!(entry.path, "/v1/chat/completions");
        assert!(!entry.stream);
    }
    assert_eq!(emulator.log(100).len(), 7, "one request with each");
}

#[tokio::test]
async fn as_text_it_is_a_table_and_a_sum() {
    let (emulator, keys) = emulator(
        &[("good", None), ("refused", Some(FaultKind::Unauthorized))],
        false,
    );
    let ended = home(&emulator.base_url(), &keys)
        .run(&["models", "status", "--probe"])
        .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (_, table) = ended.stdout.split_once("\nProbes\n").expect("there is a table");
    let lines: Vec<&str> = table.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        words(lines[0]),
        ["PROVIDER", "CREDENTIAL", "MODEL", "PROBE", "TOOK", "WHY"]
    );
    assert_eq!(
        words(lines[1])[..4],
        ["openai", "openai:env:OPENAI_API_KEYS#1", "openai/gpt-5", "ok"]
    );
    assert_eq!(words(lines[2])[3], "auth");
    assert!(lines[2].contains("(401): "), "{}", lines[2]);
    assert!(lines[3].starts_with("Probed 2 targets in "), "{}", lines[3]);
}

#[tokio::test]
async fn without_a_model_the_list_of_models_is_asked_for() {
    let (emulator, keys) = emulator(
        &[("good", None), ("refused", Some(FaultKind::Unauthorized))],
        false,
    );
    let home = Home::new(
        &emulator.base_url(),
        &[("OPENAI_API_KEYS", &keys), NOBODY],
        json!({}),
    );
    let probes = probed(&home, &[]).await;
    assert_eq!(statuses(&probes), ["ok", "auth"], "{probes}");
    assert_eq!(probes["results"][0]["via"], "models");
    assert!(probes["results"][0]["model"].is_null());
    assert!(emulator.log(10).iter().all(|entry| entry.path == "/v1/models"));
}

#[tokio::test]
async fn every_format_is_spoken() {
    let emulator = Emulator::start(EmulatorConfig::default()).unwrap();
    let secrets = ["openai", "anthropic", "google"].map(|provider| key(provider, "good"));
    let env = [
        ("OPENAI_API_KEY", secrets[0].as_str()),
        ("ANTHROPIC_API_KEY", &secrets[1]),
        ("GEMINI_API_KEY", &secrets[2]),
        NOBODY,
    ];
    let models = json!({ "agents": { "defaults": { "model": {
        "primary": "openai/gpt-5",
        "fallbacks": ["anthropic/claude-sonnet-4-5", "google/gemini-2.5-pro"],
    } } } });
    let probes = probed(&Home::new(&emulator.base_url(), &env, models), &[]).await;
    assert_eq!(statuses(&probes), ["ok", "ok", "ok"], "{probes}");
}

#[tokio::test]
async fn a_provider_that_hangs_costs_the_deadline_and_no_more() {
    let (emulator, keys) = emulator(
        &[("hangs", Some(FaultKind::HangBeforeHead)), ("good", None)],
        false,
    );
    let probes = probed(&home(&emulator.base_url(), &keys), &["--probe-timeout", "1500"]).await;
    assert_eq!(statuses(&probes), ["timeout", "ok"], "{probes}");
    let took = probes["results"][0]["latencyMs"].as_u64().unwrap();
    assert!((1500..6000).contains(&took), "{took} ms");

    // One that answers and never ends is no better.
    let begun = [
        chunked_head("200 OK", &[("content-type", "application/json")]),
        b"1\r\n{\r\n".to_vec(),
    ]
    .concat();
    let scripted = Scripted::start(move |_, _| vec![Step::Send(begun.clone()), Step::Hang(Gate::default())]);
    let probes = probed(
        &home(&scripted.url(), &key("openai", "one")),
        &["--probe-timeout", "500"],
    )
    .await;
    assert_eq!(statuses(&probes), ["timeout"], "{probes}");
}

#[tokio::test]
async fn what_only_looks_like_an_answer_is_not_ok() {
    let elsewhere = Scripted::answering(reply("200 OK", &[("content-type", "application/json")], "{}"));
    let location = format!("{}/v1/chat/completions", elsewhere.url());
    let html = [("content-type", "text/html")];
    for (answer, wanted) in [
        (
            reply("302 Found", &[("location", &location)], ""),
            "redirects, which is not followed",
        ),
        (
            reply("307 Temporary Redirect", &[("location", &location)], ""),
            "redirects",
        ),
        (
            reply("200 OK", &html, "<html>log in</html>"),
            "no JSON (text/html)",
        ),
        (reply("204 No Content", &[], ""), "no JSON"),
    ] {
        let scripted = Scripted::answering(answer);
        let probes = probed(&home(&scripted.url(), &key("openai", "one")), &[]).await;
        assert_eq!(statuses(&probes), ["unknown"], "{probes}");
        let error = probes["results"][0]["error"].as_str().unwrap();
        assert!(error.contains(wanted), "{error}");
    }
    assert!(
        elsewhere.seen().is_empty(),
        "a redirect would carry the credential away"
    );
}

#[tokio::test]
async fn a_provider_out_of_reach_says_nothing_of_the_credential() {
    let probes = probed(&home("http://127.0.0.1:1", &key("openai", "one")), &[]).await;
    assert_eq!(statuses(&probes), ["unknown"], "{probes}");
    let error = probes["results"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("could not connect: "), "{error}");
}

#[tokio::test]
async fn a_provider_that_repeats_the_key_is_not_repeated() {
    let (emulator, keys) = emulator(
        &[
            ("refused", Some(FaultKind::Unauthorized)),
            ("suspended", Some(FaultKind::Suspended)),
            ("throttled", Some(FaultKind::RateLimit)),
        ],
        true,
    );
    let home = home(&emulator.base_url(), &keys);
    for arguments in [&PROBE[..], &PROBE[..3]] {
        let ended = home.run(arguments).await;
        assert_eq!(ended.code, Some(0));
        for secret in keys.split(',') {
            let body = &secret["sk-proj-".len()..];
            for piece in body.as_bytes().windows(9) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(
                    !ended.stdout.contains(piece) && !ended.stderr.contains(piece),
                    "{}",
                    ended.stdout
                );
            }
        }
    }
}

#[tokio::test]
async fn no_more_probes_run_at_once_than_are_allowed() {
    const KEYS: usize = 50;
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let most = Arc::new(AtomicUsize::new(0));
    let second = Gate::default();
    let scripted = Scripted::start({
        let (ended, most) = (Arc::clone(&ended), Arc::clone(&most));
        move |_, place| {
            let now = begun.fetch_add(1, Ordering::SeqCst) + 1 - ended.load(Ordering::SeqCst);
            most.fetch_max(now, Ordering::SeqCst);
            // The first waits for the second: one at a time would never end.
            let mut steps = Vec::new();
            if place == 0 {
                steps.push(Step::Wait(second.clone()));
            } else {
                second.open();
            }
            let answer = reply(
                "200 OK",
                &[("content-type", "application/json")],
                r#"{"choices":[]}"#,
            );
            steps.extend([Step::Count(Arc::clone(&ended)), Step::Send(answer)]);
            steps
        }
    });
    let keys: Vec<String> = (0..KEYS).map(|n| key("openai", &n.to_string())).collect();
    let probes = probed(
        &home(&scripted.url(), &keys.join(",")),
        &["--probe-concurrency", "2"],
    )
    .await;
    assert_eq!(statuses(&probes), vec!["ok"; KEYS], "{probes}");
    assert_eq!(most.load(Ordering::SeqCst), 2);
    let ids = probes["results"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|result| result["profileId"].as_str().unwrap()).collect();
    let wanted: Vec<String> = (1..=KEYS)
        .map(|n| format!("openai:env:OPENAI_API_KEYS#{n}"))
        .collect();
    assert_eq!(ids, wanted, "they stand in the order of the pool");
}

#[tokio::test]
async fn stored_profiles_are_probed_and_what_cannot_be_sent_is_not() {
    let emulator = Emulator::start(EmulatorConfig::default()).unwrap();
    let home = Home::new(&emulator.base_url(), &[NOBODY], json!({}));
    let folder = home.state().join("agents/main/agent");
    std::fs::create_dir_all(&folder).unwrap();
    let login = |name: &str, expires: u64| json!({ "type": "oauth", "provider": "openai", "access": key("openai", name), "refresh": "rt", "expires": expires });
    let store = json!({ "version": 1, "profiles": {
        "openai:over": login("over", 1),
        "openai:lives": login("lives", 4_000_000_000_000),
        "openai:token": { "type": "token", "provider": "openai", "token": key("openai", "token"), "expires": 1 },
        "openai:key": { "type": "api_key", "provider": "openai", "key": key("openai", "key") },
        "openai:blank": { "type": "api_key", "provider": "openai", "key": "" },
    } });
    std::fs::write(folder.join("auth-profiles.json"), store.to_string()).unwrap();
    let before = files(&home.state());
    let probes = probed(&home, &[]).await;
    assert_eq!(files(&home.state()), before);
    let results = probes["results"].as_array().unwrap().iter();
    let told: BTreeMap<&str, (&str, &str)> = results
        .map(|result| {
            assert_eq!(result["source"], "profile");
            let text = |name: &str| result[name].as_str().unwrap_or_default();
            (text("profileId"), (text("status"), text("error")))
        })
        .collect();
    assert_eq!(
        told,
        BTreeMap::from([
            (
                "openai:over",
                ("auth", "its token has run out; it is renewed at the next request")
            ),
            ("openai:lives", ("ok", "")),
            ("openai:token", ("auth", "it has expired")),
            ("openai:key", ("ok", "")),
            ("openai:blank", ("auth", "holds no secret")),
        ])
    );
    assert_eq!(emulator.log(10).len(), 2);
    let chosen = probed(&home, &["--probe-profile", "openai:key,openai:lives"]).await;
    assert_eq!(chosen["totalTargets"], 2);
}

#[tokio::test]
async fn a_running_gateway_does_not_learn_of_it() {
    let (emulator, keys) = emulator(&[("refused", Some(FaultKind::Unauthorized))], false);
    let home = home(&emulator.base_url(), &keys);
    let gateway = home.gateway(&[]).await;
    let probes = probed(&home, &[]).await;
    assert_eq!(statuses(&probes), ["auth"], "{probes}");
    let ended = home.run(&["models", "status", "--json"]).await;
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["source"], "gateway");
    let providers = report["auth"]["providers"].as_array().unwrap();
    let openai = providers
        .iter()
        .find(|provider| provider["provider"] == "openai")
        .unwrap();
    assert_eq!(openai["credentials"][0]["state"], "available");
    assert_eq!(openai["credentials"][0]["requests"], 0);
    drop(gateway);
}
