//! What is told of agents.

use std::time::Duration;

use super::*;

/// A gateway ends within this.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_key_that_is_throttled_for_one_agent_is_not_leased_to_another() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], agents());
    order_of(&home, "work", &["a", "b"]);
    change(&home, |store| {
        store.set_order(&ProviderId::new("openai"), Some(&[profile("a")]));
    });
    let gateway = home.gateway(&[]).await;
    let fault = Fault {
        key: Some("a".to_owned()),
        ..Fault::new(FaultKind::RateLimit).retry_after_ms(60_000)
    };
    emulator.add_fault(fault).unwrap();
    assert_eq!(error(&ask(&gateway, None, "gpt-5")).0, 429);
    let heard = ask(&gateway, Some("work"), "gpt-5");
    assert_eq!(heard.header("x-coderclaw-profile"), Some("openai:b"));
    assert_eq!(
        heard.attempts(),
        1,
        "nothing is sent with what another agent has cooled"
    );
    let told = home.run(&["models", "status", "--agent", "work", "--json"]).await;
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["agentId"], "work");
    let providers = told["auth"]["providers"].as_array().unwrap();
    let openai = providers.iter().find(|one| one["provider"] == "openai").unwrap();
    assert_eq!(
        openai["credentials"][0]["models"][0]["state"], "cooling",
        "{openai}"
    );
    assert_eq!(openai["credentials"][1]["nextFor"][0], "gpt-5", "{openai}");
}

#[tokio::test]
async fn status_tells_of_every_agent() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], agents());
    put_as(&home, "work", "w", "own");
    let gateway = home.gateway(&[]).await;
    let report = status(&gateway);
    assert_eq!(
        (&report["agentId"], &report["defaultAgentId"]),
        (&json!("main"), &json!("main"))
    );
    assert_eq!(report["agents"]["count"], 3);
    let agents = report["agents"]["list"].as_array().unwrap();
    let ids: Vec<&Value> = agents.iter().map(|agent| &agent["id"]).collect();
    assert_eq!(ids, ["main", "work", "play"]);
    assert_eq!(agents[0]["pools"], json!([]));
    assert_eq!(agents[2]["pools"], json!([]), "it has nothing of its own");
    let pool = &agents[1]["pools"][0];
    assert_eq!(agents[1]["defaultModel"], "openai/gpt-5-mini");
    assert_eq!(
        pool["order"],
        json!(["openai:w", "openai:a", "openai:b"]),
        "{pool}"
    );
    assert_eq!(
        (&pool["credentials"], &pool["next"]),
        (&json!(3), &json!("openai:w"))
    );
}

#[tokio::test]
async fn commands_tell_of_an_agent_with_a_gateway_and_without() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], agents());
    put_as(&home, "work", "w", "own");
    let mut gateway = home.gateway(&[]).await;
    for source in ["asked", "no gateway"] {
        let told = home.run(&["models", "status", "--agent", "work"]).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        let told = told.stdout;
        assert!(told.starts_with(source), "{told}");
        for part in [
            "Agent         work",
            "openai/gpt-5-mini",
            "openai:w",
            "store (agent work)",
        ] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
        let told = home.run(&["status"]).await.stdout;
        let line = told.lines().find(|line| line.starts_with("work")).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            cells,
            ["work", "openai/gpt-5-mini", "openai", "3", "3", "openai:w"],
            "{told}"
        );
        if source == "asked" {
            gateway.signal(nix::sys::signal::Signal::SIGTERM);
            assert!(gateway.exit(PATIENCE).await.is_some(), "it ends");
        }
    }
    let refused = home.run(&["models", "status", "--agent", "wrok"]).await;
    assert_ne!(refused.code, Some(0));
    assert!(
        refused
            .stderr
            .contains("there is no agent `wrok` (did you mean `work`?)"),
        "{}",
        refused.stderr
    );
}
