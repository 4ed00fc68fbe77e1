//! What a connection may cost. All constants of this crate's budgets are here; the largest frame either way is the
//! protocol's.

use std::time::Duration;

pub use fed_proto::message::{MAX_DOWNWARD, MAX_UPWARD};

/// A token bucket's measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many in a second, on average.
    pub per_second: u32,
    /// How many at once.
    pub burst: u32,
}

/// The server's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time, of all peers.
    pub connections: usize,
    /// Connections at the same time, of one name in one role: the live one, and predecessors that the network has not
    /// given up yet.
    pub connections_per_subject: usize,
    /// Handshakes at the same time.
    pub handshakes: usize,
    /// Bytes that one connection may send, as they arrive on the socket.
    pub bytes: Rate,
    /// Frames that one connection may send.
    pub frames: Rate,
}

impl Default for Limits {
    /// Twice the largest round in connections. A participant sends about five frames per round, of which one, its
    /// token, is large; it makes at most four reports at once and one per 5 s (*verification.md* 5.5 step 5).
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_subject: 4,
            handshakes: 512,
            bytes: Rate { per_second: 1024 * 1024, burst: 8 * 1024 * 1024 },
            frames: Rate { per_second: 32, burst: 256 },
        }
    }
}

/// Frames that wait for one reader, at most: the tokens and verdicts of the largest round, twice.
pub(super) const QUEUE_FRAMES: usize = 16_384;
/// Bytes that wait for one reader, at most: those of the largest round.
pub(super) const QUEUE_BYTES: usize = 96 * 1024 * 1024;
/// Frames that were received and wait to be taken; beyond it, the sender waits.
pub(super) const INBOUND_FRAMES: usize = 4;

/// How long the end of a connection may take to reach the peer.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// How long all connections together may take to end at shutdown.
pub(super) const SHUTDOWN: Duration = Duration::from_secs(5);
/// How long reaching the server may take, the handshake not counted.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// How long the server may take to answer an administrator.
pub(super) const ANSWER: Duration = Duration::from_secs(60);
/// How long a handshake may take when half of all places are taken, so that silent connections cannot hold them.
pub(super) const HURRIED_HANDSHAKE: Duration = Duration::from_secs(2);

/// Silence after which a connection is asked whether it is alive.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long the answer may take.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams at the same time on one connection.
pub(super) const STREAMS: u32 = 8;
/// Header fields of one request, in bytes.
pub(super) const HEADERS: u32 = 8 * 1024;
/// What the server buffers of a stream and of a connection before it is read.
pub(super) const SERVER_WINDOWS: (u32, u32) = (256 * 1024, 512 * 1024);
/// What a client buffers of a stream and of a connection before it is read.
pub(super) const CLIENT_WINDOWS: (u32, u32) = (4 * 1024 * 1024, 8 * 1024 * 1024);
/// What HTTP/2 buffers of a stream before it is sent.
pub(super) const SEND_BUFFER: usize = 128 * 1024;
