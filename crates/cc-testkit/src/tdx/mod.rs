//! A synthetic Intel: certificates, revocation lists, TCB info, QE identity, event logs and TD quotes of the shape
//! that Intel's certification service, quoting enclave and TDX module produce, under keys which the project made
//! for tests.
//!
//! Layouts follow section 2 of the verification requirements. Start at [`World`]: a consistent, acceptable bundle,
//! every part of which can be edited and signed anew, or damaged after signing. Certificates and revocation lists
//! are the specifications of [`crate::snp`] with Intel's contents.

pub mod ca;
pub mod ccel;
pub mod collateral;
pub mod crl;
pub mod field;
pub mod keys;
pub mod mint;
pub mod pck;
pub mod quote;
pub mod sgx;

pub use ca::{Ca, root_der};
pub use ccel::EventLog;
pub use collateral::{QeIdentity, Signed, TcbInfo};
pub use mint::{Form, World};
pub use quote::QuoteBuilder;
pub use sgx::SgxExtension;

pub use crate::snp::mint::{DAY, NOW};
