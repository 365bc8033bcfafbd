//! However the network cuts a provider's bytes, the caller gets the same ones.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail a test as tests do"
)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use coderclaw::emulator::{Emulator, EmulatorConfig, Fault, FaultKind};
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use support::{RawConnection, RawEnd, TestGateway, key, post, post_with};

/// Splits of each stream.
const CASES: usize = 20;

/// Provider, path, body.
const ASKS: [(&str, &str, &str); 4] = [
    (
        "openai",
        "/v1/chat/completions",
        r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
    ),
    (
        "openai",
        "/v1/responses",
        r#"{"model":"gpt-4o-mini","stream":true,"input":"hi"}"#,
    ),
    (
        "anthropic",
        "/v1/messages",
        r#"{"model":"claude-sonnet-4-5","max_tokens":16,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#,
    ),
    (
        "google",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
    ),
];

/// A provider that answers every request with the writes that it was last given.
struct Parrot {
    address: SocketAddr,
    writes: Arc<Mutex<Vec<Vec<u8>>>>,
    _tasks: JoinSet<()>,
}

impl Parrot {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let writes = Arc::default();
        let mut tasks = JoinSet::new();
        let to_write = Arc::clone(&writes);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&to_write)));
            }
        });
        Self {
            address,
            writes,
            _tasks: tasks,
        }
    }
}

async fn answer(mut stream: TcpStream, writes: Arc<Mutex<Vec<Vec<u8>>>>) {
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let writes = writes.lock().clone();
    for piece in writes {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        // The system would join what is written at once.
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
}

/// `body` as an answer in chunks, cut into writes, both at random.
fn split(body: &[u8], random: &mut fastrand::Rng) -> Vec<Vec<u8>> {
    let mut answer =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in cut(body, random, 400) {
        answer.extend(format!("{:x}\r\n", chunk.len()).bytes());
        answer.extend(chunk);
        answer.extend(b"\r\n");
    }
    answer.extend(b"0\r\n\r\n");
    let sizes = [3, 40, 400, 4000][random.usize(..4)];
    // Few writes of a few bytes, so that a case stays short.
    let few = answer.len() / 60;
    cut(&answer, random, sizes.max(few))
}

fn cut(bytes: &[u8], random: &mut fastrand::Rng, size_max: usize) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.usize(1..=size_max.min(rest.len())));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

/// What the emulator streams for each of the asks, with `faults`.
async fn recorded(faults: Vec<Fault>) -> Vec<Vec<u8>> {
    let emulator = Emulator::start(EmulatorConfig {
        faults,
        echo_key: true,
        ..EmulatorConfig::default()
    })
    .expect("the emulator starts");
    let mut streams = Vec::new();
    for (provider, path, body) in ASKS {
        let key = key(provider, "one");
        let bearer = format!("Bearer {key}");
        let header = match provider {
            "openai" => ("authorization", bearer.as_str()),
            "anthropic" => ("x-api-key", key.as_str()),
            _ => ("x-goog-api-key", key.as_str()),
        };
        let mut direct = RawConnection::open(emulator.addr()).await;
        let request = post_with(path, &[header, ("anthropic-version", "2023-06-01")], body);
        let answer = direct.call(&request).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        streams.push(answer.body);
    }
    streams
}

async fn check(streams: Vec<Vec<u8>>, expected: impl Fn(&str, &[u8]) -> Vec<u8>) {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let parrot = Parrot::start().await;
    let gateway = TestGateway::with_config(
        &format!("http://{}", parrot.address),
        &[
            ("OPENAI_API_KEY", &key("openai", "one")),
            ("ANTHROPIC_API_KEY", &key("anthropic", "one")),
            ("GEMINI_API_KEY", &key("google", "one")),
        ],
        json!({ "auth": { "cooldowns": { "throttleMin": "1ms", "throttleMax": "1ms" } } }),
    );
    for ((provider, path, body), stream) in ASKS.into_iter().zip(streams) {
        let expected = expected(provider, &stream);
        for case in 0..CASES {
            *parrot.writes.lock() = split(&stream, &mut random);
            let mut caller = RawConnection::open(gateway.address).await;
            caller.send(&post(path, body)).await;
            let head = caller.head().await;
            let (came, end) = caller.body(&head).await;
            assert_eq!(
                (head.status, end),
                (200, RawEnd::Whole),
                "seed {seed}, {path}, case {case}"
            );
            assert!(
                came == expected,
                "seed {seed}, {path}, case {case}:\n{}\ninstead of\n{}",
                String::from_utf8_lossy(&came),
                String::from_utf8_lossy(&expected)
            );
        }
    }
}

#[tokio::test]
async fn a_stream_stays_as_it_is() {
    let mut streams = recorded(vec![]).await;
    // What stands between the events stays too: comments, other ends of lines, more than one byte a character.
    for stream in &mut streams {
        let mut with_comments = ": a comment — with «more» than ASCII ✓\r\n\r\n"
            .as_bytes()
            .to_vec();
        with_comments.append(stream);
        *stream = with_comments;
    }
    check(streams, |_, stream| stream.to_vec()).await;
}

/// The key in an error that follows content is hidden, wherever it is cut, and nothing else is.
#[tokio::test]
async fn an_error_after_content_is_the_same_but_for_the_key() {
    let failing = Fault::new(FaultKind::ErrorAfterContent).after_chunks(3);
    let hidden = |provider: &str, stream: &[u8]| {
        let key = key(provider, "one");
        let text = String::from_utf8(stream.to_vec()).expect("UTF-8");
        assert!(text.contains(&key), "{provider} does not repeat the key");
        text.replace(&key, &"*".repeat(key.len())).into_bytes()
    };
    check(recorded(vec![failing]).await, hidden).await;
}
