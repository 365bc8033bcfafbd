//! Every limit, and how it is told: in the caller's own dialect, as JSON, with a way out where waiting helps.

use coderclaw::emulator::{Behaviour, Fault, FaultKind};
use serde_json::{Value, json};
use std::fmt::Write as _;

use super::support::{RawConnection, becomes, get, post, post_with};
use super::{House, PATIENCE, WHOLES};

fn limited(limits: &Value) -> Value {
    json!({ "gateway": { "workers": 1, "limits": limits } })
}

/// A chunked body, as it goes over the wire.
fn chunked(path: &str, body: &str) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    for piece in body.as_bytes().chunks(512) {
        write!(
            request,
            "{:x}\r\n{}\r\n",
            piece.len(),
            String::from_utf8_lossy(piece)
        )
        .expect("text takes text");
    }
    request.push_str("0\r\n\r\n");
    request.into_bytes()
}

#[tokio::test]
async fn a_body_may_be_so_large_and_no_larger() {
    let house = House::new(Behaviour::default(), vec![], limited(&json!({ "body": 4096 })));
    for ask in &WHOLES {
        let frame = ask.saying("").len();
        let fits = ask.saying(&"x".repeat(4096 - frame));
        let too_large = ask.saying(&"x".repeat(4096 - frame + 1));
        for request in [post(ask.path, &fits), chunked(ask.path, &fits)] {
            let mut caller = RawConnection::open(house.gateway.address).await;
            assert_eq!(caller.call(&request).await.status(), 200, "{ask:?}");
        }
        let before = house.seen(ask.provider).requests;
        for request in [post(ask.path, &too_large), chunked(ask.path, &too_large)] {
            let mut caller = RawConnection::open(house.gateway.address).await;
            let answer = caller.call(&request).await;
            ask.assert_error(&answer, 413, "body_too_large");
            assert!(answer.text().contains("gateway.limits.body"), "{}", answer.text());
        }
        assert_eq!(
            house.seen(ask.provider).requests,
            before,
            "nothing of it went upstream"
        );
    }
}

/// The whole body need not come: what it says of itself is enough.
#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_at_its_head() {
    let house = House::new(Behaviour::default(), vec![], limited(&json!({ "body": 4096 })));
    let ask = &WHOLES[0];
    let mut caller = RawConnection::open(house.gateway.address).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n",
        ask.path
    );
    ask.assert_error(&caller.call(head.as_bytes()).await, 413, "body_too_large");
}

/// What is left of a refused body is never taken for the next request.
#[tokio::test]
async fn a_refused_body_is_no_second_request() {
    let house = House::new(Behaviour::default(), vec![], limited(&json!({ "body": 4096 })));
    let ask = &WHOLES[0];
    let smuggled = String::from_utf8(ask.request()).unwrap();
    let body = smuggled.repeat(8_000_000 / smuggled.len());
    let mut caller = RawConnection::open(house.gateway.address).await;
    caller.send_as_taken(&post(ask.path, &body)).await;
    // Whether the answer arrives depends on whether the system tells of the close first.
    if let Some(head) = caller.try_head().await {
        assert_eq!(head.status, 413);
        let _body = caller.body(&head).await;
        assert!(caller.try_head().await.is_none(), "a second answer");
    }
    assert_eq!(house.seen(ask.provider).requests, 0);
}

#[tokio::test]
async fn a_head_may_be_so_large_and_no_larger() {
    let house = House::new(
        Behaviour::default(),
        vec![],
        limited(&json!({ "header": "8KiB" })),
    );
    for ask in &WHOLES {
        let body = ask.saying("hello");
        for (size, status) in [(7_000, 200), (9_000, 431), (60_000, 431)] {
            let filler = "x".repeat(size);
            let mut caller = RawConnection::open(house.gateway.address).await;
            let answer = caller
                .call(&post_with(ask.path, &[("x-filler", &filler)], &body))
                .await;
            if status == 200 {
                assert_eq!(answer.status(), 200, "{ask:?}: {}", answer.text());
            } else {
                ask.assert_error(&answer, 431, "headers_too_large");
            }
        }
    }
}

/// What the server does not even read to its end has no dialect, but it has a status.
#[tokio::test]
async fn a_head_beyond_all_measure_is_refused_as_well() {
    let house = House::new(Behaviour::default(), vec![], json!({}));
    let filler = "x".repeat(300_000);
    let mut caller = RawConnection::open(house.gateway.address).await;
    caller
        .send_as_taken(&post_with(WHOLES[0].path, &[("x-filler", &filler)], "{}"))
        .await;
    if let Some(head) = caller.try_head().await {
        assert_eq!(head.status, 431);
    }
    assert_eq!(house.seen("openai").requests, 0);
    let mut next = RawConnection::open(house.gateway.address).await;
    assert_eq!(next.call(&WHOLES[0].request()).await.status(), 200);
}

#[tokio::test]
async fn so_many_requests_may_be_under_way_and_no_more() {
    let hang = Fault::new(FaultKind::HangBeforeHead).first(2);
    let house = House::new(
        Behaviour::default(),
        vec![hang],
        limited(&json!({ "inFlight": 2 })),
    );
    let mut hanging = Vec::new();
    for n in 1..=2 {
        let mut caller = RawConnection::open(house.gateway.address).await;
        caller.send(&WHOLES[0].request()).await;
        becomes("under way", PATIENCE, n, || house.under_way("openai").0).await;
        hanging.push(caller);
    }
    becomes("upstream", PATIENCE, 2, || house.seen("openai").in_flight).await;
    for ask in &WHOLES {
        let mut caller = RawConnection::open(house.gateway.address).await;
        let answer = caller.call(&ask.request()).await;
        ask.assert_error(&answer, 503, "too_many_requests_in_flight");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(answer.text().contains("gateway.limits.inFlight"));
        // Its body was not read, so what stands behind it on the connection can't be either.
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(caller.is_closed().await);
        // The gateway's own pages are not requests to a provider: a full gateway can still be asked how it is.
        for page in ["/healthz", "/readyz", "/status", "/metrics"] {
            let mut caller = RawConnection::open(house.gateway.address).await;
            assert_eq!(caller.call(&get(page)).await.status(), 200, "{page}");
        }
    }
    drop(hanging);
    becomes("under way", PATIENCE, 0, || house.under_way("openai").0).await;
    let mut caller = RawConnection::open(house.gateway.address).await;
    assert_eq!(caller.call(&WHOLES[0].request()).await.status(), 200);
}

#[tokio::test]
async fn all_bodies_together_may_be_so_large_and_no_larger() {
    let hang = Fault::new(FaultKind::HangBeforeHead).first(1);
    let limits = limited(&json!({ "body": "64KiB", "bufferedBodies": "64KiB" }));
    let house = House::new(Behaviour::default(), vec![hang], limits);
    let large = |ask: &super::Ask| ask.saying(&"x".repeat(40 * 1024));
    let mut holder = RawConnection::open(house.gateway.address).await;
    holder.send(&post(WHOLES[0].path, &large(&WHOLES[0]))).await;
    becomes("upstream", PATIENCE, 1, || house.seen("openai").in_flight).await;
    for ask in &WHOLES {
        for request in [post(ask.path, &large(ask)), chunked(ask.path, &large(ask))] {
            let mut caller = RawConnection::open(house.gateway.address).await;
            let answer = caller.call(&request).await;
            ask.assert_error(&answer, 503, "buffers_full");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        let mut caller = RawConnection::open(house.gateway.address).await;
        assert_eq!(
            caller.call(&ask.request()).await.status(),
            200,
            "a small one still fits"
        );
    }
    holder.close();
    becomes("under way", PATIENCE, 0, || house.under_way("openai").0).await;
    let mut caller = RawConnection::open(house.gateway.address).await;
    let answer = caller.call(&post(WHOLES[0].path, &large(&WHOLES[0]))).await;
    assert_eq!(answer.status(), 200, "its room was given back");
}

/// Whoever only says how much it will send would keep everybody else out.
#[tokio::test]
async fn a_body_that_is_announced_takes_no_room() {
    let limits = limited(&json!({ "body": "64KiB", "bufferedBodies": "64KiB" }));
    let house = House::new(Behaviour::default(), vec![], limits);
    let whole = post(WHOLES[0].path, &WHOLES[0].saying(&"x".repeat(60 * 1024)));
    let mut announcers = Vec::new();
    for n in 1..=3 {
        let mut caller = RawConnection::open(house.gateway.address).await;
        caller.send(&whole[..200]).await;
        becomes("under way", PATIENCE, n, || {
            house.gateway.shared.in_flight.count()
        })
        .await;
        announcers.push(caller);
    }
    let mut caller = RawConnection::open(house.gateway.address).await;
    assert_eq!(caller.call(&whole).await.status(), 200);
}

#[tokio::test]
async fn a_body_has_no_more_time_than_a_request() {
    let config = json!({ "gateway": { "workers": 1, "timeouts": { "total": "150ms" } } });
    let house = House::new(Behaviour::default(), vec![], config);
    for ask in &WHOLES {
        let request = ask.request();
        let mut caller = RawConnection::open(house.gateway.address).await;
        let answer = caller.call(&request[..request.len() - 5]).await;
        ask.assert_error(&answer, 408, "body_too_slow");
        assert!(
            answer.text().contains("gateway.timeouts.total"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let config = json!({ "gateway": { "workers": 1, "timeouts": { "idle": "150ms" } } });
    let house = House::new(Behaviour::default(), vec![], config);
    for ask in &WHOLES {
        let request = ask.request();
        let mut caller = RawConnection::open(house.gateway.address).await;
        let answer = caller.call(&request[..request.len() - 5]).await;
        ask.assert_error(&answer, 408, "body_too_slow");
        assert_eq!(house.seen(ask.provider).requests, 0, "nothing went upstream");
    }
}

/// More connections than the limit wait to be accepted; they are not refused.
#[tokio::test]
async fn so_many_connections_may_be_open_and_no_more() {
    let house = House::new(
        Behaviour::default(),
        vec![],
        limited(&json!({ "connections": 2 })),
    );
    let mut first = RawConnection::open(house.gateway.address).await;
    let mut second = RawConnection::open(house.gateway.address).await;
    assert_eq!(first.call(&get("/healthz")).await.status(), 200);
    assert_eq!(second.call(&get("/healthz")).await.status(), 200);
    let mut third = RawConnection::open(house.gateway.address).await;
    third.send(&WHOLES[0].request()).await;
    // The two that are open go on being served, so the third is not merely slow.
    for _ in 0..20 {
        assert_eq!(first.call(&WHOLES[0].request()).await.status(), 200);
        assert_eq!(second.call(&WHOLES[0].request()).await.status(), 200);
    }
    assert_eq!(house.seen("openai").requests, 40, "the third is not served yet");
    second.close();
    assert_eq!(third.answer().await.status(), 200);
    assert_eq!(first.call(&get("/healthz")).await.status(), 200);
}
