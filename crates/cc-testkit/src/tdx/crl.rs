//! The revocation lists of the root and of the PCK authorities.

use super::ca::{Ca, ROOT_NAME, ecdsa_sha256, intel_name};
use super::keys;
use super::{DAY, NOW};
use crate::snp::ca::{AUTHORITY_KEY_ID, authority_key_id};
use crate::snp::{CrlSpec, Ext, SigKind, SignKey};

/// A current list of the root with nothing revoked, number 7.
pub fn root() -> CrlSpec {
    list(ROOT_NAME, keys::root(), 7)
}

/// A current list of a PCK authority with nothing revoked, number 12 (platform) or 13 (processor).
pub fn pck(ca: Ca) -> CrlSpec {
    list(ca.name(), keys::pck_ca(ca), if ca == Ca::Platform { 12 } else { 13 })
}

fn list(issuer: &str, key: &SignKey, number: u64) -> CrlSpec {
    CrlSpec {
        version: Some(1),
        inner_algorithm: ecdsa_sha256(),
        issuer: intel_name(issuer),
        this_update: NOW - DAY,
        next_update: Some(NOW + 30 * DAY),
        revoked: Vec::new(),
        number: Some(number),
        extensions: vec![Ext::new(AUTHORITY_KEY_ID, authority_key_id(key))],
        outer_algorithm: ecdsa_sha256(),
        signing: SigKind::Ecdsa,
    }
}
