//! Trust anchors: AMD's roots, and who endorses utility VMs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::oid::ObjectIdentifier;

use crate::snp;

/// Microsoft's DID for utility VMs (*verification.md* A2).
const MICROSOFT: &str =
    "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2";
/// The feed of the utility VMs of container groups (*verification.md* A3).
const FEED: &str = "ContainerPlat-AMD-UVM";

/// Whom a verifier of container groups trusts.
#[derive(Debug)]
pub struct Anchors {
    /// The roots of the processors.
    pub snp: snp::Anchors,
    /// The endorser of utility VMs.
    pub uvm: Uvm,
}

impl Anchors {
    /// AMD's roots and Microsoft's DID.
    pub fn production() -> Self {
        Self { snp: snp::Anchors::amd(), uvm: Uvm::microsoft() }
    }
}

/// The one endorser of utility VMs and the one product line that it may speak of, both compared exactly.
#[derive(Debug)]
pub struct Uvm {
    pub(super) did: String,
    pub(super) feed: String,
    /// What the DID pins; `None` if it cannot be read.
    pub(super) pin: Option<Pin>,
}

/// What a DID of method x509 pins: SHA-256 of a certificate above the leaf, and a purpose of the leaf's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) fingerprint: [u8; 32],
    pub(super) purpose: ObjectIdentifier,
}

impl Uvm {
    /// Microsoft's DID and the feed of container groups.
    pub fn microsoft() -> Self {
        Self::new(MICROSOFT, FEED)
    }

    /// Another endorser: for tests and for emulated plugins. Whoever calls this says that what it signs is real. With a
    /// DID that is not `did:x509:0:sha256:<base64url>::eku:<OID>` every endorsement is rejected.
    pub fn new(did: &str, feed: &str) -> Self {
        Self { did: did.to_owned(), feed: feed.to_owned(), pin: pin(did) }
    }
}

fn pin(did: &str) -> Option<Pin> {
    let (fingerprint, purpose) = did.strip_prefix("did:x509:0:sha256:")?.split_once("::eku:")?;
    let fingerprint = URL_SAFE_NO_PAD.decode(fingerprint).ok()?.try_into().ok()?;
    Some(Pin { fingerprint, purpose: ObjectIdentifier::new(purpose).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_has_one_form() {
        let pin = pin(MICROSOFT).unwrap();
        let root = "23ffe2b8bdb9a1711515d4cffda04bc7f793d513c76c243f1020507d8669b7db";
        assert_eq!(
            (hex::encode(pin.fingerprint), pin.purpose.to_string()),
            (root.to_owned(), "1.3.6.1.4.1.311.76.59.1.2".to_owned())
        );
        for (from, to) in [
            ("did:x509:0:", "did:x509:1:"),
            ("sha256", "sha384"),
            ("t9s::", "t9s=::"),
            ("t9s::", "t9::"),
            ("I__i", "I//i"),
            ("::eku:", "::san:"),
            ("::eku:", "::eku:1.2::eku:"),
            ("1.3.6", "1..6"),
            ("59.1.2", "59.1.2 "),
        ] {
            assert_eq!(super::pin(&MICROSOFT.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(super::pin(""), None);
    }
}
