//! What one connection of the server may ask for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use cc_core::{Finding, codes};
use fed_proto::enrol::Subject;
use fed_proto::role::Role;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::{Status, Streaming};

use super::codec::{FrameCodec, message_limit};
use super::limits::INBOUND_FRAMES;
use super::session::{Answer, outbound, pump};
use super::{ADMIN_CALL, Ended, Link, MAX_DOWNWARD, MAX_UPWARD, SESSION, Session, Sessions};
use crate::tls::Authenticated;
use crate::wire::Budget;

/// A connection of an authenticated peer.
pub(super) struct Connection<H> {
    pub(super) peer: Authenticated,
    pub(super) remote: SocketAddr,
    pub(super) budget: Arc<Budget>,
    pub(super) link: Link,
    pub(super) handler: Arc<H>,
    pub(super) session_opened: AtomicBool,
}

type Reply<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

impl<H: Sessions> Connection<H> {
    /// Answers one request.
    pub(super) async fn call(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let codec = FrameCodec { budget: Some(Arc::clone(&self.budget)) };
        let mut grpc = Grpc::new(codec)
            .max_decoding_message_size(message_limit(MAX_UPWARD))
            .max_encoding_message_size(message_limit(MAX_DOWNWARD));
        let path = request.uri().path();
        let allowed = match path {
            SESSION => self.may_open(),
            ADMIN_CALL => self.may_call(),
            _ => Err(Status::unimplemented("no such method")),
        };
        let ended = self.link.ended().and_then(|ended| ended.status());
        Ok(match ended.map_or(allowed, Err) {
            Err(status) => status.into_http(),
            Ok(()) if path == SESSION => grpc.streaming(Open(self), request).await,
            Ok(()) => grpc.unary(Call(self), request).await,
        })
    }

    /// Participants other than the server, once per connection.
    fn may_open(&self) -> Result<(), Status> {
        match &self.peer.subject {
            Subject::Participant { role: Role::Client | Role::Relay | Role::KeyBroker, .. } => {}
            Subject::Participant { role: Role::Server, .. } | Subject::Admin { .. } => {
                return Err(Status::permission_denied("sessions are for participants other than the server"));
            }
        }
        if self.session_opened.swap(true, Ordering::Relaxed) {
            return Err(Status::failed_precondition("this connection had its session"));
        }
        Ok(())
    }

    fn may_call(&self) -> Result<(), Status> {
        match &self.peer.subject {
            Subject::Admin { .. } => Ok(()),
            Subject::Participant { .. } => {
                Err(Status::permission_denied("the certificate does not have the role of an administrator"))
            }
        }
    }
}

struct Open<H>(Arc<Connection<H>>);

impl<H: Sessions> StreamingService<Bytes> for Open<H> {
    type Response = Bytes;
    type ResponseStream = Answer;
    type Future = Reply<Answer>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Reply<Answer> {
        let connection = Arc::clone(&self.0);
        Box::pin(async move {
            let link = &connection.link;
            let (sender, inbound) = mpsc::channel(INBOUND_FRAMES);
            let (outbound, outgoing) = outbound(link, MAX_DOWNWARD);
            let session = Session {
                peer: connection.peer.clone(),
                remote: connection.remote,
                inbound,
                outbound,
                link: link.clone(),
            };
            connection.handler.open(session);
            tokio::spawn(pump(request.into_inner(), sender, link.clone(), broken));
            Ok(tonic::Response::new(Answer::new(outgoing)))
        })
    }
}

/// A status without a source was made here, out of what the peer sent; any other is the connection's end.
fn broken(status: &Status) -> Ended {
    use std::error::Error as _;
    if status.source().is_some() {
        return Ended::There(status.message().to_owned());
    }
    Ended::Quarantined(Finding::new(codes::FL_PEER_QUARANTINED, status.message()))
}

struct Call<H>(Arc<Connection<H>>);

impl<H: Sessions> UnaryService<Bytes> for Call<H> {
    type Response = Bytes;
    type Future = Reply<Bytes>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Reply<Bytes> {
        let connection = Arc::clone(&self.0);
        Box::pin(async move {
            let answer = connection.handler.admin(&connection.peer, request.into_inner()).await?;
            Ok(tonic::Response::new(answer))
        })
    }
}
