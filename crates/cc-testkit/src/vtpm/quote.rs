//! What a TPM signs when it quotes (TPMS_ATTEST), by field; every length can be made to lie.

use aws_lc_rs::digest::{SHA256, digest};

use crate::snp::SignKey;
use crate::snp::cert::SigKind;

/// A quote before it is signed. Numbers are big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteBuilder {
    /// TPM_GENERATED_VALUE.
    pub magic: u32,
    /// TPM_ST_ATTEST_QUOTE.
    pub kind: u16,
    /// The name of the signing key.
    pub qualified_signer: Vec<u8>,
    /// What the verifier chose.
    pub extra_data: Vec<u8>,
    /// Length of the extra data as written, if it shall not be true.
    pub extra_data_size: Option<u16>,
    /// clockInfo.clock.
    pub clock: u64,
    /// clockInfo.resetCount and restartCount.
    pub counts: [u32; 2],
    /// clockInfo.safe.
    pub safe: u8,
    /// firmwareVersion.
    pub firmware_version: u64,
    /// Number of banks as written, if it shall not be true.
    pub bank_count: Option<u32>,
    /// Hash and bitmap of each bank.
    pub banks: Vec<(u16, Vec<u8>)>,
    /// Digest of the values of the PCRs.
    pub pcr_digest: Vec<u8>,
    /// What follows, under the signature.
    pub trailing: Vec<u8>,
}

impl QuoteBuilder {
    /// A quote over these PCRs of the SHA-256 bank, with values.
    pub fn healthy(pcrs: &[(u8, [u8; 32])]) -> Self {
        let mut quote = Self {
            magic: 0xff54_4347,
            kind: 0x8018,
            qualified_signer: [&[0, 0x0b][..], &[0x51; 32]].concat(),
            extra_data: (0x40..0x60).collect(),
            extra_data_size: None,
            clock: 0x1122_3344,
            counts: [5, 7],
            safe: 1,
            firmware_version: 0x2020_0312_0012_0003,
            bank_count: None,
            banks: Vec::new(),
            pcr_digest: Vec::new(),
            trailing: Vec::new(),
        };
        quote.over(pcrs);
        quote
    }

    /// Selects these PCRs of the SHA-256 bank and takes the digest of their values.
    pub fn over(&mut self, pcrs: &[(u8, [u8; 32])]) {
        let mut bitmap = vec![0; 3];
        for (number, _) in pcrs {
            bitmap[usize::from(number / 8)] |= 1 << (number % 8);
        }
        self.banks = vec![(0x000b, bitmap)];
        let values: Vec<u8> = pcrs.iter().flat_map(|(_, value)| *value).collect();
        self.pcr_digest = digest(&SHA256, &values).as_ref().to_vec();
    }

    /// What is signed.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_be_bytes().to_vec();
        bytes.extend(self.kind.to_be_bytes());
        sized(&mut bytes, &self.qualified_signer, None);
        sized(&mut bytes, &self.extra_data, self.extra_data_size);
        bytes.extend(self.clock.to_be_bytes());
        bytes.extend(self.counts.into_iter().flat_map(u32::to_be_bytes));
        bytes.push(self.safe);
        bytes.extend(self.firmware_version.to_be_bytes());
        bytes.extend(self.bank_count.unwrap_or(self.banks.len() as u32).to_be_bytes());
        for (hash, bitmap) in &self.banks {
            bytes.extend(hash.to_be_bytes());
            bytes.push(bitmap.len() as u8);
            bytes.extend(bitmap);
        }
        sized(&mut bytes, &self.pcr_digest, None);
        bytes.extend(&self.trailing);
        bytes
    }
}

/// The signature of a TPM's attestation key: RSASSA-PKCS1-v1_5 with SHA-256, without the structure around it.
pub fn sign(key: &SignKey, message: &[u8]) -> Vec<u8> {
    key.sign(SigKind::Pkcs1Sha256, message)
}

fn sized(bytes: &mut Vec<u8>, content: &[u8], lie: Option<u16>) {
    bytes.extend(lie.unwrap_or(content.len() as u16).to_be_bytes());
    bytes.extend(content);
}
