//! The platform's report, made anew: user data written into one NV index of the TPM are in the report that the paravisor
//! then puts into another (microsoft/openvmm, `openhcl_attestation_protocol`; az-cvm-vtpm 0.8, `vtpm`).

use std::time::Duration;

use cc_core::{Finding, codes};
use serde::Deserialize;

use super::hcl::runtime_data;
use super::tpm::Tpm;
use crate::pace::Gate;

/// NV index of the platform's report.
pub(super) const HCL_REPORT: u32 = 0x0140_0001;
/// NV index of the user data for the next one.
const USER_DATA: u32 = 0x0140_0002;
/// How often the report is looked at until it is the new one, and how long after each other. It takes the paravisor a
/// second or two.
const LOOKS: usize = 30;
const INTERVAL: Duration = Duration::from_millis(500);

/// What is looked at in runtime data.
#[derive(Deserialize)]
struct Runtime {
    #[serde(default, rename = "user-data")]
    user_data: Option<String>,
}

/// The report that the paravisor makes with these user data.
pub(super) fn renewed(tpm: &mut Tpm, user_data: &[u8; 64], gate: &mut Gate) -> Result<Vec<u8>, Finding> {
    tpm.write(USER_DATA, user_data)?;
    let mut found = None;
    for look in 0..LOOKS {
        if look > 0 && !gate.pause(INTERVAL) {
            break;
        }
        let report = tpm.nv(HCL_REPORT)?;
        found = user_data_of(&report);
        if found.as_deref().is_some_and(|digits| hex::encode(user_data).eq_ignore_ascii_case(digits)) {
            return Ok(report);
        }
    }
    let found = found.map_or_else(|| "none".to_owned(), |digits| format!("{digits:?}"));
    let detail = format!("the report has user data {found} still, written were {}", hex::encode(user_data));
    Err(Finding::new(codes::VTPM_COLLECT_STALE, detail))
}

fn user_data_of(report: &[u8]) -> Option<String> {
    serde_json::from_slice::<Runtime>(runtime_data(report)?).ok()?.user_data
}
