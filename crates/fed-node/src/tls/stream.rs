//! An established connection whose keying material can still be exported while HTTP/2 owns it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use fed_proto::binding::pop::EXPORTER_LABEL;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsStream;
use tokio_rustls::rustls;

use crate::wire::Wire;

type Tls = TlsStream<Wire>;

/// The stream. Its lock is held for the length of one poll, and by [`Exporter::export`].
pub(crate) struct Stream {
    tls: Arc<Mutex<Tls>>,
    failure: Arc<OnceLock<rustls::Error>>,
    dropped: Option<oneshot::Sender<Self>>,
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
        Self { tls: Arc::new(Mutex::new(tls)), failure: Arc::default(), dropped: None }
    }

    pub(super) fn exporter(&self) -> Exporter {
        Exporter(Arc::downgrade(&self.tls))
    }

    /// Where the TLS error appears that ends the connection: HTTP/2 forgets what kind of error it was. With TLS 1.3 a
    /// client learns only after its handshake that the server refuses its certificate.
    pub(crate) fn failure(&self) -> Arc<OnceLock<rustls::Error>> {
        Arc::clone(&self.failure)
    }

    /// Waits until HTTP/2 has dropped the stream, then closes it with patience.
    pub(crate) fn closed(&mut self, patience: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (sender, dropped) = oneshot::channel();
        self.dropped = Some(sender);
        async move {
            if let Ok(stream) = dropped.await {
                close(stream, patience).await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tls> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(sender) = self.dropped.take() {
            let (tls, failure) = (Arc::clone(&self.tls), Arc::clone(&self.failure));
            let _ = sender.send(Self { tls, failure, dropped: None });
        }
    }
}

/// Says that nothing more will come, and takes what arrives until the peer says so too: to close a socket at which
/// something arrived that nobody reads any more resets the connection, and the peer loses what it has not read yet.
pub(super) async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin, patience: Duration) {
    let closing = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = timeout(patience, closing).await;
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
