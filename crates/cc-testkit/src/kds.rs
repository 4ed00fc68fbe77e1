//! A stand-in for AMD's key distribution service: certificates, chains and lists by path.

pub use crate::https::{Fault, Service as Kds};
