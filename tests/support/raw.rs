//! A caller that speaks HTTP/1.1 byte by byte, for what no HTTP library lets one do: go away in the middle, read
//! nothing, send half a head, send many requests at once.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// No answer is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for what one read may bring.
const PIECE_BYTES: usize = 16 * 1024;

/// One connection to a server.
pub(crate) struct RawConnection {
    stream: TcpStream,
    /// Read and not yet given out.
    buffer: Vec<u8>,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct RawHead {
    pub(crate) status: u16,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct RawAnswer {
    pub(crate) head: RawHead,
    pub(crate) body: Vec<u8>,
}

/// How a body ended that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawEnd {
    /// As its framing says.
    Whole,
    /// The connection ended first.
    Cut,
}

impl RawHead {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl RawAnswer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON: {error}: {}", self.text()))
    }
}

/// A request with a JSON body, as it goes over the wire.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    post_with(path, &[], body)
}

/// The same, with more headers.
pub(crate) fn post_with(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").expect("text takes text");
    }
    request.push_str("\r\n");
    request.push_str(body);
    request.into_bytes()
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

impl RawConnection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("it listens");
        stream.set_nodelay(true).expect("an option of every socket");
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// A connection that takes in little until it is read from.
    pub(crate) async fn open_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .set_recv_buffer_size(64 * 1024)
            .expect("an option of every socket");
        let stream = socket.connect(address).await.expect("it listens");
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("it is read");
    }

    /// Sends as much as is taken; a server that has answered early may have closed.
    pub(crate) async fn send_as_taken(&mut self, bytes: &[u8]) {
        let _taken = timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    /// The next head.
    pub(crate) async fn head(&mut self) -> RawHead {
        self.try_head().await.expect("an answer")
    }

    /// The next head; none if the connection ends first.
    pub(crate) async fn try_head(&mut self) -> Option<RawHead> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if self.fill().await.unwrap_or(0) == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let text = String::from_utf8_lossy(&head);
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        Some(RawHead {
            status: status
                .and_then(|status| status.parse().ok())
                .expect("a status line"),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
        })
    }

    /// The body that follows `head`, without its framing, and how it ended.
    pub(crate) async fn body(&mut self, head: &RawHead) -> (Vec<u8>, RawEnd) {
        if let Some(length) = head.header("content-length") {
            let length: usize = length.parse().expect("a length");
            return self.sized(length).await;
        }
        if head.header("transfer-encoding") == Some("chunked") {
            return self.chunked().await;
        }
        if head.status == 204 || head.status == 304 {
            return (Vec::new(), RawEnd::Whole);
        }
        while self.fill().await.unwrap_or(0) > 0 {}
        (std::mem::take(&mut self.buffer), RawEnd::Whole)
    }

    async fn sized(&mut self, length: usize) -> (Vec<u8>, RawEnd) {
        while self.buffer.len() < length {
            if self.fill().await.unwrap_or(0) == 0 {
                return (std::mem::take(&mut self.buffer), RawEnd::Cut);
            }
        }
        (self.buffer.drain(..length).collect(), RawEnd::Whole)
    }

    async fn chunked(&mut self) -> (Vec<u8>, RawEnd) {
        let mut body = Vec::new();
        loop {
            let Some(chunk) = self.chunk().await else {
                return (body, RawEnd::Cut);
            };
            if chunk.is_empty() {
                return (body, RawEnd::Whole);
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// The next chunk; the last one is empty; none if the connection ends first.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                break at;
            }
            if self.fill().await.unwrap_or(0) == 0 {
                return None;
            }
        };
        let size = String::from_utf8_lossy(&self.buffer[..line]).into_owned();
        let size =
            usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).expect("a size");
        let whole = line + 2 + size + 2;
        while self.buffer.len() < whole {
            if self.fill().await.unwrap_or(0) == 0 {
                return None;
            }
        }
        let chunk = self.buffer[line + 2..line + 2 + size].to_vec();
        self.buffer.drain(..whole);
        Some(chunk)
    }

    /// The next answer, whole.
    pub(crate) async fn answer(&mut self) -> RawAnswer {
        let head = self.head().await;
        let (body, end) = self.body(&head).await;
        assert_eq!(
            end,
            RawEnd::Whole,
            "cut: {head:?} {}",
            String::from_utf8_lossy(&body)
        );
        RawAnswer { head, body }
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> RawAnswer {
        self.send(request).await;
        self.answer().await
    }

    /// Whether the server ends the connection, within the patience, without another byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && matches!(self.fill().await, Ok(0) | Err(_))
    }

    /// Goes away as a killed process does: FIN.
    pub(crate) fn close(self) {
        drop(self);
    }

    /// Goes away as a crashed machine's peer sees it: RST.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .expect("an option of every socket");
        drop(self);
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(PIECE_BYTES);
        timeout(PATIENCE, self.stream.read_buf(&mut self.buffer))
            .await
            .expect("an answer within the patience")
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
