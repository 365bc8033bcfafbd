//! What callers may do with one connection, and with a thousand.

use std::collections::BTreeMap;

use coderclaw::emulator::{Behaviour, Fault, FaultKind};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::support::{RawAnswer, RawConnection, RawEnd, get, post};
use super::{Ask, House, STREAMS, WHOLES};

fn echoing() -> Behaviour {
    Behaviour {
        echo: Some(true),
        ..Behaviour::default()
    }
}

/// What the model said, in each dialect.
fn said(ask: &Ask, answer: &RawAnswer) -> Value {
    let body = answer.json();
    match ask.provider {
        "anthropic" => body["content"][0]["text"].clone(),
        "google" => body["candidates"][0]["content"]["parts"][0]["text"].clone(),
        _ => body["choices"][0]["message"]["content"].clone(),
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_reaches_the_provider_over_one() {
    let config = json!({ "gateway": { "workers": 1 } });
    let house = House::new(echoing(), vec![], config);
    let before = house.emulator.stats().connections_opened;
    let mut caller = RawConnection::open(house.gateway.address).await;
    for n in 0..30 {
        let ask = &WHOLES[n % WHOLES.len()];
        let text = format!("number {n}");
        let answer = caller.call(&post(ask.path, &ask.saying(&text))).await;
        assert_eq!(
            (answer.status(), said(ask, &answer)),
            (200, json!(text)),
            "{ask:?}"
        );
    }
    let opened = house.emulator.stats().connections_opened - before;
    assert_eq!(opened, 1, "connections to the provider");
}

/// A connection outlives every answer that is none of its own faults.
#[tokio::test]
async fn a_connection_survives_refusals_and_provider_errors() {
    let mut failing = Fault::new(FaultKind::Status);
    failing.status = Some(500);
    failing.model = Some("broken*".to_owned());
    let house = House::new(echoing(), vec![failing], json!({}));
    let ask = &WHOLES[0];
    let mut caller = RawConnection::open(house.gateway.address).await;
    for (request, status) in [
        (get("/nowhere"), 404),
        (get(ask.path), 405),
        (post(ask.path, "not json"), 400),
        (post(ask.path, r#"{"model":"broken-1","messages":[]}"#), 500),
        (post(ask.path, r#"{"model":"nobody/x","messages":[]}"#), 404),
    ] {
        let answer = caller.call(&request).await;
        assert_eq!(answer.status(), status, "{}", answer.text());
        assert!(answer.json()["error"]["message"].is_string());
        let good = caller.call(&post(ask.path, &ask.saying("still here"))).await;
        assert_eq!(said(ask, &good), json!("still here"));
    }
}

#[tokio::test]
async fn answers_to_pipelined_requests_come_in_order_and_unmixed() {
    let house = House::new(echoing(), vec![], json!({}));
    let text = |n: usize| format!("number {n} {}", "words ".repeat(n * 40));
    let mut all = Vec::new();
    for n in 0..16 {
        let ask = &WHOLES[n % WHOLES.len()];
        all.extend(post(ask.path, &ask.saying(&text(n))));
    }
    let mut caller = RawConnection::open(house.gateway.address).await;
    caller.send(&all).await;
    for n in 0..16 {
        let ask = &WHOLES[n % WHOLES.len()];
        let answer = caller.answer().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(said(ask, &answer), json!(text(n)), "answer {n}");
    }
}

#[tokio::test]
async fn streams_and_wholes_follow_each_other_on_one_connection() {
    let house = House::new(echoing(), vec![], json!({}));
    let mut caller = RawConnection::open(house.gateway.address).await;
    for ask in &STREAMS {
        let answer = caller.call(&post(ask.path, &ask.saying("streamed"))).await;
        assert_eq!(answer.status(), 200, "{ask:?}");
        assert!(answer.text().contains("streamed"), "{}", answer.text());
        let whole = caller
            .call(&post(WHOLES[0].path, &WHOLES[0].saying("whole")))
            .await;
        assert_eq!(said(&WHOLES[0], &whole), json!("whole"));
    }
}

/// The text that a stream of chat completions carried.
fn streamed_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .filter_map(|data| {
            let event: Value = serde_json::from_str(data).expect("every event is JSON");
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

#[tokio::test]
async fn a_thousand_streams_at_once_all_complete() {
    const CALLERS: usize = 1_000;
    let behaviour = Behaviour {
        chunk_delay_ms: Some(100),
        chunks: Some(10),
        ..echoing()
    };
    let house = House::new(behaviour, vec![], json!({}));
    let address = house.gateway.address;
    let ask = STREAMS[0];
    let mut callers = JoinSet::new();
    for n in 0..CALLERS {
        callers.spawn(async move {
            let text = format!("this is what caller number {n} said to the model and wants to hear again");
            let mut caller = RawConnection::open(address).await;
            caller.send(&post(ask.path, &ask.saying(&text))).await;
            let head = caller.head().await;
            let (body, end) = caller.body(&head).await;
            let done = body.ends_with(b"data: [DONE]\n\n");
            let ok = head.status == 200 && end == RawEnd::Whole && done && streamed_text(&body) == text;
            (ok, head.status)
        });
    }
    let mut outcomes = BTreeMap::<(bool, u16), usize>::new();
    while let Some(outcome) = callers.join_next().await {
        *outcomes.entry(outcome.expect("no caller panics")).or_default() += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([((true, 200), CALLERS)]));
    let seen = house.seen(ask.provider);
    assert_eq!((seen.streams_done, seen.streams_aborted), (CALLERS as u64, 0));
    assert!(
        seen.in_flight_peak > CALLERS as u64 / 2,
        "at once: {}",
        seen.in_flight_peak
    );
    assert_eq!(house.under_way(ask.provider), (0, 0));
}
