//! A client's side: an agent dials and keeps one session, an administrator dials and makes one call.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::rustls;
use tonic::Status;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};

use super::codec::{FrameCodec, message_limit};
use super::limits::{
    ANSWER, CLIENT_WINDOWS, CONNECT, HEADERS, INBOUND_FRAMES, LINGER, PING_INTERVAL, PING_TIMEOUT,
    SEND_BUFFER,
};
use super::session::{outbound, pump};
use super::{ADMIN_CALL, Ended, Link, MAX_DOWNWARD, MAX_UPWARD, SESSION, Session};
use crate::tls::{Authenticated, ClientTls, HandshakeError, Stream};
use crate::wire::Wire;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing answers at the address, or the connection broke.
    #[error("{address} cannot be reached: {source}")]
    Unreachable {
        /// What was dialled.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// This end refuses the server's certificate, or the server refuses this one's.
    #[error("TLS with {address} failed: {source}")]
    Tls {
        /// What was dialled.
        address: String,
        /// Why.
        source: HandshakeError,
    },
    /// A participant answers that is not the descriptor's server.
    #[error("at {address}: {source}")]
    WrongServer {
        /// What was dialled.
        address: String,
        /// Who it is.
        source: HandshakeError,
    },
    /// The server knows who this is and says no.
    #[error("{address} refuses: {}", status.message())]
    Refused {
        /// What was dialled.
        address: String,
        /// Why.
        status: Box<Status>,
    },
}

/// Connects as a participant. The session is open when this returns.
pub async fn connect(tls: &ClientTls, address: &str) -> Result<Session, ConnectError> {
    let mut dialled = dial(tls, address).await?;
    let (outbound, outgoing) = outbound(&dialled.link, MAX_UPWARD);
    let path = PathAndQuery::from_static(SESSION);
    let opening = dialled.grpc.streaming(tonic::Request::new(outgoing), path, FrameCodec::default());
    let frames = answer(opening, CONNECT, address, &dialled.failure).await?;
    let Dialled { peer, remote, link, grpc, .. } = dialled;
    let (sender, inbound) = mpsc::channel(INBOUND_FRAMES);
    let pumping = pump(frames, sender, link.clone(), |status| Ended::There(status.message().to_owned()));
    tokio::spawn(async move {
        pumping.await;
        drop(grpc);
    });
    Ok(Session { peer, remote, inbound, outbound, link })
}

/// Makes one call as an administrator.
pub async fn admin_call(tls: &ClientTls, address: &str, request: Bytes) -> Result<Bytes, ConnectError> {
    let mut dialled = dial(tls, address).await?;
    let path = PathAndQuery::from_static(ADMIN_CALL);
    let calling = dialled.grpc.unary(tonic::Request::new(request), path, FrameCodec::default());
    answer(calling, ANSWER, address, &dialled.failure).await
}

/// An authenticated connection that nothing has been asked on.
struct Dialled {
    peer: Authenticated,
    remote: SocketAddr,
    link: Link,
    grpc: Grpc<Sender>,
    failure: Arc<OnceLock<rustls::Error>>,
}

/// The server's answer, or what its absence means.
async fn answer<T>(
    answer: impl Future<Output = Result<tonic::Response<T>, Status>>,
    limit: Duration,
    address: &str,
    failure: &OnceLock<rustls::Error>,
) -> Result<T, ConnectError> {
    let address = address.to_owned();
    let Ok(answered) = timeout(limit, answer).await else {
        return Err(ConnectError::Unreachable { address, source: late() });
    };
    answered.map(tonic::Response::into_inner).map_err(|status| match failure.get() {
        Some(tls) => ConnectError::Tls { address, source: HandshakeError::Tls(tls.clone()) },
        // A status from the server has no source.
        None if status.source().is_none() => ConnectError::Refused { address, status: Box::new(status) },
        None => {
            let source = io::Error::other(status.message().to_owned());
            ConnectError::Unreachable { address, source }
        }
    })
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer")
}

async fn dial(tls: &ClientTls, address: &str) -> Result<Dialled, ConnectError> {
    let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
    let connecting = timeout(CONNECT, TcpStream::connect(address));
    let tcp = connecting.await.map_err(|_| late()).and_then(|connected| connected).map_err(unreachable)?;
    let remote = tcp.peer_addr().map_err(unreachable)?;
    let wire = Wire::new(tcp, None).map_err(unreachable)?;
    let (stream, peer) = tls.connect(wire).await.map_err(|source| {
        let address = address.to_owned();
        match source {
            HandshakeError::Io(source) => ConnectError::Unreachable { address, source },
            HandshakeError::WrongServer { .. } | HandshakeError::Nameless(_) => {
                ConnectError::WrongServer { address, source }
            }
            HandshakeError::Tls(_) | HandshakeError::NoHttp2 | HandshakeError::NoCertificate => {
                ConnectError::Tls { address, source }
            }
        }
    })?;
    let failure = stream.failure();
    let link = Link::new();
    let sender = http2(stream, link.clone()).await.map_err(|error| unreachable(io::Error::other(error)))?;
    let origin = Uri::from_static("https://muster-server");
    let grpc = Grpc::with_origin(sender, origin)
        .max_decoding_message_size(message_limit(MAX_DOWNWARD))
        .max_encoding_message_size(message_limit(MAX_UPWARD));
    Ok(Dialled { peer, remote, link, grpc, failure })
}

/// Starts HTTP/2.
async fn http2(mut stream: Stream, link: Link) -> hyper::Result<Sender> {
    let (stream_window, connection_window) = CLIENT_WINDOWS;
    tokio::spawn(stream.closed(LINGER));
    let tasks = Tasks(link.clone());
    let (requests, connection) = http2::Builder::new(tasks.clone())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .max_header_list_size(HEADERS)
        .max_send_buf_size(SEND_BUFFER)
        .initial_stream_window_size(stream_window)
        .initial_connection_window_size(connection_window)
        .handshake(TokioIo::new(stream))
        .await?;
    tasks.execute(connection);
    Ok(Sender { requests, link })
}

/// Runs what HTTP/2 does for a connection, at most until shortly after its end: the socket would stay open for as long
/// as the server likes.
#[derive(Clone)]
struct Tasks(Link);

impl<F> Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        let ended = self.0.wait();
        let late = async {
            ended.await;
            sleep(LINGER).await;
        };
        tokio::spawn(async {
            tokio::select! {
                _ = task => {}
                () = late => {}
            }
        });
    }
}

/// A connection as tonic wants it, which ends when nobody is left who could ask something on it.
struct Sender {
    requests: SendRequest<Body>,
    link: Link,
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.link.end(Ended::Here);
    }
}

impl GrpcService<Body> for Sender {
    type ResponseBody = Incoming;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.requests.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request))
    }
}
