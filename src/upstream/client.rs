//! The HTTP client of the providers: one per worker thread, because a connection lives on the runtime that opened it.
//!
//! It is hyper's own pooling client: it follows no redirect (one would carry the credential to another host),
//! decompresses nothing, uses no proxy, and sends nothing twice but what a closed connection never took. A client
//! with more to offer costs each request an eighth of its time for that.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Builder};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// Idle connections kept to one provider, per worker.
const IDLE_CONNECTIONS_MAX: usize = 4096;
/// How long an idle connection is kept; shorter than the idle limit of the providers' front ends.
const IDLE_CONNECTION_KEPT: Duration = Duration::from_secs(50);
/// How long nothing is sent on an established connection before it is probed.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// Time between two probes of a connection that does not answer.
const TCP_PROBE_EVERY: Duration = Duration::from_secs(15);
/// Probes without an answer before a connection counts as broken.
const TCP_PROBES_MAX: u32 = 3;
/// The longest that a provider's machine may leave unacknowledged what was sent to it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const TCP_UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);

/// The client, cheap to clone; clones share their connections.
pub type Client = legacy::Client<Connector, SentBody>;
/// The body of a request: buffered, or as it comes.
pub type SentBody = Either<Full<Bytes>, Upload>;
/// A request body that comes while it is sent.
pub type Upload = UnsyncBoxBody<Bytes, io::Error>;
/// Why no head of an answer came.
pub type SendError = legacy::Error;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections, encrypted where the address says so, within a time.
#[derive(Clone, Debug)]
pub struct Connector {
    // A client is cloned for every request, and its connector with it.
    https: Arc<HttpsConnector<HttpConnector>>,
    timeout: Duration,
}

/// No connection, or no encryption on it, in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not within {} s (`gateway.timeouts.connect`)", .0.as_secs_f64())]
pub struct ConnectTimeout(Duration);

impl Connector {
    /// Opens connections that are there, and encrypted where they are to be, within `timeout`.
    ///
    /// # Errors
    /// If the platform's certificates can't be read.
    pub fn new(timeout: Duration) -> io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_keepalive_interval(Some(TCP_PROBE_EVERY));
        tcp.set_keepalive_retries(Some(TCP_PROBES_MAX));
        // Of a name with several addresses, one that hangs leaves time for another.
        tcp.set_connect_timeout(Some(timeout));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        tcp.set_tcp_user_timeout(Some(TCP_UNACKNOWLEDGED_MAX));
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Ok(Self {
            https: Arc::new(https),
            timeout,
        })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut https = HttpsConnector::clone(&self.https);
        let limit = self.timeout;
        let connecting = async move {
            poll_fn(|context| https.poll_ready(context)).await?;
            https.call(uri).await
        };
        Box::pin(async move {
            let connected = timeout(limit, connecting).await;
            connected.unwrap_or_else(|_| Err(ConnectTimeout(limit).into()))
        })
    }
}

/// Builds a client.
///
/// # Errors
/// If the platform's certificates can't be read.
pub fn build(connect_timeout: Duration) -> io::Result<Client> {
    Ok(builder().build(Connector::new(connect_timeout)?))
}

/// Builds a client that keeps no connection after its answer.
///
/// # Errors
/// If the platform's certificates can't be read.
pub(super) fn build_unpooled(connect_timeout: Duration) -> io::Result<Client> {
    Ok(builder()
        .pool_max_idle_per_host(0)
        .build(Connector::new(connect_timeout)?))
}

/// What every client has. It reads at most 100 headers of an answer, hyper's own limit: an answer with more is refused
/// as unparseable, and any other limit would cost every answer an allocation.
pub(super) fn builder() -> Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_CONNECTION_KEPT)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new());
    builder
}
