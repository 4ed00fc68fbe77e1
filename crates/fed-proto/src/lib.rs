//! The federation protocol without I/O, clock or randomness.
#![forbid(unsafe_code)]

pub mod admission;
pub mod binding;
pub mod bundle;
pub mod crypto;
pub mod descriptor;
pub mod enrol;
pub mod job;
pub mod name;
pub mod role;
pub mod scheduler;
pub mod signed;
mod tlv;
pub mod verdict;
