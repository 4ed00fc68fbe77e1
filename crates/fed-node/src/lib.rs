//! What the federation's server and its agents share as I/O shells: kits, TLS and gRPC frames.
//!
//! 1. [`kit::Kit`] reads a participant's directory: its configuration, its federation, its enrolment credentials.
//! 2. [`tls`] makes mutual TLS 1.3 connections out of them. Who the peer is comes from its enrolment certificate and
//!    from nowhere else ([`tls::Authenticated`]); keying material of the very connection can be exported.
//! 3. [`rpc`] carries opaque frames over such connections, within budgets that hold before anything is parsed.
//!
//! Nothing here knows what a frame means: that is `fed-proto`'s matter.
#![forbid(unsafe_code)]

pub mod backoff;
pub mod kit;
pub mod rpc;
pub mod tls;
mod wire;
