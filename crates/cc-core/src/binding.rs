//! The 64 bytes that tie evidence to a challenge and a key (*verification.md* 5.2), and their comparison.

use crate::{Finding, Profile, codes, tdx};

/// The 64 bytes that evidence must carry: SHA-512 of the transcript in the protocol, anything that the
/// caller chose on the command line.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Binding(#[cbor(n(0), with = "minicbor::bytes")] [u8; 64]);

impl Binding {
    /// Wraps exactly 64 bytes.
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads exactly 128 hexadecimal digits; nothing is padded or cut.
    pub fn from_hex(text: &str) -> Result<Self, BindingError> {
        if text.len() != 128 {
            return Err(BindingError::Length(text.len()));
        }
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| BindingError::NotHex)?;
        Ok(Self(bytes))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Why a text is not a [`Binding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindingError {
    /// The text has this many characters instead of 128.
    Length(usize),
    /// A character is not a hexadecimal digit.
    NotHex,
}

impl std::fmt::Display for BindingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(got) => write!(f, "a binding is 128 hexadecimal digits (64 bytes), got {got}"),
            Self::NotHex => f.write_str("a binding is hexadecimal, got another character"),
        }
    }
}

impl std::error::Error for BindingError {}

/// Which field of the evidence is bound, and so which code a mismatch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum BoundKind {
    /// 64 bytes of REPORT_DATA (SNP, TDX): the whole binding.
    #[n(0)]
    ReportData,
    /// 32 bytes of the nonce in the requests to GPUs and switches.
    #[n(1)]
    GpuNonce,
}

/// The raw bound field of authentic evidence. The plugin reports it, the host compares it.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct BoundField {
    /// Where the bytes stand in the evidence.
    #[n(0)]
    pub kind: BoundKind,
    /// The bytes as they stand there.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl BoundField {
    /// Compares the field with what the verifier expects, all 64 bytes, in time that does not depend on
    /// where they differ. A field of another length never matches: nothing is padded or cut.
    pub fn compare(&self, expected: &Binding) -> Result<(), Finding> {
        let same_length = self.kind == BoundKind::ReportData && self.bytes.len() == expected.0.len();
        let difference = self.bytes.iter().zip(&expected.0).fold(0, |acc, (a, b)| acc | (a ^ b));
        if same_length && std::hint::black_box(difference) == 0 {
            Ok(())
        } else {
            Err(Finding::new(
                codes::BIND_REPORT_DATA_MISMATCH,
                format!("REPORT_DATA is {}, expected {}", hex::encode(&self.bytes), hex::encode(expected.0)),
            ))
        }
    }
}

/// Reads the bound field out of raw evidence without the plugin, for the profiles whose layout fixes it, so
/// that the host need not take the plugin's word (*decisions.md* 13). `Err` when evidence of that profile is
/// too short to have one, or is none; `Ok(None)` for a profile where only its plugin can tell.
pub fn bound_field_of(profile: &Profile, evidence: &[u8]) -> Result<Option<BoundField>, Finding> {
    let bytes = if *profile == Profile::snp_raw_1() {
        snp_report_data(evidence)?
    } else if *profile == Profile::tdx_quote_1() {
        tdx::report_data(evidence)?
    } else {
        return Ok(None);
    };
    Ok(Some(BoundField { kind: BoundKind::ReportData, bytes: bytes.to_vec() }))
}

/// AMD 56860 table "ATTESTATION_REPORT": REPORT_DATA at 0x50, 64 bytes.
fn snp_report_data(report: &[u8]) -> Result<&[u8; 64], Finding> {
    report.get(0x50..).and_then(<[u8]>::first_chunk).ok_or_else(|| {
        Finding::new(
            codes::SNP_FORMAT_LENGTH,
            format!("evidence of {} bytes has no REPORT_DATA", report.len()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(bytes: &[u8]) -> BoundField {
        BoundField { kind: BoundKind::ReportData, bytes: bytes.to_vec() }
    }

    #[test]
    fn every_byte_of_the_binding_counts() {
        let expected = Binding::new(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(field(expected.as_bytes()).compare(&expected), Ok(()));
        for i in 0..64 {
            let mut other = *expected.as_bytes();
            other[i] ^= 1;
            assert_eq!(
                field(&other).compare(&expected).unwrap_err().code,
                codes::BIND_REPORT_DATA_MISMATCH,
                "byte {i}"
            );
        }
    }

    #[test]
    fn other_lengths_never_match() {
        let expected = Binding::new([0; 64]);
        for length in [0, 32, 63, 65, 128] {
            assert!(field(&vec![0; length]).compare(&expected).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn hex_is_exact() {
        assert_eq!(Binding::from_hex(&"0".repeat(126)), Err(BindingError::Length(126)));
        assert_eq!(Binding::from_hex(&"g".repeat(128)), Err(BindingError::NotHex));
        assert_eq!(Binding::from_hex(&"aB".repeat(64)), Ok(Binding::new([0xab; 64])));
    }

    #[test]
    fn host_reads_report_data_at_its_offset() {
        let mut evidence = vec![0; 1184];
        evidence[0x50..0x90].fill(7);
        let found = bound_field_of(&Profile::snp_raw_1(), &evidence).unwrap().unwrap();
        assert_eq!(found.bytes, [7; 64]);
        assert_eq!(
            bound_field_of(&Profile::snp_raw_1(), &evidence[..0x8f]).unwrap_err().code,
            codes::SNP_FORMAT_LENGTH
        );
    }
    #[test]
    fn host_reads_the_reportdata_of_quotes() {
        let mut quote = vec![0; 48 + 584 + 4];
        (quote[0], quote[4]) = (4, 0x81);
        quote[568..632].fill(7);
        let found = bound_field_of(&Profile::tdx_quote_1(), &quote).unwrap().unwrap();
        assert_eq!((found.kind, found.bytes.as_slice()), (BoundKind::ReportData, &[7; 64][..]));
        let another = field(&found.bytes).compare(&Binding::new([8; 64])).unwrap_err();
        assert_eq!(another.code, codes::BIND_REPORT_DATA_MISMATCH);
        quote[0] = 3;
        let refused = bound_field_of(&Profile::tdx_quote_1(), &quote).unwrap_err();
        assert_eq!(refused.code, codes::TDX_VERSION_UNSUPPORTED);
        assert_eq!(bound_field_of(&Profile::nv_spdm_1(), &quote), Ok(None));
    }
}
