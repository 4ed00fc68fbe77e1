//! Evidence of GPUs and switches from files.
//!
//! One report, raw, in hexadecimal digits or in base64; its certificates come as endorsements. Or a JSON list with an
//! object for each device, as NVIDIA's tools write it: `arch`, `certificate` (base64 of PEM), `evidence` (base64),
//! `nonce` (hexadecimal); what else stands in an object is for people. Or the list of devices as this project carries it.

use cc_core::gpu::{self, Device, DeviceClass};
use cc_core::limits::{MAX_DEVICE_CHAIN, MAX_DEVICE_REPORT, MAX_DEVICES_EVIDENCE};
use serde::Deserialize;

use super::{ImportError, decode, within};
use crate::contract::printable;

/// The switches' architecture; every other one is of GPUs.
const SWITCHES: &str = "LS10";

#[derive(Deserialize)]
struct Listed {
    arch: String,
    certificate: String,
    evidence: String,
    nonce: String,
}

/// Reads a file as the evidence of profile `nv-spdm-1`.
pub(super) fn import(file: &[u8]) -> Result<Vec<u8>, ImportError> {
    if gpu::decode(file).is_ok() {
        within("evidence", file.len(), MAX_DEVICES_EVIDENCE)?;
        return Ok(file.to_vec());
    }
    let text = std::str::from_utf8(file).map(str::trim).unwrap_or_default();
    let devices = if text.starts_with('[') {
        list(text)?
    } else {
        let report = match text {
            "" => file.to_vec(),
            text if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => hex::decode(text)
                .map_err(|error| ImportError::Device { number: 1, reason: error.to_string() })?,
            text => decode("report", text)?,
        };
        vec![device(report, Vec::new(), None)?]
    };
    Ok(gpu::encode(&devices))
}

fn list(text: &str) -> Result<Vec<Device>, ImportError> {
    let listed: Vec<Listed> =
        serde_json::from_str(text).map_err(|error| ImportError::Json(printable(&error.to_string())))?;
    let devices = (1..).zip(listed).map(|(number, listed)| {
        let report = decode("evidence", &listed.evidence)?;
        let chain = decode("certificate", &listed.certificate)?;
        let device = device(report, chain, Some(listed.arch))?;
        // Whoever wrote another nonce beside the report than stands in it did not write this report's.
        let wrong = |reason: String| ImportError::Device { number, reason };
        let found = gpu::nonce(&device.report).map_err(|finding| wrong(finding.detail))?;
        let said = hex::decode(&listed.nonce).map_err(|error| wrong(format!("nonce: {error}")))?;
        if said != found {
            let reason =
                format!("the file has nonce {}, the report {}", printable(&listed.nonce), hex::encode(found));
            return Err(wrong(reason));
        }
        Ok(device)
    });
    devices.collect()
}

/// A device, without the zeros that the driver's buffer leaves after the report (*decisions.md* 12). Whatever else
/// follows stays, for verification to refuse.
fn device(mut report: Vec<u8>, cert_chain: Vec<u8>, arch: Option<String>) -> Result<Device, ImportError> {
    if let Ok(end) = gpu::declared_length(&report)
        && report.iter().skip(end).all(|byte| *byte == 0)
    {
        report.truncate(end);
    }
    within("report", report.len(), MAX_DEVICE_REPORT)?;
    within("certificate chain", cert_chain.len(), MAX_DEVICE_CHAIN)?;
    let class = match arch.as_deref() {
        Some(SWITCHES) => DeviceClass::Switch,
        Some(_) => DeviceClass::Gpu,
        None => gpu::class_of(&report),
    };
    Ok(Device { class, report, cert_chain, cc_state: None, arch })
}
