//! Endorsements in named slots, and the sorting of unlabelled ones into them by content (*decisions.md* 4).

use cc_core::limits::{MAX_CERTIFICATE, MAX_LEAF_CANDIDATES};
use cc_core::{Finding, codes};

use super::certtable;
use super::role::Role;
use crate::pki::{Certificate, Crl, common_name};

/// Endorsements by the place where they are tried; DER. Order counts: the first that fits is used.
#[derive(Clone, Debug, Default)]
pub struct Slots<'a> {
    /// Candidates for the certificate of the key that signed the report.
    pub leaves: Vec<&'a [u8]>,
    /// Certificates between root and leaf, perhaps of other product lines too.
    pub intermediates: Vec<&'a [u8]>,
    /// Root certificates. With none, the trust anchor stands in; one of them must be it otherwise.
    pub roots: Vec<&'a [u8]>,
    /// Revocation lists.
    pub crls: Vec<&'a [u8]>,
}

/// Most intermediates: two for each product line, and as many again for renewals.
const MAX_INTERMEDIATES: usize = 12;
/// Most roots: one comes with each intermediate.
const MAX_ROOTS: usize = MAX_INTERMEDIATES;
/// Most revocation lists: one is published beside each intermediate.
const MAX_CRLS: usize = MAX_INTERMEDIATES;
/// Longest revocation list, in bytes. A root signs a handful of intermediates, and lists of the time have less than
/// 1 KiB; room for thousands of entries, little enough to read before the signature is checked.
const MAX_CRL: usize = 256 * 1024;

impl Slots<'_> {
    /// Sizes and numbers, before anything is parsed.
    pub(super) fn within_limits(&self) -> Result<(), Finding> {
        let slots = [
            ("leaf candidates", &self.leaves, MAX_LEAF_CANDIDATES, MAX_CERTIFICATE),
            ("intermediates", &self.intermediates, MAX_INTERMEDIATES, MAX_CERTIFICATE),
            ("roots", &self.roots, MAX_ROOTS, MAX_CERTIFICATE),
            ("revocation lists", &self.crls, MAX_CRLS, MAX_CRL),
        ];
        for (what, objects, most, longest) in slots {
            let exceeded = |detail: String| Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
            if objects.len() > most {
                return exceeded(format!("{} {what}, the limit is {most}", objects.len()));
            }
            if let Some(length) = objects.iter().map(|der| der.len()).find(|length| *length > longest) {
                return exceeded(format!("one of the {what} has {length} bytes, the limit is {longest}"));
            }
        }
        Ok(())
    }
}

/// What each of a request's endorsements is, in the order of the request, and where the revocation lists came
/// from.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    /// A name for each endorsement; see [`super::Verifier::verify`].
    pub(super) names: Vec<&'static str>,
    /// For each of [`Slots::crls`] the position of the endorsement that it is or is in.
    pub(super) crl_positions: Vec<u32>,
}

/// The PEM entries of all certificate tables among endorsements, in order, as DER: hosts write either form. One that
/// cannot be decoded is empty, and so no certificate.
pub(super) fn decode_tables<'b>(blobs: impl Iterator<Item = &'b [u8]>) -> Vec<Vec<u8>> {
    blobs
        .filter(|blob| certtable::is_table(blob))
        .flat_map(|table| certtable::blobs(table).unwrap_or_default())
        .filter(|entry| is_pem(entry))
        .map(|entry| der::pem::decode_vec(entry.trim_ascii()).map_or_else(|_| Vec::new(), |(_, der)| der))
        .collect()
}

fn is_pem(entry: &[u8]) -> bool {
    entry.starts_with(b"-----BEGIN ")
}

/// Sorts endorsements by their content; `decoded` is what [`decode_tables`] made of the same ones. `Err` is beside the
/// labels when a certificate table is malformed.
pub(super) fn sort<'a>(
    blobs: impl Iterator<Item = &'a [u8]>,
    decoded: &'a [Vec<u8>],
) -> (Labels, Result<Slots<'a>, Finding>) {
    let mut decoded = decoded.iter();
    let (mut labels, mut slots, mut error) = (Labels::default(), Slots::default(), None);
    for (blob, position) in blobs.zip(0..) {
        if !certtable::is_table(blob) {
            let name = sort_one(blob, position, &mut slots, &mut labels.crl_positions);
            labels.names.push(name);
            continue;
        }
        labels.names.push("snp.certtable");
        match certtable::blobs(blob) {
            Ok(entries) => {
                for entry in entries {
                    let entry =
                        if is_pem(entry) { decoded.next().map_or(entry, Vec::as_slice) } else { entry };
                    sort_one(entry, position, &mut slots, &mut labels.crl_positions);
                }
            }
            Err(finding) => error = error.or(Some(finding)),
        }
    }
    (labels, error.map_or(Ok(slots), Err))
}

/// Puts one object where it belongs and says what it is. Something longer than any certificate or revocation list is
/// unknown, whatever it may look like: it is not read.
fn sort_one<'a>(
    blob: &'a [u8],
    position: u32,
    slots: &mut Slots<'a>,
    crl_positions: &mut Vec<u32>,
) -> &'static str {
    let certificate = if blob.len() <= MAX_CERTIFICATE { Certificate::parse(blob).ok() } else { None };
    let Some(certificate) = certificate else {
        if blob.len() > MAX_CRL || Crl::parse(blob).is_err() {
            return "unknown";
        }
        if add(&mut slots.crls, blob, MAX_CRLS) {
            crl_positions.push(position);
        }
        return "snp.crl";
    };
    let Some(role) = common_name(certificate.subject).ok().and_then(Role::of) else { return "unknown" };
    match role {
        Role::Root(_) => add(&mut slots.roots, blob, MAX_ROOTS),
        Role::Issuer(..) => add(&mut slots.intermediates, blob, MAX_INTERMEDIATES),
        Role::Leaf(_) => add(&mut slots.leaves, blob, MAX_LEAF_CANDIDATES),
    };
    role.recognised()
}

/// Adds an object that is not yet there; says whether it did. One more than the limit is enough to be refused.
fn add<'a>(slot: &mut Vec<&'a [u8]>, object: &'a [u8], limit: usize) -> bool {
    let wanted = slot.len() <= limit && !slot.contains(&object);
    if wanted {
        slot.push(object);
    }
    wanted
}
