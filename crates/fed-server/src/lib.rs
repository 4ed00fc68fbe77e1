//! The federation server.
#![forbid(unsafe_code)]
