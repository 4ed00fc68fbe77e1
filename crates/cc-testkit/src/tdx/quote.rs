//! Quotes by part and field; every length and type can be made to lie.

use aws_lc_rs::digest;

use super::field::{self, Field, HEADER_LENGTH, Part, QE_REPORT_LENGTH, TD10_LENGTH, TD15_LENGTH};
use super::mint::Form;
use crate::snp::SignKey;

/// Intel's vendor id of quoting enclaves.
pub const INTEL_QE_VENDOR_ID: [u8; 16] =
    [0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07];

/// The order of the P-256 group, big-endian.
pub const P256_ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC,
    0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// A quote under construction; no setter signs, see [`QuoteBuilder::sign`], [`QuoteBuilder::bind`] and
/// [`QuoteBuilder::sign_qe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteBuilder {
    /// The 48 bytes at the start.
    pub header: Vec<u8>,
    /// Type and size of the body as written; only in version 5.
    pub descriptor: Option<(u16, u32)>,
    /// The TD report body.
    pub body: Vec<u8>,
    /// Length of the signature data as written, if it shall not be true.
    pub signature_size: Option<u32>,
    /// `r ‖ s` of the attestation key over header, descriptor and body, big-endian.
    pub signature: Vec<u8>,
    /// `x ‖ y` of the attestation key, big-endian.
    pub attestation_key: Vec<u8>,
    /// Type of the outer certification data; 6 is the one below.
    pub outer_type: u16,
    /// Length of the outer certification data as written, if it shall not be true.
    pub outer_size: Option<u32>,
    /// The report of the quoting enclave.
    pub qe_report: Vec<u8>,
    /// `r ‖ s` of the PCK over the report of the quoting enclave, big-endian.
    pub qe_signature: Vec<u8>,
    /// Length of the authentication data as written, if it shall not be true.
    pub auth_size: Option<u16>,
    /// The authentication data of the quoting enclave.
    pub auth_data: Vec<u8>,
    /// Type of the inner certification data; 5 is a PCK chain in PEM.
    pub inner_type: u16,
    /// Length of the inner certification data as written, if it shall not be true.
    pub inner_size: Option<u32>,
    /// The inner certification data.
    pub certificates: Vec<u8>,
    /// Bytes after the signature data.
    pub trailing: Vec<u8>,
}

impl QuoteBuilder {
    /// A quote, not yet signed and without certificates, which a strict verifier accepts.
    pub fn healthy(form: Form) -> Self {
        let (version, descriptor, length) = match form {
            Form::V4 => (4, None, TD10_LENGTH),
            Form::V5Td10 => (5, Some(2), TD10_LENGTH),
            Form::V5Td15 => (5, Some(3), TD15_LENGTH),
        };
        let mut quote = Self {
            header: vec![0; HEADER_LENGTH],
            descriptor: descriptor.map(|kind| (kind, length as u32)),
            body: vec![0; length],
            signature_size: None,
            signature: vec![0; 64],
            attestation_key: vec![0; 64],
            outer_type: 6,
            outer_size: None,
            qe_report: vec![0; QE_REPORT_LENGTH],
            qe_signature: vec![0; 64],
            auth_size: None,
            auth_data: (0..32).collect(),
            inner_type: 5,
            inner_size: None,
            certificates: Vec::new(),
            trailing: Vec::new(),
        };
        quote
            .set(field::VERSION, &[version, 0])
            .set(field::ATT_KEY_TYPE, &[2, 0])
            .set(field::TEE_TYPE, &[0x81, 0, 0, 0])
            .set(field::QE_VENDOR_ID, &INTEL_QE_VENDOR_ID)
            .set(field::USER_DATA, &pattern(16, "QE id"))
            .set(field::TEE_TCB_SVN, &[6, 1, 4])
            .set(field::MR_SEAM, &pattern(48, "TDX module"))
            .set(field::TD_ATTRIBUTES, &(1_u64 << 28).to_le_bytes())
            .set(field::XFAM, &0x602E7_u64.to_le_bytes())
            .set(field::MR_TD, &pattern(48, "TD"))
            .set(field::RTMR0, &pattern(48, "firmware"))
            .set(field::RTMR1, &pattern(48, "kernel"))
            .set(field::RTMR2, &pattern(48, "application"))
            .set(field::REPORT_DATA, &pattern(64, "report data"))
            .set(field::QE_CPU_SVN, &[4, 4, 0x19, 0x1B, 4, 0xFF, 0, 6])
            .set(field::QE_ATTRIBUTES, &[0x15, 0, 0, 0, 0, 0, 0, 0, 0xE7])
            .set(field::QE_MR_ENCLAVE, &pattern(32, "quoting enclave"))
            .set(field::QE_MR_SIGNER, &qe_mr_signer())
            .set(field::QE_ISV_PROD_ID, &[2, 0])
            .set(field::QE_ISV_SVN, &[7, 0]);
        if form == Form::V5Td15 {
            quote.set(field::TEE_TCB_SVN_2, &[6, 1, 4]);
        }
        quote
    }

    /// The bytes of a field.
    pub fn get(&self, field: Field) -> &[u8] {
        let part = match field.part {
            Part::Header => &self.header,
            Part::Body => &self.body,
            Part::QeReport => &self.qe_report,
        };
        &part[field.offset..field.offset + field.length]
    }

    /// The bytes of a field for changes.
    pub fn get_mut(&mut self, field: Field) -> &mut [u8] {
        let part = match field.part {
            Part::Header => &mut self.header,
            Part::Body => &mut self.body,
            Part::QeReport => &mut self.qe_report,
        };
        &mut part[field.offset..field.offset + field.length]
    }

    /// Sets a field; what the value leaves over becomes zero.
    pub fn set(&mut self, field: Field, value: &[u8]) -> &mut Self {
        let bytes = self.get_mut(field);
        bytes.fill(0);
        bytes[..value.len()].copy_from_slice(value);
        self
    }

    /// Inverts a bit of a field; bit 0 is the lowest of its first byte.
    pub fn flip(&mut self, field: Field, bit: usize) -> &mut Self {
        self.get_mut(field)[bit / 8] ^= 1 << (bit % 8);
        self
    }

    /// Puts the key in and signs header, descriptor and body with it.
    pub fn sign(&mut self, key: &SignKey) -> &mut Self {
        // The point without the byte that says that it is uncompressed.
        self.attestation_key = key.public()[1..].to_vec();
        self.signature = key.sign_fixed(&self.signed());
        self
    }

    /// Binds attestation key and authentication data to the report of the quoting enclave.
    pub fn bind(&mut self) -> &mut Self {
        let bound = [self.attestation_key.as_slice(), &self.auth_data].concat();
        let hash = digest::digest(&digest::SHA256, &bound);
        self.set(field::QE_REPORT_DATA, hash.as_ref())
    }

    /// Signs the report of the quoting enclave.
    pub fn sign_qe(&mut self, pck: &SignKey) -> &mut Self {
        self.qe_signature = pck.sign_fixed(&self.qe_report);
        self
    }

    /// What the attestation key signs: everything up to the end of the body.
    pub fn signed(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        if let Some((kind, size)) = self.descriptor {
            out.extend(kind.to_le_bytes());
            out.extend(size.to_le_bytes());
        }
        out.extend(&self.body);
        out
    }

    /// The quote.
    pub fn bytes(&self) -> Vec<u8> {
        let size = |lie: Option<u32>, data: &[u8]| lie.unwrap_or(data.len() as u32).to_le_bytes();
        let mut outer = [self.qe_report.as_slice(), &self.qe_signature].concat();
        outer.extend(self.auth_size.unwrap_or(self.auth_data.len() as u16).to_le_bytes());
        outer.extend(&self.auth_data);
        outer.extend(self.inner_type.to_le_bytes());
        outer.extend(size(self.inner_size, &self.certificates));
        outer.extend(&self.certificates);
        let mut data = [self.signature.as_slice(), &self.attestation_key].concat();
        data.extend(self.outer_type.to_le_bytes());
        data.extend(size(self.outer_size, &outer));
        data.extend(outer);
        let mut out = self.signed();
        out.extend(size(self.signature_size, &data));
        out.extend(data);
        out.extend(&self.trailing);
        out
    }
}

/// The signer of the test platform's quoting enclave.
pub fn qe_mr_signer() -> Vec<u8> {
    pattern(32, "quoting enclave signer")
}

/// A random-looking constant for a field.
fn pattern(length: usize, name: &str) -> Vec<u8> {
    let seed = format!("muster test {name}");
    digest::digest(&digest::SHA512, seed.as_bytes()).as_ref()[..length].to_vec()
}
