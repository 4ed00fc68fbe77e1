//! gRPC over the connections of [`crate::tls`]: one bidirectional stream of opaque frames per participant, and unary
//! calls of administrators (`proto/muster.proto`).
//!
//! The server serves each connection in a task of its own. What a connection may cost is bounded before anything of
//! it is parsed: bytes at the socket, below TLS; frames as they come out of HTTP/2; sizes before allocation; queues
//! by count and bytes. Whoever exceeds a bound loses the connection, and nobody else notices.

mod client;
mod codec;
mod limits;
mod link;
mod server;
mod service;
mod session;

pub use client::{ConnectError, admin_call, connect};
pub use limits::{Limits, MAX_DOWNWARD, MAX_UPWARD, Rate};
pub use link::{Ended, Link};
pub use server::{Sessions, serve};
pub use session::{NotSent, Outbound, Session};
pub use tonic::Status;

/// Path of the participants' stream.
const SESSION: &str = "/muster.v1.Federation/Session";
/// Path of the administrators' call.
const ADMIN_CALL: &str = "/muster.v1.Admin/Call";
