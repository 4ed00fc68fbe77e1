//! The quote: signed by the attestation key, over these PCRs with these values.

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::azure::Machine;
use cc_core::{Finding, codes};

use super::attest::Attest;
use crate::jwt::Key;

/// TPM_ALG_SHA256 (TPM 2.0 Library, part 2, 6.3).
const ALG_SHA256: u16 = 0x000b;

/// A quote that the attestation key signed.
#[derive(Debug)]
pub(super) struct Quote<'a> {
    pub(super) attest: Attest<'a>,
    /// Number and value of each quoted PCR of the SHA-256 bank, ascending.
    pub(super) pcrs: Vec<(u8, &'a [u8; 32])>,
}

impl<'a> Quote<'a> {
    /// Checks in this order that there is a quote, its form, its signature (RSASSA-PKCS1-v1_5 with SHA-256), the bank, the
    /// selection, and that the values are exactly those of the selection. Which PCRs are selected is for policy.
    pub(super) fn check(machine: &'a Machine, key: &Key) -> Result<Self, Finding> {
        if machine.message.is_empty() {
            return Err(Finding::new(codes::VTPM_QUOTE_MISSING, "the evidence has no quote of the TPM"));
        }
        let attest = Attest::new(&machine.message)?;
        if !key.verifies(&machine.message, &machine.signature) {
            let detail = "the quote is not signed by the attestation key in the runtime data";
            return Err(Finding::new(codes::VTPM_SIGNATURE_INVALID, detail));
        }
        let selected = selection(&attest)?;
        if selected.len() != machine.pcrs.len() {
            let detail = format!("values of {} PCRs, quoted are {selected:?}", machine.pcrs.len());
            return Err(Finding::new(codes::VTPM_PCR_SELECTION, detail));
        }
        let found = digest(&SHA256, machine.pcrs.as_flattened());
        if found.as_ref() != attest.pcr_digest {
            let (found, quoted) = (hex::encode(found), hex::encode(attest.pcr_digest));
            let detail = format!("the digest of the PCRs' values is {found}, quoted is {quoted}");
            return Err(Finding::new(codes::VTPM_PCR_DIGEST, detail));
        }
        let pcrs = selected.into_iter().zip(&machine.pcrs).collect();
        Ok(Self { attest, pcrs })
    }
}

/// The numbers of the quoted PCRs, of which there must be some, all of the SHA-256 bank. A second bank's would run into
/// the same digest.
fn selection(attest: &Attest<'_>) -> Result<Vec<u8>, Finding> {
    if let Some(bank) = attest.banks.iter().find(|bank| bank.hash != ALG_SHA256) {
        let detail = format!("a bank of hash {:#06x} is quoted, not {ALG_SHA256:#06x}", bank.hash);
        return Err(Finding::new(codes::VTPM_PCR_ALGORITHM, detail));
    }
    let selected = match attest.banks.as_slice() {
        [bank] => bank.selected(),
        _ => Vec::new(),
    };
    if selected.is_empty() {
        let detail = format!("the quote is not over PCRs of one bank: {:02x?}", attest.banks);
        return Err(Finding::new(codes::VTPM_PCR_SELECTION, detail));
    }
    Ok(selected)
}
