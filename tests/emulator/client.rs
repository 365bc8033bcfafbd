//! A client that sees every byte.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use coderclaw::emulator::RunningEmulator;
use serde_json::Value;

/// How long a test waits for bytes before it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A key that looks real.
pub(crate) const KEY: &str = "sk-proj-Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pSaVbNcMdXe";

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The body ended as HTTP says it must.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The data of every event, parsed where it is JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::from(data)))
            .collect()
    }
}

/// A request in the making.
pub(crate) struct Ask {
    head: String,
    body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\n"),
            body: String::new(),
        }
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        let mut ask = Self::new("POST", path);
        ask.body = body.to_string();
        ask
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn text(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Opens a connection and sends the request.
    pub(crate) fn open(self, emulator: &RunningEmulator) -> TcpStream {
        let mut stream = TcpStream::connect(emulator.addr()).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let host = if self.head.to_lowercase().contains("\r\nhost:") {
            String::new()
        } else {
            format!("host: {}\r\n", emulator.addr())
        };
        let text = format!(
            "{}{host}connection: close\r\ncontent-length: {}\r\n\r\n{}",
            self.head,
            self.body.len(),
            self.body
        );
        stream.write_all(text.as_bytes()).expect("sends");
        stream
    }

    /// Everything that comes until the connection ends, and how it ended.
    pub(crate) fn raw(self, emulator: &RunningEmulator) -> (Vec<u8>, io::Result<()>) {
        let mut stream = self.open(emulator);
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes).map(|_| ());
        (bytes, end)
    }

    pub(crate) fn send(self, emulator: &RunningEmulator) -> Answer {
        let (bytes, _) = self.raw(emulator);
        parse(&bytes)
    }
}

/// A chat request.
pub(crate) fn chat(stream: bool) -> Ask {
    Ask::post("/v1/chat/completions", &chat_body(stream)).key(KEY)
}

pub(crate) fn chat_body(stream: bool) -> Value {
    serde_json::json!({"model": "gpt-test", "stream": stream, "messages": [{"role": "user", "content": "hello there"}]})
}

pub(crate) fn messages(stream: bool) -> Ask {
    let body = serde_json::json!({"model": "claude-test", "stream": stream, "max_tokens": 100,
        "messages": [{"role": "user", "content": "hello there"}]});
    Ask::post("/v1/messages", &body)
        .header("x-api-key", KEY)
        .header("anthropic-version", "2023-06-01")
}

pub(crate) fn generate(verb: &str) -> Ask {
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "hello there"}]}]});
    Ask::post(&format!("/v1beta/models/gemini-test:{verb}"), &body).header("x-goog-api-key", KEY)
}

fn parse(bytes: &[u8]) -> Answer {
    let split = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let rest = &bytes[split + 4..];
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status line");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let (body, whole) = if chunked {
        unchunk(rest)
    } else {
        let declared = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .and_then(|(_, value)| value.parse::<usize>().ok());
        (rest.to_vec(), declared.is_none_or(|length| length == rest.len()))
    };
    Answer {
        status: status.parse().expect("a number"),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        whole,
    }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).expect("a chunk size");
        rest = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(rest);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

/// Asks again and again, until it is so.
pub(crate) fn until(what: &str, is: impl Fn() -> bool) {
    let deadline = std::time::SystemTime::now() + PATIENCE;
    while !is() {
        assert!(std::time::SystemTime::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}
