//! Evidence of Azure's container groups and machines from files, in the forms in which Microsoft's tools and those of the
//! Confidential Containers project write it. What a form has beside the evidence and its endorsements is for people.

use cc_core::azure::{Group, Machine, Token, tpm2b};
use cc_core::limits::{MAX_ENDORSEMENT, MAX_EVIDENCE};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ImportError, Imported, decode, within};
use crate::contract::printable;
use crate::endorsements::{Endorsement, Origin, split};

/// Algorithm and hash of a TPMT_SIGNATURE: RSASSA, SHA-256 (TPM 2.0 Library, part 2, 6.3).
const RSASSA_SHA256: [u8; 4] = [0x00, 0x14, 0x00, 0x0b];

fn is_object(file: &[u8]) -> bool {
    file.trim_ascii_start().first() == Some(&b'{')
}

fn json<'a, T: Deserialize<'a>>(file: &'a [u8]) -> Result<T, ImportError> {
    serde_json::from_slice(file).map_err(|error| ImportError::Json(printable(&error.to_string())))
}

/// Endorsements that stand in the form.
struct Beside<'s> {
    source: &'s str,
    found: Vec<Endorsement>,
}

impl Beside<'_> {
    fn push(&mut self, field: &'static str, bytes: Vec<u8>) -> Result<(), ImportError> {
        within(field, bytes.len(), MAX_ENDORSEMENT)?;
        let source = format!("{field} of {}", self.source);
        self.found.push(Endorsement::new(bytes, source, Origin::Attester));
        Ok(())
    }

    /// Certificates in PEM, or one in base64.
    fn certificates(&mut self, field: &'static str, text: &str) -> Result<(), ImportError> {
        let bytes = if text.trim_start().starts_with("-----BEGIN ") {
            text.as_bytes().to_vec()
        } else {
            decode(field, text)?
        };
        let parts = split(&bytes).map_err(|reason| ImportError::Field { field, reason })?;
        parts.into_iter().try_for_each(|part| self.push(field, part))
    }
}

/// A container group's evidence as CCF's tools and the sidecar's `/attest/combined` write it.
#[derive(Deserialize)]
struct Combined {
    evidence: String,
    #[serde(default)]
    endorsements: String,
    #[serde(default)]
    uvm_endorsements: String,
}

/// What the sidecar's `/attest/raw` gives, with the runtime data that it was given, in base64.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Hexadecimal digits.
    report: String,
    #[serde(default)]
    runtime_data: String,
}

#[derive(Deserialize)]
struct Marks {
    evidence: Option<IgnoredAny>,
}

/// Reads a file as the evidence of profile `aci-raw-1`.
pub(super) fn group(file: &[u8], source: &str) -> Result<Imported, ImportError> {
    let mut beside = Beside { source, found: Vec::new() };
    let evidence = if !is_object(file) {
        file.to_vec()
    } else if json::<Marks>(file)?.evidence.is_some() {
        let combined: Combined = json(file)?;
        let chain = decode("endorsements", &combined.endorsements)?;
        if !chain.is_empty() {
            let chain = String::from_utf8_lossy(&chain);
            beside.certificates("endorsements", &chain)?;
        }
        let uvm = decode("uvm_endorsements", &combined.uvm_endorsements)?;
        if !uvm.is_empty() {
            beside.push("uvm_endorsements", uvm)?;
        }
        decode("evidence", &combined.evidence)?
    } else {
        let raw: Raw = json(file)?;
        let report = digits("report", &raw.report)?;
        Group { report, runtime_data: decode("runtime_data", &raw.runtime_data)? }.encode()
    };
    within("evidence", evidence.len(), MAX_EVIDENCE)?;
    Ok(Imported { evidence, endorsements: beside.found })
}

/// A token as the sidecar's `/attest/maa` or the service gives it, with what was sent for it (*decisions.md* 14).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attested {
    token: String,
    /// Base64.
    #[serde(default)]
    runtime_data: String,
    /// The raw report, in hexadecimal digits.
    #[serde(default)]
    report: String,
}

/// Reads a file as the evidence of profile `aci-maa-1`: the JSON form, or a token alone, which is bound to nothing.
pub(super) fn token(file: &[u8]) -> Result<Imported, ImportError> {
    let token = if is_object(file) {
        let attested: Attested = json(file)?;
        Token {
            token: attested.token.into_bytes(),
            runtime_data: decode("runtime_data", &attested.runtime_data)?,
            report: digits("report", &attested.report)?,
        }
    } else if let Ok(token) = Token::decode(file) {
        token
    } else {
        Token { token: file.trim_ascii().to_vec(), runtime_data: Vec::new(), report: Vec::new() }
    };
    let evidence = token.encode();
    within("evidence", evidence.len(), MAX_EVIDENCE)?;
    Ok(Imported { evidence, endorsements: Vec::new() })
}

/// Bytes as numbers, hexadecimal digits or base64, as the versions of the form have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Numbers(Vec<u8>),
    Text(String),
}

impl Bytes {
    fn base64(self, field: &'static str) -> Result<Vec<u8>, ImportError> {
        match self {
            Self::Numbers(bytes) => Ok(bytes),
            Self::Text(text) => decode(field, &text),
        }
    }

    fn digits(self, field: &'static str) -> Result<Vec<u8>, ImportError> {
        match self {
            Self::Numbers(bytes) => Ok(bytes),
            Self::Text(text) => digits(field, &text),
        }
    }
}

/// A machine's evidence as the guest components of Confidential Containers write it, versions 0 to 2.
#[derive(Deserialize)]
struct Guest {
    #[serde(alias = "report")]
    hcl_report: Bytes,
    #[serde(alias = "quote")]
    tpm_quote: Option<Quote>,
    td_quote: Option<Bytes>,
    vcek: Option<String>,
}

#[derive(Deserialize)]
struct Quote {
    message: Bytes,
    signature: Bytes,
    pcrs: Vec<Bytes>,
}

/// A machine's evidence as Azure's clean rooms write it.
#[derive(Deserialize)]
struct CleanRoom {
    #[serde(rename = "snpCvm")]
    snp_cvm: SnpCvm,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnpCvm {
    evidence: CleanRoomEvidence,
    #[serde(default)]
    platform_certificates: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CleanRoomEvidence {
    tpm_quote: String,
    hcl_report: String,
    /// By number.
    pcrs: std::collections::BTreeMap<u8, String>,
}

#[derive(Deserialize)]
struct MachineMarks {
    #[serde(rename = "snpCvm")]
    snp_cvm: Option<IgnoredAny>,
    hcl_report: Option<IgnoredAny>,
    quote: Option<IgnoredAny>,
}

/// The same with what a clean room has beside it.
#[derive(Deserialize)]
struct Wrapped {
    report: CleanRoom,
}

/// Reads a file as the evidence of profile `az-cvm-vtpm-1`: one of the JSON forms, or an HCL report alone, which has no quote.
pub(super) fn machine(file: &[u8], source: &str) -> Result<Imported, ImportError> {
    let mut beside = Beside { source, found: Vec::new() };
    let machine = if !is_object(file) {
        match Machine::decode(file) {
            Ok(machine) => machine,
            Err(_) => alone(file.to_vec()),
        }
    } else {
        // Each form by what it has, so that an error is about that form.
        let MachineMarks { snp_cvm, hcl_report, quote } = json(file)?;
        if snp_cvm.is_some() {
            clean_room(json(file)?, &mut beside)?
        } else if hcl_report.is_some() || quote.is_some() {
            guest(json(file)?, &mut beside)?
        } else {
            clean_room(json::<Wrapped>(file)?.report, &mut beside)?
        }
    };
    let evidence = machine.encode();
    within("evidence", evidence.len(), MAX_EVIDENCE)?;
    Ok(Imported { evidence, endorsements: beside.found })
}

const fn alone(hcl_report: Vec<u8>) -> Machine {
    Machine { hcl_report, td_quote: Vec::new(), message: Vec::new(), signature: Vec::new(), pcrs: Vec::new() }
}

fn guest(guest: Guest, beside: &mut Beside<'_>) -> Result<Machine, ImportError> {
    if let Some(vcek) = &guest.vcek {
        beside.certificates("vcek", vcek)?;
    }
    let mut machine = alone(guest.hcl_report.base64("hcl_report")?);
    if let Some(quote) = guest.td_quote {
        machine.td_quote =
            super::without_padding(&cc_core::Profile::tdx_quote_1(), quote.base64("td_quote")?);
    }
    if let Some(quote) = guest.tpm_quote {
        machine.message = quote.message.digits("message")?;
        machine.signature = quote.signature.digits("signature")?;
        machine.pcrs =
            quote.pcrs.into_iter().map(|value| pcr(value.digits("pcrs")?)).collect::<Result<_, _>>()?;
    }
    Ok(machine)
}

fn clean_room(form: CleanRoom, beside: &mut Beside<'_>) -> Result<Machine, ImportError> {
    let SnpCvm { evidence, platform_certificates } = form.snp_cvm;
    if !platform_certificates.is_empty() {
        beside.certificates("platformCertificates", &platform_certificates)?;
    }
    let mut machine = alone(decode("hclReport", &evidence.hcl_report)?);
    let quote = decode("tpmQuote", &evidence.tpm_quote)?;
    let parts = || {
        let (message, rest) = tpm2b(&quote)?;
        let (signature, rest) = tpm2b(rest.strip_prefix(&RSASSA_SHA256)?)?;
        rest.is_empty().then(|| (message.to_vec(), signature.to_vec()))
    };
    let field = "tpmQuote";
    let reason = || "not a TPM2B_ATTEST and a TPMT_SIGNATURE with RSASSA and SHA-256".to_owned();
    (machine.message, machine.signature) =
        parts().ok_or_else(|| ImportError::Field { field, reason: reason() })?;
    // In ascending order of their numbers, as they were quoted.
    machine.pcrs =
        evidence.pcrs.values().map(|value| pcr(decode("pcrs", value)?)).collect::<Result<_, _>>()?;
    Ok(machine)
}

fn pcr(value: Vec<u8>) -> Result<[u8; 32], ImportError> {
    value.try_into().map_err(|value: Vec<u8>| ImportError::Field {
        field: "pcrs",
        reason: format!("a value of {} bytes, one of the SHA-256 bank has 32", value.len()),
    })
}

fn digits(field: &'static str, text: &str) -> Result<Vec<u8>, ImportError> {
    hex::decode(text).map_err(|error| ImportError::Field { field, reason: error.to_string() })
}
