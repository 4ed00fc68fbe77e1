//! A peer's socket, on which what arrives is counted before anything looks at it: TLS included.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use cc_core::{Finding, codes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::rpc::{Ended, Limits, Link, Rate};

/// When the kernel finds out that the other end of a silent connection is gone.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

/// A token bucket: up to this instant, time is used up; never more than the burst ahead of the present.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    spent_until: Duration,
}

impl Bucket {
    const fn new(rate: Rate) -> Self {
        Self { rate, spent_until: Duration::ZERO }
    }

    /// Takes `amount` tokens; `false` when there are not that many.
    fn take(&mut self, now: Duration, amount: u32) -> bool {
        let each = Duration::from_secs(1).checked_div(self.rate.per_second).unwrap_or(Duration::MAX);
        let end = self.spent_until.max(now).saturating_add(each.saturating_mul(amount));
        let within = end.saturating_sub(now) <= each.saturating_mul(self.rate.burst);
        if within {
            self.spent_until = end;
        }
        within
    }
}

/// What one connection may send. Going over it ends the connection as [`Ended::Quarantined`].
#[derive(Debug)]
pub(crate) struct Budget {
    start: Instant,
    bytes: Mutex<Bucket>,
    frames: Mutex<Bucket>,
    exceeded: AtomicBool,
    link: Link,
}

impl Budget {
    pub(crate) fn new(limits: &Limits, link: Link) -> Self {
        Self {
            start: Instant::now(),
            bytes: Mutex::new(Bucket::new(limits.bytes)),
            frames: Mutex::new(Bucket::new(limits.frames)),
            exceeded: AtomicBool::new(false),
            link,
        }
    }

    /// Counts one frame.
    pub(crate) fn frame(&self) -> Result<(), Finding> {
        self.take(&self.frames, 1, "frames")
    }

    fn bytes(&self, count: usize) -> Result<(), Finding> {
        self.take(&self.bytes, u32::try_from(count).unwrap_or(u32::MAX), "bytes")
    }

    fn take(&self, bucket: &Mutex<Bucket>, amount: u32, what: &str) -> Result<(), Finding> {
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if bucket.take(self.start.elapsed(), amount) {
            return Ok(());
        }
        let Rate { per_second, burst } = bucket.rate;
        let text = format!("the connection sent more than {burst} {what} at once or {per_second} per second");
        let finding = Finding::new(codes::FL_PEER_QUARANTINED, text);
        self.exceeded.store(true, Ordering::Relaxed);
        self.link.end(Ended::Quarantined(finding.clone()));
        Err(finding)
    }
}

/// The socket. Without a budget it takes whatever arrives.
#[derive(Debug)]
pub(crate) struct Wire {
    tcp: TcpStream,
    budget: Option<Arc<Budget>>,
}

impl Wire {
    pub(crate) fn new(tcp: TcpStream, budget: Option<Arc<Budget>>) -> io::Result<Self> {
        use rustix::net::sockopt;
        tcp.set_nodelay(true)?;
        sockopt::set_socket_keepalive(&tcp, true)?;
        sockopt::set_tcp_keepidle(&tcp, KEEPALIVE_IDLE)?;
        sockopt::set_tcp_keepintvl(&tcp, KEEPALIVE_INTERVAL)?;
        sockopt::set_tcp_keepcnt(&tcp, KEEPALIVE_PROBES)?;
        Ok(Self { tcp, budget })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(budget) = &this.budget else { return Pin::new(&mut this.tcp).poll_read(cx, buf) };
        // Over the budget nothing is read any more; what is still to be said goes out, until the link's end is up.
        if budget.exceeded.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.tcp).poll_read(cx, buf))?;
        if budget.bytes(buf.filled().len().saturating_sub(before)).is_err() {
            buf.set_filled(before);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_then_the_rate() {
        let mut bucket = Bucket::new(Rate { per_second: 10, burst: 3 });
        let at = Duration::from_millis;
        for _ in 0..3 {
            assert!(bucket.take(at(1000), 1));
        }
        assert!(!bucket.take(at(1000), 1));
        assert!(!bucket.take(at(1099), 1));
        assert!(bucket.take(at(1100), 1));
        assert!(!bucket.take(at(1100), 1));
        assert!(!bucket.take(at(99_000), 4), "never more than the burst at once");
        assert!(bucket.take(at(99_000), 3), "a refusal takes nothing");
        assert!(!bucket.take(at(99_000), 1), "no more than the burst, however long it was quiet");
    }

    #[test]
    fn large_amounts_do_not_overflow() {
        let mut bucket = Bucket::new(Rate { per_second: u32::MAX, burst: u32::MAX });
        assert!(!Bucket::new(Rate { per_second: 0, burst: 0 }).take(Duration::ZERO, 1));
        assert!(bucket.take(Duration::ZERO, 0));
        assert!(!Bucket::new(Rate { per_second: 1, burst: 10 }).take(Duration::from_secs(1), u32::MAX));
    }
}
