//! A caller that sees every byte: requests as they are written here, answers with how they ended.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No test waits longer than this for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request in the making.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    line: String,
    headers: String,
    body: Vec<u8>,
    has_length: bool,
    has_host: bool,
}

impl Call {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            line: format!("{method} {target} HTTP/1.1\r\n"),
            headers: String::new(),
            body: Vec::new(),
            has_length: false,
            has_host: false,
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A POST of JSON.
    pub(crate) fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target)
            .header("content-type", "application/json")
            .body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.has_host |= name.eq_ignore_ascii_case("host");
        self.has_length |=
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding");
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(crate) fn headers(self, headers: &[(&str, &str)]) -> Self {
        headers
            .iter()
            .fold(self, |call, (name, value)| call.header(name, value))
    }

    /// The body, with its length, unless a header says how it is framed.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the answer to its end.
    pub(crate) fn send(self, to: SocketAddr) -> Heard {
        self.open(to).finish()
    }

    /// Sends it; the answer is read as the test wants.
    pub(crate) fn open(self, to: SocketAddr) -> Live {
        let is_head = self.line.starts_with("HEAD ");
        let mut wire = self.line.into_bytes();
        if !self.has_host {
            wire.extend_from_slice(format!("host: {to}\r\n").as_bytes());
        }
        wire.extend_from_slice(self.headers.as_bytes());
        if !self.has_length && (!self.body.is_empty() || wire.starts_with(b"POST")) {
            wire.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        wire.extend_from_slice(b"connection: close\r\n\r\n");
        wire.extend_from_slice(&self.body);
        let mut stream = TcpStream::connect(to).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream.write_all(&wire).expect("the request goes out");
        Live {
            stream,
            raw: Vec::new(),
            is_head,
            ended: None,
        }
    }
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As its framing said that it would.
    Whole,
    /// The connection broke off before that.
    Cut,
}

/// An answer that is read.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

impl Heard {
    /// The header of this name, if there is exactly one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands twice: {:?}", self.headers);
        Some(value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The number of upstream calls that the gateway says it made.
    pub(crate) fn attempts(&self) -> usize {
        self.header("x-coderclaw-attempts")
            .expect("attempts are told")
            .parse()
            .expect("a number")
    }
}

/// An answer on its way.
#[derive(Debug)]
pub(crate) struct Live {
    stream: TcpStream,
    raw: Vec<u8>,
    is_head: bool,
    ended: Option<Ending>,
}

impl Live {
    /// More of the request, after what [`Call::open`] sent.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Breaks the connection off.
    pub(crate) fn hang_up(self) {
        drop(self.stream);
    }

    /// Reads until `needle` stands in the decoded body.
    pub(crate) fn until(&mut self, needle: &str) -> Heard {
        loop {
            let heard = self.parse();
            if let Some(heard) = &heard
                && memchr::memmem::find(&heard.body, needle.as_bytes()).is_some()
            {
                return heard.clone();
            }
            assert!(self.more(), "{needle:?} never came: {heard:?}");
        }
    }

    /// Reads until the head is there.
    pub(crate) fn head(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.parse() {
                return heard;
            }
            assert!(
                self.more(),
                "no head came: {:?}",
                String::from_utf8_lossy(&self.raw)
            );
        }
    }

    /// Reads to the end.
    pub(crate) fn finish(mut self) -> Heard {
        while self.more() {}
        self.parse().unwrap_or_else(|| {
            panic!(
                "the connection ended without a head: {:?}",
                String::from_utf8_lossy(&self.raw)
            )
        })
    }

    /// Reads to the end and keeps nothing of it: how many bytes came, head and framing included. `each` is called
    /// after every piece.
    pub(crate) fn discard(mut self, mut each: impl FnMut()) -> usize {
        let mut count = 0;
        while self.more() {
            count += self.raw.len();
            self.raw.clear();
            each();
        }
        count
    }

    /// Reads on; false at the end.
    fn more(&mut self) -> bool {
        let mut piece = vec![0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => {
                self.ended = Some(Ending::Whole);
                false
            }
            Ok(count) => {
                self.raw.extend_from_slice(piece.get(..count).unwrap_or_default());
                true
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                panic!(
                    "nothing more came for {PATIENCE:?}, after {:?}",
                    String::from_utf8_lossy(&self.raw)
                )
            }
            Err(_) => {
                self.ended = Some(Ending::Cut);
                false
            }
        }
    }

    fn parse(&self) -> Option<Heard> {
        let end = memchr::memmem::find(&self.raw, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(self.raw.get(..end)?).into_owned();
        let raw = self.raw.get(end + 4..)?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let (body, whole) = self.decode(status, &headers, raw);
        let ending = if whole && self.ended != Some(Ending::Cut) {
            Ending::Whole
        } else {
            Ending::Cut
        };
        Some(Heard {
            status,
            headers,
            body,
            ending,
        })
    }

    fn decode(&self, status: u16, headers: &[(String, String)], raw: &[u8]) -> (Vec<u8>, bool) {
        let header = |wanted: &str| {
            headers
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        if self.is_head || matches!(status, 204 | 304) {
            return (raw.to_vec(), raw.is_empty());
        }
        if header("transfer-encoding") == Some("chunked") {
            return unchunk(raw);
        }
        match header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => (raw.to_vec(), raw.len() == length),
            None => (raw.to_vec(), self.ended.is_some()),
        }
    }
}

/// The bytes of a chunked body, and whether its last chunk came.
pub(crate) fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = memchr::memmem::find(raw, b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&raw[..line]).expect("a chunk size is text");
        let size = usize::from_str_radix(size.split(';').next().unwrap_or(size).trim(), 16)
            .unwrap_or_else(|_| panic!("{size:?} is no chunk size"));
        raw = &raw[line + 2..];
        if size == 0 {
            return (body, raw.starts_with(b"\r\n"));
        }
        if raw.len() < size + 2 {
            body.extend_from_slice(&raw[..raw.len().min(size)]);
            return (body, false);
        }
        body.extend_from_slice(&raw[..size]);
        raw = &raw[size + 2..];
    }
}
