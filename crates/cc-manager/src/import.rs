//! Evidence files: raw bytes, or the JSON form of a configfs-tsm report (*decisions.md* 20).
//!
//! The JSON form has the files of a report directory as fields: `provider`, `outblob`, and `auxblob` when the
//! host supplied certificates. Nothing else may stand there, and no field twice.
//!
//! Evidence of Azure's container groups and machines comes in the forms of several tools (`azure`).
//!
//! Evidence of devices is a report, also in hexadecimal digits or base64, or the JSON lists of NVIDIA's tools.
//!
//! Many TDX quotes were saved with the buffer that they came in: zeros beyond the declared end are cut, here and by the
//! collector only (*decisions.md* 12).

mod azure;
mod devices;

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cc_core::limits::{MAX_ENDORSEMENT, MAX_EVIDENCE};
use cc_core::{Profile, tdx};
use serde::Deserialize;

use crate::contract::printable;
use crate::endorsements::{Endorsement, Origin};

/// Largest evidence file, in bytes: evidence and table in base64, with room for the rest.
const MAX_FILE: usize = 2 * 1024 * 1024;

/// What an evidence file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The raw evidence, without padding.
    pub evidence: Vec<u8>,
    /// Endorsements that the file carries beside it.
    pub endorsements: Vec<Endorsement>,
}

/// Why a file is not evidence in a form that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file or a part of it is too large.
    #[error("{what} has {size} bytes, the limit is {limit}")]
    Size {
        /// Which part.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is not the JSON form.
    #[error("not the JSON form of a report: {0}")]
    Json(String),
    /// A field is not canonical base64.
    #[error("field {field} is not base64 in one alphabet: {reason}")]
    Base64 {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A field is not what its name says.
    #[error("field {field}: {reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A part of the evidence of a device is none.
    #[error("device {number}: {reason}")]
    Device {
        /// Its place in the file, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// The report is of another platform than the profile.
    #[error("provider is {provider:?}, profile {profile} has {expected:?}")]
    Provider {
        /// What the file says.
        provider: String,
        /// The profile that was asked for.
        profile: Profile,
        /// The provider of that profile.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TsmReport {
    provider: String,
    outblob: String,
    #[serde(default)]
    auxblob: String,
}

/// Reads an evidence file of `profile`; `source` names it in results.
pub fn import(profile: &Profile, file: &[u8], source: &str) -> Result<Imported, ImportError> {
    within("evidence file", file.len(), MAX_FILE)?;
    if profile.is_device() {
        return Ok(Imported { evidence: devices::import(file)?, endorsements: Vec::new() });
    }
    match profile.as_str() {
        "aci-raw-1" => return azure::group(file, source),
        "aci-maa-1" => return azure::token(file),
        "az-cvm-vtpm-1" => return azure::machine(file, source),
        _ => {}
    }
    let form = provider_of(profile).filter(|_| file.trim_ascii_start().first() == Some(&b'{'));
    let Some(expected) = form else {
        within("evidence", file.len(), MAX_EVIDENCE)?;
        let evidence = without_padding(profile, file.to_vec());
        return Ok(Imported { evidence, endorsements: Vec::new() });
    };
    let report: TsmReport =
        serde_json::from_slice(file).map_err(|error| ImportError::Json(printable(&error.to_string())))?;
    // The kernel ends the name with a line feed.
    let provider = report.provider.strip_suffix('\n').unwrap_or(&report.provider);
    if provider != expected {
        return Err(ImportError::Provider {
            provider: provider.to_owned(),
            profile: profile.clone(),
            expected,
        });
    }
    let evidence = decode("outblob", &report.outblob)?;
    within("outblob", evidence.len(), MAX_EVIDENCE)?;
    let evidence = without_padding(profile, evidence);
    let table = decode("auxblob", &report.auxblob)?;
    within("auxblob", table.len(), MAX_ENDORSEMENT)?;
    let mut endorsements = Vec::new();
    if !table.is_empty() {
        endorsements.push(Endorsement::new(table, format!("auxblob of {source}"), Origin::Attester));
    }
    Ok(Imported { evidence, endorsements })
}

fn within(what: &'static str, size: usize, limit: usize) -> Result<(), ImportError> {
    if size > limit { Err(ImportError::Size { what, size, limit }) } else { Ok(()) }
}

/// Cuts zeros after the declared end of a quote. Whatever else follows stays, for verification to refuse.
fn without_padding(profile: &Profile, mut evidence: Vec<u8>) -> Vec<u8> {
    if *profile == Profile::tdx_quote_1()
        && let Ok(end) = tdx::declared_length(&evidence)
        && evidence.iter().skip(end).all(|byte| *byte == 0)
    {
        evidence.truncate(end);
    }
    evidence
}

/// The name of the kernel's report provider for a profile; evidence without one has no JSON form, whatever it
/// begins with.
fn provider_of(profile: &Profile) -> Option<&'static str> {
    match profile.as_str() {
        "snp-raw-1" => Some("sev_guest"),
        "tdx-quote-1" => Some("tdx_guest"),
        _ => None,
    }
}

/// Both alphabets occur, with and without padding, but not mixed within a field; unused bits are zero.
fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, ImportError> {
    let alphabet: &Alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let padding = match text.ends_with('=') {
        true => DecodePaddingMode::RequireCanonical,
        false => DecodePaddingMode::RequireNone,
    };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    let decoded = GeneralPurpose::new(alphabet, config).decode(text);
    decoded.map_err(|error| ImportError::Base64 { field, reason: error.to_string() })
}
