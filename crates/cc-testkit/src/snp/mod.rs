//! A synthetic AMD: certificates, revocation lists and attestation reports of the shape that AMD's key
//! distribution service and firmware produce, under keys which the project made for tests.
//!
//! Layouts follow section 1 of the verification requirements (AMD 56860 and 57230). Start at [`mint::World`]: a
//! consistent, acceptable bundle, every part of which can be edited and signed anew, or damaged after signing.

pub mod ca;
pub mod cert;
pub mod certtable;
pub mod crl;
pub mod keys;
pub mod leaf;
pub mod mint;
pub mod product;
pub mod report;

pub use ca::{ark_der, ask_der, asvk_der};
pub use cert::{CertSpec, Ext, SigKind, sign};
pub use certtable::CertTable;
pub use crl::{CrlSpec, Revoked};
pub use keys::SignKey;
pub use mint::{NOW, World};
pub use product::{LeafKind, Product, Tcb};
pub use report::ReportBuilder;
