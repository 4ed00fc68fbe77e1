//! The claims that the steps need.
//!
//! The raw words are read, not the parts decoded beside them: two readings of one field cannot disagree.

use cc_core::{ClaimValue, Claims, UnixTime};

use super::values::{PlatformId, REGISTERS, Register, TcbStatus};
use crate::facts::{Fact, Missing, bytes, flag, integer, printable, read, read_text};

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) body: Fact<Body>,
    pub(super) tcb_info_issue_date: Fact<UnixTime>,
    pub(super) qe_identity_issue_date: Fact<UnixTime>,
    pub(super) tcb_eval_num: Fact<u64>,
    /// Of platform, module and quoting enclave together.
    pub(super) tcb_status: Fact<TcbStatus>,
    pub(super) platform_tcb_status: Fact<TcbStatus>,
    pub(super) module_tcb_status: Fact<TcbStatus>,
    pub(super) qe_tcb_status: Fact<TcbStatus>,
    pub(super) tcb_date: Fact<UnixTime>,
    pub(super) advisory_ids: Fact<Vec<String>>,
    pub(super) td_attributes: Fact<u64>,
    pub(super) xfam: Fact<u64>,
    pub(super) mr_service_td: Fact<Register>,
    /// The values of [`REGISTERS`].
    pub(super) registers: [Fact<Register>; 5],
    pub(super) eventlog_replayed: Fact<bool>,
    pub(super) mr_config_id: Fact<Register>,
    pub(super) mr_owner: Fact<Register>,
    pub(super) mr_owner_config: Fact<Register>,
    pub(super) smt_enabled: Fact<bool>,
    pub(super) dynamic_platform: Fact<bool>,
    pub(super) cached_keys: Fact<bool>,
    pub(super) pck_ca: Fact<PckCa>,
    pub(super) ppid: Fact<PlatformId>,
    pub(super) platform_instance_id: Fact<PlatformId>,
    pub(super) mr_seam: Fact<Register>,
}

/// Which body the quote has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// TD 1.0, which has no MRSERVICETD.
    Td10,
    Td15,
}

/// Which authority issued the PCK certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PckCa {
    /// For single packages; its certificates name no platform instance.
    Processor,
    Platform,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        let time = |name| read_text(claims, name, UnixTime::parse);
        let status = |name| read_text(claims, name, TcbStatus::parse);
        // Bits count from the least significant bit of the first byte.
        let word = |name| bytes(claims, name).map(u64::from_le_bytes);
        let named = |name| {
            let id: Fact<PlatformId> = bytes(claims, name);
            id.and_then(|id| if id == [0; 16] { Err(Missing::Malformed) } else { Ok(id) })
        };
        Self {
            body: body(claims),
            tcb_info_issue_date: time("tcb_info_issue_date"),
            qe_identity_issue_date: time("qe_identity_issue_date"),
            tcb_eval_num: integer(claims, "tcb_eval_num"),
            tcb_status: status("tcb_status"),
            platform_tcb_status: status("platform_tcb_status"),
            module_tcb_status: status("module_tcb_status"),
            qe_tcb_status: status("qe_tcb_status"),
            tcb_date: time("tcb_date"),
            advisory_ids: read(claims, "advisory_ids", |claims, name| Ok(texts(claims.value(name)))),
            td_attributes: word("td_attributes"),
            xfam: word("xfam"),
            mr_service_td: bytes(claims, "mr_service_td"),
            registers: REGISTERS.map(|name| bytes(claims, name)),
            eventlog_replayed: flag(claims, "eventlog_replayed"),
            mr_config_id: bytes(claims, "mr_config_id"),
            mr_owner: bytes(claims, "mr_owner"),
            mr_owner_config: bytes(claims, "mr_owner_config"),
            smt_enabled: flag(claims, "smt_enabled"),
            dynamic_platform: flag(claims, "dynamic_platform"),
            cached_keys: flag(claims, "cached_keys"),
            pck_ca: read_text(claims, "pck_ca", |text| match text {
                "Intel SGX PCK Processor CA" => Some(PckCa::Processor),
                "Intel SGX PCK Platform CA" => Some(PckCa::Platform),
                _ => None,
            }),
            ppid: named("ppid"),
            platform_instance_id: named("platform_instance_id"),
            mr_seam: bytes(claims, "mr_seam"),
        }
    }
}

/// Quotes of version 4 have the body of TD 1.0, those of version 5 say which one they have.
fn body(claims: &Claims) -> Fact<Body> {
    match (integer(claims, "version")?, integer(claims, "body_type")) {
        (4, Err(Missing::Absent)) | (5, Ok(2)) => Ok(Body::Td10),
        (5, Ok(3)) => Ok(Body::Td15),
        (5, Err(missing)) => Err(missing),
        _ => Err(Missing::Malformed),
    }
}

fn texts(list: Option<&ClaimValue>) -> Option<Vec<String>> {
    let Some(ClaimValue::List(items)) = list else { return None };
    let text = |item: &ClaimValue| match item {
        ClaimValue::Text(text) => printable(text),
        _ => None,
    };
    items.iter().map(text).collect()
}
