//! Endorsements of utility VMs: COSE_Sign1 in the two forms that are seen, before they are signed.

use super::chain::{Chain, FEED};
use crate::cbor;
use crate::snp::{SigKind, SignKey};

/// Label and value of a header, encoded.
pub type Entry = (Vec<u8>, Vec<u8>);

/// An endorsement before it is signed; nothing is checked, so that wrong ones can be made.
#[derive(Clone)]
pub struct Endorsement {
    /// The tag of the message: 18.
    pub tag: u64,
    /// The headers under the signature.
    pub protected: Vec<Entry>,
    /// The headers beside it.
    pub unprotected: Vec<Entry>,
    /// What is signed.
    pub payload: Vec<u8>,
    /// How it is signed; [`SigKind::Ecdsa`] is in fixed width here.
    pub signing: SigKind,
    /// Signs it.
    pub key: &'static SignKey,
}

/// The label with that number.
pub fn label(number: i64) -> Vec<u8> {
    cbor::integer(number)
}

/// The label with that text.
pub fn name(text: &str) -> Vec<u8> {
    cbor::text(text)
}

/// The payload of the header form; the version is JSON of any kind, as a rule a text of digits.
pub fn payload(svn: &str, measurement: &[u8; 48]) -> Vec<u8> {
    let digits: String = measurement.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{{\n  \"x-ms-sevsnpvm-guestsvn\": {svn},\n  \"x-ms-sevsnpvm-launchmeasurement\": \"{digits}\"\n}}"
    )
    .into_bytes()
}

/// The value of the header of certificates.
pub fn x5chain(ders: &[Vec<u8>]) -> Vec<u8> {
    cbor::array(&ders.iter().map(|der| cbor::bytes(der)).collect::<Vec<_>>())
}

impl Endorsement {
    /// The header form: endorses a measurement as version 104, signed on 2026-01-01.
    pub fn header(chain: &Chain, measurement: &[u8; 48]) -> Self {
        let protected = vec![
            (label(1), cbor::integer(-38)),
            (label(3), cbor::text("application/json")),
            (label(33), x5chain(&chain.ders())),
            (label(34), cbor::array(&[cbor::integer(-16), cbor::bytes(&[0x34; 32])])),
            (name("iss"), cbor::text(&chain.did())),
            (name("feed"), cbor::text(FEED)),
            (name("signingtime"), cbor::tag(1, &cbor::integer(1_767_225_600))),
        ];
        Self { protected, payload: payload("\"104\"", measurement), ..Self::empty(chain) }
    }

    /// The form of CWT claims: a hash envelope.
    pub fn cwt(chain: &Chain) -> Self {
        let claims = cbor::map(&[
            (label(1), cbor::text(&chain.did())),
            (label(2), cbor::text(FEED)),
            (label(6), cbor::integer(1_767_225_600)),
            (name("svn"), cbor::integer(104)),
        ]);
        let protected = vec![
            (label(1), cbor::integer(-38)),
            (label(15), claims),
            (label(33), x5chain(&chain.ders())),
            (label(34), cbor::array(&[cbor::integer(-16), cbor::bytes(&[0x34; 32])])),
            (label(258), cbor::integer(-43)),
            (label(259), cbor::text("application/octet-stream")),
        ];
        Self { protected, payload: vec![0xc5; 48], ..Self::empty(chain) }
    }

    fn empty(chain: &Chain) -> Self {
        Self {
            tag: 18,
            protected: Vec::new(),
            unprotected: vec![(name("timestamp"), cbor::bytes(&[0x30; 64]))],
            payload: Vec::new(),
            signing: SigKind::PssSha384,
            key: chain.signer_key,
        }
    }

    /// Sets a protected header, in its place or at the end.
    pub fn set(&mut self, label: Vec<u8>, value: Vec<u8>) -> &mut Self {
        match self.protected.iter_mut().find(|(other, _)| *other == label) {
            Some((_, old)) => *old = value,
            None => self.protected.push((label, value)),
        }
        self
    }

    /// Takes a protected header out. Panics if it is not there.
    pub fn remove(&mut self, label: &[u8]) -> Entry {
        let at = self.protected.iter().position(|(other, _)| other == label).expect("the header");
        self.protected.remove(at)
    }

    /// The certificates in the header of those.
    pub fn set_chain(&mut self, ders: &[Vec<u8>]) -> &mut Self {
        self.set(label(33), x5chain(ders))
    }

    /// Signs with another key and algorithm; the chain must have the key.
    pub fn sign_with(&mut self, algorithm: i64, signing: SigKind, key: &'static SignKey) -> &mut Self {
        (self.signing, self.key) = (signing, key);
        self.set(label(1), cbor::integer(algorithm))
    }

    /// The signed message.
    pub fn sign(&self) -> Vec<u8> {
        self.sign_as(&cbor::map(&self.protected))
    }

    /// The message with any bytes as protected headers, signed over them.
    pub fn sign_as(&self, protected: &[u8]) -> Vec<u8> {
        let message =
            [cbor::text("Signature1"), cbor::bytes(protected), cbor::bytes(&[]), cbor::bytes(&self.payload)];
        let message = cbor::array(&message);
        let signature = match self.signing {
            SigKind::Ecdsa => self.key.sign_fixed(&message),
            kind => self.key.sign(kind, &message),
        };
        cbor::tag(self.tag, &cbor::array(&self.parts(protected, &signature)))
    }

    fn parts(&self, protected: &[u8], signature: &[u8]) -> [Vec<u8>; 4] {
        [
            cbor::bytes(protected),
            cbor::map(&self.unprotected),
            cbor::bytes(&self.payload),
            cbor::bytes(signature),
        ]
    }
}
