//! The bytes that tie evidence to a challenge and a key (*verification.md* 5.2, 5.3), and their comparison.

use crate::{Finding, Profile, codes, gpu, tdx};

/// What evidence must carry, and so where: the digest of the transcript in the protocol, anything that the caller chose
/// on the command line.
///
/// A byte string in messages, whose length tells which one it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Binding {
    /// 64 bytes for the report data of a processor.
    ReportData([u8; 64]),
    /// 32 bytes for the nonce of the requests to GPUs and switches, or for the extra data of a TPM's quote.
    Nonce([u8; 32]),
    /// 96 bytes for a machine with a virtual TPM: 32 for the extra data of the quote, then 64 for the user data of a
    /// report that the processor makes anew. A policy says whether the report must be of now; the quote always is.
    Machine([u8; 96]),
}

impl Binding {
    /// Wraps the report data of a processor.
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self::ReportData(bytes)
    }

    /// A machine's: what its TPM's quote must carry, and what its processor's report must, if it is made anew.
    pub fn machine(extra_data: [u8; 32], user_data: &[u8; 64]) -> Self {
        let mut bytes = [0; 96];
        // Both iterators have 96 bytes.
        bytes.iter_mut().zip(extra_data.iter().chain(user_data)).for_each(|(to, from)| *to = *from);
        Self::Machine(bytes)
    }

    /// Reads exactly 128 hexadecimal digits of report data, 64 of a nonce or 192 for a machine; nothing is padded or cut.
    pub fn from_hex(text: &str) -> Result<Self, BindingError> {
        let bytes = match text.len() {
            64 | 128 | 192 => hex::decode(text).map_err(|_| BindingError::NotHex)?,
            other => return Err(BindingError::Length(other)),
        };
        Self::of(&bytes).ok_or(BindingError::Length(text.len()))
    }

    /// The binding of that length.
    fn of(bytes: &[u8]) -> Option<Self> {
        let report_data = bytes.try_into().map(Self::ReportData).ok();
        let nonce = || bytes.try_into().map(Self::Nonce).ok();
        report_data.or_else(nonce).or_else(|| bytes.try_into().map(Self::Machine).ok())
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::ReportData(bytes) => bytes,
            Self::Nonce(bytes) => bytes,
            Self::Machine(bytes) => bytes,
        }
    }

    /// The report data; `plug.contract` for a binding of another kind, which a collector of a processor cannot serve.
    pub fn report_data(&self) -> Result<&[u8; 64], Finding> {
        match self {
            Self::ReportData(bytes) => Ok(bytes),
            Self::Nonce(_) | Self::Machine(_) => Err(self.misplaced("64 bytes of report data")),
        }
    }

    /// The nonce; `plug.contract` for a binding of another kind.
    pub fn nonce(&self) -> Result<&[u8; 32], Finding> {
        match self {
            Self::Nonce(bytes) => Ok(bytes),
            Self::ReportData(_) | Self::Machine(_) => Err(self.misplaced("32 bytes of a nonce")),
        }
    }

    /// What a TPM's quote must carry; `plug.contract` for a binding of a processor.
    pub fn extra_data(&self) -> Result<&[u8; 32], Finding> {
        let bytes = match self {
            Self::Nonce(bytes) => Some(bytes),
            Self::Machine(bytes) => bytes.first_chunk(),
            Self::ReportData(_) => None,
        };
        bytes.ok_or_else(|| self.misplaced("32 bytes of extra data, and 64 of user data at most"))
    }

    /// What the user data of a machine's report must be, if that is made anew; only a machine's binding says.
    pub fn user_data(&self) -> Option<&[u8; 64]> {
        match self {
            Self::Machine(bytes) => bytes.last_chunk(),
            Self::ReportData(_) | Self::Nonce(_) => None,
        }
    }

    fn misplaced(&self, wanted: &str) -> Finding {
        let detail =
            format!("a binding of {} bytes, evidence of this profile has {wanted}", self.as_bytes().len());
        Finding::new(codes::PLUG_CONTRACT, detail)
    }
}

impl<C> minicbor::Encode<C> for Binding {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Binding {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?;
        Self::of(bytes).ok_or_else(|| minicbor::decode::Error::message("a binding has 64, 32 or 96 bytes"))
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

/// Why a text is not a [`Binding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindingError {
    /// The text has this many characters instead of 128, 64 or 192.
    Length(usize),
    /// A character is not a hexadecimal digit.
    NotHex,
}

impl std::fmt::Display for BindingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(got) => {
                write!(
                    f,
                    "a binding is 128 hexadecimal digits (64 bytes), 64 for devices and TPMs, or 192 for a TPM and its \
                     machine's report, got {got}"
                )
            }
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
    /// 64 bytes in runtime data, of which REPORT_DATA has the digest ([`crate::azure::runtime_data`]).
    #[n(2)]
    RuntimeData,
    /// The extra data of a TPM's quote; 32 bytes where it is bound to something.
    #[n(3)]
    ExtraData,
    /// No field, no bytes: the evidence is bound to nothing that a verifier could have chosen.
    #[n(4)]
    Nothing,
}

impl BoundKind {
    /// How many bytes the field has where it can be what a verifier expects.
    pub const fn length(self) -> usize {
        match self {
            Self::ReportData | Self::RuntimeData => 64,
            Self::GpuNonce | Self::ExtraData => 32,
            Self::Nothing => 0,
        }
    }
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
    /// Compares the field with what the verifier expects, all bytes, in time that does not depend on where they differ. A
    /// field of another kind or length never matches: nothing is padded or cut. Of a machine's binding the field is the
    /// extra data; whether the user data count is for the policy to say.
    pub fn compare(&self, expected: &Binding) -> Result<(), Finding> {
        let wanted = match (self.kind, expected, expected.extra_data()) {
            (BoundKind::ExtraData, Binding::Machine(_), Ok(extra_data)) => extra_data,
            _ => expected.as_bytes(),
        };
        let same_form = self.bytes.len() == wanted.len() && self.kind.length() == wanted.len();
        let difference = self.bytes.iter().zip(wanted).fold(0, |acc, (a, b)| acc | (a ^ b));
        if same_form && std::hint::black_box(difference) == 0 {
            return Ok(());
        }
        let (code, name) = match self.kind {
            BoundKind::ReportData => (codes::BIND_REPORT_DATA_MISMATCH, "REPORT_DATA"),
            BoundKind::GpuNonce => (codes::BIND_GPU_NONCE_MISMATCH, "the nonce of the devices"),
            BoundKind::RuntimeData => (codes::BIND_REPORT_DATA_MISMATCH, "the binding in the runtime data"),
            BoundKind::ExtraData => (codes::BIND_REPORT_DATA_MISMATCH, "the quote's extra data"),
            BoundKind::Nothing => (codes::BIND_REPORT_DATA_MISMATCH, "what the evidence is bound to"),
        };
        let detail = format!("{name} is {}, expected {}", hex::encode(&self.bytes), hex::encode(wanted));
        Err(Finding::new(code, detail))
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
    } else if *profile == Profile::nv_spdm_1() {
        let nonce = gpu::common_nonce(&gpu::decode(evidence)?)?;
        return Ok(Some(BoundField { kind: BoundKind::GpuNonce, bytes: nonce.to_vec() }));
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
            let mut other = expected.as_bytes().to_vec();
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
        for length in [0, 63, 65, 127, 129, 191, 193] {
            assert_eq!(Binding::from_hex(&"0".repeat(length)), Err(BindingError::Length(length)));
        }
        assert_eq!(Binding::from_hex(&"g".repeat(128)), Err(BindingError::NotHex));
        assert_eq!(Binding::from_hex(&"1f".repeat(32)), Ok(Binding::Nonce([0x1f; 32])));
        assert_eq!(Binding::from_hex(&"aB".repeat(64)), Ok(Binding::new([0xab; 64])));
    }

    #[test]
    fn bindings_of_two_kinds_are_told_apart() {
        let (report_data, nonce) = (Binding::new([1; 64]), Binding::Nonce([1; 32]));
        let machine = Binding::machine([1; 32], &[2; 64]);
        for (binding, length) in [(&report_data, 64), (&nonce, 32), (&machine, 96)] {
            let bytes = minicbor::to_vec(binding).unwrap();
            assert_eq!(bytes.len(), length + 2, "a byte string and nothing else");
            assert_eq!(&minicbor::decode::<Binding>(&bytes).unwrap(), binding);
        }
        assert!(
            minicbor::decode::<Binding>(
                &minicbor::to_vec(minicbor::bytes::ByteVec::from(vec![1; 48])).unwrap()
            )
            .is_err()
        );
        let of_gpus = BoundField { kind: BoundKind::GpuNonce, bytes: vec![1; 32] };
        assert_eq!(of_gpus.compare(&nonce), Ok(()));
        assert_eq!(
            of_gpus.compare(&Binding::Nonce([2; 32])).unwrap_err().code,
            codes::BIND_GPU_NONCE_MISMATCH
        );
        // The same bytes in the other field, and a field that says the wrong thing of itself.
        assert!(field(&[1; 32]).compare(&nonce).is_err());
        assert!(of_gpus.compare(&report_data).is_err());
        assert!(BoundField { kind: BoundKind::GpuNonce, bytes: vec![1; 64] }.compare(&report_data).is_err());
        for other in [&nonce, &machine] {
            assert_eq!(other.report_data().unwrap_err().code, codes::PLUG_CONTRACT);
        }
        for other in [&report_data, &machine] {
            assert_eq!(other.nonce().unwrap_err().code, codes::PLUG_CONTRACT);
        }
    }

    #[test]
    fn a_machine_has_room_for_two() {
        let machine = Binding::machine([1; 32], &[2; 64]);
        assert_eq!(machine, Binding::from_hex(&("01".repeat(32) + &"02".repeat(64))).unwrap());
        assert_eq!(machine.extra_data(), Ok(&[1; 32]));
        assert_eq!(machine.user_data(), Some(&[2; 64]));
        assert_eq!(Binding::Nonce([1; 32]).extra_data(), Ok(&[1; 32]));
        for other in [Binding::Nonce([1; 32]), Binding::new([1; 64])] {
            assert_eq!(other.user_data(), None);
        }
        assert_eq!(Binding::new([1; 64]).extra_data().unwrap_err().code, codes::PLUG_CONTRACT);
        let field = |kind, bytes: &[u8]| BoundField { kind, bytes: bytes.to_vec() };
        assert_eq!(field(BoundKind::ExtraData, &[1; 32]).compare(&machine), Ok(()));
        for other in [
            field(BoundKind::ExtraData, &[2; 32]),
            field(BoundKind::ExtraData, machine.as_bytes()),
            field(BoundKind::ExtraData, &[]),
            field(BoundKind::GpuNonce, &[1; 32]),
            field(BoundKind::ReportData, &[2; 64]),
            field(BoundKind::ReportData, machine.as_bytes()),
        ] {
            assert!(other.compare(&machine).is_err(), "{other:?}");
        }
    }

    #[test]
    fn host_reads_the_nonce_of_devices() {
        let device = |nonce| gpu::Device {
            class: gpu::DeviceClass::Gpu,
            report: [[0; 4].as_slice(), &[nonce; 32], &[0; 9]].concat(),
            cert_chain: Vec::new(),
            cc_state: None,
            arch: None,
        };
        let read = |devices: &[gpu::Device]| bound_field_of(&Profile::nv_spdm_1(), &gpu::encode(devices));
        let expected = BoundField { kind: BoundKind::GpuNonce, bytes: vec![3; 32] };
        assert_eq!(read(&[device(3), device(3)]), Ok(Some(expected)));
        assert_eq!(read(&[device(3), device(4)]).unwrap_err().code, codes::BIND_GPU_NONCE_MISMATCH);
        assert_eq!(read(&[]).unwrap_err().code, codes::GPU_DEVICES_EMPTY);
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
        assert_eq!(bound_field_of(&Profile::parse("acme-note-1").unwrap(), &quote), Ok(None));
    }
}
