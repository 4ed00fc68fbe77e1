//! Reference manifests: tags of the shape that NVIDIA's have, the chain of their signer, and their XML signature.
//!
//! Start at [`Tag`], edit it, and have it signed by [`Signer::nvidia`]; a [`Signature`] by field can say anything.
//! Canonical forms are made from text by [`canonical()`], without any reader of XML.

mod canonical;
mod chain;
mod signature;
mod tag;

pub use canonical::canonical;
pub use chain::{Chain, root_der, root_with_key};
pub use signature::{Reference, Signature, Signer, answer, x509_data};
pub use tag::{Measurement, Tag};
