//! Certificate revocation lists as specifications which are edited and then signed.

use super::ca::{AUTHORITY_KEY_ID, ark_name, authority_key_id};
use super::cert::{Ext, SigKind, amd_name, sign_tbs};
use super::keys::{self, SignKey};
use super::mint::{DAY, NOW};
use super::product::Product;
use crate::der;

/// Identifier of cRLNumber.
pub const CRL_NUMBER: &str = "2.5.29.20";

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The content bytes of the serial number INTEGER.
    pub serial: Vec<u8>,
    /// Revocation time, seconds since 1970.
    pub date: i64,
    /// Entry extensions; the field is left out when there are none.
    pub extensions: Vec<Ext>,
}

impl Revoked {
    /// An entry for this serial number, revoked a day before [`NOW`], without extensions.
    pub fn serial(serial: Vec<u8>) -> Self {
        Self { serial, date: NOW - DAY, extensions: Vec::new() }
    }
}

/// A revocation list before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSpec {
    /// The encoded version number: 1 means v2; `None` leaves the field out (v1).
    pub version: Option<u64>,
    /// The algorithm identifier inside the signed part, DER.
    pub inner_algorithm: Vec<u8>,
    /// The issuer name, DER.
    pub issuer: Vec<u8>,
    /// Start of currency, seconds since 1970.
    pub this_update: i64,
    /// End of currency, seconds since 1970; `None` leaves the field out.
    pub next_update: Option<i64>,
    /// The entries; the field is left out when there are none.
    pub revoked: Vec<Revoked>,
    /// cRLNumber; `None` leaves the extension out.
    pub number: Option<u64>,
    /// The other extensions, written before cRLNumber.
    pub extensions: Vec<Ext>,
    /// The algorithm identifier outside the signed part, DER.
    pub outer_algorithm: Vec<u8>,
    /// The kind of signature that [`CrlSpec::sign`] makes.
    pub signing: SigKind,
}

impl CrlSpec {
    /// A current list of the product line's root with nothing revoked, number 4.
    pub fn ark(product: Product) -> Self {
        Self {
            version: Some(1),
            inner_algorithm: SigKind::PssSha384.algorithm(),
            issuer: amd_name(&ark_name(product)),
            this_update: NOW - DAY,
            next_update: Some(NOW + 30 * DAY),
            revoked: Vec::new(),
            number: Some(4),
            extensions: vec![Ext::new(AUTHORITY_KEY_ID, authority_key_id(keys::ark(product)))],
            outer_algorithm: SigKind::PssSha384.algorithm(),
            signing: SigKind::PssSha384,
        }
    }

    /// Sets the kind of signature and both algorithm identifiers.
    pub fn set_algorithm(&mut self, kind: SigKind) {
        self.signing = kind;
        self.inner_algorithm = kind.algorithm();
        self.outer_algorithm = kind.algorithm();
    }

    /// Adds an entry for this serial number (INTEGER content bytes).
    pub fn revoke(&mut self, serial: Vec<u8>) {
        self.revoked.push(Revoked::serial(serial));
    }

    /// The `TBSCertList`, DER.
    pub fn tbs(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        fields.extend(self.version.map(der::integer));
        fields.push(self.inner_algorithm.clone());
        fields.push(self.issuer.clone());
        fields.push(der::time(self.this_update));
        fields.extend(self.next_update.map(der::time));
        if !self.revoked.is_empty() {
            let entries: Vec<_> = self.revoked.iter().map(entry).collect();
            fields.push(der::seq(&entries));
        }
        let mut extensions: Vec<_> = self.extensions.iter().map(Ext::encode).collect();
        extensions.extend(self.number.map(|number| Ext::new(CRL_NUMBER, der::integer(number)).encode()));
        if !extensions.is_empty() {
            fields.push(der::context(0, &[der::seq(&extensions)]));
        }
        der::seq(&fields)
    }

    /// The signed list, DER.
    pub fn sign(&self, key: &SignKey) -> Vec<u8> {
        sign_tbs(&self.tbs(), &self.outer_algorithm, key, self.signing)
    }
}

fn entry(revoked: &Revoked) -> Vec<u8> {
    let mut fields = vec![der::tlv(der::INTEGER, &revoked.serial), der::time(revoked.date)];
    if !revoked.extensions.is_empty() {
        let extensions: Vec<_> = revoked.extensions.iter().map(Ext::encode).collect();
        fields.push(der::seq(&extensions));
    }
    der::seq(&fields)
}
