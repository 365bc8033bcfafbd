//! Actors die, requests do not: the whole gateway under load while its actors are killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coderclaw::emulator::{
    Behaviour, Emulator, EmulatorConfig, Fault, FaultKind, KeyConfig, RunningEmulator,
};
use coderclaw_actors::ProviderHandle;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use support::{RawConnection, RawEnd, TestGateway, becomes, get, key, post};

const CALLERS: usize = 200;
const STORM: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(10);
/// More crashes than ten a minute are escalated: a storm that no provider is to fall to stays below.
const CRASHES_MAX: u64 = 7;
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "google"];
/// A model whose streams last as long as the storm.
const LONG: &str = "long-model";
const LONG_CHUNKS: u64 = 200;

/// Path, body with `{model}` and `{stream}`, and what a stream ends with.
#[derive(Clone, Copy, Debug)]
struct Ask {
    provider: &'static str,
    path: &'static str,
    body: &'static str,
    last: &'static str,
}

const ASKS: [Ask; 7] = [
    Ask {
        provider: "openai",
        path: "/v1/chat/completions",
        body: r#"{"model":"{model}","stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
        last: "data: [DONE]\n\n",
    },
    Ask {
        provider: "openai",
        path: "/v1/responses",
        body: r#"{"model":"{model}","stream":true,"input":"hi"}"#,
        last: "response.completed",
    },
    Ask {
        provider: "anthropic",
        path: "/v1/messages",
        body: r#"{"model":"{model}","max_tokens":4096,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
        last: "message_stop",
    },
    Ask {
        provider: "google",
        path: "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
        last: "\"finishReason\"",
    },
    Ask {
        provider: "openai",
        path: "/v1/chat/completions",
        body: r#"{"model":"{model}","messages":[{"role":"user","content":"hi"}]}"#,
        last: "\"finish_reason\"",
    },
    Ask {
        provider: "anthropic",
        path: "/v1/messages",
        body: r#"{"model":"{model}","max_tokens":4096,"messages":[{"role":"user","content":"hi"}]}"#,
        last: "\"stop_reason\"",
    },
    Ask {
        provider: "google",
        path: "/v1beta/models/{model}:generateContent",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
        last: "\"finishReason\"",
    },
];

impl Ask {
    fn request(&self, model: &str) -> Vec<u8> {
        let model = if self.provider == "google" {
            model.to_owned()
        } else {
            format!("{}/{model}", self.provider)
        };
        post(
            &self.path.replace("{model}", &model),
            &self.body.replace("{model}", &model),
        )
    }

    /// What is wrong with an answer; nothing, if all of a good one came.
    fn fault(&self, status: u16, body: &[u8], end: &RawEnd) -> Option<String> {
        let text = String::from_utf8_lossy(body);
        let good = status == 200 && *end == RawEnd::Whole && text.contains(self.last);
        (!good).then(|| format!("{self:?}: {status} {end:?} {text}"))
    }
}

/// A gateway in front of an emulator where each provider has a key that is always throttled and two that serve.
fn house() -> (RunningEmulator, TestGateway) {
    expect_chaos();
    let names = ["throttled", "second", "third"];
    let keys = PROVIDERS.iter().flat_map(|provider| {
        names.map(|name| KeyConfig::new(&format!("{provider} {name}"), &key(provider, name)))
    });
    let faults = PROVIDERS.map(|provider| {
        Fault::new(FaultKind::RateLimit)
            .for_key(&format!("{provider} throttled"))
            .retry_after_ms(300)
    });
    let behaviour = |chunks, delay| Behaviour {
        latency_ms: Some(50),
        reply_tokens: Some(chunks),
        chunk_delay_ms: Some(delay),
        ..Behaviour::default()
    };
    let storm_ms = u64::try_from(STORM.as_millis()).unwrap();
    let emulator = Emulator::start(EmulatorConfig {
        keys: keys.collect(),
        faults: faults.into(),
        behaviour: behaviour(12, 40),
        models: [(LONG.to_owned(), behaviour(LONG_CHUNKS, storm_ms / LONG_CHUNKS))].into(),
        log_entries: 0,
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let keys = |provider: &str| names.map(|name| key(provider, name)).join(",");
    let env = [
        ("OPENAI_API_KEYS", &*keys("openai")),
        ("ANTHROPIC_API_KEYS", &*keys("anthropic")),
        ("GEMINI_API_KEYS", &*keys("google")),
    ];
    let gateway = TestGateway::with_config(&emulator.base_url(), &env, json!({}));
    (emulator, gateway)
}

/// Panics that were asked for are not reported; all others are.
fn expect_chaos() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::SeqCst) {
        return;
    }
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| info.payload().downcast_ref::<&str>().copied());
        if !message.is_some_and(|message| message.starts_with("chaos:")) {
            report(info);
        }
    }));
}

fn provider(gateway: &TestGateway, id: &str) -> ProviderHandle {
    gateway.shared.control.provider(id).expect("it is configured")
}

fn under_way(gateway: &TestGateway) -> (usize, usize) {
    let leases = PROVIDERS.map(|id| gateway.leases(id)).iter().sum();
    (gateway.shared.in_flight.count(), leases)
}

/// Kills one actor, or spoils one book.
fn strike(gateway: &TestGateway, random: &mut fastrand::Rng) {
    let control = &gateway.shared.control;
    let victim = provider(gateway, PROVIDERS[random.usize(..PROVIDERS.len())]);
    match random.u32(..8) {
        0..3 => control.kill_routers(),
        3 => control.kill_supervisor(),
        // The panic is the caller's, and comes while the lock is held.
        4 => drop(catch_unwind(AssertUnwindSafe(|| victim.crash_book()))),
        _ if victim.restarts() >= CRASHES_MAX => {}
        5 => {
            victim.crash_in_factory(1);
            victim.kill();
        }
        6 => {
            victim.crash_in_started(1);
            victim.kill();
        }
        _ => victim.kill(),
    }
}

/// One caller, again and again until the storm is over. The number of its requests, or what went wrong.
async fn call_on(address: std::net::SocketAddr, over: Arc<AtomicBool>, seed: u64) -> Result<usize, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut caller = RawConnection::open(address).await;
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let ask = ASKS[random.usize(..ASKS.len())];
        caller.send(&ask.request("some-model")).await;
        let head = caller
            .try_head()
            .await
            .ok_or_else(|| format!("{ask:?}: no answer"))?;
        let (body, end) = caller.body(&head).await;
        if let Some(fault) = ask.fault(head.status, &body, &end) {
            return Err(fault);
        }
        count += 1;
    }
    Ok(count)
}

/// Reads one stream that lasts for the whole storm.
async fn read_long(
    address: std::net::SocketAddr,
    ask: Ask,
    begun: Arc<tokio::sync::Semaphore>,
) -> Option<String> {
    let mut caller = RawConnection::open(address).await;
    caller.send(&ask.request(LONG)).await;
    let head = caller.head().await;
    begun.add_permits(1);
    let (body, end) = caller.body(&head).await;
    ask.fault(head.status, &body, &end)
}

#[tokio::test]
async fn supervision_no_request_fails_while_actors_are_killed() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (_emulator, gateway) = house();
    let begun = Arc::new(tokio::sync::Semaphore::new(0));
    let mut long = JoinSet::new();
    for ask in &ASKS[..4] {
        long.spawn(read_long(gateway.address, *ask, Arc::clone(&begun)));
    }
    let _all_begun = begun.acquire_many(4).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call_on(gateway.address, Arc::clone(&over), random.u64(..)));
    }
    let end = Instant::now() + STORM;
    while Instant::now() < end {
        strike(&gateway, &mut random);
        tokio::time::sleep(Duration::from_millis(random.u64(5..120))).await;
    }
    over.store(true, Ordering::Relaxed);
    let mut requests = 0;
    let mut failures = Vec::new();
    while let Some(outcome) = callers.join_next().await {
        match outcome.expect("no caller panics") {
            Ok(count) => requests += count,
            Err(failure) => failures.push(failure),
        }
    }
    assert_eq!(failures, [""; 0], "seed {seed}");
    assert!(requests > CALLERS * 2, "seed {seed}: only {requests} requests");
    let long = long.join_all().await;
    assert_eq!(long, [const { None }; 4], "seed {seed}: streams that saw it all");
    assert_recovered(&gateway, seed).await;
}

/// The storm was one, and it left nothing behind.
async fn assert_recovered(gateway: &TestGateway, seed: u64) {
    becomes(&format!("seed {seed}: left over"), PATIENCE, (0, 0), || {
        under_way(gateway)
    })
    .await;
    becomes(&format!("seed {seed}: all alive"), PATIENCE, true, || {
        let status = gateway.shared.control.status();
        status.supervisor.alive
            && status
                .providers
                .values()
                .all(|actor| actor.alive && !actor.escalated)
    })
    .await;
    let status = gateway.shared.control.status();
    assert!(status.supervisor.restarts > 0, "seed {seed}");
    for id in PROVIDERS {
        assert!(provider(gateway, id).restarts() > 0, "seed {seed}: {id}");
    }
    assert!(
        status.routers.iter().all(|router| router.restarts > 0),
        "seed {seed}"
    );
    let mut caller = RawConnection::open(gateway.address).await;
    assert_eq!(caller.call(&get("/readyz")).await.status(), 200, "seed {seed}");
}

/// Everything that there is dies at once, while a stream is under way in every dialect.
#[tokio::test]
async fn supervision_a_stream_survives_the_crash_of_every_actor() {
    let (_emulator, gateway) = house();
    let mut streams = Vec::new();
    for ask in &ASKS[..4] {
        let mut caller = RawConnection::open(gateway.address).await;
        caller.send(&ask.request("some-model")).await;
        let head = caller.head().await;
        streams.push((ask, caller, head));
    }
    let before = gateway.shared.control.status();
    gateway.shared.control.kill_supervisor();
    gateway.shared.control.kill_routers();
    for id in PROVIDERS {
        provider(&gateway, id).kill();
        drop(catch_unwind(AssertUnwindSafe(|| {
            provider(&gateway, id).crash_book();
        })));
    }
    for (ask, mut caller, head) in streams {
        let (body, end) = caller.body(&head).await;
        assert_eq!(ask.fault(head.status, &body, &end), None);
    }
    for ask in &ASKS {
        for _ in 0..4 {
            let mut caller = RawConnection::open(gateway.address).await;
            let answer = caller.call(&ask.request("some-model")).await;
            assert_eq!(ask.fault(answer.status(), &answer.body, &RawEnd::Whole), None);
        }
    }
    becomes("restarted", PATIENCE, true, || {
        let now = gateway.shared.control.status();
        now.supervisor.restarts > before.supervisor.restarts
            && PROVIDERS
                .iter()
                .all(|id| provider(&gateway, id).restarts() > 0 && provider(&gateway, id).is_running())
            && now.routers.iter().any(|router| router.restarts > 0)
    })
    .await;
    becomes("left over", PATIENCE, (0, 0), || under_way(&gateway)).await;
}

/// A provider whose actor crashes too often is given up: it alone, and readiness says so.
#[tokio::test]
async fn supervision_a_provider_that_is_given_up_leaves_the_others_serving() {
    let (_emulator, gateway) = house();
    let fallen = provider(&gateway, "openai");
    let mut stream = RawConnection::open(gateway.address).await;
    stream.send(&ASKS[0].request("some-model")).await;
    let head = stream.head().await;
    let deadline = Instant::now() + PATIENCE;
    while fallen.is_available() {
        assert!(Instant::now() < deadline, "it is never given up");
        fallen.kill();
        tokio::task::yield_now().await;
    }
    let (body, end) = stream.body(&head).await;
    assert_eq!(
        ASKS[0].fault(head.status, &body, &end),
        None,
        "what was under way goes on"
    );
    for ask in &ASKS {
        let mut caller = RawConnection::open(gateway.address).await;
        let answer = caller.call(&ask.request("some-model")).await;
        if ask.provider == "openai" {
            assert_eq!(answer.status(), 503, "{ask:?}: {}", answer.text());
            assert_eq!(answer.json()["error"]["code"], json!("provider_down"));
        } else {
            assert_eq!(ask.fault(answer.status(), &answer.body, &RawEnd::Whole), None);
        }
    }
    let mut caller = RawConnection::open(gateway.address).await;
    let ready = caller.call(&get("/readyz")).await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json()["providersDown"], json!(["openai"]));
    assert_eq!(caller.call(&get("/healthz")).await.status(), 200);
    assert!(!gateway.shared.control.status().providers[fallen.id()].alive);
}
