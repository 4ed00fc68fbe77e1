//! Endorsements of utility VMs: signed statements that a launch measurement is that of a released VM (*verification.md*
//! A1 to A5).
//!
//! [`verify`] takes steps A1 to A4: form, algorithm, issuer, chain, feed, content, signature. Step A5 compares what
//! [`Endorsement`] says with the report. The time of certificates is not judged, since endorsements outlive them
//! (*decisions.md* 10): their validity and the time of signing are there for whoever reads the claims, and a policy has a
//! floor for the security version.

mod algorithm;
mod chain;
mod cose;
mod headers;
mod payload;

use cc_core::{Finding, UnixTime, codes};

use super::anchors::Uvm;
use crate::pki::Window;
use algorithm::Algorithm;
use cose::Sign1;
pub use headers::Form;
use headers::{Content, Headers};
use payload::Payload;

/// Longest endorsement, in bytes. Real ones have 11 KiB, half of which is a time stamp; receipts come with newer ones.
pub(super) const MAX_ENDORSEMENT: usize = 128 * 1024;

/// What an authentic endorsement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// How its headers are written.
    pub form: Form,
    /// The signature's algorithm as COSE names it, for example `PS384`.
    pub algorithm: &'static str,
    /// The security version of the utility VM.
    pub guest_svn: u64,
    /// The launch measurement that it endorses; none in the form of CWT claims, which endorses no MEASUREMENT by itself.
    pub launch_measurement: Option<[u8; 48]>,
    /// When it was signed, by its own word.
    pub signing_time: Option<UnixTime>,
    /// The name of the certificate that the issuer's DID pins, where it can be printed.
    pub root: Option<String>,
    /// SHA-256 of that certificate.
    pub root_sha256: [u8; 32],
    /// The first second of the signer's certificate.
    pub leaf_not_before: UnixTime,
    /// The last second of the signer's certificate.
    pub leaf_not_after: UnixTime,
}

/// Verifies that the endorser of `trust` signed an endorsement, and says what it says. The first step that fails is the
/// error.
pub fn verify(endorsement: &[u8], trust: &Uvm) -> Result<Endorsement, Finding> {
    let signed = Sign1::parse(endorsement)?; // A1
    let headers = Headers::read(&signed)?;
    let algorithm = Algorithm::of(headers.algorithm)?;
    if headers.issuer != trust.did {
        let detail = format!("issued by {:?}, not by {:?}", headers.issuer, trust.did);
        return Err(Finding::new(codes::ACI_UVM_ISSUER, detail)); // A2
    }
    let resolved = chain::resolve(&headers.chain, trust)?;
    let key = algorithm.key(resolved.leaf_spki)?;
    if headers.feed != trust.feed {
        let detail = format!("of feed {:?}, not {:?}", headers.feed, trust.feed);
        return Err(Finding::new(codes::ACI_UVM_FEED, detail)); // A3
    }
    content_type(&headers)?; // A4
    if !key.verifies(&signed.to_be_signed(), signed.signature) {
        let detail = format!("the {} signature does not verify with the signer's key", algorithm.name());
        return Err(Finding::new(codes::ACI_UVM_SIGNATURE, detail));
    }
    let (guest_svn, launch_measurement) = match headers.content {
        Content::Json { .. } => {
            let Payload { guest_svn, launch_measurement } = Payload::read(signed.payload)?;
            (guest_svn, Some(launch_measurement))
        }
        Content::HashEnvelope { svn } => (svn, None),
    };
    let Window { from, until } = resolved.leaf_window;
    Ok(Endorsement {
        form: headers.form(),
        algorithm: algorithm.name(),
        guest_svn,
        launch_measurement,
        signing_time: headers.signing_time,
        root: resolved.root_name,
        root_sha256: resolved.root_sha256,
        leaf_not_before: from,
        leaf_not_after: until,
    })
}

/// A4: what is signed is JSON. The hash envelope has its own type, judged with its form.
fn content_type(headers: &Headers<'_>) -> Result<(), Finding> {
    match headers.content {
        Content::Json { content_type } if content_type != "application/json" => {
            let detail = format!("the content type is {content_type:?}, not \"application/json\"");
            Err(Finding::new(codes::ACI_UVM_CONTENT_TYPE, detail))
        }
        Content::Json { .. } | Content::HashEnvelope { .. } => Ok(()),
    }
}

impl Endorsement {
    /// A5: whether it endorses what was measured.
    pub fn endorses(&self, measurement: &[u8; 48]) -> Result<(), Finding> {
        let detail = match &self.launch_measurement {
            Some(endorsed) if endorsed == measurement => return Ok(()),
            Some(endorsed) => {
                format!("MEASUREMENT is {}, endorsed is {}", hex::encode(measurement), hex::encode(endorsed))
            }
            None => format!(
                "an endorsement of version {} in the form of CWT claims names no launch measurement, MEASUREMENT is {}",
                self.guest_svn,
                hex::encode(measurement)
            ),
        };
        Err(Finding::new(codes::ACI_UVM_MEASUREMENT_MISMATCH, detail))
    }
}

/// A finding that an endorsement is not of the known shape.
fn malformed(what: impl std::fmt::Display) -> Finding {
    Finding::new(codes::ACI_UVM_COSE_MALFORMED, what.to_string())
}
