//! Evidence of Azure's confidential containers and machines: the lists that are the evidence of profiles `aci-raw-1`,
//! `aci-maa-1` and `az-cvm-vtpm-1`, and the runtime data through which a binding reaches a report that somebody else asked
//! for (*verification.md* 4.1, 4.5, 4.6).
//!
//! Enough to find the bound field; nothing here is a verification.

use minicbor::{Decoder, Encoder};

use crate::{BoundField, BoundKind, Code, Finding, codes, lower_hex};

/// What stands before the binding's digits in runtime data.
const BEFORE: &str = r#"{"muster":{"v":1,"bind":""#;
/// What stands after them.
const AFTER: &str = r#""}}"#;
/// TPM_GENERATED_VALUE and TPM_ST_ATTEST_QUOTE (TPM 2.0 Library, part 2, 10.12).
const QUOTE: [u8; 6] = [0xff, b'T', b'C', b'G', 0x80, 0x18];
/// Most PCRs of a bank (PC Client Platform TPM Profile, 4.6.2).
const MAX_PCRS: u64 = 24;

/// Evidence of profile `aci-raw-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The raw SNP report.
    pub report: Vec<u8>,
    /// The runtime data whose SHA-256 is the first half of the report's REPORT_DATA, where a sidecar asked for the report.
    /// Empty where REPORT_DATA is the binding itself.
    pub runtime_data: Vec<u8>,
}

impl Group {
    /// The evidence: the report alone, or a CBOR array of report and runtime data.
    pub fn encode(&self) -> Vec<u8> {
        if self.runtime_data.is_empty() {
            return self.report.clone();
        }
        list(&[&self.report, &self.runtime_data])
    }

    /// Reads what [`Group::encode`] writes; whatever does not begin like an array of two is a report.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        if bytes.first() != Some(&0x82) {
            return Ok(Self { report: bytes.to_vec(), runtime_data: Vec::new() });
        }
        let [report, runtime_data] = read_list(bytes, codes::ENV_FORMAT_INVALID)?;
        let group = Self { report, runtime_data };
        if group.encode() != bytes {
            return Err(not_one_form(codes::ENV_FORMAT_INVALID));
        }
        Ok(group)
    }
}

/// Evidence of profile `aci-maa-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token as the service gave it: ASCII.
    pub token: Vec<u8>,
    /// The runtime data that was sent to the service. Empty where they are not at hand; such evidence is bound to nothing.
    pub runtime_data: Vec<u8>,
    /// The raw SNP report that the service judged. Empty where it is not at hand.
    pub report: Vec<u8>,
}

impl Token {
    /// The evidence: a CBOR array of the three.
    pub fn encode(&self) -> Vec<u8> {
        list(&[&self.token, &self.runtime_data, &self.report])
    }

    /// Reads what [`Token::encode`] writes; anything else is `env.format.invalid`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        let [token, runtime_data, report] = read_list(bytes, codes::ENV_FORMAT_INVALID)?;
        let token = Self { token, runtime_data, report };
        if token.encode() != bytes {
            return Err(not_one_form(codes::ENV_FORMAT_INVALID));
        }
        Ok(token)
    }
}

/// Evidence of profile `az-cvm-vtpm-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The HCL report, as the TPM's NV index 0x01400001 has it.
    pub hcl_report: Vec<u8>,
    /// The TDX quote. Empty for SNP, whose report is in the HCL report.
    pub td_quote: Vec<u8>,
    /// What the TPM signed (TPMS_ATTEST), big-endian. Empty where there is no quote.
    pub message: Vec<u8>,
    /// The signature over it: RSASSA, as long as the modulus, big-endian.
    pub signature: Vec<u8>,
    /// The values of the PCRs that were quoted, in ascending order of their numbers.
    pub pcrs: Vec<[u8; 32]>,
}

impl Machine {
    /// The evidence: a CBOR array of HCL report, TDX quote, message, signature, and an array of PCRs.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.write(&mut bytes) {
            Ok(()) => bytes,
            // Writing to a vector cannot fail; nothing, should that ever change, is no evidence for any reader.
            Err(_) => Vec::new(),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let mut e = Encoder::new(bytes);
        e.array(5)?.bytes(&self.hcl_report)?.bytes(&self.td_quote)?.bytes(&self.message)?;
        e.bytes(&self.signature)?.array(u64::try_from(self.pcrs.len()).unwrap_or(u64::MAX))?;
        for pcr in &self.pcrs {
            e.bytes(pcr)?;
        }
        Ok(())
    }

    /// Reads what [`Machine::encode`] writes, with at most 24 PCRs; anything else is `vtpm.format.malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        let wrong = |error: minicbor::decode::Error| malformed(error.to_string());
        let mut d = Decoder::new(bytes);
        let machine = (|| {
            exactly(&mut d, 5)?;
            let [hcl_report, td_quote, message, signature] =
                [d.bytes()?, d.bytes()?, d.bytes()?, d.bytes()?].map(<[u8]>::to_vec);
            let count = d.array()?.filter(|count| *count <= MAX_PCRS);
            let count = count.ok_or_else(|| minicbor::decode::Error::message("PCRs: not at most 24"))?;
            let mut pcrs = Vec::new();
            for _ in 0..count {
                let pcr = d.bytes()?.try_into();
                pcrs.push(pcr.map_err(|_| minicbor::decode::Error::message("a PCR has 32 bytes"))?);
            }
            Ok(Self { hcl_report, td_quote, message, signature, pcrs })
        })()
        .map_err(wrong)?;
        if machine.encode() != bytes {
            return Err(not_one_form(codes::VTPM_FORMAT_MALFORMED));
        }
        Ok(machine)
    }

    /// `extraData` of the quote, which is the bound field; `vtpm.quote.missing` without a quote.
    pub fn extra_data(&self) -> Result<&[u8], Finding> {
        if self.message.is_empty() {
            return Err(Finding::new(codes::VTPM_QUOTE_MISSING, "the evidence has no quote of the TPM"));
        }
        let read = || {
            let rest = self.message.strip_prefix(&QUOTE)?;
            let (_, rest) = tpm2b(rest)?;
            tpm2b(rest).map(|(extra_data, _)| extra_data)
        };
        read().ok_or_else(|| malformed("what the TPM signed is not a quote with extra data".to_owned()))
    }
}

/// The contents of a TPM2B (TPM 2.0 Library, part 2, 10.4: a length of 2 bytes, big-endian, and as many bytes) and what
/// follows it; nothing where there are fewer bytes.
pub fn tpm2b(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The runtime data that carry a binding: `{"muster":{"v":1,"bind":"<128 lower-case hexadecimal digits>"}}`.
pub fn runtime_data(binding: &[u8; 64]) -> Vec<u8> {
    format!("{BEFORE}{}{AFTER}", lower_hex::encode(binding)).into_bytes()
}

/// The binding in runtime data that are exactly what [`runtime_data`] writes; anything else, so a second key or other
/// white space, is `bind.runtime_data.mismatch`.
pub fn binding_of(runtime_data: &[u8]) -> Result<[u8; 64], Finding> {
    let read = || {
        let digits = runtime_data.strip_prefix(BEFORE.as_bytes())?.strip_suffix(AFTER.as_bytes())?;
        lower_hex::decode(digits)
    };
    read().ok_or_else(|| {
        let start = String::from_utf8_lossy(runtime_data.get(..64).unwrap_or(runtime_data)).into_owned();
        let detail =
            format!("runtime data of {} bytes are not of this system: {start:?}", runtime_data.len());
        Finding::new(codes::BIND_RUNTIME_DATA_MISMATCH, detail)
    })
}

/// What evidence is bound to through runtime data: the binding in them, or nothing if they are not of this system. That the
/// evidence has their digest is for the host to compare.
pub fn bound_through(runtime_data: &[u8]) -> BoundField {
    match binding_of(runtime_data) {
        Ok(binding) => BoundField { kind: BoundKind::RuntimeData, bytes: binding.to_vec() },
        Err(_) => BoundField { kind: BoundKind::Nothing, bytes: Vec::new() },
    }
}

fn list(parts: &[&[u8]]) -> Vec<u8> {
    // At most nine bytes before the list, and before each part.
    let room = parts.iter().fold(9, |sum: usize, part| sum.saturating_add(part.len()).saturating_add(9));
    let mut bytes = Vec::with_capacity(room);
    let mut write = || -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let mut e = Encoder::new(&mut bytes);
        e.array(u64::try_from(parts.len()).unwrap_or(u64::MAX))?;
        parts.iter().try_for_each(|part| e.bytes(part).map(|_| ()))
    };
    // Writing to a vector cannot fail; nothing, should that ever change, is no evidence for any reader.
    if write().is_err() {
        bytes.clear();
    }
    bytes
}

fn read_list<const N: usize>(bytes: &[u8], code: Code) -> Result<[Vec<u8>; N], Finding> {
    let mut d = Decoder::new(bytes);
    let mut parts = [(); N].map(|()| Vec::new());
    let mut read = || {
        exactly(&mut d, u64::try_from(N).unwrap_or(u64::MAX))?;
        parts.iter_mut().try_for_each(|part| d.bytes().map(|bytes| *part = bytes.to_vec()))
    };
    read().map_err(|error: minicbor::decode::Error| Finding::new(code, error.to_string()))?;
    Ok(parts)
}

fn exactly(d: &mut Decoder<'_>, elements: u64) -> Result<(), minicbor::decode::Error> {
    if d.array()? == Some(elements) {
        return Ok(());
    }
    Err(minicbor::decode::Error::message("evidence is not an array of its length"))
}

fn not_one_form(code: Code) -> Finding {
    Finding::new(code, "the evidence is not in its one form")
}

fn malformed(detail: String) -> Finding {
    Finding::new(codes::VTPM_FORMAT_MALFORMED, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let message = [&QUOTE[..], &[0, 2, 1, 1, 0, 3, 7, 8, 9, 0]].concat();
        Machine {
            hcl_report: vec![1; 9],
            td_quote: vec![],
            message,
            signature: vec![2; 5],
            pcrs: vec![[3; 32]; 2],
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let group = Group { report: vec![2; 1184], runtime_data: vec![7] };
        assert_eq!(Group::decode(&group.encode()), Ok(group.clone()));
        let alone = Group { runtime_data: Vec::new(), ..group.clone() };
        assert_eq!((alone.encode().len(), Group::decode(&alone.encode())), (1184, Ok(alone)));
        // The two ways of saying that there are no runtime data.
        let empty = list(&[&group.report, &[]]);
        let token = Token { token: vec![1], runtime_data: vec![2], report: vec![] };
        assert_eq!(Token::decode(&token.encode()), Ok(token.clone()));
        assert_eq!(Machine::decode(&machine().encode()), Ok(machine()));
        let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
        let longer = |bytes: &[u8]| [bytes, &[0]].concat();
        for bytes in [empty, cut(&group.encode()), longer(&group.encode())] {
            assert_eq!(Group::decode(&bytes).unwrap_err().code, codes::ENV_FORMAT_INVALID);
        }
        for bytes in [vec![], list(&[&[1], &[2]]), cut(&token.encode()), longer(&token.encode())] {
            assert_eq!(Token::decode(&bytes).unwrap_err().code, codes::ENV_FORMAT_INVALID);
        }
        let many = Machine { pcrs: vec![[0; 32]; 25], ..machine() }.encode();
        for bytes in [vec![], cut(&machine().encode()), longer(&machine().encode()), many] {
            assert_eq!(Machine::decode(&bytes).unwrap_err().code, codes::VTPM_FORMAT_MALFORMED);
        }
    }

    #[test]
    fn extra_data_are_found_in_a_quote_only() {
        assert_eq!(machine().extra_data(), Ok(&[7, 8, 9][..]));
        for end in 0..machine().message.len() - 1 {
            let mut cut = machine();
            cut.message.truncate(end);
            let code = if end == 0 { codes::VTPM_QUOTE_MISSING } else { codes::VTPM_FORMAT_MALFORMED };
            assert_eq!(cut.extra_data().unwrap_err().code, code, "{end}");
        }
        for at in 0..QUOTE.len() {
            let mut other = machine();
            other.message[at] ^= 1;
            assert_eq!(other.extra_data().unwrap_err().code, codes::VTPM_FORMAT_MALFORMED, "{at}");
        }
    }

    #[test]
    fn runtime_data_have_one_form() {
        let binding: [u8; 64] = std::array::from_fn(|i| 200_u8.wrapping_add(u8::try_from(i).unwrap()));
        let good = String::from_utf8(runtime_data(&binding)).unwrap();
        assert_eq!(binding_of(good.as_bytes()), Ok(binding));
        let digits = hex::encode(binding);
        for other in [
            String::new(),
            "{\n}".to_owned(),
            good.replace(&digits, &digits.to_uppercase()),
            good.replace(&digits, &digits[2..]),
            good.replace("\"v\":1", "\"v\":2"),
            good.replace("{\"muster\"", "{\"muster\":{},\"muster\""),
            format!("{good}\n"),
            format!(" {good}"),
        ] {
            let refused = binding_of(other.as_bytes()).unwrap_err();
            assert_eq!(refused.code, codes::BIND_RUNTIME_DATA_MISMATCH, "{other:?}");
            let nothing = BoundField { kind: BoundKind::Nothing, bytes: Vec::new() };
            assert_eq!(bound_through(other.as_bytes()), nothing);
        }
        let bound = BoundField { kind: BoundKind::RuntimeData, bytes: binding.to_vec() };
        assert_eq!(bound_through(good.as_bytes()), bound);
    }
}
