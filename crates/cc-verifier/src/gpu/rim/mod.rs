//! Reference integrity manifests: the values that measurements of a device must have, signed by NVIDIA (*verification.md*
//! G12 to G15, as far as they are about one manifest).
//!
//! A manifest is a software identification tag in XML with an XML signature inside. Signatures of that kind are broken
//! by letting the document choose: what is signed, how it is transformed, which key, what a name refers to. So this
//! reads exactly the one form that NVIDIA's files have: a subset of XML in which the canonical form is a matter of
//! copying (`xml`, `canonical`), a signature in which nothing is left open (`signature`), a chain of fixed length
//! (`chain`), and values that are read from the bytes which were signed, parsed again (`tag`). A general library
//! would be several times larger, have cryptography of its own, and be able to do what must not be done here.

mod canonical;
mod chain;
mod document;
mod golden;
mod kind;
mod limits;
mod signature;
mod tag;
mod xml;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use cc_core::{Finding, UnixTime, codes};

use chain::Chain;
use signature::Signed;
use tag::Tag;

use crate::pki::Window;

pub use document::{Document, document};
pub use golden::Golden;
pub use kind::Kind;

/// Who makes the firmware, as all manifests say it.
const MANUFACTURER: &str = "NVIDIA Corporation";

/// A manifest that is authentic and complete. Dates and revocation are not judged, so it holds for as long as its bytes
/// and the root are the same.
#[derive(Debug)]
pub struct Rim {
    chain: Chain,
    tag: Tag,
    sha256: Digest,
}

impl Rim {
    /// Verifies a manifest under the trusted root certificate, DER. `Err` is the first rejection.
    pub fn verify(xml: &[u8], root: &[u8]) -> Result<Self, Finding> {
        let Signed { bytes, chain } = Signed::verify(xml, root)?;
        let tag = Tag::read(&signature::read(&bytes)?)?;
        Ok(Self { chain, tag, sha256: digest(&SHA256, xml) })
    }

    /// G13: all certificates are valid now; otherwise `gpu.rim.expired`.
    pub fn validity(&self, now: UnixTime) -> Result<(), Finding> {
        self.chain.validity(now)
    }

    /// G14: whether this is NVIDIA's manifest for that part in that version; letters may be of either case. Otherwise
    /// `gpu.rim.version_mismatch`.
    pub fn judge(&self, kind: Kind, version: &str) -> Result<(), Finding> {
        let mismatch = |detail| Err(Finding::new(codes::GPU_RIM_VERSION_MISMATCH, detail));
        let Tag { kind: own, version: own_version, manufacturer, .. } = &self.tag;
        if *own != kind {
            return mismatch(format!("the manifest is for {own:?}, not for {kind:?}"));
        }
        if manufacturer != MANUFACTURER {
            return mismatch(format!(
                "the manifest is for firmware of {manufacturer:?}, not of {MANUFACTURER:?}"
            ));
        }
        if !own_version.eq_ignore_ascii_case(version) {
            return mismatch(format!(
                "the manifest is for version {own_version:?}, the report is of {version:?}"
            ));
        }
        Ok(())
    }

    /// The certificates, signer first, root last; DER.
    pub fn chain(&self) -> &[Vec<u8>] {
        self.chain.certificates()
    }

    /// From when until when the signer's certificate is valid, both inclusive.
    pub fn signer_validity(&self) -> (UnixTime, UnixTime) {
        let Window { from, until } = self.chain.signer_window();
        (from, until)
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.tag.kind
    }

    /// Of which version of that, as written: `colloquialVersion`.
    pub fn version(&self) -> &str {
        &self.tag.version
    }

    /// Of which chip, such as `GH100`.
    pub fn product(&self) -> &str {
        &self.tag.product
    }

    /// Its identifier among all tags: `tagId`.
    pub fn tag_id(&self) -> &str {
        &self.tag.id
    }

    /// G15: the active measurements, at least one, each index once, in ascending order.
    pub fn golden(&self) -> &[Golden] {
        &self.tag.golden
    }

    /// The digest of the file, 32 bytes.
    pub fn sha256(&self) -> &[u8] {
        self.sha256.as_ref()
    }
}
