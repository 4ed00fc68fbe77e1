//! A synthetic Microsoft: container groups with the endorsements of their utility VMs and their CCE policies, under keys
//! which the project made for tests.
//!
//! [`World`] is a group with everything that makes it acceptable; every part can be edited and signed again.

pub mod cce;
pub mod chain;
pub mod keys;
pub mod mint;
pub mod uvm;

pub use cce::{Container, Policy};
pub use chain::{Chain, FEED};
pub use mint::World;
pub use uvm::Endorsement;
