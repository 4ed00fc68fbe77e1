//! Steps T10 to T12: the quoting enclave, and that the attestation key is its own.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, codes};

use super::chain::Chain;
use super::enclave::EnclaveReport;
use super::level::{SvnLevel, reached};
use super::qe_identity::QeIdentity;
use super::quote::Attestation;
use crate::pki::p256_key_of_coordinates;

/// An attestation key, judged as far as it depends on nothing but what stays in all quotes of the key.
#[derive(Debug)]
pub(super) struct AttestationKey {
    pub(super) chain: Arc<Chain>,
    /// T10: the PCK signed the enclave's report.
    pub(super) qe_signature: Result<(), Finding>,
    /// T11: the report vouches for the key.
    pub(super) qe_report_data: Result<(), Finding>,
    /// T13: the key, if it is a point on the curve.
    pub(super) key: Result<ParsedPublicKey, Finding>,
}

impl AttestationKey {
    pub(super) fn judge(attestation: &Attestation<'_>, chain: Arc<Chain>) -> Self {
        let key = p256_key_of_coordinates(attestation.key).map_err(|_| {
            let detail =
                format!("the attestation key is no point on P-256: {}", hex::encode(attestation.key));
            Finding::new(codes::TDX_SIGNATURE_MALFORMED, detail)
        });
        Self {
            qe_signature: qe_signature(attestation, &chain.pck.key),
            qe_report_data: qe_report_data(attestation),
            key,
            chain,
        }
    }
}

fn qe_signature(attestation: &Attestation<'_>, pck: &ParsedPublicKey) -> Result<(), Finding> {
    pck.verify_sig(attestation.qe_report.as_bytes(), attestation.qe_signature).map_err(|_| {
        let detail = "the QE report's signature does not verify with the key of the PCK certificate";
        Finding::new(codes::TDX_QE_REPORT_SIGNATURE, detail)
    })
}

fn qe_report_data(attestation: &Attestation<'_>) -> Result<(), Finding> {
    let mut context = Context::new(&SHA256);
    context.update(attestation.key);
    context.update(attestation.qe_auth_data);
    let digest = context.finish();
    let reported = attestation.qe_report.report_data();
    if reported.strip_prefix(digest.as_ref()) == Some(&[0; 32]) {
        return Ok(());
    }
    let (reported, digest) = (hex::encode(reported), hex::encode(digest));
    let detail = format!("the QE's report data is {reported}, the digest of key and QE data is {digest}");
    Err(Finding::new(codes::TDX_QE_REPORT_DATA_MISMATCH, detail))
}

/// T12 as far as it needs no QE identity: the enclave cannot be debugged.
pub(super) fn not_debuggable(report: EnclaveReport<'_>) -> Result<(), Finding> {
    if report.is_debug() {
        let detail = format!("QE attributes are {}", hex::encode(report.attributes()));
        return Err(Finding::new(codes::TDX_QE_DEBUG, detail));
    }
    Ok(())
}

/// T12: the enclave is the one that Intel describes. A mask says which bits are described; what is expected outside of
/// it can never be there.
pub(super) fn identity(report: EnclaveReport<'_>, identity: &QeIdentity) -> Result<(), Finding> {
    let mismatch = |what: &str, found: &dyn std::fmt::Display, expected: &dyn std::fmt::Display| {
        let detail = format!("QE {what} is {found}, expected {expected}");
        Err(Finding::new(codes::TDX_QE_IDENTITY_MISMATCH, detail))
    };
    let misc_select = masked(report.misc_select(), &identity.misc_select_mask);
    if misc_select != identity.misc_select {
        return mismatch("MISCSELECT", &hex::encode(misc_select), &hex::encode(identity.misc_select));
    }
    let attributes = masked(report.attributes(), &identity.attributes_mask);
    if attributes != identity.attributes {
        return mismatch("attributes", &hex::encode(attributes), &hex::encode(identity.attributes));
    }
    if *report.mr_signer() != identity.mr_signer {
        let (found, expected) = (hex::encode(report.mr_signer()), hex::encode(identity.mr_signer));
        return mismatch("MRSIGNER", &found, &expected);
    }
    if report.isv_prod_id() != identity.isv_prod_id {
        return mismatch("ISVPRODID", &report.isv_prod_id(), &identity.isv_prod_id);
    }
    Ok(())
}

/// T12: the level that the enclave reaches.
pub(super) fn level<'a>(
    report: EnclaveReport<'_>,
    identity: &'a QeIdentity,
) -> Result<&'a SvnLevel, Finding> {
    reached(&identity.levels, report.isv_svn()).ok_or_else(|| {
        let detail = format!("QE ISVSVN {} is below every level of the QE identity", report.isv_svn());
        Finding::new(codes::TDX_QE_TCB_NOT_FOUND, detail)
    })
}

/// The bits of a field that a mask selects.
pub(super) fn masked<const N: usize>(field: &[u8; N], mask: &[u8; N]) -> [u8; N] {
    let mut masked = *field;
    masked.iter_mut().zip(mask).for_each(|(byte, mask)| *byte &= mask);
    masked
}
