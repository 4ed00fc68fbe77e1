//! What the federation's server and its agents share as I/O shells: kits, TLS and gRPC frames.
//!
//! 1. [`kit::Kit`] reads a participant's directory: its configuration, its federation, its enrolment credentials.
//! 2. [`tls`] makes mutual TLS 1.3 connections out of them. Who the peer is comes from its enrolment certificate and
//!    from nowhere else ([`tls::Authenticated`]); keying material of the very connection can be exported.
//! 3. [`rpc`] carries opaque frames over such connections, within budgets that hold before anything is parsed.
//!
//! 4. [`node::Node`] starts a participant: plugins, policy, own evidence, keys. [`judge::Judge`] makes its evidence and
//!    judges that of others for the state machines of `fed-proto`, which know neither policies nor plugins.
//!
//! Nothing here knows what a frame means: that is `fed-proto`'s matter.
#![forbid(unsafe_code)]

pub mod backoff;
pub mod clock;
pub mod judge;
pub mod kit;
pub mod launch;
pub mod log;
pub mod node;
pub mod record;
pub mod rpc;
pub mod tls;
pub mod transcript;
mod wire;
pub mod work;

/// 32 bytes of the system's cryptographic random source.
#[expect(clippy::expect_used, reason = "without randomness nothing here may go on, and no peer can cause it")]
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives randomness");
    bytes
}
