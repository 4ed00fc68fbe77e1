//! A synthetic NVIDIA: what its GPUs, switches and services produce, under keys which the project made for tests.
//!
//! [`World`] is a set of devices with everything that makes them acceptable; every part can be edited and signed again.

pub mod device_chain;
pub mod keys;
pub mod mint;
pub mod report;
pub mod rim;

pub use device_chain::{Arch, DeviceChain};
pub use mint::{Member, World};
pub use report::{Block, Report};

pub use crate::snp::mint::{DAY, NOW};
