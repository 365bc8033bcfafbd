//! The HTTP client: one per worker thread, because a connection lives on the runtime that opened it.

use std::time::Duration;

use reqwest::{redirect, retry};

/// Idle connections kept to one provider, per worker.
const IDLE_CONNECTIONS_MAX: usize = 4096;
/// How long an idle connection is kept; shorter than the idle limit of the providers' front ends.
const IDLE_CONNECTION_KEPT: Duration = Duration::from_secs(50);
/// How often an established connection is probed while nothing is sent on it.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Builds a client.
///
/// # Errors
/// If the platform's certificate store can't be read.
pub fn build(connect_timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    builder(connect_timeout).build()
}

/// A client that follows no redirect (one would carry the credential to another host), decompresses nothing, uses no
/// proxy, and sends nothing twice on its own account. It reads at most 100 headers of an answer, hyper's own limit: an
/// answer with more is refused as unparseable, and any other limit would cost every answer an allocation.
pub(super) fn builder(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        // Every request would be copied for it; `send` knows when a request may go out again.
        .retry(retry::never().max_retries_per_request(0))
        .no_proxy()
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_CONNECTION_KEPT)
        .tcp_nodelay(true)
        .tcp_keepalive(TCP_KEEPALIVE)
}

/// Makes ring the process's TLS provider; to be called once, before the first client is built.
pub fn install_tls() {
    // Err means that it is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
