//! The HTTP client: one per worker thread, because a connection lives on the runtime that opened it.

use std::time::Duration;

use reqwest::redirect;

/// Idle connections kept to one provider, per worker.
const IDLE_CONNECTIONS_MAX: usize = 4096;
/// How long an idle connection is kept; shorter than the idle limit of the providers' front ends.
const IDLE_CONNECTION_KEPT: Duration = Duration::from_secs(50);
/// How often an established connection is probed while nothing is sent on it.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// Headers of an answer that are read; more and the answer is refused as unparseable.
const ANSWER_HEADERS_MAX: usize = 256;

/// Builds a client that follows no redirect (one would carry the credential to another host), decompresses
/// nothing, and uses no proxy.
///
/// # Errors
/// If the platform's certificate store can't be read.
pub fn build(connect_timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_CONNECTION_KEPT)
        .tcp_nodelay(true)
        .tcp_keepalive(TCP_KEEPALIVE)
        .http1_max_headers(ANSWER_HEADERS_MAX)
        .build()
}

/// Makes ring the process's TLS provider; to be called once, before the first client is built.
pub fn install_tls() {
    // Err means that it is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
