//! One session, as both ends see it: frames in, frames out, and the end.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

use super::limits::{QUEUE_BYTES, QUEUE_FRAMES};
use super::{Ended, Link};
use crate::tls::Authenticated;

/// A session with an authenticated peer. It ends when `inbound` or the last [`Outbound`] is dropped, by [`Link::end`],
/// or by the peer; `inbound` then yields what had arrived, and `None`.
#[derive(Debug)]
pub struct Session {
    /// Who the peer is.
    pub peer: Authenticated,
    /// Where it is.
    pub remote: SocketAddr,
    /// What it sends. While nobody takes it, the peer has to wait.
    pub inbound: mpsc::Receiver<Bytes>,
    /// What it is sent.
    pub outbound: Outbound,
    /// The connection's end.
    pub link: Link,
}

/// A frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The session has ended, or is about to; [`Link::wait`] says why.
    #[error("the session has ended")]
    Ended,
    /// The frame is larger than this direction allows.
    #[error("the frame has {size} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The largest size.
        limit: usize,
    },
}

/// The sending side of a session.
#[derive(Clone, Debug)]
pub struct Outbound {
    queue: mpsc::Sender<Bytes>,
    waiting: Arc<AtomicUsize>,
    largest: usize,
    link: Link,
}

impl Outbound {
    /// Queues a frame, without waiting. A peer that lets too much queue up loses the session
    /// ([`Ended::SlowReader`]), so that nobody ever waits for it.
    pub fn send(&self, frame: Bytes) -> Result<(), NotSent> {
        let size = frame.len();
        if size > self.largest {
            return Err(NotSent::TooLarge { size, limit: self.largest });
        }
        if self.link.ended().is_some() {
            return Err(NotSent::Ended);
        }
        let waiting = self.waiting.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        let sent =
            if waiting > QUEUE_BYTES { Err(TrySendError::Full(frame)) } else { self.queue.try_send(frame) };
        sent.map_err(|error| {
            // Closed: whoever receives from the peer is about to learn why.
            if let TrySendError::Full(_) = error {
                self.link.end(Ended::SlowReader);
            }
            NotSent::Ended
        })
    }
}

/// Both sides of a queue to the peer, for frames of at most `largest` bytes.
pub(super) fn outbound(link: &Link, largest: usize) -> (Outbound, Outgoing) {
    let (sender, receiver) = mpsc::channel(QUEUE_FRAMES);
    let waiting = Arc::new(AtomicUsize::new(0));
    let outbound = Outbound { queue: sender, waiting: Arc::clone(&waiting), largest, link: link.clone() };
    let outgoing =
        Outgoing { queue: receiver, waiting, ended: Some(Box::pin(link.wait())), link: link.clone() };
    (outbound, outgoing)
}

/// What HTTP/2 takes from: the queued frames, until the session has ended and the queue is empty.
pub(super) struct Outgoing {
    queue: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    /// Until it was seen.
    ended: Option<Pin<Box<dyn Future<Output = Ended> + Send>>>,
    link: Link,
}

impl Stream for Outgoing {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended.as_mut().is_some_and(|ended| ended.as_mut().poll(cx).is_ready()) {
            self.ended = None;
            self.queue.close();
        }
        let frame = ready!(self.queue.poll_recv(cx));
        match &frame {
            Some(frame) => {
                self.waiting.fetch_sub(frame.len(), Ordering::Relaxed);
            }
            None => self.link.end(Ended::Here),
        }
        Poll::Ready(frame)
    }
}

/// The server's answer: the frames, then what the peer is told about the end.
pub(super) struct Answer {
    outgoing: Outgoing,
    finished: bool,
}

impl Answer {
    pub(super) const fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, finished: false }
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.finished {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.outgoing).poll_next(cx));
        Poll::Ready(match frame {
            Some(frame) => Some(Ok(frame)),
            None => {
                self.finished = true;
                self.outgoing.link.ended().and_then(|ended| ended.status()).map(Err)
            }
        })
    }
}

/// Moves what arrives to whoever takes it. This is what notices an end by the peer, after all that it sent before;
/// `why` says what a broken stream means.
pub(super) async fn pump(
    mut frames: Streaming<Bytes>,
    inbound: mpsc::Sender<Bytes>,
    link: Link,
    why: fn(&Status) -> Ended,
) {
    let by_peer = tokio::select! {
        _ = link.stopped() => None,
        ended = take(&mut frames, &inbound, why) => ended,
    };
    drop(inbound);
    if let Some(ended) = by_peer {
        return link.end(ended);
    }
    link.end(Ended::Here);
    // To drop the stream now would reset it, together with what is still on its way to the peer.
    while let Ok(Some(_)) = frames.message().await {}
}

/// Until the stream ends, or nobody takes what arrives (`None`).
async fn take(
    frames: &mut Streaming<Bytes>,
    inbound: &mpsc::Sender<Bytes>,
    why: fn(&Status) -> Ended,
) -> Option<Ended> {
    loop {
        match frames.message().await {
            Ok(Some(frame)) => inbound.send(frame).await.ok()?,
            Ok(None) => return Some(Ended::There("the peer ended the session".to_owned())),
            Err(status) => return Some(why(&status)),
        }
    }
}
