//! The emulator as it runs: its threads, its address, its handle.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_http::error::PayloadError;
use actix_http::{HttpMessage as _, HttpService, KeepAlive, Payload, Request, Response};
use actix_rt::net::TcpStream;
use actix_server::{Server, ServerHandle};
use actix_service::{ServiceFactoryExt as _, fn_service};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::answer::{Answer, JSON};
use super::body::Body;
use super::clock::{EmulatorClock, ScaledClock};
use super::config::{ConfigError, EmulatorConfig};
use super::control;
use super::exchange::Exchange;
use super::fault::Fault;
use super::idp::{self, IdpFault, IdpStats};
use super::log::LogEntry;
use super::shared::Shared;
use super::stats::Stats;
use super::tap::{Tap, TappedStream};

/// Largest request body, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// An idle connection is kept so long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A head must have come after so long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Connections of one thread.
const CONNECTIONS_MAX: usize = 65_536;

/// Why the emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The config makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("the emulator cannot listen on {address}: {source}; choose another with --port or --bind")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server did not come up.
    #[error("the emulator did not start: {0}")]
    Start(io::Error),
}

/// The provider emulator.
#[derive(Debug)]
pub struct Emulator;

impl Emulator {
    /// Starts on threads of its own; any runtime, or none, may be the caller's.
    pub fn start(config: EmulatorConfig) -> Result<RunningEmulator, EmulatorError> {
        let clock = Arc::new(ScaledClock::new(config.time_scale));
        Self::start_with_clock(config, clock)
    }

    /// Starts with another clock for buckets and windows.
    pub fn start_with_clock(
        config: EmulatorConfig,
        clock: Arc<dyn EmulatorClock>,
    ) -> Result<RunningEmulator, EmulatorError> {
        config.check()?;
        let address = SocketAddr::new(config.bind, config.port);
        let bind = |source| EmulatorError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let workers = config.workers;
        let shared = Arc::new(Shared::new(config, clock, address.port()));
        let (ready, started) = mpsc::channel();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("emulator".to_owned())
            .spawn(move || {
                actix_rt::System::new().block_on(async move {
                    match serve(&of_thread, listener, workers) {
                        Ok(server) => {
                            // Nobody waits for the news any more: then nobody wants the server either.
                            if ready.send(Ok(server.handle())).is_err() {
                                return Ok(());
                            }
                            server.await
                        }
                        Err(error) => {
                            let _ = ready.send(Err(error));
                            Ok(())
                        }
                    }
                })
            })
            .map_err(EmulatorError::Start)?;
        let handle = started
            .recv()
            .map_err(|_| EmulatorError::Start(io::ErrorKind::BrokenPipe.into()))?
            .map_err(EmulatorError::Start)?;
        Ok(RunningEmulator {
            address,
            shared,
            handle,
            thread: Some(thread),
        })
    }
}

fn serve(shared: &Arc<Shared>, listener: TcpListener, workers: usize) -> io::Result<Server> {
    let shared = Arc::clone(shared);
    let server = Server::build()
        .workers(workers)
        .backlog(BACKLOG)
        .max_concurrent_connections(CONNECTIONS_MAX)
        .disable_signals()
        .listen("emulator", listener, move || {
            let connections = Arc::clone(&shared.connections);
            let shared = Arc::clone(&shared);
            let http = HttpService::build()
                .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
                .client_request_timeout(HEAD_TIMEOUT)
                .tcp_nodelay(true)
                .h1_allow_half_closed(false)
                .on_connect_ext(|stream: &TappedStream, data| {
                    data.insert(stream.tap());
                })
                .h1(fn_service(move |request: Request| {
                    respond(Arc::clone(&shared), request)
                }));
            fn_service(move |io: TcpStream| {
                let peer = io.peer_addr().ok();
                let stream = TappedStream::new(io, &connections);
                std::future::ready(Ok::<_, actix_http::error::DispatchError>((stream, peer)))
            })
            .and_then(http)
        })?;
    Ok(server.run())
}

async fn respond(shared: Arc<Shared>, mut request: Request) -> Result<Response<Body>, Infallible> {
    let tap = request.conn_data::<Rc<Tap>>().map(Rc::clone);
    let payload = request.take_payload();
    // A request to upgrade has an endless body, which nobody reads.
    let upgrade = request.headers().contains_key(actix_http::header::UPGRADE);
    let payload = if upgrade { Payload::None } else { payload };
    let body = match read(payload).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            let answer = Answer::new(
                413,
                JSON,
                r#"{"error":{"message":"the body is too large"}}"#.to_owned(),
            );
            return Ok(answer.send(tap.as_deref()));
        }
        // The caller broke off: nobody reads this.
        Err(_) => return Ok(Answer::new(400, JSON, String::new()).send(tap.as_deref())),
    };
    if request.path().starts_with(control::PREFIX) {
        return Ok(control::answer(&shared, &request, &body).send(tap.as_deref()));
    }
    let answer = if request.path().starts_with(idp::PREFIX) {
        shared.idp.answer(&*shared.clock, &request, &body)
    } else {
        Exchange {
            shared: &shared,
            world: &shared.world.load(),
            request: &request,
            body: &body,
            connection: tap.as_ref().map_or(0, |tap| tap.connection),
        }
        .answer()
    };
    drop((request, body));
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    if answer.hangs {
        std::future::pending::<()>().await;
    }
    Ok(answer.send(tap.as_deref()))
}

/// The whole body; none if it is too large.
async fn read(mut payload: Payload) -> Result<Option<Bytes>, PayloadError> {
    let Some(first) = payload.next().await else {
        return Ok(Some(Bytes::new()));
    };
    let first = first?;
    let Some(second) = payload.next().await else {
        return Ok(Some(first));
    };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&second?);
    while let Some(chunk) = payload.next().await {
        whole.extend_from_slice(&chunk?);
        if whole.len() > BODY_BYTES_MAX {
            return Ok(None);
        }
    }
    Ok(Some(whole.freeze()))
}

/// A running emulator. Dropped, it stops.
pub struct RunningEmulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl RunningEmulator {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://address:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was seen.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// The last requests, oldest first; at most `limit`.
    #[must_use]
    pub fn log(&self, limit: usize) -> Vec<LogEntry> {
        self.shared.last_requests(limit)
    }

    /// Forgets everything that was seen; allowances are full again, and faults begin to count again.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Another config from now on (address, port, threads, clock and log size stay).
    pub fn set_config(&self, config: EmulatorConfig) -> Result<(), ConfigError> {
        self.shared.set_config(config)
    }

    /// These faults and no others from now on; gives their ids.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<Vec<u64>, ConfigError> {
        check(&faults)?;
        Ok(self.shared.set_faults(faults))
    }

    /// One fault more, after the others (the first that matches wins); gives its id.
    pub fn add_fault(&self, fault: Fault) -> Result<u64, ConfigError> {
        check(std::slice::from_ref(&fault))?;
        let ids = self.shared.add_faults(vec![fault]);
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// Removes one fault; false if there is none of this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.shared.remove_fault(id)
    }

    /// What the identity provider saw and handed out.
    #[must_use]
    pub fn idp(&self) -> IdpStats {
        self.shared.idp.book.lock().stats()
    }

    /// One more fault of the identity provider, after the others.
    pub fn add_idp_fault(&self, fault: IdpFault) {
        self.shared.idp.book.lock().add_fault(fault);
    }

    /// The user codes of devices that wait for approval.
    #[must_use]
    pub fn waiting_devices(&self) -> Vec<String> {
        self.shared.idp.book.lock().waiting_devices()
    }

    /// Approves or denies a device; false if none waits under this user code.
    pub fn decide_device(&self, user_code: &str, approves: bool) -> bool {
        self.shared.idp.book.lock().decide_device(user_code, approves)
    }

    /// Ends every access token at once; refresh tokens live on.
    pub fn expire_access_tokens(&self) {
        self.shared.idp.book.lock().expire_access();
    }

    /// Ends every token of an account.
    pub fn sign_out(&self, account: &str) {
        self.shared.idp.book.lock().sign_out(account);
    }

    /// Stops at once: open connections are cut.
    pub fn stop(self) {
        drop(self);
    }
}

fn check(faults: &[Fault]) -> Result<(), ConfigError> {
    for (index, fault) in faults.iter().enumerate() {
        fault.check().map_err(|message| ConfigError::Value {
            path: format!("faults[{index}]"),
            message,
        })?;
    }
    Ok(())
}

impl Drop for RunningEmulator {
    fn drop(&mut self) {
        // The command is sent when the future is made; the thread's end is the answer.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for RunningEmulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningEmulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
