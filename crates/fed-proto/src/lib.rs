//! The federation protocol without I/O, clock or randomness.
#![forbid(unsafe_code)]

pub mod crypto;
mod tlv;
