//! The server's side: connections come in, each is served in a task of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cc_core::{Finding, codes};
use fed_proto::enrol::Subject;
use fed_proto::name::Name;
use fed_proto::role::Role;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::limits::{
    HEADERS, HURRIED_HANDSHAKE, LINGER, PING_INTERVAL, PING_TIMEOUT, SEND_BUFFER, SERVER_WINDOWS, SHUTDOWN,
    STREAMS,
};
use super::service::Connection;
use super::{Ended, Limits, Link, Session};
use crate::tls::{Authenticated, HANDSHAKE_TIME, HandshakeError, ServerTls, Stream};
use crate::wire::{Budget, Wire};

/// What the server does with its peers.
pub trait Sessions: Send + Sync + 'static {
    /// Takes a participant's new session. Dropping it ends it.
    fn open(&self, session: Session);

    /// Answers an administrator's request.
    fn admin(
        &self,
        peer: &Authenticated,
        request: Bytes,
    ) -> impl Future<Output = Result<Bytes, Status>> + Send;
}

/// Serves connections until `shutdown`; then takes no more, lets those that are there finish what they are sending, and
/// returns when all have ended, after some seconds at the latest.
pub async fn serve<H: Sessions>(
    listener: TcpListener,
    tls: ServerTls,
    limits: Limits,
    handler: H,
    shutdown: CancellationToken,
) {
    let server = Arc::new(Server {
        tls,
        limits,
        handler: Arc::new(handler),
        shutdown: shutdown.clone(),
        present: Mutex::default(),
    });
    let connections = Arc::new(Semaphore::new(limits.connections));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let mut tasks = JoinSet::new();
    let accept = async {
        loop {
            // Both are never closed. Without a place nothing is accepted: the kernel keeps those who wait.
            let Ok(connection) = Arc::clone(&connections).acquire_owned().await else { return };
            let Ok(handshake) = Arc::clone(&handshakes).acquire_owned().await else { return };
            let places = Places { connection, handshake, hurry: hurry(&handshakes, &limits) };
            match listener.accept().await {
                Ok((tcp, remote)) => {
                    // Those that have ended.
                    while tasks.try_join_next().is_some() {}
                    tasks.spawn(Arc::clone(&server).connection(tcp, remote, places));
                }
                Err(error) => {
                    // Such as no more file descriptors: others will be closed.
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown.cancelled() => {}
    }
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(SHUTDOWN, ended).await.is_err() {
        tracing::warn!("connections did not end in time and are cut");
    }
}

/// Whether handshakes have to be quick, since half of all places are taken.
fn hurry(handshakes: &Semaphore, limits: &Limits) -> bool {
    handshakes.available_permits() < limits.handshakes / 2
}

/// What a connection occupies.
struct Places {
    connection: OwnedSemaphorePermit,
    handshake: OwnedSemaphorePermit,
    hurry: bool,
}

struct Server<H> {
    tls: ServerTls,
    limits: Limits,
    handler: Arc<H>,
    shutdown: CancellationToken,
    present: Mutex<BTreeMap<(Option<Role>, Name), usize>>,
}

impl<H: Sessions> Server<H> {
    async fn connection(self: Arc<Self>, tcp: TcpStream, remote: SocketAddr, places: Places) {
        let Places { connection: _connection, handshake, hurry } = places;
        let link = Link::new();
        let budget = Arc::new(Budget::new(&self.limits, link.clone()));
        let limit = if hurry { HURRIED_HANDSHAKE } else { HANDSHAKE_TIME };
        let shaken = tokio::select! {
            () = self.shutdown.cancelled() => return,
            shaken = self.handshake(tcp, Arc::clone(&budget), limit) => shaken,
        };
        let (stream, peer) = match shaken {
            Ok(established) => established,
            // Anybody can make one fail, but only an enrolment CA's owner in this way.
            Err(error @ HandshakeError::Nameless(_)) => return tracing::warn!(%remote, %error, "refused"),
            Err(error) => return tracing::debug!(%remote, %error, "a handshake failed"),
        };
        let present = self.enter(&peer.subject);
        if present.is_none() {
            let text = format!("already {} connections of this name", self.limits.connections_per_subject);
            tracing::warn!(%remote, subject = ?peer.subject, "{text}");
            link.end(Ended::Refused(Finding::new(codes::FL_PEER_QUARANTINED, text)));
        } else {
            // A connection that is only told why it is refused keeps its place among the handshakes.
            drop(handshake);
        }
        tracing::debug!(%remote, subject = ?peer.subject, "connected");
        let handler = Arc::clone(&self.handler);
        let session_opened = AtomicBool::new(false);
        let connection = Connection { peer, remote, budget, link, handler, session_opened };
        self.http2(stream, Arc::new(connection)).await;
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        budget: Arc<Budget>,
        limit: Duration,
    ) -> Result<(Stream, Authenticated), HandshakeError> {
        self.tls.accept(Wire::new(tcp, Some(budget))?, limit).await
    }

    async fn http2(&self, mut stream: Stream, connection: Arc<Connection<H>>) {
        let closed = stream.closed(LINGER);
        self.serve(stream, connection).await;
        closed.await;
    }

    async fn serve(&self, stream: Stream, connection: Arc<Connection<H>>) {
        let link = connection.link.clone();
        let (stream_window, connection_window) = SERVER_WINDOWS;
        let service = service_fn(move |request| Arc::clone(&connection).call(request));
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADERS)
            .max_send_buf_size(SEND_BUFFER)
            .initial_stream_window_size(stream_window)
            .initial_connection_window_size(connection_window)
            .serve_connection(TokioIo::new(stream), service);
        let mut serving = pin!(serving);
        // One that is refused from the start lives for the request that is told so.
        let refused = link.ended().is_some();
        let limit = tokio::select! {
            // Its streams notice themselves.
            _ = &mut serving => return,
            () = tokio::time::sleep(LINGER), if refused => return,
            _ = link.wait(), if !refused => LINGER,
            () = self.shutdown.cancelled() => {
                link.end(Ended::Shutdown);
                SHUTDOWN
            }
        };
        serving.as_mut().graceful_shutdown();
        let _ = timeout(limit, serving).await;
    }

    /// Counts a connection of `subject`, unless there are too many.
    fn enter(&self, subject: &Subject) -> Option<Present<'_, H>> {
        let key = match subject {
            Subject::Participant { role, name } => (Some(*role), name.clone()),
            Subject::Admin { name } => (None, name.clone()),
        };
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = present.get(&key).copied().unwrap_or_default();
        if count >= self.limits.connections_per_subject {
            return None;
        }
        present.insert(key.clone(), count.saturating_add(1));
        Some(Present { server: self, key })
    }
}

/// One counted connection.
struct Present<'a, H> {
    server: &'a Server<H>,
    key: (Option<Role>, Name),
}

impl<H> Drop for Present<'_, H> {
    fn drop(&mut self) {
        let mut present = self.server.present.lock().unwrap_or_else(PoisonError::into_inner);
        match present.get_mut(&self.key) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => {
                present.remove(&self.key);
            }
        }
    }
}
