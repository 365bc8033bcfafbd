//! `models list --all`: providers are asked for their own lists, within limits, and nothing else changes.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, FaultKind, RunningEmulator};
use serde_json::{Value, json};

use super::support::{Ended, Gate, Home, Scripted, Step, chunk, chunked_head, head, key, reply};
use super::{NOBODY, emulator, files};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// What a command told as JSON, and how it ended.
async fn list(home: &Home, more: &[&str]) -> (Value, Ended) {
    let ended = home.run(&[&["models", "list", "--json"], more].concat()).await;
    let told = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", ended.stdout, ended.stderr));
    (told, ended)
}

fn keys(told: &Value) -> Vec<&str> {
    let rows = told["models"].as_array().unwrap();
    rows.iter().map(|row| row["key"].as_str().unwrap()).collect()
}

fn of_openai(upstream: &str) -> Home {
    Home::new(
        upstream,
        &[("OPENAI_API_KEY", &key("openai", "one")), NOBODY],
        json!({}),
    )
}

/// Keys of the three vendors.
fn of_three(upstream: &str) -> Home {
    let secrets = ["openai", "anthropic", "google"].map(|provider| key(provider, "one"));
    let [openai, anthropic, google] = &secrets;
    let env = [
        ("OPENAI_API_KEY", openai.as_str()),
        ("ANTHROPIC_API_KEY", anthropic),
        ("GEMINI_API_KEY", google),
        NOBODY,
    ];
    Home::new(upstream, &env, json!({}))
}

fn with_models(count: usize) -> RunningEmulator {
    let name = |number| (format!("model-{number:04}"), Behaviour::default());
    Emulator::start(EmulatorConfig {
        models: (0..count).map(name).collect(),
        ..EmulatorConfig::default()
    })
    .unwrap()
}

#[tokio::test]
async fn every_page_of_every_vendor_is_turned_and_kept() {
    const MODELS: usize = 2345;
    let emulator = with_models(MODELS);
    let home = of_three(&emulator.base_url());
    let (told, ended) = list(&home, &["--all"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(told["count"], 3 * MODELS);
    let google = told["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["key"] == "google/model-2344");
    assert_eq!(google.unwrap()["contextWindow"], 1_048_576);
    let pages = |path: &str| {
        let log = emulator.log(100);
        log.iter().filter(|entry| entry.path == path).count()
    };
    assert_eq!(
        pages("/v1beta/models"),
        3,
        "Google's pages have a thousand models"
    );
    assert_eq!(
        pages("/v1/models"),
        3 + 1,
        "Anthropic's have too, and OpenAI has no pages"
    );

    let requests = emulator.log(100).len();
    let (again, _) = list(&home, &["--all"]).await;
    assert_eq!(keys(&again), keys(&told));
    assert_eq!(
        emulator.log(100).len(),
        requests,
        "what is kept is not asked for again"
    );
    for provider in ["openai", "anthropic", "google"] {
        let path = home.state().join(format!("cache/models/{provider}.json"));
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(!kept.contains(&key(provider, "one")[12..]), "no secret is kept");
    }
}

#[tokio::test]
async fn a_refresh_sees_what_is_new_and_touches_nothing_else() {
    let (first, second) = (with_models(2), with_models(4));
    let home = of_openai(&first.base_url());
    let gateway = home.gateway(&[]).await;
    let before = files(&home.state());
    list(&home, &["--all"]).await;
    let mut after = files(&home.state());
    after.retain(|path, _| !path.contains("/cache/models/"));
    assert_eq!(after, before, "no state of a credential changes");
    drop(gateway);
    // Another address is another list.
    let config = std::fs::read_to_string(home.state().join("coderclaw.json")).unwrap();
    let moved = config.replace(&first.base_url(), &second.base_url());
    std::fs::write(home.state().join("coderclaw.json"), moved).unwrap();
    assert_eq!(list(&home, &[]).await.0["count"], 0);
    assert_eq!(
        list(&home, &["--provider", "openai", "--refresh"]).await.0["count"],
        4
    );
}

#[tokio::test]
async fn a_provider_that_hangs_costs_the_deadline_and_the_others_are_shown() {
    let (hanging, gate) = (chunked_head("200 OK", &JSON), Gate::default());
    let scripted = Scripted::start(move |seen, _| {
        if seen.header("x-api-key").is_some() {
            return vec![
                Step::Send(hanging.clone()),
                Step::Send(chunk("{")),
                Step::Hang(gate.clone()),
            ];
        }
        vec![Step::Send(reply("200 OK", &JSON, r#"{"data":[{"id":"gpt-5"}]}"#))]
    });
    let env = [
        ("OPENAI_API_KEY", key("openai", "one")),
        ("ANTHROPIC_API_KEY", key("anthropic", "one")),
    ];
    let env = [
        (env[0].0, env[0].1.as_str()),
        (env[1].0, env[1].1.as_str()),
        NOBODY,
    ];
    let home = Home::new(&scripted.url(), &env, json!({}));
    let (told, ended) = list(&home, &["--all", "--timeout", "700"]).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(keys(&told), ["openai/gpt-5"]);
    assert_eq!(told["lists"][0]["error"], "no whole list within 700 ms");
    assert!(
        ended
            .stderr
            .contains("warning: anthropic: its models can't be listed"),
        "{}",
        ended.stderr
    );
    let refreshed = home
        .run(&[
            "models",
            "list",
            "--provider",
            "anthropic",
            "--refresh",
            "--timeout",
            "300",
        ])
        .await;
    assert_eq!(refreshed.code, Some(1));
    let told = "error: anthropic: its models can't be listed: no whole list within 300 ms\n";
    assert!(refreshed.stderr.starts_with(told), "{}", refreshed.stderr);
}

#[tokio::test]
async fn what_is_no_list_is_refused_with_its_reason_and_not_kept() {
    let entry = format!(r#"{{"id":"{}"}}"#, "m".repeat(200));
    let endless = format!(r#"{{"data":[{}]}}"#, vec![entry.as_str(); 10_001].join(","));
    for (answer, wanted) in [
        (reply("200 OK", &JSON, "{\"data\":[{\"id\""), "with no JSON"),
        (
            reply("200 OK", &JSON, "{\"object\":\"list\"}"),
            "there is no list in it",
        ),
        (reply("200 OK", &JSON, "{\"data\":[{}]}"), "no entry has an id"),
        (
            reply("200 OK", &[("content-type", "text/html")], "<html>"),
            "no JSON (text/html)",
        ),
        (
            reply("302 Found", &[("location", "http://127.0.0.1:1/")], ""),
            "redirects, which is not followed",
        ),
        (
            reply(
                "404 Not Found",
                &JSON,
                "{\"error\":{\"message\":\"no such path\"}}",
            ),
            "no such path",
        ),
        (reply("200 OK", &JSON, &endless), "more than 10000 models"),
        (head("200 OK", &[("content-length", "100")]), ""),
    ] {
        let scripted = Scripted::start(move |_, _| vec![Step::Send(answer.clone()), Step::Close]);
        let home = of_openai(&scripted.url());
        let (told, ended) = list(&home, &["--all"]).await;
        assert_eq!((ended.code, &told["count"]), (Some(1), &json!(0)), "{wanted}");
        assert!(
            ended
                .stderr
                .starts_with("error: openai: its models can't be listed: "),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(wanted), "{wanted}: {}", ended.stderr);
        assert!(!home.state().join("cache").exists(), "{wanted}");
    }
}

#[tokio::test]
async fn a_list_without_end_is_not_read_to_its_end() {
    let sent = Arc::new(AtomicUsize::new(0));
    let piece = chunk(&" ".repeat(1 << 20));
    let pieces = std::iter::repeat_n(piece, 64);
    let scripted = Scripted::counting(chunked_head("200 OK", &JSON), pieces, Arc::clone(&sent));
    let (_, ended) = list(&of_openai(&scripted.url()), &["--all"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("a page of its list is larger than 8.0 MiB"),
        "{}",
        ended.stderr
    );
    assert!(sent.load(Ordering::SeqCst) < 64, "the rest is not awaited");

    // Pages that never end are no better.
    let scripted = Scripted::start(|_, place| {
        let body = format!(r#"{{"data":[{{"id":"m{place}"}}],"has_more":true,"last_id":"m{place}"}}"#);
        vec![Step::Send(reply("200 OK", &JSON, &body))]
    });
    let env = [("ANTHROPIC_API_KEY", key("anthropic", "one"))];
    let home = Home::new(
        &scripted.url(),
        &[(env[0].0, env[0].1.as_str()), NOBODY],
        json!({}),
    );
    let (_, ended) = list(&home, &["--all"]).await;
    assert!(ended.stderr.contains("50 pages"), "{}", ended.stderr);
    assert_eq!(scripted.seen().len(), 50);
}

#[tokio::test]
async fn a_credential_that_is_refused_is_not_the_last_word_and_is_not_repeated() {
    let (refusing, secrets) = emulator(&[("dead", Some(FaultKind::Unauthorized)), ("good", None)], true);
    let home = Home::new(
        &refusing.base_url(),
        &[("OPENAI_API_KEYS", &secrets), NOBODY],
        json!({}),
    );
    let before = files(&home.state());
    let (told, ended) = list(&home, &["--all"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(told["count"], 3);
    let mut after = files(&home.state());
    after.retain(|path, _| !path.contains("/cache/"));
    assert_eq!(after, before);

    let (refusing, secrets) = emulator(&[("dead", Some(FaultKind::Unauthorized))], true);
    let home = Home::new(
        &refusing.base_url(),
        &[("OPENAI_API_KEYS", &secrets), NOBODY],
        json!({}),
    );
    let (_, ended) = list(&home, &["--all"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("(401)"), "{}", ended.stderr);
    for piece in secrets.as_bytes()["sk-proj-".len()..].windows(9) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(
            !ended.stderr.contains(piece) && !ended.stdout.contains(piece),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_list_that_can_not_be_kept_is_shown_all_the_same() {
    let emulator = with_models(2);
    let home = of_openai(&emulator.base_url());
    // No folder can be made where a file is.
    std::fs::write(home.state().join("cache"), "").unwrap();
    let (told, ended) = list(&home, &["--all"]).await;
    assert_eq!((ended.code, &told["count"]), (Some(0), &json!(2)));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    assert!(lines[0].contains("can't be read: "), "{}", lines[0]);
    assert!(
        lines[1].contains("the list of openai is not kept: "),
        "{}",
        lines[1]
    );
}
