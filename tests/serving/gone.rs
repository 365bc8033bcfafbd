//! Callers that go away: the provider's side is closed within a second, and nobody's credential is blamed.

use coderclaw::emulator::{Behaviour, Fault, FaultKind};
use coderclaw_actors::StateName;
use serde_json::json;

use super::support::{RawConnection, becomes};
use super::{Ask, CALLER_GONE_MAX, House, PATIENCE, STREAMS, WHOLES};

#[derive(Clone, Copy, Debug)]
enum Leaving {
    Close,
    Reset,
}

const WAYS: [Leaving; 2] = [Leaving::Close, Leaving::Reset];

impl Leaving {
    fn leave(self, connection: RawConnection) {
        match self {
            Self::Close => connection.close(),
            Self::Reset => connection.reset(),
        }
    }
}

/// Everything is as if the request had never been: nothing under way on any side, and the credential available.
async fn assert_let_go(house: &House, ask: &Ask, leaving: Leaving) {
    let what = format!("{} {leaving:?}", ask.path);
    let took = becomes(&format!("{what}: upstream in flight"), CALLER_GONE_MAX, 0, || {
        house.seen(ask.provider).in_flight
    })
    .await;
    assert!(took <= CALLER_GONE_MAX, "{what}: {took:?}");
    becomes(
        &format!("{what}: requests, leases"),
        CALLER_GONE_MAX,
        (0, 0),
        || house.under_way(ask.provider),
    )
    .await;
    let provider = house.gateway.shared.control.provider(ask.provider).unwrap();
    let states: Vec<_> = provider
        .snapshot()
        .credentials
        .iter()
        .map(|one| one.state)
        .collect();
    assert_eq!(states, [StateName::Available], "{what}");
}

#[tokio::test]
async fn before_the_head() {
    let house = House::new(
        Behaviour::default(),
        vec![Fault::new(FaultKind::HangBeforeHead)],
        json!({}),
    );
    for ask in STREAMS.iter().chain(&WHOLES) {
        for leaving in WAYS {
            let before = house.seen(ask.provider).requests_aborted;
            let mut caller = RawConnection::open(house.gateway.address).await;
            caller.send(&ask.request()).await;
            becomes("upstream in flight", PATIENCE, 1, || {
                house.seen(ask.provider).in_flight
            })
            .await;
            assert_eq!(house.under_way(ask.provider), (1, 1));
            leaving.leave(caller);
            assert_let_go(&house, ask, leaving).await;
            assert_eq!(house.seen(ask.provider).requests_aborted, before + 1, "{ask:?}");
        }
    }
}

#[tokio::test]
async fn in_a_stream_that_is_silent() {
    let house = House::new(
        Behaviour::default(),
        vec![Fault::new(FaultKind::HangMidStream).after_chunks(2)],
        json!({}),
    );
    leave_streams(&house).await;
}

#[tokio::test]
async fn in_a_stream_that_flows() {
    let behaviour = Behaviour {
        reply_tokens: Some(100_000),
        chunk_delay_ms: Some(5),
        ..Behaviour::default()
    };
    leave_streams(&House::new(behaviour, vec![], json!({}))).await;
}

async fn leave_streams(house: &House) {
    for ask in &STREAMS {
        for leaving in WAYS {
            let before = house.seen(ask.provider).streams_aborted;
            let mut caller = RawConnection::open(house.gateway.address).await;
            caller.send(&ask.request()).await;
            assert_eq!(caller.head().await.status, 200);
            assert!(caller.chunk().await.is_some_and(|chunk| !chunk.is_empty()));
            assert_eq!(house.under_way(ask.provider), (1, 1));
            leaving.leave(caller);
            assert_let_go(house, ask, leaving).await;
            assert_eq!(house.seen(ask.provider).streams_aborted, before + 1, "{ask:?}");
        }
    }
}

#[tokio::test]
async fn while_sending_the_body() {
    let house = House::new(Behaviour::default(), vec![], json!({}));
    for ask in &WHOLES {
        for leaving in WAYS {
            let mut caller = RawConnection::open(house.gateway.address).await;
            let request = ask.request();
            caller.send(&request[..request.len() - 5]).await;
            becomes("in flight", PATIENCE, 1, || house.under_way(ask.provider).0).await;
            leaving.leave(caller);
            assert_let_go(&house, ask, leaving).await;
            assert_eq!(house.seen(ask.provider).requests, 0, "nothing went upstream");
        }
    }
}

/// A hundred callers that all leave at once, some before the head and some after: nothing is left over.
#[tokio::test]
async fn all_at_once() {
    let mut hang = Fault::new(FaultKind::HangBeforeHead);
    hang.percent = Some(50.0);
    let mut silent = Fault::new(FaultKind::HangMidStream).after_chunks(1);
    silent.percent = Some(100.0);
    let house = House::new(Behaviour::default(), vec![hang, silent], json!({}));
    let ask = &STREAMS[0];
    let mut callers = Vec::new();
    for _ in 0..100 {
        let mut caller = RawConnection::open(house.gateway.address).await;
        caller.send(&ask.request()).await;
        callers.push(caller);
    }
    becomes("upstream in flight", PATIENCE, 100, || {
        house.seen(ask.provider).in_flight
    })
    .await;
    for (n, caller) in callers.into_iter().enumerate() {
        WAYS[n % 2].leave(caller);
    }
    assert_let_go(&house, ask, Leaving::Close).await;
}
