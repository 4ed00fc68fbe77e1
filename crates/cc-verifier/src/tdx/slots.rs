//! Endorsements in named slots, and the sorting of unlabelled ones into them by content (*decisions.md* 4).

use cc_core::limits::{MAX_CERTIFICATE, MAX_ENDORSEMENT, MAX_LEAF_CANDIDATES};
use cc_core::{Finding, codes};

use super::document::{ENCLAVE_IDENTITY, MAX_DOCUMENT, TCB_INFO};
use super::role::Role;
use crate::ccel;
use crate::json;
use crate::pki::{Certificate, Crl, common_name, pem};

/// Endorsements by the place where they are tried.
#[derive(Clone, Debug, Default)]
pub struct Slots<'a> {
    /// Candidates for the certificate that signs TCB info and QE identity (`Intel SGX TCB Signing`), DER.
    pub signers: Vec<&'a [u8]>,
    /// Root certificates that came with them, DER. With none, the trust anchor stands in; one of them must be it
    /// otherwise.
    pub roots: Vec<&'a [u8]>,
    /// TCB infos, perhaps of other platforms too: the JSON body as the provisioning service sends it, with
    /// `tcbInfo` and `signature`. The newest of the platform is used.
    pub tcb_infos: Vec<&'a [u8]>,
    /// Identities of the quoting enclave: the JSON body as the provisioning service sends it, with
    /// `enclaveIdentity` and `signature`. The newest is used.
    pub qe_identities: Vec<&'a [u8]>,
    /// Revocation lists of the root, DER. The newest is used, and every authentic one revokes.
    pub root_crls: Vec<&'a [u8]>,
    /// Revocation lists of the platform's issuer, perhaps of the other one too, DER. The newest of the issuer is used,
    /// and every authentic one revokes.
    pub pck_crls: Vec<&'a [u8]>,
    /// Event logs: the content of the table CCEL. With any, one of them must give the quote's registers.
    pub event_logs: Vec<&'a [u8]>,
}

/// Most objects of a kind.
const MAX_CANDIDATES: usize = MAX_LEAF_CANDIDATES;
/// Longest revocation list, in bytes. Lists of the time have less than 4 KiB; room for thousands of entries, little
/// enough to read before the signature is checked.
const MAX_CRL: usize = 256 * 1024;

impl<'a> Slots<'a> {
    /// All objects in an order of their own, with what they are.
    pub(super) const fn lists(&self) -> [(&'static str, &Vec<&'a [u8]>, usize); 7] {
        [
            ("signing certificates", &self.signers, MAX_CERTIFICATE),
            ("root certificates", &self.roots, MAX_CERTIFICATE),
            ("TCB infos", &self.tcb_infos, MAX_DOCUMENT),
            ("QE identities", &self.qe_identities, MAX_DOCUMENT),
            ("revocation lists of the root", &self.root_crls, MAX_CRL),
            ("revocation lists of PCK issuers", &self.pck_crls, MAX_CRL),
            ("event logs", &self.event_logs, MAX_ENDORSEMENT),
        ]
    }

    /// Sizes and numbers, before anything is parsed.
    pub(super) fn within_limits(&self) -> Result<(), Finding> {
        let exceeded = |detail: String| Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        for (what, objects, longest) in self.lists() {
            if objects.len() > MAX_CANDIDATES {
                return exceeded(format!("{} {what}, the limit is {MAX_CANDIDATES}", objects.len()));
            }
            if let Some(length) = objects.iter().map(|object| object.len()).find(|length| *length > longest) {
                return exceeded(format!("one of the {what} has {length} bytes, the limit is {longest}"));
            }
        }
        Ok(())
    }
}

/// What each of a request's endorsements is, in the order of the request, and where those with a number came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    /// A name for each endorsement; see [`super::Verifier::verify`].
    pub(super) names: Vec<&'static str>,
    /// For each object in a slot the position of the endorsement that it is.
    pub(super) tcb_infos: Vec<u32>,
    pub(super) qe_identities: Vec<u32>,
    pub(super) root_crls: Vec<u32>,
    pub(super) pck_crls: Vec<u32>,
}

impl Labels {
    /// For endorsements in slots: positions are those in the slot.
    pub(super) fn of_slots(slots: &Slots<'_>) -> Self {
        let positions = |slot: &Vec<&[u8]>| (0..).zip(slot).map(|(position, _)| position).collect();
        Self {
            names: Vec::new(),
            tcb_infos: positions(&slots.tcb_infos),
            qe_identities: positions(&slots.qe_identities),
            root_crls: positions(&slots.root_crls),
            pck_crls: positions(&slots.pck_crls),
        }
    }
}

/// The certificates of those endorsements that are issuer chains in PEM, one list for each endorsement.
pub(super) fn decode_chains<'b>(blobs: impl Iterator<Item = &'b [u8]>) -> Vec<Vec<Vec<u8>>> {
    let decode = |blob| if pem::is_pem(blob) { pem::bundle(blob).unwrap_or_default() } else { Vec::new() };
    blobs.map(decode).collect()
}

/// Sorts endorsements by their content; `chains` is what [`decode_chains`] made of the same ones.
pub(super) fn sort<'a>(
    blobs: impl Iterator<Item = &'a [u8]>,
    chains: &'a [Vec<Vec<u8>>],
) -> (Labels, Slots<'a>) {
    let (mut labels, mut slots) = (Labels::default(), Slots::default());
    for ((blob, chain), position) in blobs.zip(chains).zip(0..) {
        let mut name = "unknown";
        for der in chain {
            if sort_certificate(der, &mut slots) {
                name = "tdx.signing_chain";
            }
        }
        if chain.is_empty() {
            name = sort_one(blob, position, &mut slots, &mut labels);
        }
        labels.names.push(name);
    }
    (labels, slots)
}

/// Puts one object where it belongs and says what it is. Something longer than anything of its kind is unknown, whatever
/// it may look like: it is not read.
fn sort_one<'a>(blob: &'a [u8], position: u32, slots: &mut Slots<'a>, labels: &mut Labels) -> &'static str {
    if ccel::is_log(blob) && blob.len() <= MAX_ENDORSEMENT {
        add(&mut slots.event_logs, blob);
        return "tdx.ccel";
    }
    if blob.trim_ascii_start().starts_with(b"{") && blob.len() <= MAX_DOCUMENT {
        return sort_document(blob, position, slots, labels);
    }
    if blob.len() <= MAX_CERTIFICATE && sort_certificate(blob, slots) {
        return "tdx.signing_chain";
    }
    if blob.len() <= MAX_CRL { sort_crl(blob, position, slots, labels) } else { "unknown" }
}

fn sort_document<'a>(
    blob: &'a [u8],
    position: u32,
    slots: &mut Slots<'a>,
    labels: &mut Labels,
) -> &'static str {
    let name = std::str::from_utf8(blob).ok();
    let name = name.and_then(|text| json::first_name(text, &[TCB_INFO, ENCLAVE_IDENTITY]));
    let (slot, positions, label) = match name {
        Some(TCB_INFO) => (&mut slots.tcb_infos, &mut labels.tcb_infos, "tdx.tcb_info"),
        Some(ENCLAVE_IDENTITY) => (&mut slots.qe_identities, &mut labels.qe_identities, "tdx.qe_identity"),
        _ => return "unknown",
    };
    if add(slot, blob) {
        positions.push(position);
    }
    label
}

/// Puts a certificate where it belongs; says whether it belongs anywhere. A PCK certificate is no signer, but who signed
/// with it is to be told so.
fn sort_certificate<'a>(der: &'a [u8], slots: &mut Slots<'a>) -> bool {
    let role = Certificate::parse(der).ok().and_then(|c| common_name(c.subject).ok().and_then(Role::of));
    match role {
        Some(Role::Root) => add(&mut slots.roots, der),
        Some(Role::TcbSigner | Role::Pck) => add(&mut slots.signers, der),
        Some(Role::Issuer(_)) | None => return false,
    };
    true
}

fn sort_crl<'a>(blob: &'a [u8], position: u32, slots: &mut Slots<'a>, labels: &mut Labels) -> &'static str {
    let issuer = Crl::parse(blob).ok().and_then(|crl| common_name(crl.issuer).ok().and_then(Role::of));
    let (slot, positions, label) = match issuer {
        Some(Role::Root) => (&mut slots.root_crls, &mut labels.root_crls, "tdx.root_crl"),
        Some(Role::Issuer(_)) => (&mut slots.pck_crls, &mut labels.pck_crls, "tdx.pck_crl"),
        _ => return "unknown",
    };
    if add(slot, blob) {
        positions.push(position);
    }
    label
}

/// Adds an object that is not yet there; says whether it did. One more than the limit is enough to be refused.
fn add<'a>(slot: &mut Vec<&'a [u8]>, object: &'a [u8]) -> bool {
    let wanted = slot.len() <= MAX_CANDIDATES && !slot.contains(&object);
    if wanted {
        slot.push(object);
    }
    wanted
}
