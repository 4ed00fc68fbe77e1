//! A synthetic NVIDIA: what its GPUs, switches and services produce, under keys which the project made for tests.

pub mod rim;

pub use crate::snp::mint::{DAY, NOW};
