//! An upstream that does exactly what a test writes down, byte by byte, and remembers exactly what came.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::http::unchunk;

/// No connection waits longer than this for its test.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that the upstream does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits until the test opens the gate.
    Wait(Gate),
    /// Counts that it has come so far.
    Count(Arc<AtomicUsize>),
    /// Stays silent until the gateway hangs up, and then opens the gate.
    Hang(Gate),
    /// Closes the connection.
    Close,
    /// Resets the connection: no FIN.
    Reset,
}

/// Something that happens once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    /// Waits for it.
    pub(crate) fn wait(&self) {
        let mut open = self.0.0.lock();
        while !*open {
            let timed_out = self.0.1.wait_for(&mut open, PATIENCE).timed_out();
            assert!(!timed_out, "what the test waits for never happened");
        }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to the end that its framing promised.
    pub(crate) whole: bool,
}

impl Seen {
    /// The header of this name, if there is exactly one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands twice: {:?}", self.headers);
        Some(value)
    }

    /// The credential, wherever it stands.
    pub(crate) fn key(&self) -> &str {
        let bearer = self
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        bearer
            .or_else(|| self.header("x-api-key"))
            .or_else(|| self.header("x-goog-api-key"))
            .expect("a credential goes upstream")
    }
}

type Script = dyn Fn(&Seen, usize) -> Vec<Step> + Send + Sync;

/// A running upstream. Dropping it stops it.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Does what `script` says to each request, which is told its place among all of them, from 0.
    pub(crate) fn start(script: impl Fn(&Seen, usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let script: Arc<Script> = Arc::new(script);
        let count = Arc::new(AtomicUsize::new(0));
        let (of_thread, until) = (Arc::clone(&seen), Arc::clone(&stopped));
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let connection = Connection {
                    stream,
                    raw: Vec::new(),
                    script: Arc::clone(&script),
                    seen: Arc::clone(&of_thread),
                    count: Arc::clone(&count),
                };
                std::thread::spawn(move || connection.serve());
            }
        });
        Self {
            address,
            seen,
            stopped,
            acceptor: Some(acceptor),
        }
    }

    /// Answers every request with these bytes.
    pub(crate) fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, _| vec![Step::Send(bytes.clone())])
    }

    /// Answers with `head` and then `pieces`, and counts the pieces that have left.
    pub(crate) fn counting(
        head: Vec<u8>,
        pieces: impl Iterator<Item = Vec<u8>>,
        count: Arc<AtomicUsize>,
    ) -> Self {
        let pieces: Vec<Vec<u8>> = pieces.collect();
        Self::start(move |_, _| {
            let sends = pieces
                .iter()
                .flat_map(|piece| [Step::Send(piece.clone()), Step::Count(Arc::clone(&count))]);
            std::iter::once(Step::Send(head.clone())).chain(sends).collect()
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request that came, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// The one request that came.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let joined = acceptor.join();
            if !std::thread::panicking() {
                joined.expect("the upstream's thread ends well");
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    raw: Vec<u8>,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
    count: Arc<AtomicUsize>,
}

impl Connection {
    fn serve(mut self) {
        self.stream.set_nodelay(true).expect("a socket");
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        while let Some(request) = self.request() {
            let whole = request.whole;
            let place = self.count.fetch_add(1, Ordering::SeqCst);
            let steps = (self.script)(&request, place);
            self.seen.lock().push(request);
            if !whole || !self.answer(steps) {
                return;
            }
        }
    }

    /// Does `steps`; false if the connection is over.
    fn answer(&mut self, steps: Vec<Step>) -> bool {
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    if self.stream.write_all(&bytes).is_err() {
                        return false;
                    }
                }
                Step::Wait(gate) => gate.wait(),
                Step::Count(count) => {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                Step::Hang(gate) => {
                    while self.read() {}
                    gate.open();
                    return false;
                }
                Step::Close => return false,
                Step::Reset => {
                    let socket = socket2::SockRef::from(&self.stream);
                    socket.set_linger(Some(Duration::ZERO)).expect("a socket");
                    return false;
                }
            }
        }
        true
    }

    /// The next request; none at the end of the connection.
    fn request(&mut self) -> Option<Seen> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.raw, b"\r\n\r\n") {
                break end;
            }
            if !self.read() {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.raw[..end]).into_owned();
        self.raw.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let (body, whole) = self.body(&headers);
        Some(Seen {
            method,
            target,
            headers,
            body,
            whole,
        })
    }

    fn body(&mut self, headers: &[(String, String)]) -> (Vec<u8>, bool) {
        let header = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        if header("transfer-encoding").is_some() {
            loop {
                let (body, whole) = unchunk(&self.raw);
                if whole || !self.read() {
                    self.raw.clear();
                    return (body, whole);
                }
            }
        }
        let length = header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while self.raw.len() < length {
            if !self.read() {
                return (std::mem::take(&mut self.raw), false);
            }
        }
        (self.raw.drain(..length).collect(), true)
    }

    fn read(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(count) if count > 0 => {
                self.raw.extend_from_slice(&piece[..count]);
                true
            }
            _ => false,
        }
    }
}

/// An answer with its length.
pub(crate) fn reply(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = head(status, headers);
    head.truncate(head.len() - 2);
    head.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    head
}

/// A head whose body comes in chunks.
pub(crate) fn chunked_head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = head(status, headers);
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    head
}

/// A head, as it is given.
pub(crate) fn head(status: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers: String = headers
        .iter()
        .flat_map(|(name, value)| [*name, ": ", *value, "\r\n"])
        .collect();
    format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes()
}

/// One chunk.
pub(crate) fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

/// The last chunk.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
