//! Agents: each with its own pool, order and models, all at once.

#[path = "agents_told.rs"]
mod told;

use coderclaw::credentials::store::{NewCredential, StoredSecret};
use coderclaw::emulator::{Fault, FaultKind, RunningEmulator};
use coderclaw_actors::domain::credential::{ProviderId, Secret};
use serde_json::{Value, json};

use super::support::{CHAT, Call, GatewayProcess, Heard, Home, eventually, key};
use super::{change, change_of, emulator, home, profile, put, reload, status};

const HEADER: &str = "x-coderclaw-agent-id";
/// Rounds in which the agents ask at once.
const ROUNDS: usize = 20;

/// Agents `work` and `play` beside `main`, whose default model is another for `work`.
fn agents() -> Value {
    json!({ "agents": {
        "defaults": { "model": "openai/gpt-5" },
        "list": [{ "id": "work", "model": "openai/gpt-5-mini" }, { "id": "play" }],
    } })
}

fn order_of(home: &Home, agent: &str, names: &[&str]) {
    let ids: Vec<_> = names.iter().map(|name| profile(name)).collect();
    change_of(home, agent, |store| {
        store.set_order(&ProviderId::new("openai"), Some(&ids));
    });
}

/// Puts the key `name` into the own store of an agent, under the id of another one.
fn put_as(home: &Home, agent: &str, id: &str, name: &str) {
    let secret = StoredSecret::Here(Secret::new(key("openai", name)));
    change_of(home, agent, |store| {
        store.put(
            &profile(id),
            &ProviderId::new("openai"),
            None,
            NewCredential::ApiKey(secret),
        );
    });
}

fn ask(gateway: &GatewayProcess, agent: Option<&str>, model: &str) -> Heard {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    let call = Call::post(CHAT.path, body.to_string());
    let call = agent
        .into_iter()
        .fold(call, |call, agent| call.header(HEADER, agent));
    call.send(gateway.address)
}

/// Who serves the next request of an agent.
fn served(gateway: &GatewayProcess, agent: Option<&str>) -> String {
    let heard = ask(gateway, agent, "gpt-5");
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.header("x-coderclaw-profile").expect("a profile").to_owned()
}

/// How many requests came with each of these keys.
fn used(emulator: &RunningEmulator, names: &[&str]) -> Vec<u64> {
    let stats = emulator.stats();
    let count = |name: &&str| stats.key(name).map_or(0, |key| key.requests);
    names.iter().map(count).collect()
}

fn error(heard: &Heard) -> (u16, String) {
    let message = heard.json()["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (heard.status, message)
}

#[tokio::test]
async fn agents_with_different_orders_are_served_at_once() {
    let emulator = emulator(&["a", "b", "c"]);
    let home = home(&emulator, &["a", "b", "c"], agents());
    order_of(&home, "work", &["b"]);
    order_of(&home, "play", &["c", "a"]);
    let gateway = home.gateway(&[]).await;
    std::thread::scope(|scope| {
        for (agent, wanted) in [
            (None, "openai:a"),
            (Some("work"), "openai:b"),
            (Some("play"), "openai:c"),
        ] {
            let gateway = &gateway;
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    assert_eq!(served(gateway, agent), wanted, "{agent:?}");
                }
            });
        }
    });
    assert_eq!(used(&emulator, &["a", "b", "c"]), [ROUNDS as u64; 3]);
    assert_eq!(served(&gateway, Some("WORK")), "openai:b", "ids are of any case");
    assert_eq!(served(&gateway, Some("main")), "openai:a");
}

#[tokio::test]
async fn an_agent_s_own_store_comes_first_and_nobody_else_has_it() {
    let emulator = emulator(&["a", "own", "only"]);
    let home = home(&emulator, &["a"], agents());
    put_as(&home, "work", "a", "own");
    put_as(&home, "work", "z", "only");
    let gateway = home.gateway(&[]).await;
    assert_eq!(served(&gateway, Some("work")), "openai:a");
    assert_eq!(served(&gateway, None), "openai:a");
    assert_eq!(
        used(&emulator, &["own", "a", "only"]),
        [1, 1, 0],
        "the same id is two keys"
    );
    let throttled = Fault::new(FaultKind::RateLimit).retry_after_ms(60_000);
    for name in ["a", "own"] {
        let fault = Fault {
            key: Some(name.to_owned()),
            ..throttled.clone()
        };
        emulator.add_fault(fault).unwrap();
    }
    assert_eq!(served(&gateway, Some("work")), "openai:z");
    let (status, _) = error(&ask(&gateway, None, "gpt-5"));
    assert_eq!(status, 429, "another agent's key is not for the default one");
    assert_eq!(used(&emulator, &["only"]), [1]);
    // Both keys of that id may serve again.
    let heard = Call::post("/clear", r#"{"profile":"openai:a"}"#).send(gateway.address);
    assert_eq!(heard.json()["cleared"], true);
    let metrics = Call::get("/metrics").send(gateway.address).text();
    assert!(
        !metrics.contains("work"),
        "no label is made of an agent: {metrics}"
    );
}

#[tokio::test]
async fn an_order_that_is_edited_by_a_command_is_obeyed_at_the_next_request() {
    let emulator = emulator(&["a", "b", "c"]);
    let home = home(&emulator, &["a", "b", "c"], agents());
    let gateway = home.gateway(&[]).await;
    assert_eq!(served(&gateway, Some("work")), "openai:a");
    let order = ["models", "auth", "order"];
    for first in ["c", "b", "a", "c"] {
        let set = [
            "set",
            "--provider",
            "openai",
            "--agent",
            "work",
            &format!("openai:{first}"),
        ];
        let ended = home.run(&[&order[..], &set].concat()).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(served(&gateway, Some("work")), format!("openai:{first}"));
        assert_eq!(served(&gateway, None), "openai:a");
    }
    let told = home
        .run(&[
            "models",
            "auth",
            "order",
            "get",
            "--provider",
            "openai",
            "--agent",
            "work",
        ])
        .await;
    assert!(
        told.stdout.contains("Order override: openai:c"),
        "{}",
        told.stdout
    );
    let clear = ["clear", "--provider", "openai", "--agent", "work"];
    assert_eq!(home.run(&[&order[..], &clear].concat()).await.code, Some(0));
    assert_eq!(served(&gateway, Some("work")), "openai:a");
}

#[tokio::test]
async fn a_key_that_is_stored_for_an_agent_serves_it_without_anybody_asking() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a"], agents());
    let gateway = home.gateway(&[]).await;
    assert_eq!(served(&gateway, Some("work")), "openai:a");
    change_of(&home, "work", |store| {
        put(store, "b");
        store.set_order(&ProviderId::new("openai"), Some(&[profile("b")]));
    });
    eventually("the agent's own key", || {
        (served(&gateway, Some("work")) == "openai:b").then_some(())
    });
    let told = eventually("the line of the log", || {
        Some(gateway.stderr()).filter(|told| told.contains("added openai:b of agent work"))
    });
    assert!(!told.contains(&key("openai", "b")[8..]), "a secret in the log");
    change(&home, |store| put(store, "b"));
    reload(&gateway);
    assert_eq!(served(&gateway, Some("play")), "openai:a");
}

#[tokio::test]
async fn each_agent_has_its_own_default_model() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], agents());
    let gateway = home.gateway(&["--log-format", "json"]).await;
    for (agent, model, served) in [
        (None, "auto", "gpt-5"),
        (Some("work"), "auto", "gpt-5-mini"),
        (Some("work"), "coderclaw", "gpt-5-mini"),
        (None, "coderclaw:work", "gpt-5-mini"),
        (None, "coderclaw/work", "gpt-5-mini"),
        (None, "agent:work", "gpt-5-mini"),
        (Some("work"), "coderclaw:work", "gpt-5-mini"),
        (Some("play"), "auto", "gpt-5"),
        (Some("work"), "openai/gpt-5", "gpt-5"),
    ] {
        let heard = ask(&gateway, agent, model);
        assert_eq!(heard.status, 200, "{agent:?} {model}: {}", heard.text());
        assert_eq!(heard.json()["model"], served, "{agent:?} {model}");
    }
    let lines = eventually("the lines of the log", || {
        let told = gateway.stderr();
        let lines = told.lines().filter(|line| line.contains("coderclaw::request"));
        let lines: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        (lines.len() == 9).then_some(lines)
    });
    let agent = |line: &Value| line.to_string().contains(r#""agent":"work""#);
    assert!(
        !agent(&lines[0]) && agent(&lines[1]) && agent(&lines[3]),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_request_of_nobody_is_told_why() {
    let emulator = emulator(&["a"]);
    let home = home(&emulator, &["a"], agents());
    let gateway = home.gateway(&[]).await;
    let long = "a".repeat(10_000);
    for bad in ["", "a b", "../main", "w\u{f6}rk", &long] {
        let (status, message) = error(&ask(&gateway, Some(bad), "gpt-5"));
        assert_eq!(status, 400, "{bad:.20?}: {message}");
        assert!(message.contains("is no agent's id"), "{message}");
        assert!(message.len() < 200, "{message}");
    }
    let (status, message) = error(&ask(&gateway, Some("wrok"), "gpt-5"));
    assert_eq!(
        (status, message.as_str()),
        (404, "unknown agent `wrok` (did you mean `work`?)")
    );
    let (status, message) = error(&ask(&gateway, None, "coderclaw:wrok"));
    assert_eq!(
        (status, message.as_str()),
        (404, "unknown agent `wrok` (did you mean `work`?)")
    );
    let (status, message) = error(&ask(&gateway, Some("play"), "coderclaw:work"));
    assert_eq!(status, 400);
    assert_eq!(
        message,
        "the header names agent `play` and the model's name agent `work`; leave one of them out"
    );
    // A control character is no header at all.
    let refused = Call::post(CHAT.path, "{}")
        .header(HEADER, "a\u{1}b")
        .send(gateway.address);
    assert_eq!(refused.status, 400);
    for path in ["/v1/models", "/proxy/openai/v1/models"] {
        let heard = Call::get(path).header(HEADER, "nobody").send(gateway.address);
        assert_eq!(heard.status, 404, "{path}: {}", heard.text());
    }
    assert_eq!(
        Call::get("/status?agent=nobody").send(gateway.address).status,
        404
    );
    assert_eq!(used(&emulator, &["a"]), [0]);
}

#[tokio::test]
async fn a_path_of_a_provider_and_a_list_of_models_are_asked_with_the_agent_s_key() {
    let emulator = emulator(&["a", "own"]);
    let home = home(&emulator, &["a"], agents());
    put_as(&home, "work", "w", "own");
    order_of(&home, "work", &["w"]);
    let gateway = home.gateway(&[]).await;
    for path in ["/v1/models", "/proxy/openai/v1/models"] {
        let heard = Call::get(path).header(HEADER, "work").send(gateway.address);
        assert_eq!(heard.header("x-coderclaw-profile"), Some("openai:w"), "{path}");
        let heard = Call::get(path).send(gateway.address);
        assert_eq!(heard.header("x-coderclaw-profile"), Some("openai:a"), "{path}");
    }
}

#[tokio::test]
async fn a_default_agent_with_a_store_of_its_own_leaves_the_others_what_main_has() {
    let emulator = emulator(&["a", "own"]);
    let mut config = agents();
    config["agents"]["list"][0]["default"] = json!(true);
    let home = home(&emulator, &["a"], config);
    put_as(&home, "work", "w", "own");
    order_of(&home, "work", &["w"]);
    let gateway = home.gateway(&[]).await;
    assert_eq!(served(&gateway, None), "openai:w");
    for agent in ["main", "play"] {
        assert_eq!(served(&gateway, Some(agent)), "openai:a", "{agent}");
    }
}
