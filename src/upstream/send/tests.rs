use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use coderclaw_actors::domain::credential::{CredentialKind, CredentialLimits, ProfileId, ProviderId, Secret};
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::config::AuthScheme;
use crate::upstream::client;
use crate::upstream::request::RequestParts;

const KEY: &str = "sk-proj-Vq3hT9bN2xLw8Rk5";

/// A provider that speaks HTTP/2 and resets the first streams.
struct Provider {
    address: SocketAddr,
    streams: Arc<AtomicUsize>,
    _connections: JoinSet<()>,
}

impl Provider {
    /// One that resets `resets` streams with `reason` and answers the rest.
    async fn resetting(resets: usize, reason: Reason) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let streams = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&streams);
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                open.spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(socket).await else {
                        return;
                    };
                    while let Some(Ok((_request, mut respond))) = connection.accept().await {
                        if seen.fetch_add(1, Ordering::SeqCst) < resets {
                            respond.send_reset(reason);
                        } else {
                            let _gone = respond.send_response(Response::new(()), true);
                        }
                    }
                });
            }
        });
        Self {
            address,
            streams,
            _connections: connections,
        }
    }

    /// One that closes every connection at once, with `reason` in its own words.
    async fn closing(reason: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                // The preface, before which the client takes nothing.
                socket.read_exact(&mut [0; 24]).await.unwrap();
                let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                let length = u8::try_from(8 + reason.len()).unwrap();
                let go_away = [0, 0, length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
                let frames = [&settings[..], &go_away, reason.as_bytes()].concat();
                socket.write_all(&frames).await.unwrap();
                let mut rest = Vec::new();
                let _gone = socket.read_to_end(&mut rest).await;
            }
        });
        Self {
            address,
            streams: Arc::default(),
            _connections: connections,
        }
    }

    /// One that closes its first connection in good order as a request comes in, and answers on the others.
    async fn restarting() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let streams = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&streams);
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let (mut first, _) = listener.accept().await.unwrap();
            first.read_exact(&mut [0; 24]).await.unwrap();
            let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
            first.write_all(&settings).await.unwrap();
            let mut frame = [0; 9];
            // HEADERS are frames of type 1.
            while frame[3] != 1 {
                first.read_exact(&mut frame).await.unwrap();
                let length = usize::from(frame[1]) << 8 | usize::from(frame[2]);
                first.read_exact(&mut vec![0; length]).await.unwrap();
            }
            // The last stream that was begun is 0, the reason NO_ERROR.
            let go_away = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            first.write_all(&go_away).await.unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_request, mut respond))) = connection.accept().await {
                    seen.fetch_add(1, Ordering::SeqCst);
                    let _gone = respond.send_response(Response::new(()), true);
                }
            }
        });
        Self {
            address,
            streams,
            _connections: connections,
        }
    }

    async fn call(&self, body: RequestBody) -> Result<u16, SendError> {
        let request = UpstreamRequest::new(RequestParts {
            provider: ProviderId::new("openai"),
            api: None,
            auth: AuthScheme::Bearer,
            method: Method::POST,
            uri: format!("http://{}/v1/chat/completions", self.address)
                .parse()
                .unwrap(),
            headers: HeaderMap::new(),
            body,
            first_byte: None,
        });
        let profile = AuthProfile {
            id: ProfileId::new("openai:test"),
            kind: CredentialKind::ApiKey,
            secret: Secret::new(KEY.to_owned()),
            expires_at: None,
            source: "test".into(),
            owner: None,
            limits: CredentialLimits::default(),
        };
        let connector = client::Connector::new(Duration::from_secs(5)).unwrap();
        let client: Client = client::builder().http2_only(true).build(connector);
        let response = send(&client, &request, &profile).await?;
        Ok(response.status().as_u16())
    }

    fn streams(&self) -> usize {
        self.streams.load(Ordering::SeqCst)
    }
}

fn buffered() -> RequestBody {
    RequestBody::Buffered(Bytes::from_static(b"{}"))
}

#[tokio::test]
async fn a_refused_stream_is_sent_again() {
    let provider = Provider::resetting(2, Reason::REFUSED_STREAM).await;
    assert_eq!(provider.call(buffered()).await.unwrap(), 200);
    assert_eq!(provider.streams(), 3);
}

#[tokio::test]
async fn a_request_that_a_restart_left_unread_is_sent_again() {
    let provider = Provider::restarting().await;
    assert_eq!(provider.call(buffered()).await.unwrap(), 200);
    assert_eq!(provider.streams(), 1);
}

#[tokio::test]
async fn it_is_not_sent_again_without_end() {
    let provider = Provider::resetting(usize::MAX, Reason::REFUSED_STREAM).await;
    assert!(provider.call(buffered()).await.is_err());
    assert_eq!(provider.streams(), 1 + RESENDS_MAX as usize);
}

#[tokio::test]
async fn a_stream_that_may_have_been_worked_on_is_not_sent_again() {
    let provider = Provider::resetting(1, Reason::INTERNAL_ERROR).await;
    assert!(provider.call(buffered()).await.is_err());
    assert_eq!(provider.streams(), 1);
}

#[tokio::test]
async fn a_body_that_streams_is_sent_once() {
    let provider = Provider::resetting(1, Reason::REFUSED_STREAM).await;
    let whole = Full::new(Bytes::from_static(b"{}"));
    let upload = client::Upload::new(whole.map_err(|never| match never {}));
    let body = RequestBody::Streamed(parking_lot::Mutex::new(Some(upload)));
    assert!(provider.call(body).await.is_err());
    assert_eq!(provider.streams(), 1);
}

#[tokio::test]
async fn the_reason_for_a_closed_connection_is_told_without_the_key() {
    let provider = Provider::closing("bad key sk-proj-Vq3hT9bN2xLw8Rk5, go away").await;
    let error = provider.call(buffered()).await.unwrap_err();
    let what = describe(&error, &Secret::new(KEY.to_owned()));
    assert!(what.contains("bad key ****"), "{what}");
    assert!(!what.contains("Vq3hT9bN"), "{what}");
}
