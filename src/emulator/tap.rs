//! A connection whose bytes can be spoilt: the faults below HTTP.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_rt::net::TcpStream;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What is done to the bytes that go out.
#[derive(Clone, Debug, Default)]
pub(super) enum Sabotage {
    /// Nothing.
    #[default]
    None,
    /// So many at a time, with this between.
    Drip { bytes: usize, delay: Duration },
    /// So many, then the end.
    Truncate { bytes: usize },
    /// These instead, then the end.
    Replace { bytes: Bytes },
}

/// How many connections there are.
#[derive(Debug, Default)]
pub(super) struct Connections {
    opened: AtomicU64,
    closed: AtomicU64,
}

impl Connections {
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(super) fn open(&self) -> u64 {
        self.opened().saturating_sub(self.closed.load(Ordering::Relaxed))
    }
}

/// The handler's end of a connection.
#[derive(Debug)]
pub(super) struct Tap {
    /// Number of the connection, from 1.
    pub(super) connection: u64,
    sabotage: RefCell<Sabotage>,
    reset: Cell<bool>,
}

impl Tap {
    /// What happens to everything that is sent from now on.
    pub(super) fn spoil(&self, sabotage: Sabotage) {
        self.sabotage.replace(sabotage);
    }

    /// The connection ends with a reset (RST).
    pub(super) fn reset_at_end(&self) {
        self.reset.set(true);
    }
}

/// The connection.
pub(super) struct TappedStream {
    io: TcpStream,
    tap: Rc<Tap>,
    connections: Arc<Connections>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl TappedStream {
    pub(super) fn new(io: TcpStream, connections: &Arc<Connections>) -> Self {
        let connection = connections.opened.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            io,
            tap: Rc::new(Tap {
                connection,
                sabotage: RefCell::default(),
                reset: Cell::new(false),
            }),
            connections: Arc::clone(connections),
            pause: None,
        }
    }

    pub(super) fn tap(&self) -> Rc<Tap> {
        Rc::clone(&self.tap)
    }

    fn poll_drip(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
        bytes: usize,
        delay: Duration,
    ) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let drop = data.get(..bytes.max(1)).unwrap_or(data);
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, drop))?;
        self.pause = Some(Box::pin(tokio::time::sleep(delay)));
        Poll::Ready(Ok(written))
    }

    /// Sends what is left of the bytes, then fails: the dispatcher drops the connection.
    fn poll_last(&mut self, cx: &mut Context<'_>, mut last: Bytes, replace: bool) -> Poll<io::Result<usize>> {
        while !last.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &last))?;
            let _ = last.split_to(written.min(last.len()));
            if replace {
                self.tap.spoil(Sabotage::Replace { bytes: last.clone() });
            } else {
                self.tap.spoil(Sabotage::Truncate { bytes: last.len() });
            }
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }
}

impl Drop for TappedStream {
    fn drop(&mut self) {
        self.connections.closed.fetch_add(1, Ordering::Relaxed);
        if self.tap.reset.get() {
            // If it cannot be set the connection ends with a FIN; nothing better can be done.
            let _ = self.io.set_zero_linger();
        }
    }
}

impl AsyncRead for TappedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TappedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let sabotage = match &*self.tap.sabotage.borrow() {
            Sabotage::None => None,
            other => Some(other.clone()),
        };
        match sabotage {
            None | Some(Sabotage::None) => Pin::new(&mut self.io).poll_write(cx, data),
            Some(Sabotage::Drip { bytes, delay }) => self.poll_drip(cx, data, bytes, delay),
            Some(Sabotage::Truncate { bytes }) => {
                let last = Bytes::copy_from_slice(data.get(..bytes).unwrap_or(data));
                self.poll_last(cx, last, false)
            }
            Some(Sabotage::Replace { bytes }) => self.poll_last(cx, bytes, true),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
