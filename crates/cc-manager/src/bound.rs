//! The bound field, which the host reads itself wherever the profile tells where it stands (*decisions.md* 13), and rule M5
//! of *verification.md* 4.5: runtime data that carry a binding are those of the evidence.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cc_core::azure::{Group, Machine, Token, binding_of, runtime_data};
use cc_core::{BoundField, BoundKind, Finding, Profile, bound_field_of, codes};
use serde::Deserialize;

use crate::Sha256;

/// What the evidence is bound to, without the plugin. `Ok(None)` for a profile where only its plugin can tell; `Err` for
/// evidence that has no such field, and with a code of `bind` where its parts are not bound to each other.
pub(crate) fn stated(profile: &Profile, evidence: &[u8]) -> Result<Option<BoundField>, Finding> {
    match profile.as_str() {
        "aci-raw-1" => group(&Group::decode(evidence)?).map(Some),
        "aci-maa-1" => token(&Token::decode(evidence)?).map(Some),
        "az-cvm-vtpm-1" => {
            let bytes = Machine::decode(evidence)?.extra_data()?.to_vec();
            Ok(Some(BoundField { kind: BoundKind::ExtraData, bytes }))
        }
        _ => bound_field_of(profile, evidence),
    }
}

/// What stands before the length of the runtime data in an HCL report: header, report, and the header of the data up to there.
const BEFORE_LENGTH: usize = 32 + 1184 + 16;

/// The user data in the HCL report of a machine with a virtual TPM; older machines have none.
pub(crate) fn user_data(evidence: &[u8]) -> Result<Option<[u8; 64]>, Finding> {
    let machine = Machine::decode(evidence)?;
    let unreadable = |detail: String| Finding::new(codes::VTPM_FORMAT_MALFORMED, detail);
    let runtime_data = runtime_data_of(&machine.hcl_report)
        .ok_or_else(|| unreadable("an HCL report that ends before its runtime data do".to_owned()))?;
    let MachineData { user_data } =
        serde_json::from_slice(runtime_data).map_err(|error| unreadable(error.to_string()))?;
    let bytes = user_data.map(|digits| {
        let mut bytes = [0; 64];
        hex::decode_to_slice(&digits, &mut bytes).map(|()| bytes)
    });
    bytes.transpose().map_err(|error| unreadable(format!("user-data: {error}")))
}

fn runtime_data_of(hcl_report: &[u8]) -> Option<&[u8]> {
    let (length, data) = hcl_report.get(BEFORE_LENGTH..)?.split_first_chunk()?;
    data.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// What is looked at in the runtime data of a machine.
#[derive(Deserialize)]
struct MachineData {
    #[serde(default, rename = "user-data")]
    user_data: Option<String>,
}

/// The report's own field, or the binding in the runtime data of which it has the digest.
fn group(group: &Group) -> Result<BoundField, Finding> {
    let none = || Finding::new(codes::SNP_FORMAT_LENGTH, "the report has no REPORT_DATA");
    let field = bound_field_of(&Profile::snp_raw_1(), &group.report)?.ok_or_else(none)?;
    if group.runtime_data.is_empty() {
        return Ok(field);
    }
    through(&group.runtime_data, &field.bytes)
}

/// What is looked at in a token; a name that is there twice makes it unreadable.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "x-ms-sevsnpvm-reportdata")]
    report_data: String,
    #[serde(default, rename = "x-ms-runtime")]
    runtime: Option<Runtime>,
}

/// The runtime data as the service writes them, in whatever order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runtime {
    muster: Muster,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Muster {
    v: u64,
    bind: String,
}

/// Without runtime data a token is bound to nothing.
fn token(evidence: &Token) -> Result<BoundField, Finding> {
    if evidence.runtime_data.is_empty() {
        return Ok(BoundField { kind: BoundKind::Nothing, bytes: Vec::new() });
    }
    let unreadable = || Finding::new(codes::JWT_FORMAT_INVALID, "the token's payload cannot be read");
    let segment = evidence.token.split(|byte| *byte == b'.').nth(1).ok_or_else(unreadable)?;
    let payload = URL_SAFE_NO_PAD.decode(segment).map_err(|_| unreadable())?;
    let payload: Payload = serde_json::from_slice(&payload).map_err(|error| {
        mismatch(format!("the token's claims cannot be compared with runtime data: {error}"))
    })?;
    let report_data = hex::decode(&payload.report_data)
        .map_err(|error| mismatch(format!("the token's report data: {error}")))?;
    let field = through(&evidence.runtime_data, &report_data)?;
    let runtime = payload.runtime.ok_or_else(|| mismatch("the token has no `x-ms-runtime`".to_owned()))?;
    if runtime.muster.v != 1 || runtime.muster.bind != hex::encode(&field.bytes) {
        let (v, bind) = (runtime.muster.v, runtime.muster.bind);
        return Err(mismatch(format!("the token's `x-ms-runtime` has v {v} and bind {bind:?}")));
    }
    Ok(field)
}

/// The binding in runtime data whose SHA-256, and then zeros, is `report_data`.
fn through(data: &[u8], report_data: &[u8]) -> Result<BoundField, Finding> {
    let binding = binding_of(data)?;
    let digest = Sha256::of(&runtime_data(&binding));
    let expected = [digest.as_bytes().as_slice(), &[0; 32]].concat();
    let field = BoundField { kind: BoundKind::RuntimeData, bytes: binding.to_vec() };
    if expected == report_data {
        return Ok(field);
    }
    let (found, expected) = (hex::encode(report_data), hex::encode(expected));
    Err(mismatch(format!("report data are {found}, those of the runtime data {expected}")))
}

fn mismatch(detail: String) -> Finding {
    Finding::new(codes::BIND_RUNTIME_DATA_MISMATCH, detail)
}
