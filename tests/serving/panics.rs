//! A panic anywhere costs at most its own request. The clock that the gateway goes by is the test's, and panics on
//! demand wherever it is asked next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use coderclaw::emulator::{Behaviour, Emulator, EmulatorConfig, Fault, FaultKind, RunningEmulator};
use coderclaw_actors::{Clock, SystemClock, Timestamp};
use serde_json::json;

use super::support::{RawConnection, RawEnd, TestGateway, becomes, key, post};
use super::{PATIENCE, STREAMS, WHOLES};

/// Panics once, on a worker thread, when it has been asked so many times more.
struct Mine {
    clock: SystemClock,
    left: AtomicI64,
    went_off: AtomicBool,
}

impl Mine {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: SystemClock::start(),
            left: AtomicI64::new(i64::MAX),
            went_off: AtomicBool::new(false),
        })
    }

    /// The `nth` question from now panics.
    fn arm(&self, nth: i64) {
        self.went_off.store(false, Ordering::SeqCst);
        self.left.store(nth, Ordering::SeqCst);
    }

    /// Whether it went off; it is harmless from now on.
    fn disarm(&self) -> bool {
        self.left.store(i64::MAX, Ordering::SeqCst);
        self.went_off.load(Ordering::SeqCst)
    }
}

impl Clock for Mine {
    fn now(&self) -> Timestamp {
        let of_worker = std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("actix-"));
        if of_worker && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.went_off.store(true, Ordering::SeqCst);
            panic!("the test's clock panics");
        }
        self.clock.now()
    }
}

fn house(faults: Vec<Fault>) -> (RunningEmulator, TestGateway, Arc<Mine>) {
    let behaviour = Behaviour {
        chunk_delay_ms: Some(8),
        ..Behaviour::default()
    };
    let emulator = Emulator::start(EmulatorConfig {
        behaviour,
        faults,
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let mine = Mine::new();
    let key = key("openai", "one");
    let env = [("OPENAI_API_KEY", key.as_str())];
    // One worker, so that the request that panics shares its thread with all others.
    let config = json!({ "gateway": { "workers": 1 } });
    let clock: Arc<dyn Clock> = Arc::clone(&mine) as _;
    let gateway = TestGateway::try_with_clock(&emulator.base_url(), &env, config, clock).expect("it starts");
    (emulator, gateway, mine)
}

/// Wherever on its way a request panics, another that is being streamed on the same thread does not notice, and
/// nothing of the one that panicked is left over.
#[tokio::test]
async fn in_a_handler() {
    let (_emulator, gateway, mine) = house(vec![]);
    let mut answered = 0;
    for nth in 1.. {
        let mut other = RawConnection::open(gateway.address).await;
        other.send(&STREAMS[0].request()).await;
        let other_head = other.head().await;
        let mut caller = RawConnection::open(gateway.address).await;
        mine.arm(nth);
        caller.send(&WHOLES[0].request()).await;
        let head = caller.try_head().await;
        if !mine.disarm() {
            assert!(nth > 2, "the clock was asked too seldom to prove anything");
            break;
        }
        // An error where there still could be one, else a connection that ends; never a good answer cut short.
        if let Some(head) = head {
            let (body, end) = caller.body(&head).await;
            assert_eq!((head.status, end), (500, RawEnd::Whole), "question {nth}");
            let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["error"]["code"], json!("panic"));
            answered += 1;
        }
        assert_eq!(other.body(&other_head).await.1, RawEnd::Whole, "question {nth}");
        becomes("left over", PATIENCE, (0, 0), || {
            (gateway.shared.in_flight.count(), gateway.leases("openai"))
        })
        .await;
        let mut next = RawConnection::open(gateway.address).await;
        assert_eq!(
            next.call(&WHOLES[0].request()).await.status(),
            200,
            "question {nth}"
        );
    }
    assert!(answered > 0, "no panic became an answer");
}

/// The same in the middle of a stream, where there is no handler any more to catch it.
#[tokio::test]
async fn in_a_stream() {
    let mut failing = Fault::new(FaultKind::ErrorAfterContent).after_chunks(3);
    failing.model = Some("failing".to_owned());
    let (emulator, gateway, mine) = house(vec![failing]);
    let mut other = RawConnection::open(gateway.address).await;
    other.send(&STREAMS[0].request()).await;
    let other_head = other.head().await;
    let mut caller = RawConnection::open(gateway.address).await;
    let body = STREAMS[0].saying("fail").replace("gpt-4o-mini", "failing");
    caller.send(&post(STREAMS[0].path, &body)).await;
    let head = caller.head().await;
    assert_eq!(head.status, 200);
    mine.arm(1);
    assert_eq!(caller.body(&head).await.1, RawEnd::Cut);
    assert!(mine.disarm(), "the clock was not asked");
    assert_eq!(other.body(&other_head).await.1, RawEnd::Whole);
    becomes("left over", PATIENCE, (0, 0, 0), || {
        let upstream = emulator.stats().keys.iter().map(|key| key.in_flight).sum::<u64>();
        (
            gateway.shared.in_flight.count(),
            gateway.leases("openai"),
            upstream,
        )
    })
    .await;
    let mut next = RawConnection::open(gateway.address).await;
    assert_eq!(next.call(&WHOLES[0].request()).await.status(), 200);
}
