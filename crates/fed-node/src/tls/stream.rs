//! An established connection whose keying material can still be exported while HTTP/2 owns it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};

use fed_proto::binding::pop::EXPORTER_LABEL;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;
use tokio_rustls::rustls;

use crate::wire::Wire;

type Tls = TlsStream<Wire>;

/// The stream. Its lock is held for the length of one poll, and by [`Exporter::export`].
pub(crate) struct Stream {
    tls: Arc<Mutex<Tls>>,
    failure: Arc<OnceLock<rustls::Error>>,
}

/// Exports keying material of one connection (RFC 8446, 7.5). It does not keep the connection open.
#[derive(Clone)]
pub struct Exporter(Weak<Mutex<Tls>>);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl Exporter {
    /// What both ends of this connection, and nobody else, export for `context` under [`EXPORTER_LABEL`]; `None` once
    /// the connection is closed.
    pub fn export(&self, context: &[u8; 32]) -> Option<[u8; 32]> {
        let tls = self.0.upgrade()?;
        let tls = tls.lock().unwrap_or_else(PoisonError::into_inner);
        let context = Some(context.as_slice());
        match &*tls {
            TlsStream::Client(stream) => {
                stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, context)
            }
            TlsStream::Server(stream) => {
                stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, context)
            }
        }
        .ok()
    }
}

impl Stream {
    pub(super) fn new(tls: Tls) -> Self {
        Self { tls: Arc::new(Mutex::new(tls)), failure: Arc::default() }
    }

    pub(super) fn exporter(&self) -> Exporter {
        Exporter(Arc::downgrade(&self.tls))
    }

    /// Where the TLS error appears that ends the connection: HTTP/2 forgets what kind of error it was. With TLS 1.3 a
    /// client learns only after its handshake that the server refuses its certificate.
    pub(crate) fn failure(&self) -> Arc<OnceLock<rustls::Error>> {
        Arc::clone(&self.failure)
    }

    fn lock(&self) -> MutexGuard<'_, Tls> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut *self.lock()).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &read
            && let Some(tls) = super::error::of_tls(error)
        {
            let _ = self.failure.set(tls);
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
