//! A slow reader slows the provider, and nothing piles up in between.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use super::support::{Home, RawConnection, RawEnd, RawHead, TestGateway, becomes, key, settled};
use super::{PATIENCE, STREAMS};

const MIB: u64 = 1024 * 1024;
/// A stream's length, far beyond what any buffer on the way may hold.
const STREAM_BYTES: u64 = 64 * MIB;
/// What the gateway may take in for a reader that reads nothing: the sockets' buffers of the system on both sides.
const TAKEN_MAX: u64 = 12 * MIB;
/// What the gateway's process may grow by for each such reader: its read buffer grows with what arrives, up to a bound.
const GROWTH_MAX: u64 = 2 * MIB;

/// A provider that streams [`STREAM_BYTES`] of events as fast as they are taken, and counts what was.
struct Torrent {
    address: SocketAddr,
    taken: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Torrent {
    fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Small, so that what is taken is what the gateway takes, and not what the system keeps here.
        socket.set_send_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let count = Arc::clone(&taken);
        tasks.spawn(async move {
            let mut streams = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                streams.spawn(pour(stream, Arc::clone(&count)));
            }
        });
        Self {
            address,
            taken,
            _tasks: tasks,
        }
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

async fn pour(mut stream: tokio::net::TcpStream, taken: Arc<AtomicU64>) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..read]);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {STREAM_BYTES}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let event = event();
    let mut left = STREAM_BYTES;
    while left > 0 {
        let piece = &event[..event.len().min(usize::try_from(left).unwrap())];
        // Pieces small enough that what the system took of a piece that is stuck does not matter.
        if stream.write_all(piece).await.is_err() {
            return;
        }
        left -= piece.len() as u64;
        taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }
}

fn event() -> Vec<u8> {
    let delta = "x".repeat(16 * 1024);
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{delta}\"}}}}]}}\n\n").into_bytes()
}

/// Memory of a process that is in real use, in bytes.
fn resident(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test]
async fn a_reader_that_reads_nothing_stops_the_provider() {
    let torrent = Torrent::start();
    let gateway = TestGateway::with_config(
        &format!("http://{}", torrent.address),
        &[("OPENAI_API_KEY", &key("openai", "one"))],
        json!({}),
    );
    let mut caller = RawConnection::open_narrow(gateway.address).await;
    caller.send(&STREAMS[0].request()).await;
    let head = caller.head().await;
    let still = Duration::from_millis(300);
    let taken = settled("what the provider sent", still, PATIENCE, || torrent.taken()).await;
    assert!(
        taken <= TAKEN_MAX,
        "{taken} bytes were taken for a caller that reads nothing"
    );
    assert_eq!(gateway.leases("openai"), 1, "it is still being served");
    // It reads on, and misses nothing.
    let (body, end) = caller.body(&head).await;
    assert_eq!((body.len() as u64, end), (STREAM_BYTES, RawEnd::Whole));
    let event = event();
    assert!(body.chunks(event.len()).all(|piece| event.starts_with(piece)));
}

/// A gateway in front of `torrent` with these time limits, and a caller that has read no more than the head.
async fn stalled(torrent: &Torrent, timeouts: serde_json::Value) -> (TestGateway, RawConnection, RawHead) {
    let gateway = TestGateway::with_config(
        &format!("http://{}", torrent.address),
        &[("OPENAI_API_KEY", &key("openai", "one"))],
        json!({ "gateway": { "timeouts": timeouts } }),
    );
    let mut caller = RawConnection::open_narrow(gateway.address).await;
    caller.send(&STREAMS[0].request()).await;
    let head = caller.head().await;
    assert_eq!(head.status, 200);
    (gateway, caller, head)
}

/// The key is not held for a caller that reads nothing for longer than a stream may be silent.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_reads_nothing_is_not_waited_for() {
    let torrent = Torrent::start();
    let (gateway, _caller, _head) = stalled(&torrent, json!({ "idle": "400ms" })).await;
    becomes("under way", PATIENCE, 0, || gateway.shared.in_flight.count()).await;
    assert_eq!(gateway.leases("openai"), 0);
}

/// More is always there for a caller that reads slowly, so no wait for the provider can end its time.
#[tokio::test]
async fn a_slow_reader_has_no_more_time_than_others() {
    let torrent = Torrent::start();
    let (_gateway, mut caller, head) = stalled(&torrent, json!({ "total": "200ms" })).await;
    let beyond = Duration::from_millis(300);
    settled("what the provider sent", beyond, PATIENCE, || torrent.taken()).await;
    let (body, end) = caller.body(&head).await;
    assert_eq!(end, RawEnd::Cut, "after {} bytes", body.len());
}

#[tokio::test]
async fn fifty_such_readers_cost_little() {
    const READERS: u64 = 50;
    let torrent = Torrent::start();
    let upstream = format!("http://{}", torrent.address);
    let home = Home::new(&upstream, &[("OPENAI_API_KEY", &key("openai", "one"))], json!({}));
    let gateway = home.gateway(&[]).await;
    let before = resident(gateway.pid());
    let mut callers = Vec::new();
    for _ in 0..READERS {
        let mut caller = RawConnection::open_narrow(gateway.address).await;
        caller.send(&STREAMS[0].request()).await;
        assert_eq!(caller.head().await.status, 200);
        callers.push(caller);
    }
    let still = Duration::from_millis(300);
    settled("what the provider sent", still, PATIENCE, || torrent.taken()).await;
    let growth = resident(gateway.pid()).saturating_sub(before);
    assert!(
        growth <= READERS * GROWTH_MAX,
        "{READERS} readers cost {growth} bytes of memory"
    );
}
