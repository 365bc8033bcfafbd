//! A body larger than the buffer, on its way up while its answer is awaited.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::task::{Poll, ready};

use actix_web::web;
use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, Sender};

use super::body::{BodyLimits, BufferedBody};
use crate::upstream::client::Upload as UploadBody;
use crate::upstream::request::RequestBody;

/// Pieces of a body that wait between the caller's connection and the provider's.
const PIECES_WAITING_MAX: usize = 4;

/// What the pump says to the provider's connection. A pump that is dropped says nothing, which is no end.
enum Piece {
    Data(Bytes),
    End,
}

/// The caller's half of a streamed body.
pub struct Upload<'a> {
    start: BufferedBody,
    rest: web::Payload,
    limits: &'a BodyLimits,
    pieces: Sender<Piece>,
}

/// A body whose `start` was read and whose `rest` comes, and the pump that moves it.
#[must_use]
pub fn channel(start: BufferedBody, rest: web::Payload, limits: &BodyLimits) -> (RequestBody, Upload<'_>) {
    let (pieces, mut waiting) = mpsc::channel(PIECES_WAITING_MAX);
    let mut ended = false;
    let body = UploadBody::new(StreamBody::new(stream::poll_fn(move |context| {
        if ended {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(waiting.poll_recv(context)) {
            Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => {
                ended = true;
                None
            }
            None => {
                ended = true;
                Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof)))
            }
        })
    })));
    (
        RequestBody::Streamed(Mutex::new(Some(body))),
        Upload {
            start,
            rest,
            limits,
            pieces,
        },
    )
}

impl Upload<'_> {
    /// Moves the body while `answer` is awaited. Dropping the result drops both.
    pub async fn alongside<T>(self, answer: impl Future<Output = T>) -> T {
        let moving = async {
            self.run().await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = answer => answer,
            never = moving => match never {},
        }
    }

    /// Ends when all is sent, nobody wants more, or the caller breaks off; then the provider sees a body that
    /// breaks off too, never one that ends.
    async fn run(self) {
        let Self {
            start,
            mut rest,
            limits,
            pieces,
        } = self;
        if !start.bytes.is_empty() && pieces.send(Piece::Data(start.bytes.clone())).await.is_err() {
            return;
        }
        drop(start);
        loop {
            match limits.chunk(&mut rest).await {
                Ok(Some(bytes)) => {
                    if pieces.send(Piece::Data(bytes)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => {
                    // Nobody left to tell is no loss.
                    let _told = pieces.send(Piece::End).await;
                    return;
                }
                Err(error) => {
                    tracing::debug!(error = %error, "upload broken off");
                    return;
                }
            }
        }
    }
}
