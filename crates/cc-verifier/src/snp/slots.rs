//! Endorsements in named slots, and the sorting of unlabelled ones into them by content (*decisions.md* 4).

use cc_core::Finding;
use cc_core::limits::MAX_CERTIFICATE;

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

/// Puts one object where it belongs and says what it is.
fn sort_one<'a>(
    blob: &'a [u8],
    position: u32,
    slots: &mut Slots<'a>,
    crl_positions: &mut Vec<u32>,
) -> &'static str {
    let certificate = if blob.len() <= MAX_CERTIFICATE { Certificate::parse(blob).ok() } else { None };
    let Some(certificate) = certificate else {
        if Crl::parse(blob).is_err() {
            return "unknown";
        }
        slots.crls.push(blob);
        crl_positions.push(position);
        return "snp.crl";
    };
    let Some(role) = common_name(certificate.subject).ok().and_then(Role::of) else { return "unknown" };
    match role {
        Role::Root(_) => slots.roots.push(blob),
        Role::Issuer(..) => slots.intermediates.push(blob),
        Role::Leaf(_) => slots.leaves.push(blob),
    }
    role.recognised()
}
