//! Providers behind TLS, over HTTP/1.1 and HTTP/2, with a certificate that the machine trusts and one that it does not.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use super::support::{Home, RawAnswer, RawConnection, key, post};

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","choices":[]}"#;

/// A provider behind TLS; its answers tell the protocol in `x-spoke`.
struct Provider {
    address: SocketAddr,
    /// The certificate of the authority that vouches for it.
    authority: String,
    _connections: JoinSet<()>,
}

impl Provider {
    /// One that offers `protocols`, as ALPN names them.
    async fn start(protocols: &[&[u8]]) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                open.spawn(async move {
                    // A caller that does not trust us hangs up here.
                    let Ok(stream) = acceptor.accept(socket).await else {
                        return;
                    };
                    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                        answer_http2(stream).await;
                    } else {
                        answer_http1(stream).await;
                    }
                });
            }
        });
        Self {
            address,
            authority: authority_pem,
            _connections: connections,
        }
    }

    /// What a gateway in front of it answers that trusts the authorities of `trusted` alone.
    async fn ask(&self, trusted: &str) -> RawAnswer {
        let folder = tempfile::tempdir().unwrap();
        let certificates = folder.path().join("authorities.pem");
        std::fs::write(&certificates, trusted).unwrap();
        let secret = key("openai", "tls");
        let environment = [
            ("OPENAI_API_KEY", secret.as_str()),
            ("SSL_CERT_FILE", certificates.to_str().unwrap()),
        ];
        let home = Home::new(&format!("https://{}", self.address), &environment, json!({}));
        let gateway = home.gateway(&[]).await;
        let body = json!({ "model": "gpt-4o", "messages": [] });
        let mut connection = RawConnection::open(gateway.address).await;
        connection
            .call(&post("/v1/chat/completions", &body.to_string()))
            .await
    }
}

async fn answer_http1(mut stream: TlsStream<TcpStream>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let length = ANSWER.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-spoke: http/1.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ANSWER}"
    );
    let _gone = stream.write_all(answer.as_bytes()).await;
    let _end = stream.read_to_end(&mut head).await;
}

async fn answer_http2(stream: TlsStream<TcpStream>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((_request, mut respond))) = connection.accept().await {
        let head = http::Response::builder()
            .header("x-spoke", "h2")
            .header("content-type", "application/json");
        let mut body = respond.send_response(head.body(()).unwrap(), false).unwrap();
        body.send_data(Bytes::from_static(ANSWER.as_bytes()), true)
            .unwrap();
    }
}

#[tokio::test]
async fn a_provider_behind_tls_is_spoken_to_in_the_best_protocol_it_offers() {
    for (offered, spoken) in [
        (&[b"h2" as &[u8], b"http/1.1"][..], "h2"),
        (&[b"http/1.1"], "http/1.1"),
        (&[], "http/1.1"),
    ] {
        let provider = Provider::start(offered).await;
        let heard = provider.ask(&provider.authority).await;
        assert_eq!(heard.status(), 200, "{spoken}: {}", heard.text());
        assert_eq!(heard.header("x-spoke"), Some(spoken));
        assert_eq!(heard.text(), ANSWER);
    }
}

#[tokio::test]
async fn a_provider_that_nobody_vouches_for_is_a_502() {
    let provider = Provider::start(&[]).await;
    let stranger = Provider::start(&[]).await;
    let heard = provider.ask(&stranger.authority).await;
    assert_eq!(heard.status(), 502, "{}", heard.text());
    let text = heard.text();
    assert!(
        text.contains("could not connect") && text.contains("certificate"),
        "{text}"
    );
}
