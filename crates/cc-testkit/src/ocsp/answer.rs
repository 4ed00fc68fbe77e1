//! Answers before they are signed.

use super::{NONCE, responder_key};
use crate::der;
use crate::snp::mint::NOW;
use crate::snp::{Ext, SigKind, SignKey};

/// What an answer says about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Single {
    /// The `CertID`, DER.
    pub id: Vec<u8>,
    /// Its status.
    pub status: CertStatus,
    /// Start of currency, seconds since 1970.
    pub this_update: i64,
    /// End of currency, seconds since 1970; `None` leaves the field out.
    pub next_update: Option<i64>,
    /// The extensions; the field is left out when there are none.
    pub extensions: Vec<Ext>,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked an hour before [`NOW`], with this `CRLReason` if any; 6 is certificateHold.
    Revoked(Option<u8>),
    /// Not known.
    Unknown,
}

/// An answer before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `responseStatus`; any but 0 comes without the rest.
    pub status: u8,
    /// `responseType`, dotted.
    pub response_type: String,
    /// The version number; `None` leaves the field out, which means 0 (v1).
    pub version: Option<u64>,
    /// `ResponderID`, DER: `[1]` a name, `[2]` the hash of a key.
    pub responder: Vec<u8>,
    /// When it was made, seconds since 1970.
    pub produced_at: i64,
    /// What it says.
    pub singles: Vec<Single>,
    /// The extensions; the field is left out when there are none.
    pub extensions: Vec<Ext>,
    /// The signature's AlgorithmIdentifier, DER.
    pub algorithm: Vec<u8>,
    /// The certificates, DER; the field is left out when there are none.
    pub certificates: Vec<Vec<u8>>,
}

impl Answer {
    /// Echoes a nonce.
    #[must_use]
    pub fn with_nonce(mut self, nonce: &[u8]) -> Self {
        self.extensions.push(Ext::new(NONCE, der::octet_string(nonce)));
        self
    }

    /// The `ResponseData`, DER.
    pub fn tbs(&self) -> Vec<u8> {
        let mut fields: Vec<_> =
            self.version.map(|version| der::context(0, &[der::integer(version)])).into_iter().collect();
        fields.push(self.responder.clone());
        fields.push(der::generalized_time(self.produced_at));
        fields.push(der::seq(&self.singles.iter().map(single).collect::<Vec<_>>()));
        fields.extend(extensions(&self.extensions));
        der::seq(&fields)
    }

    /// The answer, signed by the responder's key.
    pub fn sign(&self) -> Vec<u8> {
        self.sign_with(responder_key())
    }

    /// The answer, signed by any key.
    pub fn sign_with(&self, key: &SignKey) -> Vec<u8> {
        self.sign_tbs(&self.tbs(), key)
    }

    /// The answer around any bytes to be signed.
    pub fn sign_tbs(&self, tbs: &[u8], key: &SignKey) -> Vec<u8> {
        let status = der::tlv(0x0a, &[self.status]);
        if self.status != 0 {
            return der::seq(&[status]);
        }
        let signature = der::bit_string(0, &key.sign(SigKind::Ecdsa, tbs));
        let mut fields = vec![tbs.to_vec(), self.algorithm.clone(), signature];
        if !self.certificates.is_empty() {
            fields.push(der::context(0, &[der::seq(&self.certificates)]));
        }
        let basic = der::octet_string(&der::seq(&fields));
        let body = der::context(0, &[der::seq(&[der::oid(&self.response_type), basic])]);
        der::seq(&[status, body])
    }
}

fn extensions(list: &[Ext]) -> Option<Vec<u8>> {
    let encoded: Vec<_> = list.iter().map(Ext::encode).collect();
    (!encoded.is_empty()).then(|| der::context(1, &[der::seq(&encoded)]))
}

fn single(single: &Single) -> Vec<u8> {
    let status = match single.status {
        CertStatus::Good => der::context_primitive(0, &[]),
        CertStatus::Revoked(reason) => {
            let mut fields = vec![der::generalized_time(NOW - 3600)];
            fields.extend(reason.map(|reason| der::context(0, &[der::tlv(0x0a, &[reason])])));
            der::context(1, &fields)
        }
        CertStatus::Unknown => der::context_primitive(2, &[]),
    };
    let mut fields = vec![single.id.clone(), status, der::generalized_time(single.this_update)];
    fields.extend(single.next_update.map(|until| der::context(0, &[der::generalized_time(until)])));
    fields.extend(extensions(&single.extensions));
    der::seq(&fields)
}
