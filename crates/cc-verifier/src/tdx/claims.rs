//! Claims of a quote and of the collateral that authenticated it.
//!
//! Names and encodings are those of *decisions.md* 18. What a quote or a certificate does not have is absent, never a
//! placeholder. All byte strings are hexadecimal in the order of the quote; beside TDATTRIBUTES stand its known bits
//! (`td_attributes_flags`).

use cc_core::{Claims, UnixTime};

use super::chain::Chain;
use super::crl::Revocations;
use super::json::Time;
use super::level::Grade;
use super::quote::Quote;
use super::status::TcbStatus;
use super::steps::{Passed, Tcb};

/// Flags of TDATTRIBUTES by claim name.
const ATTRIBUTE_FLAGS: [(&str, u64); 7] = [
    ("debug", 1),
    ("tud", 0xfe),
    ("sept_ve_disable", 1 << 28),
    ("migratable", 1 << 29),
    ("pks", 1 << 30),
    ("kl", 1 << 31),
    ("perfmon", 1 << 63),
];

/// What the quote itself says.
pub(super) fn of_quote(quote: &Quote<'_>) -> Claims {
    let body = quote.body();
    let mut claims = Claims::new();
    claims.insert("version", u32::from(quote.version()));
    if let Some(kind) = body.kind() {
        claims.insert("body_type", u32::from(kind));
    }
    claims.insert_bytes("tee_tcb_svn", body.tee_tcb_svn());
    claims.insert_bytes("mr_seam", body.mr_seam());
    claims.insert_bytes("mrsigner_seam", body.mrsigner_seam());
    claims.insert_bytes("seam_attributes", body.seam_attributes());
    claims.insert_bytes("td_attributes", body.td_attributes());
    let attributes = u64::from_le_bytes(*body.td_attributes());
    let mut flags = Claims::new();
    for (name, mask) in ATTRIBUTE_FLAGS {
        flags.insert(name, attributes & mask != 0);
    }
    claims.insert("td_attributes_flags", flags);
    claims.insert("td_debug", attributes & 1 != 0);
    claims.insert_bytes("xfam", body.xfam());
    claims.insert_bytes("mr_td", body.mr_td());
    claims.insert_bytes("mr_config_id", body.mr_config_id());
    claims.insert_bytes("mr_owner", body.mr_owner());
    claims.insert_bytes("mr_owner_config", body.mr_owner_config());
    for (name, rtmr) in ["rtmr0", "rtmr1", "rtmr2", "rtmr3"].into_iter().zip(body.rtmrs()) {
        claims.insert_bytes(name, rtmr);
    }
    claims.insert_bytes("report_data", body.report_data());
    if let Some(svn) = body.tee_tcb_svn_2() {
        claims.insert_bytes("tee_tcb_svn_2", svn);
    }
    if let Some(digest) = body.mr_service_td() {
        claims.insert_bytes("mr_service_td", digest);
    }
    let report = quote.attestation().qe_report;
    claims.insert("qe_isvsvn", u32::from(report.isv_svn()));
    claims.insert_bytes("qe_mrsigner", report.mr_signer());
    claims
}

/// Adds what the PCK certificate says.
pub(super) fn add_pck(claims: &mut Claims, chain: &Chain) {
    let pck = &chain.pck;
    claims.insert("pck_ca", chain.issuer.ca.common_name());
    claims.insert("pck_serial", number(&pck.serial));
    claims.insert("pck_not_before", pck.window.from.to_string());
    claims.insert("pck_not_after", pck.window.until.to_string());
    let extension = &pck.extension;
    claims.insert_bytes("ppid", &extension.ppid);
    claims.insert("pck_tcb_comps", extension.components.to_vec());
    claims.insert("pcesvn", u32::from(extension.pcesvn));
    claims.insert_bytes("pceid", &extension.pceid);
    claims.insert_bytes("fmspc", &extension.fmspc);
    claims.insert("sgx_type", extension.sgx_type);
    if let Some(id) = &extension.platform_instance_id {
        claims.insert_bytes("platform_instance_id", id);
    }
    for (name, flag) in [
        ("dynamic_platform", extension.dynamic_platform),
        ("cached_keys", extension.cached_keys),
        ("smt_enabled", extension.smt_enabled),
    ] {
        if let Some(flag) = flag {
            claims.insert(name, flag);
        }
    }
}

/// Adds what the collateral says.
pub(super) fn add_collateral(claims: &mut Claims, passed: &Passed<'_>, tcb: &Tcb<'_>) {
    let mut status = |name: &str, grade: &Grade| {
        if let Ok(status) = &grade.status {
            claims.insert(name, status.name());
        }
    };
    status("platform_tcb_status", &tcb.levels.platform.grade);
    if let Some(module) = tcb.levels.module {
        status("module_tcb_status", &module.grade);
    }
    status("qe_tcb_status", &tcb.levels.qe.grade);
    claims.insert("tcb_status", TcbStatus::name(tcb.status));
    if let Some(date) = tcb.levels.grades().map(|grade| grade.date).min() {
        claims.insert("tcb_date", date.to_string());
    }
    let mut advisories: Vec<&str> =
        tcb.levels.grades().flat_map(|grade| &grade.advisories).map(String::as_str).collect();
    advisories.sort_unstable();
    advisories.dedup();
    claims.insert("advisory_ids", advisories);

    let (info, identity) = (tcb.info.signed.currency, tcb.identity.signed.currency);
    let evaluation = info.tcb_evaluation_data_number.min(identity.tcb_evaluation_data_number);
    claims.insert("tcb_eval_num", evaluation);
    for (name, Time(date)) in [
        ("tcb_info_issue_date", info.issue_date),
        ("tcb_info_next_update", info.next_update),
        ("qe_identity_issue_date", identity.issue_date),
        ("qe_identity_next_update", identity.next_update),
    ] {
        claims.insert(name, date.to_string());
    }
    add_crl(claims, "root_crl_number", "root_crl_next_update", passed.root_crl);
    add_crl(claims, "pck_crl_number", "pck_crl_next_update", passed.pck_crl);
    if let Some(replay) = passed.event_log {
        claims.insert("eventlog_events", u64::try_from(replay.events).unwrap_or(u64::MAX));
        claims.insert("eventlog_replayed", true);
    }
}

fn add_crl(claims: &mut Claims, number_name: &str, next_update_name: &str, crl: Option<&Revocations>) {
    let Some(crl) = crl else { return };
    claims.insert(number_name, number(&crl.number));
    if let Some(next_update) = crl.next_update {
        claims.insert(next_update_name, UnixTime::to_string(&next_update));
    }
}

/// A number in hexadecimal.
fn number(big_endian: &[u8]) -> String {
    let digits = hex::encode(big_endian);
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}
