//! The federation protocol without I/O, clock or randomness.
#![forbid(unsafe_code)]

pub mod admission;
pub mod binding;
pub mod bundle;
pub mod coordinator;
pub mod crypto;
pub mod descriptor;
pub mod enrol;
pub mod envelope;
pub mod grant;
pub mod job;
pub mod message;
pub mod name;
pub mod role;
pub mod round;
pub mod scheduler;
pub mod signed;
pub mod sybil;
mod tlv;
pub mod token;
pub mod verdict;
